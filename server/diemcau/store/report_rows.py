"""What reports read that no page does: people on no list, rosters of many halls, spot-checks side by side, absences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.domain.models import Phase, SpotMode
from diemcau.store import frozen_places
from diemcau.store.records import STREAM_ROWS
from diemcau.store.schema import (
    absence,
    absence_reason,
    attendee,
    invitation,
    point,
    session_point,
    spot_check,
    spot_check_person,
    spot_check_point,
    unit,
    unlisted,
)
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection


async def _stream(connection: Connection, query: sa.Select[Any]) -> AsyncIterator[list[Any]]:
    result = await connection.stream(query.execution_options(yield_per=STREAM_ROWS))
    async for rows in result.partitions():
        yield list(rows)


# --- people on no list -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class UnlistedRow:
    """A counted person on no list whom nobody matched yet. `name` and `unit_text` as typed; a badge has no name."""

    name: str
    unit_text: str
    stands_for: str
    point_code: str
    point_name: str
    at_ms: int
    flags: str


async def unlisted_rows(connection: Connection, session_id: int, scope: Scope) -> AsyncIterator[list[UnlistedRow]]:
    """They of the halls in scope, by the halls' units, hall and time: those whom the figures call unlisted."""
    places = await frozen_places.of(connection, session_id)
    w = unlisted.c
    query = (
        sa.select(w.name, w.unit_text, w.stands_for_text, point.c.code, point.c.name, w.at_ms, w.flags)
        .select_from(places.of_point(unlisted, w.point_id))
        .where(w.session_id == session_id, w.nonce.is_not(None), w.attendee_id.is_(None), in_scope(unit.c.path, scope))
        .order_by(unit.c.path, point.c.code, w.at_ms, w.id)
    )
    async for rows in _stream(connection, query):
        yield [UnlistedRow(*row) for row in rows]


# --- rosters -----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class RosterRow:
    """A person on a hall's list; without a point where they are summoned to no hall yet."""

    point_code: str | None
    point_name: str | None
    number: int | None
    code: str
    full_name: str
    title: str
    unit_name: str
    phone: str


async def unnumbered(connection: Connection, session_id: int, point_code: str | None) -> list[int]:
    """The halls (ids) on whose lists somebody has no number yet; of one hall where `point_code` names it."""
    i, here = invitation.c, session_point.c
    query = (
        sa.select(i.point_id)
        .join(session_point, sa.and_(here.session_id == i.session_id, here.point_id == i.point_id))
        .where(i.session_id == session_id, i.number.is_(None))
        .distinct()
        .order_by(i.point_id)
    )
    if point_code is not None:
        query = query.join(point, point.c.id == i.point_id).where(point.c.code == point_code)
    return list((await connection.execute(query)).scalars())


async def roster_count(connection: Connection, session_id: int, scope: Scope, point_code: str | None) -> int:
    """How many people `roster_rows` lists, counted by the database itself."""
    i = invitation.c
    query = (
        sa.select(sa.func.count())
        .select_from(invitation)
        .join(attendee, attendee.c.id == i.attendee_id)
        .join(unit, unit.c.id == attendee.c.unit_id)
        .where(i.session_id == session_id, in_scope(unit.c.path, scope))
    )
    if point_code is not None:
        query = query.join(point, point.c.id == i.point_id).where(point.c.code == point_code)
    return int((await connection.execute(query)).scalar_one())


async def roster_rows(
    connection: Connection, session_id: int, scope: Scope, point_code: str | None
) -> AsyncIterator[list[RosterRow]]:
    """The summoned whose unit is in scope, hall by hall in the order of the lists, by number; who has no hall, last.

    point_code: only that hall's.
    """
    i, a, home = invitation.c, attendee.c, unit.alias("home")
    query = (
        sa.select(point.c.code, point.c.name, i.number, a.code, a.full_name, a.title, home.c.name, a.phone)
        .select_from(invitation)
        .join(attendee, a.id == i.attendee_id)
        .join(home, home.c.id == a.unit_id)
        .outerjoin(point, point.c.id == i.point_id)
        .outerjoin(unit, unit.c.id == point.c.unit_id)
        .where(i.session_id == session_id, in_scope(home.c.path, scope))
        .order_by(point.c.id.is_(None), unit.c.path, point.c.code, i.number.is_(None), i.number, a.sort_key, a.code)
    )
    if point_code is not None:
        query = query.where(point.c.code == point_code)
    async for rows in _stream(connection, query):
        yield [RosterRow(*row) for row in rows]


