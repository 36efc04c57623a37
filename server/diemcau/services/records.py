"""The attendance list and the summary by unit: who was summoned, who came, over which denominator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau.domain import figure_rows
from diemcau.domain.attendance import Figures, roll_up, total
from diemcau.domain.authority import Action, Actor, Scope, require
from diemcau.domain.models import AttendanceStatus, Flag, SessionState
from diemcau.errors import ForbiddenError
from diemcau.services import lists
from diemcau.services.context import Context
from diemcau.services.sessions import visible
from diemcau.store import records, units, unlisted_rows
from diemcau.wire import api

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diemcau.store.engine import Connection
    from diemcau.store.records import AttendanceRow
    from diemcau.store.units import UnitRow
    from diemcau.store.unlisted_rows import UnlistedRow


async def attendance(  # noqa: PLR0913 a list has this many filters
    actor: Actor,
    context: Context,
    code: str,
    wanted: lists.Wanted,
    status: AttendanceStatus | None = None,
    figure: str = "",
) -> api.AttendancePage:
    """A page of the people who are invited or were counted, by unit and Vietnamese given name.

    The point is where someone sat; for who was not counted, the hall they are summoned to. figure: only the rows
    behind this figure of the summary (`domain.figure_rows`), as many as it says; those of `unlisted` have no code.

    Raises:
        NotFoundError: no such session or unit.
        ForbiddenError: the unit is outside the actor's scope.
    """
    async with context.read() as connection:
        session = await visible(actor, connection, code)
        asked = await lists.asked_for(actor, Action.ATTENDANCE_READ, connection, wanted, keys=3)
        missing = status_of_missing(session.state)
        if figure == figure_rows.UNLISTED:
            return _unlisted_page(await unlisted_rows.page(connection, session.session_id, asked), wanted.limit)
        behind = figure_rows.FIGURES[figure] if figure else None
        for one in (status, behind.status if behind else None):
            if one in {AttendanceStatus.UNMARKED, AttendanceStatus.UNEXCUSED} and one is not missing:
                return api.AttendancePage([])
        rows = await records.attendance_page(connection, session.session_id, asked, status, behind)
    page = rows[: wanted.limit]
    last = page[-1] if page and len(rows) > len(page) else None
    following = lists.mark(last.unit_path, last.sort_key, last.code) if last else None
    return api.AttendancePage([_view(row, missing) for row in page], following)


def _unlisted_page(rows: list[UnlistedRow], limit: int) -> api.AttendancePage:
    page = rows[:limit]
    last = page[-1] if page and len(rows) > len(page) else None
    following = lists.mark(last.unit_path, last.name_folded, last.number) if last else None
    items = [
        api.AttendanceRow(
            code="",
            full_name=row.name,
            title=row.unit_text,
            unit=row.unit_code,
            unit_name=row.unit_name,
            point=row.point_code,
            point_name=row.point_name,
            status=AttendanceStatus.LATE if Flag.LATE in row.flags.split() else AttendanceStatus.PRESENT,
            invited=False,
            at_ms=row.at_ms,
            flags=row.flags.split(),
        )
        for row in page
    ]
    return api.AttendancePage(items, following)


def status_of_missing(state: SessionState) -> AttendanceStatus:
    """What people are who were not counted: unmarked until the figures are frozen, unexcused from then on."""
    return AttendanceStatus.UNEXCUSED if state is SessionState.CLOSED else AttendanceStatus.UNMARKED


def status_of(row: AttendanceRow, missing: AttendanceStatus) -> AttendanceStatus:
    """One person's status; `missing` is what the session calls who was not counted."""
    return row.status(missing)


def reason_of(row: AttendanceRow) -> str:
    """Why somebody who is excused did not come; of anybody else that is nobody's business."""
    excused = row.excused and row.at_ms is None and not row.substituted
    return (row.reason or "") if excused else ""


async def summary(
    actor: Actor, context: Context, code: str, unit: str | None = None, depth: int | None = None
) -> api.Summary:
    """The figures of a unit and of every unit below it that takes part; each row holds all below it.

    depth: only so many levels below the first row; None for all. Without `unit`, of everything the actor answers for;
    where that is not one single unit, the first row is a total with an empty code. Units without points, summoned
    people or guests are left out.

    Raises:
        NotFoundError: no such session or unit.
        ForbiddenError: the unit is outside the actor's scope.
    """
    async with context.read() as connection:
        session = await visible(actor, connection, code)
        scope = await scope_for(actor, connection, unit)
        everyone = await units.all_of(connection, scope)
        own = await records.figures(connection, session.session_id, scope)
    rows, _ = table(everyone, own, closed=session.state is SessionState.CLOSED)
    told = rows if depth is None else [row for row in rows if row.depth <= depth]
    return api.Summary(session.code, session.state, context.clock.now_ms(), told)


async def scope_for(actor: Actor, connection: Connection, unit: str | None) -> Scope:
    """Where the actor may read attendance, below `unit` when one is named.

    Raises:
        NotFoundError: no such unit.
        ForbiddenError: the unit, and all below it, are outside the actor's scope.
    """
    scope = require(actor, Action.ATTENDANCE_READ)
    if unit is not None:
        scope = scope.narrowed((await units.get(connection, unit)).path)
        if not scope.paths:
            raise ForbiddenError
    return scope


def table(
    everyone: Sequence[UnitRow], own: Mapping[str, Figures], *, closed: bool
) -> tuple[list[api.SummaryRow], Figures]:
    """The rows of the summary over these units, and the total, summed on its own from what each holds itself."""
    rolled = roll_up(own, [unit.path for unit in everyone])
    by_id = {unit.unit_id: unit for unit in everyone}
    tops = [unit for unit in everyone if unit.parent_id not in by_id]
    everything = total(own.values())
    rows = [] if len(tops) == 1 else [_row(None, (None, 0), everything, closed=closed)]
    depths: dict[int, int] = {}
    for unit in everyone:
        parent = by_id.get(unit.parent_id) if unit.parent_id is not None else None
        depths[unit.unit_id] = depth = depths[parent.unit_id] + 1 if parent else int(len(tops) != 1)
        if rolled[unit.path] != Figures() or not rows:
            rows.append(_row(unit, (parent, depth), rolled[unit.path], closed=closed))
    return rows, everything


def _row(unit: UnitRow | None, place: tuple[UnitRow | None, int], figures: Figures, *, closed: bool) -> api.SummaryRow:
    parent, depth = place
    return api.SummaryRow(
        unit=unit.code if unit else "",
        name=unit.name if unit else "",
        parent=parent.code if parent else None,
        depth=depth,
        points=figures.points,
        summoned=figures.summoned,
        present=figures.present,
        late=figures.late,
        unmarked=0 if closed else figures.missing,
        unexcused=figures.missing if closed else 0,
        guests=figures.guests,
        rate=figures.rate,
        substituted=figures.substituted,
        excused=figures.excused,
        unlisted=figures.unlisted,
        rate_with_substitutes=figures.rate_with_substitutes,
    )


def _view(row: AttendanceRow, missing: AttendanceStatus) -> api.AttendanceRow:
    return api.AttendanceRow(
        code=row.code,
        full_name=row.full_name,
        title=row.title,
        unit=row.unit_code,
        unit_name=row.unit_name,
        point=row.point_code,
        point_name=row.point_name or "",
        status=status_of(row, missing),
        invited=row.invited,
        at_ms=row.at_ms,
        flags=(row.flags or "").split(),
        phone=row.phone,
        left_ms=row.left_ms,
        substitute=row.substitute or "",
        stands_for=row.stands_for or "",
        reason=reason_of(row),
    )
