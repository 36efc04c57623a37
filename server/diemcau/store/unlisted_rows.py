"""The rows behind the figure of people on no list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.store import frozen_places
from diemcau.store.lists import beyond, matches
from diemcau.store.schema import point, unit, unlisted
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection
    from diemcau.store.frozen_places import Places
    from diemcau.store.lists import Asked


@dataclass(frozen=True, slots=True)
class UnlistedRow:
    """A counted person on no list, by the hall where they sit; `unit_text`: as they wrote it."""

    number: str
    name: str
    name_folded: str
    unit_text: str
    at_ms: int
    flags: str
    unit_code: str
    unit_name: str
    unit_path: str
    point_code: str
    point_name: str


def apart(places: Places, scope: Scope) -> tuple[sa.ColumnElement[bool], ...]:
    """The conditions that somebody on no list is counted, and apart."""
    w = unlisted.c
    ours = w.session_id == places.session_id
    return ours, w.nonce.is_not(None), w.attendee_id.is_(None), in_scope(unit.c.path, scope)


async def page(connection: Connection, session_id: int, asked: Asked) -> list[UnlistedRow]:
    """A page of the counted people on no list whom nobody matched yet, by the unit of their hall, and name."""
    places = await frozen_places.of(connection, session_id)
    w = unlisted.c
    number = sa.cast(w.id, sa.Text)
    columns = (number, w.name, w.name_folded, w.unit_text, w.at_ms, w.flags)
    query = (
        sa.select(*columns, unit.c.code, unit.c.name, unit.c.path, point.c.code, point.c.name)
        .select_from(places.of_point(unlisted, w.point_id))
        .where(*apart(places, asked.scope), matches(asked.q, w.name_folded, sa.literal("")))
        .where(beyond(asked.after, unit.c.path, w.name_folded, number))
        .order_by(unit.c.path, w.name_folded, number)
        .limit(asked.rows)
    )
    return [UnlistedRow(*row) for row in await connection.execute(query)]