# --- spot-checks -------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class SpotRow:
    """What one hall answered to the last spot-check of one phase. `mode`: sample, or code (everybody was asked)."""

    point_code: str
    point_name: str
    unit_name: str
    phase: Phase
    mode: SpotMode
    present: int
    headcount: int | None
    asked: int
    seen: int


async def spot_rows(connection: Connection, session_id: int, scope: Scope) -> list[SpotRow]:
    """The halls in scope in the order of the lists, each once for every phase in which it was asked."""
    h, p, c = spot_check_point.c, spot_check_person.c, spot_check.c
    people = (
        sa.select(
            p.spot_check_id,
            p.point_id,
            sa.func.sum(sa.case((p.asked, 1), else_=0)).label("asked"),
            sa.func.sum(sa.case((p.seen.is_(sa.true()), 1), else_=0)).label("seen"),
        )
        .join(spot_check, c.id == p.spot_check_id)
        .where(c.session_id == session_id)
        .group_by(p.spot_check_id, p.point_id)
        .subquery("people")
    )
    latest = (
        sa.select(sa.func.max(c.id).label("check_id"), h.point_id)
        .select_from(spot_check)
        .join(spot_check_point, h.spot_check_id == c.id)
        .where(c.session_id == session_id)
        .group_by(h.point_id, c.phase)
        .subquery("latest")
    )
    query = (
        sa.select(
            point.c.code,
            point.c.name,
            unit.c.name,
            c.phase,
            c.mode,
            h.present,
            h.headcount,
            sa.cast(sa.func.coalesce(people.c.asked, 0), sa.BigInteger),
            sa.cast(sa.func.coalesce(people.c.seen, 0), sa.BigInteger),
        )
        .select_from(latest)
        .join(spot_check, c.id == latest.c.check_id)
        .join(spot_check_point, sa.and_(h.spot_check_id == latest.c.check_id, h.point_id == latest.c.point_id))
        .join(point, point.c.id == h.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .outerjoin(people, sa.and_(people.c.spot_check_id == h.spot_check_id, people.c.point_id == h.point_id))
        .where(in_scope(unit.c.path, scope))
        .order_by(unit.c.path, point.c.code)
    )
    return [
        SpotRow(code, name, unit_name, Phase(phase), SpotMode(mode), *figures)
        for code, name, unit_name, phase, mode, *figures in await connection.execute(query)
    ]


# --- absences ----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class AbsenceRow:
    """Somebody's absence as it stands; `reason` by name, or its code where the list lost it."""

    code: str
    full_name: str
    title: str
    unit_name: str
    phone: str
    state: str
    reason: str
    text: str
    substitute: str
    requested_ms: int
    requested_by: str
    late: bool
    decided_ms: int | None
    decided_by: str
    note: str


async def absence_rows(connection: Connection, session_id: int, scope: Scope) -> AsyncIterator[list[AbsenceRow]]:
    """The absences of people in scope, by unit and Vietnamese given name."""
    x, a, stand_in = absence.c, attendee.c, attendee.alias("stand_in")
    query = (
        sa.select(
            a.code,
            a.full_name,
            a.title,
            unit.c.name,
            a.phone,
            x.state,
            sa.func.coalesce(absence_reason.c.name, x.reason),
            x.text,
            sa.func.coalesce(stand_in.c.full_name, x.substitute),
            x.requested_ms,
            x.requested_by,
            x.late,
            x.decided_ms,
            x.decided_by,
            x.note,
        )
        .select_from(absence)
        .join(attendee, a.id == x.attendee_id)
        .join(unit, unit.c.id == a.unit_id)
        .outerjoin(stand_in, stand_in.c.id == x.substitute_id)
        .outerjoin(absence_reason, absence_reason.c.code == x.reason)
        .where(x.session_id == session_id, in_scope(unit.c.path, scope))
        .order_by(unit.c.path, a.sort_key, a.code)
    )
    async for rows in _stream(connection, query):
        yield [AbsenceRow(*row) for row in rows]
