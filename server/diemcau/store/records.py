"""What was recorded in a session: who came, the figures by unit, the links. Read only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.domain.attendance import Figures
from diemcau.domain.authority import Scope
from diemcau.domain.models import AttendanceStatus, Flag
from diemcau.store import frozen_places, name_search
from diemcau.store.lists import Asked, beyond
from diemcau.store.schema import (
    absence,
    absence_reason,
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
from diemcau.store.unlisted_rows import apart

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from diemcau.domain.figure_rows import FigureRows
    from diemcau.store.engine import Connection
    from diemcau.store.frozen_places import Places

STREAM_ROWS = 500
"""Rows fetched at once while a whole list is read: a few milliseconds between which everything else runs."""


@dataclass(frozen=True, slots=True)
class AttendanceRow:
    """A person who is invited, counted, or both. `at_ms` and `flags` are of the entry that counts, None without one.

    The point is where they sat; for who was not counted, the hall they are summoned to. left_ms: when they checked
    out. substituted: somebody took their place, `substitute` by name; stands_for: the name of whose place they took.
    excused: their absence was approved, for this `reason` by name, which tells only of who did not come.
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
    excused: bool
    reason: str | None

    @property
    def late(self) -> bool:
        """Whether they came late."""
        return Flag.LATE in (self.flags or "").split()

    def status(self, missing: AttendanceStatus) -> AttendanceStatus:
        """Their status; `missing` is what the session calls who was not counted."""
        if self.at_ms is not None:
            return AttendanceStatus.LATE if self.late else AttendanceStatus.PRESENT
        if self.substituted:
            return AttendanceStatus.SUBSTITUTED
        return AttendanceStatus.EXCUSED if self.excused else missing


def _has_flag(flag: Flag) -> sa.ColumnElement[bool]:
    return (sa.literal(" ") + attendance.c.flags + sa.literal(" ")).contains(f" {flag} ", autoescape=True)


_taken, _held = substitution.alias("taken"), substitution.alias("held")
_substitute, _stood = attendee.alias("substitute"), attendee.alias("stood")


def _people(places: Places, scope: Scope) -> sa.Select[Any]:
    """Everyone in scope who is invited or counted, in the order of the lists."""
    session_id = places.session_id
    a, u, p = attendee.c, unit.c, point.c
    i, t = invitation.c, attendance.c
    return (
        sa.select(
            a.code,
            a.full_name,
            places.sort_key.label("sort_key"),
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
            absence.c.attendee_id.is_not(None).label("excused"),
            absence_reason.c.name.label("reason"),
        )
        .select_from(places.people())
        .outerjoin(invitation, sa.and_(i.session_id == session_id, i.attendee_id == a.id))
        .outerjoin(attendance, sa.and_(t.session_id == session_id, t.attendee_id == a.id))
        .outerjoin(point, p.id == sa.func.coalesce(t.point_id, i.point_id))
        .outerjoin(
            _taken,
            sa.and_(_taken.c.session_id == session_id, _taken.c.attendee_id == i.attendee_id, t.attendee_id.is_(None)),
        )
        .outerjoin(absence, _excused(session_id, i.attendee_id))
        .outerjoin(absence_reason, absence_reason.c.code == absence.c.reason)
        .outerjoin(attendance_event, attendance_event.c.nonce == _taken.c.nonce)
        .outerjoin(_substitute, _substitute.c.id == attendance_event.c.attendee_id)
        .outerjoin(unlisted, unlisted.c.id == attendance_event.c.unlisted_id)
        .outerjoin(_held, _held.c.nonce == t.nonce)
        .outerjoin(_stood, _stood.c.id == _held.c.attendee_id)
        .where(in_scope(u.path, scope), sa.or_(i.attendee_id.is_not(None), t.attendee_id.is_not(None)))
        .order_by(u.path, places.sort_key, a.code)
    )


def _excused(session_id: int, person: sa.Column[int]) -> sa.ColumnElement[bool]:
    """What joins the absence of a summoned person that the figures know of."""
    x = absence.c
    return sa.and_(x.session_id == session_id, x.attendee_id == person, x.excused.is_(sa.true()))


def _is(status: AttendanceStatus) -> sa.ColumnElement[bool]:
    counted = attendance.c.attendee_id.is_not(None)
    if status is AttendanceStatus.PRESENT:
        return sa.and_(counted, sa.not_(_has_flag(Flag.LATE)))
    if status is AttendanceStatus.LATE:
        return sa.and_(counted, _has_flag(Flag.LATE))
    substituted, excused = _taken.c.nonce.is_not(None), absence.c.attendee_id.is_not(None)
    if status is AttendanceStatus.SUBSTITUTED:
        return substituted
    if status is AttendanceStatus.EXCUSED:
        return sa.and_(excused, sa.not_(sa.or_(counted, substituted)))
    return sa.not_(sa.or_(counted, substituted, excused))


