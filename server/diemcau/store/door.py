"""What the door asks of the database, each by one indexed statement: which door, and who."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.domain.models import SessionState
from diemcau.store.lookup import Lookup
from diemcau.store.schema import attendee, invitation, point, session, session_point, unit

if TYPE_CHECKING:
    from diemcau.store.engine import Engines


@dataclass(frozen=True, slots=True)
class DoorRow:
    """A point in a session with its door."""

    door_id: int
    key: bytes
    session_id: int
    session: str
    title: str
    state: SessionState
    starts_ms: int
    point_id: int
    point: str
    point_name: str
    unit_path: str
    present: int
    invited: int


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who may be standing at the door. `point_id` is the hall they are summoned to, if any is known."""

    attendee_id: int
    full_name: str
    invited: bool
    point_id: int | None


_DOOR = (
    sa.select(
        session_point.c.door_id,
        session_point.c.door_key,
        session.c.id,
        session.c.code,
        session.c.title,
        session.c.state,
        session.c.starts_ms,
        point.c.id,
        point.c.code,
        point.c.name,
        unit.c.path,
        session_point.c.present,
        session_point.c.invited,
    )
    .join(session, session.c.id == session_point.c.session_id)
    .join(point, point.c.id == session_point.c.point_id)
    .join(unit, unit.c.id == point.c.unit_id)
)
BY_ID = Lookup(_DOOR.where(session_point.c.door_id == sa.bindparam("door_id")))
BY_CODES = Lookup(
    _DOOR.where(session.c.code == sa.bindparam("session_code"), point.c.code == sa.bindparam("point_code"))
)
NAMED_HERE = Lookup(
    sa.select(attendee.c.id, attendee.c.full_name, invitation.c.point_id)
    .join(attendee, attendee.c.id == invitation.c.attendee_id)
    .where(
        invitation.c.session_id == sa.bindparam("session_id"),
        invitation.c.point_id == sa.bindparam("point_id"),
        invitation.c.name_folded == sa.bindparam("name"),
    )
    .limit(2)
)
NAMED_WITHOUT_HALL = Lookup(
    sa.select(attendee.c.id, attendee.c.full_name, invitation.c.point_id)
    .join(attendee, attendee.c.id == invitation.c.attendee_id)
    .where(
        invitation.c.session_id == sa.bindparam("session_id"),
        invitation.c.point_id.is_(None),
        invitation.c.name_folded == sa.bindparam("name"),
    )
    .limit(2)
)
OF_CODE = Lookup(
    sa.select(attendee.c.id, attendee.c.full_name, invitation.c.attendee_id, invitation.c.point_id)
    .outerjoin(
        invitation,
        sa.and_(invitation.c.attendee_id == attendee.c.id, invitation.c.session_id == sa.bindparam("session_id")),
    )
    .where(attendee.c.code == sa.bindparam("code"))
)


async def by_id(engines: Engines, door_id: int) -> DoorRow | None:
    """The door of this id."""
    return _door(await engines.lookup(BY_ID, door_id=door_id))


async def by_codes(engines: Engines, session_code: str, point_code: str) -> DoorRow | None:
    """The door of a point in a session."""
    return _door(await engines.lookup(BY_CODES, session_code=session_code, point_code=point_code))


async def named(engines: Engines, session_id: int, point_id: int, name_folded: str) -> list[Person]:
    """Up to two people of this name on this hall's list; if there is none, those summoned without a hall yet."""
    rows = await engines.lookup(NAMED_HERE, session_id=session_id, point_id=point_id, name=name_folded)
    if not rows:
        rows = await engines.lookup(NAMED_WITHOUT_HALL, session_id=session_id, name=name_folded)
    return [Person(attendee_id, full_name, invited=True, point_id=hall) for attendee_id, full_name, hall in rows]


async def of_code(engines: Engines, session_id: int, code: str) -> Person | None:
    """The attendee of this code, wherever they are summoned, if at all."""
    for attendee_id, full_name, invited, hall in await engines.lookup(OF_CODE, session_id=session_id, code=code):
        return Person(attendee_id, full_name, invited is not None, hall)
    return None


def _door(rows: list[tuple[object, ...]]) -> DoorRow | None:
    if not rows:
        return None
    door_id, key, session_id, code, title, state, *rest = rows[0]
    return DoorRow(door_id, key, session_id, code, title, SessionState(state), *rest)  # type: ignore[arg-type]
