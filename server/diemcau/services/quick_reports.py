"""Quick reports: a numbered snapshot within minutes of the opening; printed again it is the same paper."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import msgspec
import structlog

from diemcau import limits
from diemcau.domain import quick_report
from diemcau.domain.authority import Account, Action, Actor, Scope, System, require
from diemcau.domain.models import SessionState
from diemcau.errors import (
    ConflictError,
    DoorError,
    ExportFailedError,
    ForbiddenError,
    NoPointsError,
    NotFoundError,
    TooManyKeptError,
)
from diemcau.i18n import LANGUAGES, Language
from diemcau.reports.quick_report import FORMATS, Kept, Paper, titled
from diemcau.services import paper_heading
from diemcau.services.sessions import visible, writable
from diemcau.store import headcounts, quick_reports
from diemcau.wire import quick_reports as wire

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.store.engine import Connection
    from diemcau.store.headcounts import PointRow
    from diemcau.store.sessions import SessionRow

log = structlog.get_logger()
EVERYTHING = Scope(("",))


@dataclass(frozen=True, slots=True)
class File:
    """A report as a file. `plain_name` is `name` for old browsers, in ASCII."""

    name: str
    plain_name: str
    content_type: str
    content: bytes


async def make(actor: Actor, context: Context, code: str, body: wire.QuickReportNew) -> wire.QuickReport:
    """Freeze the next report, over all halls of the session as one moment of the database has them.

    Raises:
        ConflictError: the report of the expected number was made already.
        NoPointsError: the session has no halls. DoorError: not_open: it is a draft.
        SessionClosedError: the minutes tell its figures now. TooManyKeptError: it has had as many as it may.
        NotFoundError, ForbiddenError: not the actor's session, or halls that are not the actor's.
    """
    require(actor, Action.SESSIONS_WRITE)
    async with context.read() as connection:
        session = await _reportable(actor, connection, code, kept=False)
        report = await _now(actor, context, connection, session)
        if not report.points:
            raise NoPointsError(key=code)
        heads = {language: await paper_heading.heading(actor, connection, session, language) for language in LANGUAGES}

    async def work(connection: Connection) -> None:
        await _reportable(actor, connection, code, kept=True)
        last = await quick_reports.highest(connection, session.session_id)
        report.number = last + 1
        if body.number is not None and body.number != report.number:
            raise ConflictError(what="quick_report", key=str(body.number))
        if last >= limits.QUICK_REPORTS_MAX:
            raise TooManyKeptError(what="quick_report", max=limits.QUICK_REPORTS_MAX)
        stored = msgspec.json.encode(Kept(report, heads))
        row = quick_reports.Stored(session.session_id, report.number, report.at_ms, report.made_by, stored)
        await quick_reports.insert(connection, row)

    await context.writer.write(work)
    return report


async def now(actor: Actor, context: Context, code: str) -> wire.QuickReport:
    """What the next report would say, under its number; nothing is kept.

    Raises:
        NotFoundError, ForbiddenError: see `listed`; so where halls of other units take part.
    """
    async with context.read() as connection:
        session = await _readable(actor, connection, code)
        report = await _now(actor, context, connection, session)
        report.number = await quick_reports.highest(connection, session.session_id) + 1
    return report


async def listed(actor: Actor, context: Context, code: str) -> wire.QuickReportList:
    """The reports of a session that the actor may read, without the halls behind them.

    Raises:
        NotFoundError: no such session, or not the actor's to see.
        ForbiddenError: the actor answers for a part of the session's units only.
    """
    async with context.read() as connection:
        session = await _readable(actor, connection, code)
        stored = await quick_reports.of_session(connection, session.session_id)
        kept = [msgspec.json.decode(row.body, type=_Brief) for row in stored]
        items = [brief.report for brief in kept if await _covers(actor, connection, brief.report.beyond)]
    return wire.QuickReportList([wire.QuickReportBrief(r.number, r.at_ms, r.made_by, r.total) for r in items])


async def get(actor: Actor, context: Context, code: str, number: int) -> wire.QuickReport:
    """One report as it was made.

    Raises:
        NotFoundError: no such session or report. ForbiddenError: see `listed`.
    """
    return (await _kept(actor, context, code, number)).report


async def made(actor: Actor, context: Context, at: tuple[str, int], form: str, language: Language) -> File:
    """One report as a file, by a process of its own: the same content, however often it is asked for.

    `at`: session and number; `form`: pdf | xlsx | csv.

    Raises:
        NotFoundError: no such session, report or format. ForbiddenError: see `listed`.
        OverloadedError: too many files are being made. ExportFailedError: it could not be written.
    """
    code, number = at
    if form not in FORMATS:
        raise NotFoundError(what="quick_report", key=f"{number}.{form}")
    kept = await _kept(actor, context, code, number)
    paper = Paper(kept.report, kept.heads[language], form, language, context.settings.timezone)
    async with context.exports.taken(), asyncio.timeout(limits.EXPORT_S_MAX):
        content = await _printed(msgspec.json.encode(paper))
    plain = f"quick-report-{kept.report.session}-{number}.{form}"
    return File(f"{titled(paper)}.{form}", plain, FORMATS[form], content)


# --- who may -------------------------------------------------------------------------------------------------
async def _reportable(actor: Actor, connection: Connection, code: str, *, kept: bool) -> SessionRow:
    session = await writable(actor, connection, code, kept=kept)
    if session.state is SessionState.DRAFT:
        raise DoorError("not_open")
    return session


async def _readable(actor: Actor, connection: Connection, code: str) -> SessionRow:
    """A report tells of every hall: it is for whoever answers for all of the session's units."""
    session = await visible(actor, connection, code)
    require(actor, Action.ATTENDANCE_READ, session.unit_path)
    return session


