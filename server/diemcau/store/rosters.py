"""A hall's list: whom it was summoned for, in the order of the numbers on the printed list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.domain.models import SessionState
from diemcau.store.schema import attendance, attendee, badge, invitation, point, session, session_point, unit
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection


async def ensure_numbers(connection: Connection, session_id: int, point_id: int) -> None:
    """Number the hall's people who have no number yet, in the order of the lists, after the highest that is given.

    For a job of the writer. A number, once given, is kept: the list may be printed already. Other servers that
    number the same hall wait here (PostgreSQL; on SQLite there is one writer).
    """
    i = invitation.c
    here = (i.session_id == session_id, i.point_id == point_id)
    hall = sa.select(session_point.c.point_id).where(
        session_point.c.session_id == session_id, session_point.c.point_id == point_id
    )
    await connection.execute(hall.with_for_update())
    highest = (await connection.execute(sa.select(sa.func.max(i.number)).where(*here))).scalar() or 0
    place = sa.func.row_number().over(order_by=(attendee.c.sort_key, attendee.c.id)) + highest
    given = (
        sa.select(i.attendee_id, place.label("number"))
        .join(attendee, attendee.c.id == i.attendee_id)
        .where(*here, i.number.is_(None))
        .subquery()
    )
    await connection.execute(
        sa.update(invitation)
        .where(i.session_id == session_id, i.attendee_id == given.c.attendee_id)
        .values(number=given.c.number)
    )


async def numbered(connection: Connection, session_id: int, point_id: int) -> bool:
    """Whether everybody on the hall's list has a number, so that nothing has to be written."""
    query = (
        sa.select(1)
        .where(invitation.c.session_id == session_id, invitation.c.point_id == point_id, invitation.c.number.is_(None))
        .limit(1)
    )
    return (await connection.execute(query)).first() is None


@dataclass(frozen=True, slots=True)
class Hall:
    """A point of a session, as far as its list is concerned."""

    session_id: int
    session: str
    state: SessionState
    readable_roster: bool
    point_id: int
    point: str
    unit_path: str


async def hall(connection: Connection, session_code: str, point_code: str) -> Hall | None:
    """The hall of these codes, where the point takes part in the session."""
    query = (
        sa.select(
            session.c.id.label("session_id"),
            session.c.code.label("session"),
            session.c.state,
            session.c.readable_roster,
            point.c.id.label("point_id"),
            point.c.code.label("point"),
            unit.c.path.label("unit_path"),
        )
        .join(session_point, session_point.c.session_id == session.c.id)
        .join(point, point.c.id == session_point.c.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .where(session.c.code == session_code, point.c.code == point_code)
    )
    row = (await connection.execute(query)).mappings().first()
    return Hall(**{**row, "state": SessionState(row["state"])}) if row else None


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A person on a hall's list. badge_issue: of the badge that is good now. at_ms: counted then, in any hall."""

    attendee_id: int
    number: int
    code: str
    full_name: str
    title: str
    unit_name: str
    badge_issue: int | None
    at_ms: int | None


async def listed(connection: Connection, hall: Hall, scope: Scope) -> list[RosterRow]:
    """The hall's people whose unit is in scope, by number; whoever has none yet is left out (`ensure_numbers`)."""
    i, a = invitation.c, attendee.c
    query = (
        sa.select(
            a.id.label("attendee_id"),
            i.number,
            a.code,
            a.full_name,
            a.title,
            unit.c.name.label("unit_name"),
            badge.c.issue.label("badge_issue"),
            attendance.c.at_ms,
        )
        .select_from(invitation)
        .join(attendee, a.id == i.attendee_id)
        .join(unit, unit.c.id == a.unit_id)
        .outerjoin(badge, sa.and_(badge.c.attendee_id == a.id, badge.c.revoked_ms.is_(None)))
        .outerjoin(
            attendance, sa.and_(attendance.c.session_id == i.session_id, attendance.c.attendee_id == i.attendee_id)
        )
        .where(
            i.session_id == hall.session_id,
            i.point_id == hall.point_id,
            i.number.is_not(None),
            in_scope(unit.c.path, scope),
        )
        .order_by(i.number)
    )
    return [RosterRow(**row) for row in (await connection.execute(query)).mappings()]
