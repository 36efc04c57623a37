"""What the door asks of the database, each by one indexed statement: which door, and who."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.domain.models import SessionState, SpotMode
from diemcau.store.lookup import Lookup
from diemcau.store.schema import attendee, invitation, point, session, session_point, spot_check, spot_check_point, unit

if TYPE_CHECKING:
    from diemcau.store.engine import Engines

SPOT_CHECKS_LOOKED_AT = 5
"""Spot-checks of a hall whose codes may still be on somebody's phone: the youngest of the last hour."""


@dataclass(frozen=True, slots=True)
class DoorRow:
    """A point in a session with its door. `listed`: somebody is invited to the session."""

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
    capacity: int = 0
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who may be standing at the door. `salt`: `attendee.salt`.

    point_id is the hall they are summoned to, if any is known; number: theirs on that hall's printed list.
    """

    attendee_id: int
    code: str
    full_name: str
    name_folded: str
    phone: str
    salt: bytes
    invited: bool
    point_id: int | None
    number: int | None = None


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
        point.c.capacity,
        sa.exists().where(invitation.c.session_id == session.c.id),
    )
    .join(session, session.c.id == session_point.c.session_id)
    .join(point, point.c.id == session_point.c.point_id)
    .join(unit, unit.c.id == point.c.unit_id)
)
BY_ID = Lookup(_DOOR.where(session_point.c.door_id == sa.bindparam("door_id")))
BY_CODES = Lookup(
    _DOOR.where(session.c.code == sa.bindparam("session_code"), point.c.code == sa.bindparam("point_code"))
)
POINT_NAME = Lookup(sa.select(point.c.name).where(point.c.id == sa.bindparam("point_id")))

_PERSON = (
    attendee.c.id,
    attendee.c.code,
    attendee.c.full_name,
    attendee.c.name_folded,
    attendee.c.phone,
    attendee.c.salt,
    invitation.c.attendee_id,
    invitation.c.point_id,
    invitation.c.number,
)
_INVITED = (
    sa.select(*_PERSON)
    .join(attendee, attendee.c.id == invitation.c.attendee_id)
    .where(invitation.c.session_id == sa.bindparam("session_id"), invitation.c.name_folded == sa.bindparam("name"))
)
_HERE = _INVITED.where(invitation.c.point_id == sa.bindparam("point_id"))
_ANYBODY = sa.select(*_PERSON).outerjoin(
    invitation,
    sa.and_(invitation.c.attendee_id == attendee.c.id, invitation.c.session_id == sa.bindparam("session_id")),
)
NAMED_HERE = Lookup(_HERE.limit(2))
NUMBERED_HERE = Lookup(_HERE.where(invitation.c.number == sa.bindparam("number")).limit(2))
NAMED_WITHOUT_HALL = Lookup(_INVITED.where(invitation.c.point_id.is_(None)).limit(2))
OF_ID = Lookup(_ANYBODY.where(attendee.c.id == sa.bindparam("attendee_id")))
OF_CODE = Lookup(_ANYBODY.where(attendee.c.code == sa.bindparam("code")))
OF_PHONE = Lookup(_ANYBODY.where(attendee.c.phone_digits == sa.bindparam("digits")).limit(2))
OF_PHONE_AND_NAME = Lookup(
    _ANYBODY.where(
        attendee.c.phone_digits == sa.bindparam("digits"), attendee.c.name_folded == sa.bindparam("name")
    ).limit(2)
)
SPOT_CHECKS = Lookup(
    sa.select(spot_check.c.id, spot_check.c.started_ms, spot_check.c.ends_ms)
    .join(spot_check_point, spot_check_point.c.spot_check_id == spot_check.c.id)
    .where(
        spot_check.c.session_id == sa.bindparam("session_id"),
        spot_check_point.c.point_id == sa.bindparam("point_id"),
        spot_check.c.mode == SpotMode.CODE,
        spot_check.c.ends_ms > sa.bindparam("ended_after_ms"),
    )
    .order_by(spot_check.c.id.desc())
    .limit(SPOT_CHECKS_LOOKED_AT)
)


async def by_id(engines: Engines, door_id: int) -> DoorRow | None:
    """The door of this id."""
    return _door(await engines.lookup(BY_ID, door_id=door_id))


async def by_codes(engines: Engines, session_code: str, point_code: str) -> DoorRow | None:
    """The door of a point in a session."""
    return _door(await engines.lookup(BY_CODES, session_code=session_code, point_code=point_code))


async def point_name(engines: Engines, point_id: int) -> str:
    """What a hall is called; empty when it is gone."""
    rows = await engines.lookup(POINT_NAME, point_id=point_id)
    return str(rows[0][0]) if rows else ""


async def spot_checks(
    engines: Engines, session_id: int, point_id: int, ended_after_ms: int
) -> list[tuple[int, int, int]]:
    """Id, start and end of the spot-checks for which this hall shows codes of their own, or did until lately."""
    rows = await engines.lookup(SPOT_CHECKS, session_id=session_id, point_id=point_id, ended_after_ms=ended_after_ms)
    return [(check_id, started_ms, ends_ms) for check_id, started_ms, ends_ms in rows]


async def named(engines: Engines, session_id: int, point_id: int, name_folded: str) -> list[Person]:
    """Up to two people of this name on this hall's list; if there is none, those summoned without a hall yet."""
    rows = await engines.lookup(NAMED_HERE, session_id=session_id, point_id=point_id, name=name_folded)
    if not rows:
        rows = await engines.lookup(NAMED_WITHOUT_HALL, session_id=session_id, name=name_folded)
    return [_person(row) for row in rows]


