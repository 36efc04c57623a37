"""What was recorded in a session: who came, the figures by unit, the links. Read only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.domain.attendance import Figures
from diemcau.domain.models import AttendanceStatus, Flag
from diemcau.store import name_search
from diemcau.store.lists import Asked, beyond
from diemcau.store.schema import (
    attendance,
    attendance_event,
    attendee,
    invitation,
    link_transition,
    point,
    session_point,
    substitution,
    unit,
    unlisted,
)
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection

STREAM_ROWS = 500
"""Rows fetched at once while a whole list is read: a few milliseconds between which everything else runs."""


@dataclass(frozen=True, slots=True)
class AttendanceRow:
    """A person who is invited, counted, or both. `at_ms` and `flags` are of the entry that counts, None without one.

    The point is where they sat; for who was not counted, the hall they are summoned to. left_ms: when they checked
    out. substituted: somebody took their place, `substitute` by name; stands_for: the name of whose place they took.
    """

    code: str
    full_name: str
    sort_key: str
    title: str
    phone: str
    unit_code: str
    unit_name: str
    unit_path: str
    point_code: str | None
    point_name: str | None
    invited: bool
    at_ms: int | None
    flags: str | None
    left_ms: int | None
    substituted: bool
    substitute: str | None
    stands_for: str | None

    @property
    def late(self) -> bool:
        """Whether they came late."""
        return Flag.LATE in (self.flags or "").split()


def _has_flag(flag: Flag) -> sa.ColumnElement[bool]:
    return (sa.literal(" ") + attendance.c.flags + sa.literal(" ")).contains(f" {flag} ", autoescape=True)


_taken, _held = substitution.alias("taken"), substitution.alias("held")
_substitute, _stood = attendee.alias("substitute"), attendee.alias("stood")


def _people(session_id: int, scope: Scope) -> sa.Select[Any]:
    """Everyone in scope who is invited or counted, in the order of the lists."""
    a, u, p = attendee.c, unit.c, point.c
    i, t = invitation.c, attendance.c
    return (
        sa.select(
            a.code,
            a.full_name,
            a.sort_key,
            a.title,
            a.phone,
            u.code.label("unit_code"),
            u.name.label("unit_name"),
            u.path.label("unit_path"),
            p.code.label("point_code"),
            p.name.label("point_name"),
            i.attendee_id.is_not(None).label("invited"),
            t.at_ms,
            t.flags,
            t.left_ms,
            _taken.c.nonce.is_not(None).label("substituted"),
            sa.func.coalesce(_substitute.c.full_name, unlisted.c.name).label("substitute"),
            _stood.c.full_name.label("stands_for"),
        )
        .select_from(unit)
        .join(attendee, a.unit_id == u.id)
        .outerjoin(invitation, sa.and_(i.session_id == session_id, i.attendee_id == a.id))
        .outerjoin(attendance, sa.and_(t.session_id == session_id, t.attendee_id == a.id))
        .outerjoin(point, p.id == sa.func.coalesce(t.point_id, i.point_id))
        .outerjoin(
            _taken,
            sa.and_(_taken.c.session_id == session_id, _taken.c.attendee_id == i.attendee_id, t.attendee_id.is_(None)),
        )
        .outerjoin(attendance_event, attendance_event.c.nonce == _taken.c.nonce)
        .outerjoin(_substitute, _substitute.c.id == attendance_event.c.attendee_id)
        .outerjoin(unlisted, unlisted.c.id == attendance_event.c.unlisted_id)
        .outerjoin(_held, _held.c.nonce == t.nonce)
        .outerjoin(_stood, _stood.c.id == _held.c.attendee_id)
        .where(in_scope(u.path, scope), sa.or_(i.attendee_id.is_not(None), t.attendee_id.is_not(None)))
        .order_by(u.path, a.sort_key, a.code)
    )


def _is(status: AttendanceStatus) -> sa.ColumnElement[bool]:
    counted = attendance.c.attendee_id.is_not(None)
    if status is AttendanceStatus.PRESENT:
        return sa.and_(counted, sa.not_(_has_flag(Flag.LATE)))
    if status is AttendanceStatus.LATE:
        return sa.and_(counted, _has_flag(Flag.LATE))
    substituted = _taken.c.nonce.is_not(None)
    return substituted if status is AttendanceStatus.SUBSTITUTED else sa.not_(sa.or_(counted, substituted))


async def attendance_page(
    connection: Connection, session_id: int, asked: Asked, status: AttendanceStatus | None
) -> list[AttendanceRow]:
    """A page of the attendance list by unit, Vietnamese given name and code.

    `status` present, late, substituted, or any other for those who are missing; None for everybody.
    """
    query = (
        _people(session_id, asked.scope)
        .where(
            await name_search.found(connection, asked.q),
            beyond(asked.after, unit.c.path, attendee.c.sort_key, attendee.c.code),
        )
        .limit(asked.rows)
    )
    if status is not None:
        query = query.where(_is(status))
    return [AttendanceRow(**row) for row in (await connection.execute(query)).mappings()]


async def attendance_rows(connection: Connection, session_id: int, scope: Scope) -> AsyncIterator[list[AttendanceRow]]:
    """The whole attendance list of the scope, some rows at a time."""
    async for rows in _stream(connection, _people(session_id, scope)):
        yield [AttendanceRow(*row) for row in rows]


async def _stream(connection: Connection, query: sa.Select[Any]) -> AsyncIterator[list[Any]]:
    result = await connection.stream(query.execution_options(yield_per=STREAM_ROWS))
    async for rows in result.partitions():
        yield list(rows)


# --- figures -----------------------------------------------------------------------------------------------
async def figures(connection: Connection, session_id: int, scope: Scope) -> dict[str, Figures]:
    """The own figures of each unit in scope that has any, by path: people by their unit, points by theirs."""
    people = await _people_figures(connection, session_id, scope)
    found: dict[str, Figures] = {}
    for path, count in await _point_counts(connection, session_id, scope):
        found[path] = Figures(points=count)
    for path, count in await _unlisted_counts(connection, session_id, scope):
        found[path] = found.get(path, Figures()) + Figures(unlisted=count)
    for path, figures_of_people in people.items():
        found[path] = found.get(path, Figures()) + figures_of_people
    return found


async def _people_figures(connection: Connection, session_id: int, scope: Scope) -> dict[str, Figures]:
    """One pass over the invitations, one over the counted without any; grouped by unit."""
    i, t = invitation.c, attendance.c
    counted = sa.case((t.attendee_id.is_not(None), 1), else_=0)
    late = sa.case((sa.and_(t.attendee_id.is_not(None), _has_flag(Flag.LATE)), 1), else_=0)
    substituted = sa.case((sa.and_(t.attendee_id.is_(None), _taken.c.nonce.is_not(None)), 1), else_=0)
    invited = (
        sa.select(
            i.attendee_id,
            sa.literal(1).label("summoned"),
            counted.label("present"),
            late.label("late"),
            sa.literal(0).label("guest"),
            substituted.label("substituted"),
        )
        .select_from(invitation)
        .outerjoin(attendance, sa.and_(t.session_id == session_id, t.attendee_id == i.attendee_id))
        .outerjoin(_taken, sa.and_(_taken.c.session_id == session_id, _taken.c.attendee_id == i.attendee_id))
        .where(i.session_id == session_id)
    )
    zero = sa.literal(0)
    guests = (
        sa.select(t.attendee_id, zero, zero, zero, sa.literal(1), zero)
        .select_from(attendance)
        .outerjoin(invitation, sa.and_(i.session_id == session_id, i.attendee_id == t.attendee_id))
        .where(t.session_id == session_id, i.attendee_id.is_(None))
    )
    marks = sa.union_all(invited, guests).subquery("marks")
    m = marks.c
    query = (
        sa.select(
            unit.c.path,
            *(
                sa.cast(sa.func.sum(column), sa.BigInteger)
                for column in (m.summoned, m.present, m.late, m.guest, m.substituted)
            ),
        )
        .select_from(marks)
        .join(attendee, attendee.c.id == m.attendee_id)
        .join(unit, unit.c.id == attendee.c.unit_id)
        .where(in_scope(unit.c.path, scope))
        .group_by(unit.c.path)
    )
    return {path: Figures(0, *people) for path, *people in await connection.execute(query)}


async def _point_counts(connection: Connection, session_id: int, scope: Scope) -> list[tuple[str, int]]:
    query = (
        sa.select(unit.c.path, sa.func.count())
        .select_from(session_point)
        .join(point, point.c.id == session_point.c.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .where(session_point.c.session_id == session_id, in_scope(unit.c.path, scope))
        .group_by(unit.c.path)
    )
    return [(path, count) for path, count in await connection.execute(query)]


async def _unlisted_counts(connection: Connection, session_id: int, scope: Scope) -> list[tuple[str, int]]:
    """Counted people on no list whom nobody matched yet, by the unit of their hall."""
    w = unlisted.c
    query = (
        sa.select(unit.c.path, sa.func.count())
        .select_from(unlisted)
        .join(point, point.c.id == w.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .where(w.session_id == session_id, w.nonce.is_not(None), w.attendee_id.is_(None), in_scope(unit.c.path, scope))
        .group_by(unit.c.path)
    )
    return [(path, count) for path, count in await connection.execute(query)]


# --- links -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A change of a point's link. `previous_ms`: when the state before it began; None for the first."""

    point_code: str
    point_name: str
    unit_name: str
    from_link: str
    to_link: str
    at_ms: int
    noticed_ms: int
    previous_ms: int | None
    cause: str


async def connection_rows(connection: Connection, session_id: int, scope: Scope) -> AsyncIterator[list[ConnectionRow]]:
    """The connection log of the points in scope, by unit, point and time; some rows at a time."""
    change = link_transition.c
    query = (
        sa.select(
            point.c.code,
            point.c.name,
            unit.c.name,
            change.from_link,
            change.to_link,
            change.at_ms,
            change.noticed_ms,
            sa.func.lag(change.at_ms).over(partition_by=change.point_id, order_by=change.version),
            change.cause,
        )
        .select_from(link_transition)
        .join(point, point.c.id == change.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .where(change.session_id == session_id, in_scope(unit.c.path, scope))
        .order_by(unit.c.path, point.c.code, change.version)
    )
    async for rows in _stream(connection, query):
        yield [ConnectionRow(*row) for row in rows]
