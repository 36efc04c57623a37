"""What paper is made of: the halls of a session, and the people who are summoned to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.domain.models import PointMode
from diemcau.store.schema import attendee, badge, invitation, point, session_point, unit
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection


@dataclass(frozen=True, slots=True)
class PrintHall:
    """A hall of the session. `invited`: how many are summoned to it."""

    point_id: int
    code: str
    name: str
    unit_name: str
    invited: int


async def halls(connection: Connection, session_id: int, scope: Scope, point_code: str | None) -> list[PrintHall]:
    """The halls in scope, unit by unit in the order of the tree, then by code; one alone where it is named."""
    sp = session_point.c
    query = (
        sa.select(point.c.id, point.c.code, point.c.name, unit.c.name, sp.invited)
        .select_from(session_point)
        .join(point, point.c.id == sp.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .where(sp.session_id == session_id, in_scope(unit.c.path, scope))
        .order_by(unit.c.path, point.c.code)
    )
    if point_code is not None:
        query = query.where(point.c.code == point_code)
    return [PrintHall(*row) for row in await connection.execute(query)]


async def people(
    connection: Connection, session_id: int, scope: Scope, point_code: str | None, rows_max: int
) -> list[int]:
    """Ids of those summoned whose unit is in scope, at most so many, by unit, Vietnamese given name and code."""
    i = invitation.c
    query = (
        sa.select(attendee.c.id)
        .select_from(invitation)
        .join(attendee, attendee.c.id == i.attendee_id)
        .join(unit, unit.c.id == attendee.c.unit_id)
        .where(i.session_id == session_id, in_scope(unit.c.path, scope))
        .order_by(unit.c.path, attendee.c.sort_key, attendee.c.code)
        .limit(rows_max)
    )
    if point_code is not None:
        query = query.join(point, point.c.id == i.point_id).where(point.c.code == point_code)
    return list((await connection.execute(query)).scalars())


@dataclass(frozen=True, slots=True)
class Summoned:
    """A person as a badge shows them. `issue`: of the badge that is good now; None where there is none yet."""

    attendee_id: int
    code: str
    full_name: str
    title: str
    unit_name: str
    hall: str | None
    number: int | None
    issue: int | None


async def summoned(connection: Connection, session_id: int, attendee_ids: Sequence[int]) -> list[Summoned]:
    """These people, in the order in which they are named; who is no longer summoned is left out."""
    i, a = invitation.c, attendee.c
    query = (
        sa.select(a.id, a.code, a.full_name, a.title, unit.c.name, point.c.name, i.number, badge.c.issue)
        .select_from(invitation)
        .join(attendee, a.id == i.attendee_id)
        .join(unit, unit.c.id == a.unit_id)
        .outerjoin(point, point.c.id == i.point_id)
        .outerjoin(badge, sa.and_(badge.c.attendee_id == a.id, badge.c.revoked_ms.is_(None)))
        .where(i.session_id == session_id, i.attendee_id.in_(attendee_ids))
    )
    found = {row[0]: Summoned(*row) for row in await connection.execute(query)}
    return [found[attendee_id] for attendee_id in attendee_ids if attendee_id in found]


async def unnumbered(connection: Connection, session_id: int, attendee_ids: Sequence[int]) -> list[int]:
    """The halls to which some of these people are summoned without a number on the hall's list yet."""
    i = invitation.c
    query = (
        sa.select(i.point_id)
        .distinct()
        .where(
            i.session_id == session_id,
            i.attendee_id.in_(attendee_ids),
            i.number.is_(None),
            i.point_id.is_not(None),
        )
        .order_by(i.point_id)
    )
    return list((await connection.execute(query)).scalars())


async def center_phone(connection: Connection, session_id: int) -> str:
    """The telephone of the session's centre point; "" where there is none."""
    query = (
        sa.select(point.c.contact_phone)
        .join(session_point, session_point.c.point_id == point.c.id)
        .where(session_point.c.session_id == session_id, point.c.mode == PointMode.CENTER, point.c.contact_phone != "")
        .order_by(point.c.code)
        .limit(1)
    )
    return (await connection.execute(query)).scalar() or ""
