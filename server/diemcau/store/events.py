"""The attendance log as staff read it: events with the people, halls and recorders they name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.store.schema import (
    account,
    annulment,
    attendance,
    attendance_event,
    attendee,
    device,
    point,
    unit,
    unlisted,
)
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from collections.abc import Collection

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection

NONCES_A_QUERY = 500
_person_unit, _stood = unit.alias("person_unit"), attendee.alias("stood")
_stood_unit = unit.alias("stood_unit")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as staff see them. `code` None: on no list, and `unit_name` is what they said; `path` "" then."""

    full_name: str
    code: str | None
    title: str
    unit: str | None
    unit_name: str
    path: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event. happened_ms as best known, at_ms as the device said; `counted`: it is what counts of them now."""

    event_id: int
    nonce: bytes
    kind: str
    source: str
    point: str
    point_name: str
    point_path: str
    happened_ms: int
    at_ms: int
    server_ms: int
    offset_ms: int | None
    offline: bool
    held: bool
    flags: str
    of_nonce: bytes | None
    reason: str
    number: int | None
    attendee_id: int | None
    unlisted_id: int | None
    device_id: int | None
    by: str
    counted: bool
    annulled: bool
    person: Person | None
    stands_for: Person | None


def _person_columns(person: Any, home: Any, name: str) -> list[sa.Label[Any]]:  # noqa: ANN401 tables or their aliases
    columns = (person.c.full_name, person.c.code, person.c.title, home.c.code, home.c.name, home.c.path)
    return [column.label(f"{name}_{index}") for index, column in enumerate(columns)]


_e, _u = attendance_event.c, unlisted.c
SELECTED = (
    sa.select(
        _e.id.label("event_id"),
        _e.nonce,
        _e.kind,
        _e.source,
        point.c.code.label("point"),
        point.c.name.label("point_name"),
        unit.c.path.label("point_path"),
        _e.happened_ms,
        _e.at_ms,
        _e.server_ms,
        _e.offset_ms,
        _e.offline,
        _e.held,
        _e.flags,
        _e.of_nonce,
        _e.reason,
        _e.number,
        _e.attendee_id,
        _e.unlisted_id,
        _e.device_id,
        sa.func.coalesce(account.c.name, device.c.name, "").label("by"),
        sa.or_(
            attendance.c.nonce.is_not(None),
            sa.and_(_u.nonce == _e.nonce, _u.attendee_id.is_(None)),
        ).label("counted"),
        annulment.c.nonce.is_not(None).label("annulled"),
        *_person_columns(attendee, _person_unit, "person"),
        *_person_columns(_stood, _stood_unit, "stood"),
        _u.name.label("typed_name"),
        _u.unit_text.label("typed_unit"),
    )
    .select_from(attendance_event)
    .join(point, point.c.id == _e.point_id)
    .join(unit, unit.c.id == point.c.unit_id)
    .outerjoin(attendee, attendee.c.id == _e.attendee_id)
    .outerjoin(_person_unit, _person_unit.c.id == attendee.c.unit_id)
    .outerjoin(unlisted, _u.id == _e.unlisted_id)
    .outerjoin(_stood, _stood.c.id == _e.stands_for_id)
    .outerjoin(_stood_unit, _stood_unit.c.id == _stood.c.unit_id)
    .outerjoin(device, device.c.id == _e.device_id)
    .outerjoin(account, account.c.id == _e.account_id)
    .outerjoin(
        attendance,
        sa.and_(
            attendance.c.session_id == _e.session_id,
            attendance.c.attendee_id == _e.attendee_id,
            attendance.c.nonce == _e.nonce,
        ),
    )
    .outerjoin(annulment, annulment.c.nonce == _e.nonce)
)


def seen_in(scope: Scope) -> sa.ColumnElement[bool]:
    """The condition that the hall or the person is in scope."""
    return sa.or_(in_scope(unit.c.path, scope), in_scope(_person_unit.c.path, scope))


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of the log: of a session, of what `scope` sees, of a hall and of a person (codes), before an event."""

    session_id: int
    scope: Scope
    rows: int
    point: str | None = None
    attendee: str | None = None
    before: int | None = None


async def page(connection: Connection, asked: Asked) -> list[EventRow]:
    """The newest events asked for."""
    query = SELECTED.where(seen_in(asked.scope))
    if asked.point is None and asked.attendee is None:
        first, last = await _span(connection, asked.session_id)
        query = query.where(_e.id.between(first, last), _e.session_id + 0 == asked.session_id)
    else:
        query = query.where(_e.session_id == asked.session_id)
    if asked.point is not None:
        query = query.where(point.c.code == asked.point)
    if asked.attendee is not None:
        query = query.where(attendee.c.code == asked.attendee)
    if asked.before is not None:
        query = query.where(_e.id < asked.before)
    return [event(row) for row in await connection.execute(query.order_by(_e.id.desc()).limit(asked.rows))]


async def _span(connection: Connection, session_id: int) -> tuple[int, int]:
    """The first and the last event of a session, between which few belong to another.

    Read backwards from the last, a page costs what it shows; by the session's index all events would be sorted first.
    """
    query = sa.select(sa.func.min(_e.id), sa.func.max(_e.id)).where(_e.session_id == session_id)
    first, last = (await connection.execute(query)).one()
    return first or 0, last or 0


async def by_nonce(connection: Connection, session_id: int, nonces: Collection[bytes]) -> dict[bytes, EventRow]:
    """Those of these events that the session has."""
    found: dict[bytes, EventRow] = {}
    ordered = sorted(nonces)
    for start in range(0, len(ordered), NONCES_A_QUERY):
        some = ordered[start : start + NONCES_A_QUERY]
        query = SELECTED.where(_e.session_id == session_id, _e.nonce.in_(some))
        found.update({bytes(row.nonce): event(row) for row in await connection.execute(query)})
    return found


def event(row: sa.Row[*tuple[Any, ...]]) -> EventRow:
    """A row of `SELECTED`."""
    told = row._mapping  # noqa: SLF001 the documented way to a row's names
    person = [told[f"person_{index}"] for index in range(6)]
    stood = [told[f"stood_{index}"] for index in range(6)]
    return EventRow(
        row.event_id,
        bytes(row.nonce),
        row.kind,
        row.source,
        row.point,
        row.point_name,
        row.point_path,
        row.happened_ms,
        row.at_ms,
        row.server_ms,
        row.offset_ms,
        row.offline,
        row.held,
        row.flags,
        bytes(row.of_nonce) if row.of_nonce else None,
        row.reason,
        row.number,
        row.attendee_id,
        row.unlisted_id,
        row.device_id,
        row.by,
        bool(row.counted),
        bool(row.annulled),
        _person(person) or _typed(row.typed_name, row.typed_unit),
        _person(stood),
    )


def _person(values: list[Any]) -> Person | None:
    return Person(*values) if values[0] is not None else None


def _typed(name: str | None, unit_text: str) -> Person | None:
    return Person(name, None, "", None, unit_text, "") if name is not None else None