async def numbered(engines: Engines, row: DoorRow, name_folded: str, number: int) -> list[Person]:
    """The person of this name who has this number on the hall's list."""
    rows = await engines.lookup(
        NUMBERED_HERE, session_id=row.session_id, point_id=row.point_id, name=name_folded, number=number
    )
    return [_person(found) for found in rows]


async def of_id(engines: Engines, session_id: int, attendee_id: int) -> Person | None:
    """The attendee, wherever they are summoned, if at all."""
    rows = await engines.lookup(OF_ID, session_id=session_id, attendee_id=attendee_id)
    return _person(rows[0]) if rows else None


async def of_code(engines: Engines, session_id: int, code: str) -> Person | None:
    """The attendee of this code, wherever they are summoned, if at all."""
    rows = await engines.lookup(OF_CODE, session_id=session_id, code=code)
    return _person(rows[0]) if rows else None


async def of_phone(engines: Engines, session_id: int, digits: str, name_folded: str = "") -> list[Person]:
    """Up to two people of this telephone number, and of this name where one is given."""
    if name_folded:
        rows = await engines.lookup(OF_PHONE_AND_NAME, session_id=session_id, digits=digits, name=name_folded)
    else:
        rows = await engines.lookup(OF_PHONE, session_id=session_id, digits=digits)
    return [_person(row) for row in rows]


def _person(row: tuple[Any, ...]) -> Person:
    attendee_id, code, full_name, name_folded, phone, salt, invited, hall, number = row
    return Person(attendee_id, code, full_name, name_folded, phone, salt, invited is not None, hall, number)


def _door(rows: list[tuple[Any, ...]]) -> DoorRow | None:
    if not rows:
        return None
    door_id, key, session_id, session_code, title, state, starts_ms, *hall = rows[0]
    point_id, point_code, name, path, present, invited, capacity, listed = hall
    return DoorRow(
        door_id=door_id,
        key=key,
        session_id=session_id,
        session=session_code,
        title=title,
        state=SessionState(state),
        starts_ms=starts_ms,
        point_id=point_id,
        point=point_code,
        point_name=name,
        unit_path=path,
        present=present,
        invited=invited,
        capacity=capacity,
        listed=bool(listed),
    )