async def attendance_page(
    connection: Connection,
    session_id: int,
    asked: Asked,
    status: AttendanceStatus | None,
    figure: FigureRows | None = None,
) -> list[AttendanceRow]:
    """A page of the attendance list by unit, Vietnamese given name and code.

    `status` present, late, substituted, excused, or any other for those who are missing; None for everybody.
    figure: only the people that this figure of the summary counts.
    """
    places = await frozen_places.of(connection, session_id)
    query = (
        _people(places, asked.scope)
        .where(
            await name_search.found(connection, asked.q),
            beyond(asked.after, unit.c.path, places.sort_key, attendee.c.code),
        )
        .limit(asked.rows)
    )
    if figure is not None:
        query = query.where(*_behind(figure))
    if status is not None:
        query = query.where(_is(status))
    return [AttendanceRow(**row) for row in (await connection.execute(query)).mappings()]


def _behind(figure: FigureRows) -> Iterator[sa.ColumnElement[bool]]:
    """The conditions that a figure of the summary counts a person."""
    if figure.invited is not None:
        i = invitation.c.attendee_id
        yield i.is_not(None) if figure.invited else i.is_(None)
    if figure.counted:
        yield attendance.c.attendee_id.is_not(None)
    if figure.status is not None:
        yield _is(figure.status)


async def people_of(
    connection: Connection, session_id: int, attendee_ids: Sequence[int]
) -> dict[int, tuple[int, AttendanceRow]]:
    """Those of these people who are invited or counted, by id, each behind the id of the unit that counts them."""
    query = _people(await frozen_places.of(connection, session_id), Scope(("",)))
    query = query.add_columns(attendee.c.id, unit.c.id.label("unit_id")).where(attendee.c.id.in_(attendee_ids))
    found = await connection.execute(query)
    return {person: (unit_id, AttendanceRow(*row)) for *row, person, unit_id in found}


async def attendance_rows(connection: Connection, session_id: int, scope: Scope) -> AsyncIterator[list[AttendanceRow]]:
    """The whole attendance list of the scope, some rows at a time."""
    async for rows in _stream(connection, _people(await frozen_places.of(connection, session_id), scope)):
        yield [AttendanceRow(*row) for row in rows]


async def _stream(connection: Connection, query: sa.Select[Any]) -> AsyncIterator[list[Any]]:
    result = await connection.stream(query.execution_options(yield_per=STREAM_ROWS))
    async for rows in result.partitions():
        yield list(rows)


# --- figures -----------------------------------------------------------------------------------------------
async def figures(connection: Connection, session_id: int, scope: Scope) -> dict[str, Figures]:
    """The own figures of each unit in scope that has any, by path: people by their unit, points by theirs."""
    places = await frozen_places.of(connection, session_id)
    people = await _people_figures(connection, places, scope)
    found: dict[str, Figures] = {}
    for path, count in await _point_counts(connection, places, scope):
        found[path] = Figures(points=count)
    for path, count in await _unlisted_counts(connection, places, scope):
        found[path] = found.get(path, Figures()) + Figures(unlisted=count)
    for path, count in await _excused_counts(connection, places, scope):
        found[path] = found.get(path, Figures()) + Figures(excused=count)
    for path, figures_of_people in people.items():
        found[path] = found.get(path, Figures()) + figures_of_people
    return found


async def _people_figures(connection: Connection, places: Places, scope: Scope) -> dict[str, Figures]:
    """One pass over the invitations, one over the counted without any; grouped by unit."""
    session_id = places.session_id
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
        .select_from(places.of_person(marks, m.attendee_id))
        .where(in_scope(unit.c.path, scope))
        .group_by(unit.c.path)
    )
    return {path: Figures(0, *people) for path, *people in await connection.execute(query)}


async def _point_counts(connection: Connection, places: Places, scope: Scope) -> list[tuple[str, int]]:
    query = (
        sa.select(unit.c.path, sa.func.count())
        .select_from(places.of_point(session_point, session_point.c.point_id))
        .where(session_point.c.session_id == places.session_id, in_scope(unit.c.path, scope))
        .group_by(unit.c.path)
    )
    return [(path, count) for path, count in await connection.execute(query)]


async def _unlisted_counts(connection: Connection, places: Places, scope: Scope) -> list[tuple[str, int]]:
    """Counted people on no list whom nobody matched yet, by the unit of their hall."""
    query = (
        sa.select(unit.c.path, sa.func.count())
        .select_from(places.of_point(unlisted, unlisted.c.point_id))
        .where(*apart(places, scope))
        .group_by(unit.c.path)
    )
    return [(path, count) for path, count in await connection.execute(query)]


async def _excused_counts(connection: Connection, places: Places, scope: Scope) -> list[tuple[str, int]]:
    """Summoned people whose absence was approved, who did not come and whose place nobody took, by their unit.

    Read from the absences, which are few: two million invitations need no look at them.
    """
    x, i, t = absence.c, invitation.c, attendance.c
    summoned = absence.join(invitation, sa.and_(i.session_id == x.session_id, i.attendee_id == x.attendee_id))
    query = (
        sa.select(unit.c.path, sa.func.count())
        .select_from(places.of_person(summoned, x.attendee_id))
        .outerjoin(attendance, sa.and_(t.session_id == x.session_id, t.attendee_id == x.attendee_id))
        .outerjoin(_taken, sa.and_(_taken.c.session_id == x.session_id, _taken.c.attendee_id == x.attendee_id))
        .where(x.session_id == places.session_id, x.excused.is_(sa.true()), in_scope(unit.c.path, scope))
        .where(t.attendee_id.is_(None), _taken.c.nonce.is_(None))
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
