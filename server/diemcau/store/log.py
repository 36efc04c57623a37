"""The attendance log as it is stored, chain by chain, with the people it names. Read only; `event_log` writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from diemcau.domain.log_file import Chain
from diemcau.store.schema import attendance_event, attendee, log_chain, point, unit, unlisted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from diemcau.store.engine import Connection

STREAM_ROWS = 500
"""Entries fetched at once: a few milliseconds between which everything else runs."""


class LogRow(NamedTuple):
    """An entry, where it happened, and who is meant: on the list, on none, or (both None) nobody.

    hall_path, person_path, place_path: of the units of the hall, of the person, of whose place they take; no hall_path
    means that the entry names a hall that never was.
    The salts are those of the tables.
    """

    writer: bytes
    position: int
    hash: bytes
    body: bytes
    hall_path: str | None
    person_path: str | None
    salt: bytes | None
    code: str | None
    full_name: str | None
    phone: str | None
    unlisted_salt: bytes | None
    unlisted_name: str | None
    place_path: str | None
    place_salt: bytes | None
    place_code: str | None
    place_name: str | None
    place_phone: str | None


async def chains(connection: Connection, session_id: int) -> list[Chain]:
    """Where each chain of the session ends, by writer."""
    c = log_chain.c
    columns = (_bytes(c.writer), sa.cast(c.count, sa.BigInteger), _bytes(c.head))
    query = sa.select(*columns).where(c.session_id == session_id).order_by(c.writer)
    return [Chain(writer.hex(), count, head.hex()) for writer, count, head in await connection.execute(query)]


async def hash_at(connection: Connection, session_id: int, writer: bytes, position: int) -> bytes | None:
    """The hash of one entry; None when it is not there."""
    e = attendance_event.c
    query = sa.select(_bytes(e.hash)).where(e.session_id == session_id, e.writer == writer, e.position == position)
    found: bytes | None = await connection.scalar(query)
    return found


async def entries(connection: Connection, session_id: int) -> AsyncGenerator[list[LogRow], None]:
    """Every entry of the session, by writer and position, some at a time."""
    query = _ENTRIES.where(attendance_event.c.session_id == session_id)
    result = await connection.stream(query.execution_options(yield_per=STREAM_ROWS))
    async for rows in result.partitions():
        yield [LogRow._make(row) for row in rows]


def _bytes(column: sa.Column[bytes]) -> sa.Cast[bytes]:
    """A column that SQLite gives as bytes even where somebody put a text into it: it is for us to say what is wrong."""
    return sa.cast(column, sa.LargeBinary)


_e, _person, _u = attendance_event.c, attendee.alias("person"), unlisted.c
_place, _home, _theirs, _hall = attendee.alias("place"), unit.alias("home"), unit.alias("theirs"), unit.alias("hall")
_ENTRIES = (
    sa.select(
        _bytes(_e.writer),
        _e.position,
        _bytes(_e.hash),
        _bytes(_e.body),
        _hall.c.path,
        _home.c.path,
        _bytes(_person.c.salt),
        _person.c.code,
        _person.c.full_name,
        _person.c.phone,
        _bytes(_u.salt),
        _u.name,
        _theirs.c.path,
        _bytes(_place.c.salt),
        _place.c.code,
        _place.c.full_name,
        _place.c.phone,
    )
    .select_from(attendance_event)
    .outerjoin(point, point.c.id == _e.point_id)  # outer joins keep SQLite in the order of the chains' index
    .outerjoin(_hall, _hall.c.id == point.c.unit_id)
    .outerjoin(_person, _person.c.id == _e.attendee_id)
    .outerjoin(_home, _home.c.id == _person.c.unit_id)
    .outerjoin(unlisted, _u.id == _e.unlisted_id)
    .outerjoin(_place, _place.c.id == _e.stands_for_id)
    .outerjoin(_theirs, _theirs.c.id == _place.c.unit_id)
    .order_by(_e.writer, _e.position)
)
