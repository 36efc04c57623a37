"""Exports: rows streamed from the database into a process of their own, which writes the file."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from diemcau import limits
from diemcau.domain.models import AttendanceStatus, LinkState, SessionState
from diemcau.errors import ExportFailedError, NotFoundError
from diemcau.i18n import Language
from diemcau.reports import pipe
from diemcau.reports.columns import Words
from diemcau.reports.rows import AttendanceRow, ConnectionRow, Format, Heading, Row, SummaryRow, What
from diemcau.services.records import scope_for, status_of, status_of_missing, table
from diemcau.services.sessions import visible
from diemcau.store import records, units

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence

    from diemcau.domain.attendance import Figures
    from diemcau.domain.authority import Actor, Scope
    from diemcau.services.context import Context
    from diemcau.store.engine import Connection
    from diemcau.store.sessions import SessionRow

log = structlog.get_logger()
CONTENT_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Wanted(msgspec.Struct, frozen=True):
    """Which export: `what` attendance | summary | connections, `format` csv | xlsx, of a unit and all below it."""

    what: str
    format: str
    unit: str | None = None
    language: Language = "vi"


@dataclass(frozen=True, slots=True)
class Export:
    """A finished file, there until the context ends. `plain_name` is `name` for old browsers, in ASCII."""

    path: Path
    name: str
    plain_name: str
    content_type: str


@asynccontextmanager
async def made(actor: Actor, context: Context, code: str, wanted: Wanted) -> AsyncIterator[Export]:
    """The export as a file; all its rows are of one state of the database.

    Raises:
        NotFoundError: no such session, unit or kind of export.
        ForbiddenError: the unit is outside the actor's scope.
        OverloadedError: too many exports wait.
        ExportFailedError: the file could not be written, mostly for want of disk space.
    """
    what, form = _kind(wanted)
    with temporary(f".{form}") as path:
        async with context.exports.taken(), asyncio.timeout(limits.EXPORT_S_MAX), context.read() as connection:
            session = await visible(actor, connection, code)
            scope = await scope_for(actor, connection, wanted.unit)
            heading = await _heading(context, connection, session, scope, wanted)
            await _write(path, heading, _rows(what, connection, session, scope))
        yield _named(path, form, session, heading, wanted)


@contextmanager
def temporary(suffix: str) -> Iterator[Path]:
    """An empty file that only this user may read, because it will hold personal data; gone afterwards."""
    handle, name = tempfile.mkstemp(prefix="diemcau-", suffix=suffix)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _kind(wanted: Wanted) -> tuple[What, Format]:
    try:
        return What(wanted.what), Format(wanted.format)
    except ValueError:
        raise NotFoundError(what="export", key=f"{wanted.what}.{wanted.format}") from None


async def _heading(
    context: Context, connection: Connection, session: SessionRow, scope: Scope, wanted: Wanted
) -> Heading:
    tops = [unit.name for unit in await units.all_of(connection, scope) if unit.path in scope.paths]
    return Heading(
        what=What(wanted.what),
        format=Format(wanted.format),
        language=wanted.language,
        timezone=context.settings.timezone,
        title=session.title,
        conference=session.conference,
        over=", ".join(tops),
        as_of_ms=context.clock.now_ms(),
        closed=session.state is SessionState.CLOSED,
    )


def _named(path: Path, form: Format, session: SessionRow, heading: Heading, wanted: Wanted) -> Export:
    words = Words.of(heading)
    at = words.time(heading.as_of_ms)
    parts = [session.code, *([wanted.unit] if wanted.unit else []), f"{at:%Y-%m-%d %H%M}"]
    name = " - ".join([words.word(f"file.{heading.what}"), *parts])
    plain = "-".join([heading.what, *parts]).replace(" ", "-")
    return Export(path, f"{name}.{form}", f"{plain}.{form}", CONTENT_TYPES[form])


# --- rows ----------------------------------------------------------------------------------------------------
async def _rows(
    what: What, connection: Connection, session: SessionRow, scope: Scope
) -> AsyncGenerator[Sequence[Row], None]:
    if what is What.SUMMARY:
        yield await _summary(connection, session, scope)
    elif what is What.ATTENDANCE:
        missing = status_of_missing(session.state)
        async for people in records.attendance_rows(connection, session.session_id, scope):
            yield [_person(row, status_of(row, missing)) for row in people]
    else:
        async for changes in records.connection_rows(connection, session.session_id, scope):
            yield [_change(row) for row in changes]


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
    )


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


async def _summary(connection: Connection, session: SessionRow, scope: Scope) -> list[Row]:
    """The table's rows and its total, which is summed on its own and must agree with the first row (I3).

    Raises:
        RuntimeError: it does not; a wrong table must not leave the house.
    """
    everyone = await units.all_of(connection, scope)
    own = await records.figures(connection, session.session_id, scope)
    lines, total = table(everyone, own, closed=session.state is SessionState.CLOSED)
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
        )
        for row in lines
    ]
    last = _total(total)
    if msgspec.structs.astuple(rows[0])[3:] != msgspec.structs.astuple(last)[3:]:
        raise RuntimeError(f"the summary of {session.code} does not add up: {rows[0]} against {last}")
    return [*(row for row in rows if row.unit_code), last]


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
    )


# --- the process ---------------------------------------------------------------------------------------------
async def _write(path: Path, heading: Heading, rows: AsyncGenerator[Sequence[Row], None]) -> None:
    """Feed the process that writes the file; it reads as fast as it can write, so memory stays bounded."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "diemcau.reports.process",
        str(path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await _feed(process, heading, rows)
        _, said = await process.communicate()
        if process.returncode:
            log.error("an export was not written", said=said.decode(errors="replace")[-2000:])
            raise ExportFailedError
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _feed(
    process: asyncio.subprocess.Process, heading: Heading, rows: AsyncGenerator[Sequence[Row], None]
) -> None:
    into = process.stdin
    if into is None:  # never: it was asked for
        raise ExportFailedError
    try:
        into.write(pipe.frame(heading))
        async with aclosing(rows):
            async for some in rows:
                into.write(pipe.frame(some))
                await into.drain()
        into.write(pipe.END)
        await into.drain()
    except (BrokenPipeError, ConnectionResetError):
        return  # the process ended early and says why on its standard error
