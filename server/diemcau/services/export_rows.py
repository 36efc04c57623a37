"""The rows of every report, as they are sent to the process that writes it; and what they must add up to."""

from __future__ import annotations

import dataclasses
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

import msgspec

from diemcau.domain.attendance import total
from diemcau.domain.authority import Action, Actor, require
from diemcau.domain.models import AttendanceStatus, Flag, LinkState, SessionState, SpotMode
from diemcau.reports.rows import (
    AbsenceRow,
    AttendanceRow,
    ConnectionRow,
    PhaseFigures,
    RosterRow,
    Row,
    SpotCheckRow,
    SummaryRow,
    What,
)
from diemcau.reports.totals import plus
from diemcau.services.records import reason_of, status_of, status_of_missing, table
from diemcau.store import records, report_rows, units

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from diemcau.domain.attendance import Figures
    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection
    from diemcau.store.sessions import SessionRow


class Narrowed(Protocol):
    """What part of a report is wanted. point: one hall's roster; depth: of the summary, no units below it."""

    @property
    def point(self) -> str | None: ...  # noqa: D102 named by the class
    @property
    def depth(self) -> int | None: ...  # noqa: D102 the same


async def rows_of(
    what: What, connection: Connection, session: SessionRow, scope: Scope, wanted: Narrowed
) -> AsyncGenerator[Sequence[Row], None]:
    """The report's rows, some at a time."""
    session_id = session.session_id
    if what is What.SUMMARY:
        yield await _summary(connection, session, scope, wanted.depth)
    elif what is What.SPOT_CHECKS:
        yield _spot_checks(await report_rows.spot_rows(connection, session_id, scope))
    elif what is What.ATTENDANCE:
        missing = status_of_missing(session.state)
        async for people in records.attendance_rows(connection, session_id, scope):
            yield [_person(row, status_of(row, missing)) for row in people]
        async for strangers in report_rows.unlisted_rows(connection, session_id, scope):
            yield [_stranger(row) for row in strangers]
    else:
        async with aclosing(_listed(what, connection, session_id, scope, wanted.point)) as lists:
            async for some in lists:
                yield some


async def _listed(
    what: What, connection: Connection, session_id: int, scope: Scope, point: str | None
) -> AsyncGenerator[Sequence[Row], None]:
    """Rows that leave as the database has them."""
    if what is What.ROSTER:
        async for people in report_rows.roster_rows(connection, session_id, scope, point):
            yield [_on_roster(row) for row in people]
    elif what is What.ABSENCES:
        async for absences in report_rows.absence_rows(connection, session_id, scope):
            yield [AbsenceRow(*dataclasses.astuple(row)) for row in absences]
    else:
        async for changes in records.connection_rows(connection, session_id, scope):
            yield [_change(row) for row in changes]


async def totals_of(
    actor: Actor, connection: Connection, session: SessionRow, of: tuple[What, Scope, Narrowed]
) -> dict[str, int]:
    """What the rows must add up to (`reports.totals`), by other queries than those that list them; {}: nothing."""
    require(actor, Action.ATTENDANCE_READ)
    what, scope, wanted = of
    if what is What.ROSTER:
        return {"people": await report_rows.roster_count(connection, session.session_id, scope, wanted.point)}
    if what is not What.ATTENDANCE:
        return {}
    figures = total((await records.figures(connection, session.session_id, scope)).values())
    return {
        "summoned": figures.summoned,
        "present": figures.present,
        "late": figures.late,
        "substituted": figures.substituted,
        "excused": figures.excused,
        str(status_of_missing(session.state)): figures.missing,
        "guests": figures.guests,
        "unlisted": figures.unlisted,
    }


# --- people ------------------------------------------------------------------------------------------------
def _person(row: records.AttendanceRow, status: AttendanceStatus) -> AttendanceRow:
    return AttendanceRow(
        row.code,
        row.full_name,
        row.title,
        row.unit_name,
        row.point_name or "",
        row.phone,
        status,
        row.at_ms,
        row.invited,
        row.flags or "",
        row.left_ms,
        row.substitute or "",
        row.stands_for or "",
        reason_of(row),
        row.point_code or "",
    )


def _stranger(row: report_rows.UnlistedRow) -> AttendanceRow:
    late = Flag.LATE in row.flags.split()
    return AttendanceRow(
        code="",
        full_name=row.name,
        title="",
        unit=row.unit_text,
        point=row.point_name,
        phone="",
        status=AttendanceStatus.LATE if late else AttendanceStatus.PRESENT,
        at_ms=row.at_ms,
        invited=False,
        flags=row.flags,
        stands_for=row.stands_for,
        point_code=row.point_code,
        unlisted=True,
    )


def _on_roster(row: report_rows.RosterRow) -> RosterRow:
    return RosterRow(
        row.point_code or "",
        row.point_name or "",
        row.number,
        row.code,
        row.full_name,
        row.title,
        row.unit_name,
        row.phone,
    )


# --- halls -------------------------------------------------------------------------------------------------
def _change(row: records.ConnectionRow) -> ConnectionRow:
    return ConnectionRow(
        row.point_code,
        row.point_name,
        row.unit_name,
        LinkState(row.from_link),
        LinkState(row.to_link),
        row.at_ms,
        row.noticed_ms,
        row.previous_ms,
        row.cause,
    )


def _spot_checks(found: list[report_rows.SpotRow]) -> list[Row]:
    """A row a hall, and their total."""
    halls: dict[str, SpotCheckRow] = {}
    sums: dict[str, PhaseFigures | None] = {}
    for row in found:
        asked = row.present if row.mode is SpotMode.CODE else row.asked
        told = PhaseFigures(row.present, row.headcount, asked, row.seen)
        sums[row.phase] = plus(sums.get(row.phase), told)
        hall = halls.get(row.point_code) or SpotCheckRow(row.point_code, row.point_name, row.unit_name)
        halls[row.point_code] = msgspec.structs.replace(hall, **{str(row.phase): told})
    return [*halls.values(), SpotCheckRow("", "", "", sums.get("start"), sums.get("middle"), sums.get("end"))]


# --- the summary -------------------------------------------------------------------------------------------
async def _summary(connection: Connection, session: SessionRow, scope: Scope, depth: int | None) -> list[Row]:
    """The table's rows and its total, which is summed on its own and must agree with the first row (I3).

    Raises:
        RuntimeError: it does not; a wrong table must not leave the house.
    """
    everyone = await units.all_of(connection, scope)
    own = await records.figures(connection, session.session_id, scope)
    lines, everything = table(everyone, own, closed=session.state is SessionState.CLOSED)
    rows = [
        SummaryRow(
            row.name,
            row.unit,
            row.depth,
            row.points,
            row.summoned,
            row.present,
            row.late,
            row.unmarked + row.unexcused,
            row.guests,
            row.rate,
            row.substituted,
            row.unlisted,
            row.rate_with_substitutes,
            row.excused,
        )
        for row in lines
    ]
    last = _total(everything)
    if msgspec.structs.astuple(rows[0])[3:] != msgspec.structs.astuple(last)[3:]:
        raise RuntimeError(f"the summary of {session.code} does not add up: {rows[0]} against {last}")
    shown = [row for row in rows if row.unit_code and (depth is None or (row.depth or 0) <= depth)]
    return [*shown, last]


def _total(figures: Figures) -> SummaryRow:
    return SummaryRow(
        "",
        "",
        None,
        figures.points,
        figures.summoned,
        figures.present,
        figures.late,
        figures.missing,
        figures.guests,
        figures.rate,
        figures.substituted,
        figures.unlisted,
        figures.rate_with_substitutes,
        figures.excused,
    )
