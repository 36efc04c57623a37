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
from diemcau.domain.models import SessionState
from diemcau.errors import ExportFailedError, NotFoundError, ReportTooLongError
from diemcau.i18n import Language
from diemcau.reports import pipe
from diemcau.reports.columns import Words
from diemcau.reports.process import TOO_LONG
from diemcau.reports.rows import Format, Heading, Row, What
from diemcau.services import paper_heading, roster_report
from diemcau.services.export_rows import rows_of, totals_of
from diemcau.services.records import scope_for
from diemcau.services.sessions import visible
from diemcau.store import paper_headings, units

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence

    from diemcau.domain.authority import Actor, Scope
    from diemcau.services.context import Context
    from diemcau.store.engine import Connection
    from diemcau.store.sessions import SessionRow

log = structlog.get_logger()
CONTENT_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PDF: "application/pdf",
    Format.JSON: "application/json",
}


class Wanted(msgspec.Struct, frozen=True):
    """Which export: `what` and `format` as `reports.rows` names them, of a unit and all below it.

    point: one hall's roster; depth: of the summary, no units below it (0: the highest).
    """

    what: str
    format: str
    unit: str | None = None
    language: Language = "vi"
    point: str | None = None
    depth: int | None = None


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
        NotFoundError: no such session, unit, point or kind of export.
        ForbiddenError: the unit is outside the actor's scope.
        OverloadedError: too many exports wait.
        ReportTooLongError: more rows than a paper may have.
        ExportFailedError: the file could not be written, mostly for want of disk space; or it would not add up.
    """
    what, form = _kind(wanted)
    if what is What.ROSTER:
        await roster_report.number_lists(actor, context, code, wanted.point)
    with temporary(f".{form}") as path:
        async with context.exports.taken(), asyncio.timeout(limits.EXPORT_S_MAX), context.read() as connection:
            session = await visible(actor, connection, code)
            scope = await scope_for(actor, connection, wanted.unit)
            heading = await _heading(actor, context, connection, session, scope, wanted)
            await _write(path, heading, rows_of(what, connection, session, scope, wanted))
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


async def _heading(  # noqa: PLR0913 all that a heading tells
    actor: Actor, context: Context, connection: Connection, session: SessionRow, scope: Scope, wanted: Wanted
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
        session=session.code,
        head=await paper_heading.heading(actor, connection, session, wanted.language),
        target_rate=(await paper_headings.of_session(connection, session.session_id)).target_rate,
        totals=await totals_of(actor, connection, session, (What(wanted.what), scope, wanted)),
    )


def _named(path: Path, form: Format, session: SessionRow, heading: Heading, wanted: Wanted) -> Export:
    words = Words.of(heading)
    at = words.time(heading.as_of_ms)
    parts = [session.code, *filter(None, (wanted.unit, wanted.point)), f"{at:%Y-%m-%d %H%M}"]
    name = " - ".join([words.word(f"file.{heading.what}"), *parts])
    plain = "-".join([heading.what, *parts]).replace(" ", "-")
    return Export(path, f"{name}.{form}", f"{plain}.{form}", CONTENT_TYPES[form])


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
        if process.returncode == TOO_LONG:
            raise ReportTooLongError(rows=limits.PDF_ROWS_MAX)
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