async def _covers(actor: Actor, connection: Connection, beyond: list[str]) -> bool:
    scope = require(actor, Action.ATTENDANCE_READ)
    if not beyond or scope.everything:
        return True
    paths = await quick_reports.paths(connection, beyond)
    return len(paths) == len(beyond) and all(scope.covers(path) for path in paths.values())


def _beyond(actor: Actor, session: SessionRow, rows: list[PointRow]) -> list[str]:
    """The units of halls outside the organizing unit, which the actor must answer for too."""
    scope = require(actor, Action.ATTENDANCE_READ, session.unit_path)
    outside = {row.unit_path: row.unit for row in rows if not row.unit_path.startswith(session.unit_path)}
    if not all(scope.covers(path) for path in outside):
        raise ForbiddenError
    return [outside[path] for path in quick_report.tops(outside)]


async def _kept(actor: Actor, context: Context, code: str, number: int) -> Kept:
    async with context.read() as connection:
        session = await _readable(actor, connection, code)
        stored = await quick_reports.get(connection, session.session_id, number)
        if stored is None:
            raise NotFoundError(what="quick_report", key=str(number))
        kept = msgspec.json.decode(stored.body, type=Kept)
        if not await _covers(actor, connection, kept.report.beyond):
            raise ForbiddenError
    return kept


# --- the report ----------------------------------------------------------------------------------------------
class _BriefReport(msgspec.Struct):
    """What a list tells of a report; the rest of the JSON is passed over."""

    number: int
    at_ms: int
    made_by: str
    beyond: list[str]
    total: wire.QuickReportRow


class _Brief(msgspec.Struct):
    report: _BriefReport


async def _now(actor: Actor, context: Context, connection: Connection, session: SessionRow) -> wire.QuickReport:
    """All halls of the session as this moment of the database has them; without a number."""
    at_ms = context.clock.now_ms()
    rows = await headcounts.points(connection, session.session_id, EVERYTHING)
    by = actor.name if isinstance(actor, Account | System) else ""
    report = _report(session, rows, at_ms, by)
    report.beyond = _beyond(actor, session, rows)
    return report


def _report(session: SessionRow, rows: list[PointRow], at_ms: int, by: str) -> wire.QuickReport:
    lines, total = quick_report.table(row.figures for row in rows)
    return wire.QuickReport(
        number=0,
        at_ms=at_ms,
        made_by=by,
        session=session.code,
        title=session.title,
        conference=session.conference,
        beyond=[],
        rows=[wire.QuickReportRow(**asdict(line)) for line in lines],
        total=wire.QuickReportRow(**asdict(total)),
        points=[_point(row) for row in rows],
    )


def _point(row: PointRow) -> wire.QuickReportPoint:
    figures, told = row.figures, row.headcount
    return wire.QuickReportPoint(
        point=row.point,
        name=row.name,
        unit=row.unit,
        unit_name=row.unit_name,
        level=row.level,
        center=figures.center,
        reported=figures.reported,
        checked_in=figures.checked_in,
        unlisted=figures.unlisted,
        delegates=figures.delegates,
        headcount=figures.headcount,
        source=told.source if told else "",
        at_ms=told.at_ms if told else None,
    )


async def _printed(paper: bytes) -> bytes:
    """The file, written by another process: typesetting must not hold up a check-in."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "diemcau.reports.quick_report",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        content, said = await process.communicate(paper)
        if process.returncode or not content:
            log.error("a quick report was not written", said=said.decode(errors="replace")[-2000:])
            raise ExportFailedError
        return content
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
