"""Spot-checks in the database: what was asked of each hall, and what it answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.domain.models import Phase, SpotMode
from diemcau.domain.spot_check import Figures, Hall
from diemcau.store.schema import (
    attendance,
    attendee,
    point,
    session_point,
    spot_check,
    spot_check_person,
    spot_check_point,
    unit,
)
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection

STREAM_ROWS = 2000
"""People read at once while lots are drawn: a few milliseconds between which everything else runs."""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A spot-check."""

    check_id: int
    phase: Phase
    mode: SpotMode
    started_ms: int
    ends_ms: int
    made_by: str


# --- beginning ---------------------------------------------------------------------------------------------
async def halls(connection: Connection, session_id: int, scope: Scope) -> list[tuple[int, int]]:
    """The session's points in scope, each with the people counted there now."""
    query = (
        sa.select(session_point.c.point_id, session_point.c.present)
        .join(point, point.c.id == session_point.c.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .where(session_point.c.session_id == session_id, in_scope(unit.c.path, scope))
        .order_by(session_point.c.point_id)
    )
    return [(point_id, present) for point_id, present in await connection.execute(query)]


async def counted(connection: Connection, session_id: int) -> AsyncIterator[Sequence[Any]]:
    """(point, person) of everybody who is counted and has not checked out, some at a time."""
    a = attendance.c
    query = sa.select(a.point_id, a.attendee_id).where(a.session_id == session_id, a.left_ms.is_(None))
    result = await connection.stream(query.execution_options(yield_per=STREAM_ROWS))
    async for rows in result.partitions():
        yield rows


async def count(connection: Connection, session_id: int) -> int:
    """How many spot-checks the session has had."""
    query = sa.select(sa.func.count()).select_from(spot_check).where(spot_check.c.session_id == session_id)
    return int((await connection.execute(query)).scalar_one())


async def insert(connection: Connection, session_id: int, row: CheckRow) -> int:
    """Keep a new spot-check (its own id is not looked at); answers its id."""
    added = sa.insert(spot_check).values(
        session_id=session_id,
        phase=row.phase,
        mode=row.mode,
        started_ms=row.started_ms,
        ends_ms=row.ends_ms,
        made_by=row.made_by,
    )
    return int((await connection.execute(added.returning(spot_check.c.id))).scalar_one())


async def ask(
    connection: Connection, check_id: int, asked: Sequence[tuple[int, int]], drawn: Mapping[int, Sequence[int]]
) -> None:
    """Ask these halls, `asked` being (point, present), about the people in `drawn`, by point."""
    if asked:
        points = [{"spot_check_id": check_id, "point_id": hall, "present": present} for hall, present in asked]
        await connection.execute(sa.insert(spot_check_point), points)
    people = [
        {"spot_check_id": check_id, "attendee_id": person, "point_id": hall, "asked": True}
        for hall, _ in asked
        for person in drawn.get(hall, ())
    ]
    if people:
        await connection.execute(sa.insert(spot_check_person), people)


# --- reading -----------------------------------------------------------------------------------------------
async def of_session(connection: Connection, session_id: int) -> list[CheckRow]:
    """All spot-checks of a session, in the order they were made."""
    query = sa.select(spot_check).where(spot_check.c.session_id == session_id).order_by(spot_check.c.id)
    return [_check(row) for row in await connection.execute(query)]


async def get(connection: Connection, session_id: int, check_id: int) -> CheckRow | None:
    """One spot-check of this session."""
    query = sa.select(spot_check).where(spot_check.c.session_id == session_id, spot_check.c.id == check_id)
    row = (await connection.execute(query)).first()
    return _check(row) if row else None


def _check(row: sa.Row[Any]) -> CheckRow:
    return CheckRow(row.id, Phase(row.phase), SpotMode(row.mode), row.started_ms, row.ends_ms, row.made_by)


async def figures(connection: Connection, session_id: int, scope: Scope) -> dict[int, Figures]:
    """The totals of each spot-check of the session over its halls in scope."""
    h, p = spot_check_point.c, spot_check_person.c
    answered = sa.case((h.headcount.is_not(None), h.present), else_=0)
    ours = (
        sa.select(h.spot_check_id, h.point_id)
        .join(spot_check, spot_check.c.id == h.spot_check_id)
        .join(point, point.c.id == h.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .where(spot_check.c.session_id == session_id, in_scope(unit.c.path, scope))
    )
    ours_rows = ours.subquery("ours")
    same_hall = sa.and_(ours_rows.c.spot_check_id == h.spot_check_id, ours_rows.c.point_id == h.point_id)
    by_hall = (
        sa.select(
            h.spot_check_id,
            sa.func.count(),
            sa.func.count(h.headcount),
            *(_whole(column) for column in (h.present, answered, sa.func.coalesce(h.headcount, 0))),
        )
        .join(ours_rows, same_hall)
        .group_by(h.spot_check_id)
    )
    same_person = sa.and_(ours_rows.c.spot_check_id == p.spot_check_id, ours_rows.c.point_id == p.point_id)
    by_person = (
        sa.select(p.spot_check_id, *(_whole(column) for column in _marks()))
        .join(ours_rows, same_person)
        .group_by(p.spot_check_id)
    )
    people = {row[0]: row[1:] for row in await connection.execute(by_person)}
    return {row[0]: Figures(*row[1:], *people.get(row[0], ())) for row in await connection.execute(by_hall)}


def _marks() -> list[sa.ColumnElement[int]]:
    """1 or 0 a person: asked, confirmed, not confirmed, scanned the new code."""
    p = spot_check_person.c
    conditions = (
        p.asked.is_(sa.true()),
        sa.and_(p.asked, p.seen.is_(sa.true())),
        sa.and_(p.asked, p.seen.is_(sa.false())),
        sa.not_(p.asked),
    )
    return [sa.case((condition, 1), else_=0) for condition in conditions]


def _whole(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger)


@dataclass(frozen=True, slots=True)
class HallRow:
    """One hall of a spot-check."""

    point: str
    point_name: str
    unit_name: str
    hall: Hall
    answered_ms: int | None
    answered_by: str


async def hall_rows(connection: Connection, check_id: int, scope: Scope) -> list[HallRow]:
    """The halls of a spot-check in scope, in the order of the lists."""
    h, p = spot_check_point.c, spot_check_person.c
    people = (
        sa.select(p.point_id, *(_whole(mark).label(name) for name, mark in zip("acns", _marks(), strict=True)))
        .where(p.spot_check_id == check_id)
        .group_by(p.point_id)
        .subquery("people")
    )
    query = (
        sa.select(
            point.c.code,
            point.c.name,
            unit.c.name,
            h.answered_ms,
            h.answered_by,
            h.headcount,
            h.present,
            *(sa.func.coalesce(people.c[name], 0) for name in "acns"),
        )
        .select_from(spot_check_point)
        .join(point, point.c.id == h.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .outerjoin(people, people.c.point_id == h.point_id)
        .where(h.spot_check_id == check_id, in_scope(unit.c.path, scope))
        .order_by(unit.c.path, point.c.code)
    )
    rows = []
    for code, name, unit_name, answered_ms, answered_by, headcount, present, *marks in await connection.execute(query):
        asked, confirmed, not_confirmed, scanned = marks
        hall = Hall(present, asked, confirmed, not_confirmed, scanned, headcount)
        rows.append(HallRow(code, name, unit_name, hall, answered_ms, answered_by))
    return rows


# --- a hall's tasks ----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class TaskRow:
    """What one hall is asked."""

    check: CheckRow
    present: int
    headcount: int | None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A name drawn by lot, with what the log commits to."""

    attendee_id: int
    code: str
    full_name: str
    phone: str
    salt: bytes
    title: str
    unit_name: str
    seen: bool | None


async def tasks(connection: Connection, session_id: int, point_id: int, ended_after_ms: int) -> list[TaskRow]:
    """What this hall was asked by checks that ended after a moment or still go on, in the order they were made."""
    query = (
        sa.select(spot_check, spot_check_point.c.present, spot_check_point.c.headcount)
        .join(spot_check_point, spot_check_point.c.spot_check_id == spot_check.c.id)
        .where(
            spot_check.c.session_id == session_id,
            spot_check_point.c.point_id == point_id,
            spot_check.c.ends_ms >= ended_after_ms,
        )
        .order_by(spot_check.c.id)
    )
    return [TaskRow(_check(row), row.present, row.headcount) for row in await connection.execute(query)]


async def people(connection: Connection, check_ids: Collection[int], point_id: int) -> dict[int, list[PersonRow]]:
    """The names drawn for this hall, by check, in the order of the lists."""
    p, a = spot_check_person.c, attendee.c
    query = (
        sa.select(p.spot_check_id, a.id, a.code, a.full_name, a.phone, a.salt, a.title, unit.c.name, p.seen)
        .select_from(spot_check_person)
        .join(attendee, a.id == p.attendee_id)
        .join(unit, unit.c.id == a.unit_id)
        .where(p.spot_check_id.in_(sorted(check_ids)), p.point_id == point_id, p.asked)
        .order_by(a.sort_key, a.id)
    )
    found: dict[int, list[PersonRow]] = {}
    for check_id, *rest in await connection.execute(query):
        found.setdefault(check_id, []).append(PersonRow(*rest))
    return found


async def hold(connection: Connection, check_id: int, point_id: int) -> TaskRow | None:
    """The hall's task, kept from others who would answer it too until the transaction ends; None: it was not asked."""
    h = spot_check_point.c
    await connection.execute(
        sa.select(h.point_id).where(h.spot_check_id == check_id, h.point_id == point_id).with_for_update()
    )
    query = (
        sa.select(spot_check, h.present, h.headcount)
        .join(spot_check_point, h.spot_check_id == spot_check.c.id)
        .where(h.spot_check_id == check_id, h.point_id == point_id)
    )
    row = (await connection.execute(query)).first()
    return TaskRow(_check(row), row.present, row.headcount) if row else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What changes by an answer: the headcount (None: it stays), and per person whether they were seen."""

    headcount: int | None
    seen: Mapping[int, bool]
    at_ms: int
    by: str


async def answer(connection: Connection, check_id: int, point_id: int, given: Answer) -> None:
    """Keep a hall's answer."""
    values: dict[str, Any] = {"answered_ms": given.at_ms, "answered_by": given.by}
    if given.headcount is not None:
        values["headcount"] = given.headcount
    h, p = spot_check_point.c, spot_check_person.c
    await connection.execute(
        sa.update(spot_check_point).where(h.spot_check_id == check_id, h.point_id == point_id).values(**values)
    )
    for person, seen in sorted(given.seen.items()):
        await connection.execute(
            sa.update(spot_check_person)
            .where(p.spot_check_id == check_id, p.attendee_id == person)
            .values(seen=seen, at_ms=given.at_ms)
        )
