"""Paper to print: badges, door posters, pairing sheets, hall lists; a job whose files go after a while.

Long papers are cut into files of a bounded size, each set by a process of its own, so that neither time nor memory
grows with the conference, and a printer takes one file at a time.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import structlog

from diemcau import i18n, limits
from diemcau.domain.authority import Account, Action, Actor, Scope, require
from diemcau.errors import ExportFailedError, MalformedError, NothingToPrintError
from diemcau.reports.papers.rows import Paper
from diemcau.services import jobs, lists, paper_heading, print_items
from diemcau.services.jobs import Job, JobFile
from diemcau.services.sessions import visible
from diemcau.store import devices, prints

if TYPE_CHECKING:
    from diemcau.i18n import Language
    from diemcau.services.context import Context
    from diemcau.services.print_items import Part
    from diemcau.store.engine import Connection
    from diemcau.store.sessions import SessionRow
    from diemcau.wire.prints import PrintNew

log = structlog.get_logger()
NEEDS = {
    "badges": Action.PEOPLE_WRITE,  # a badge's link is as good as its holder's name: see services/badges.py
    "posters": Action.POINTS_READ,
    "pairing": Action.DEVICES_WRITE,
    "hall_lists": Action.ATTENDANCE_READ,
}
TEMPLATES = {"badges": "badge_sheet", "posters": "poster", "pairing": "pairing_sheet", "hall_lists": "hall_list"}


@dataclass(frozen=True, slots=True)
class _Order:
    """What was asked for, found and allowed."""

    body: PrintNew
    language: Language
    session: SessionRow
    paper: Paper
    parts: list[Part]


async def begin(actor: Actor, context: Context, code: str, body: PrintNew, language: Language) -> Job:
    """Make paper for the session in the background; the job says how far it is and, at its end, which files there are.

    Raises:
        NotFoundError: no such session, unit or point.
        ForbiddenError: not the actor's to print, or not there.
        NothingToPrintError: nobody is summoned, or no hall takes part, where they look.
        MalformedError: more people than one job prints.
        OverloadedError: too many jobs run and wait already.
    """
    action = NEEDS[body.what]
    scope = require(actor, action)
    async with context.read() as connection:
        session = await visible(actor, connection, code)
        if body.unit is not None:
            scope = Scope(((await lists.unit_for(actor, action, connection, body.unit)).path,))
        if body.point is not None:
            await devices.place(connection, body.point.upper())  # named where there is none
        parts = await _parts(connection, session, scope, body)
        paper = await _paper(actor, context, connection, session, body, language)
    order = _Order(body, language, session, paper, parts)
    folder = _Folder()

    async def work(job: Job) -> None:
        await _work(actor, context, order, job, folder)

    job = jobs.start(actor, context, f"print {body.what}", work, folder.remove)
    job.stoppable, job.needs = True, (action, scope)
    job.total = sum(part.size for part in parts)
    return job


# --- what is to be printed ---------------------------------------------------------------------------------
async def _parts(connection: Connection, session: SessionRow, scope: Scope, body: PrintNew) -> list[Part]:
    point = body.point.upper() if body.point else None
    if body.what == "badges":
        ids = await prints.people(connection, session.session_id, scope, point, limits.PRINT_ITEMS_MAX + 1)
        parts = print_items.people_in_parts(ids)
    else:
        halls = await prints.halls(connection, session.session_id, scope, point)
        lists_wanted = body.what == "hall_lists"
        parts = print_items.lists_in_parts(halls) if lists_wanted else print_items.halls_in_parts(body.what, halls)
    if not parts:
        raise NothingToPrintError
    if sum(part.size for part in parts) > limits.PRINT_ITEMS_MAX:
        raise MalformedError(field="unit", reason="reason.too_many_to_print")
    return parts


async def _paper(  # noqa: PLR0913 all that a paper says
    actor: Actor, context: Context, connection: Connection, session: SessionRow, body: PrintNew, language: Language
) -> Paper:
    """The paper without its items."""
    prefix = f"print.{body.what}."
    words = i18n.dictionary(language)
    labels = {key.removeprefix(prefix): text for key, text in words.items() if key.startswith(prefix)}
    phone = await prints.center_phone(connection, session.session_id)
    if "help" in labels:
        labels["help"] = labels["help"].format(phone=phone) if phone else ""
    if body.what == "pairing":
        labels["heading"] = labels[f"heading_{body.kind}"]
        labels["where"] = f"{context.settings.origin}/operator"
    zone = ZoneInfo(context.settings.timezone)
    return Paper(
        template=TEMPLATES[body.what],
        language=language,
        head=await paper_heading.heading(actor, connection, session, language),
        conference=session.conference,
        title=session.title,
        times=_times(session, zone),
        labels=labels,
        items=[],
        card=body.layout == "card",
    )


def _times(session: SessionRow, zone: ZoneInfo) -> str:
    """When the session is, by the halls' own clock: 08:00 – 11:00, 21/11/2026."""
    begins, ends = (datetime.fromtimestamp(ms / 1000, zone) for ms in (session.starts_ms, session.ends_ms))
    if begins.date() == ends.date():
        return f"{begins:%H:%M} – {ends:%H:%M}, {begins:%d/%m/%Y}"
    return f"{begins:%H:%M %d/%m/%Y} – {ends:%H:%M %d/%m/%Y}"


# --- making it ---------------------------------------------------------------------------------------------
class _Folder:
    """Where a job's files lie, readable by this user only; made when the job begins, removed when it is over."""

    def __init__(self) -> None:
        self._path: Path | None = None

    @property
    def path(self) -> Path:
        """The folder."""
        if self._path is None:
            self._path = Path(tempfile.mkdtemp(prefix="diemcau-print-"))
        return self._path

    def remove(self) -> None:
        """Remove it with all that is in it."""
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)


async def _work(actor: Actor, context: Context, order: _Order, job: Job, folder: _Folder) -> None:
    """Each part's rows, then its file; rows are fetched late, so that they are never all in memory."""
    who = actor.name if isinstance(actor, Account) else "system"
    log.info("paper is printed", what=order.body.what, session=order.session.code, by=who, items=job.total)
    made: list[JobFile] = []
    for number, part in enumerate(order.parts, 1):
        items = await print_items.made(actor, context, order.session, part, order.body.kind)
        if not items:
            continue
        labels = order.paper.labels
        if order.body.what == "pairing":
            labels = labels | {"valid": labels["valid"].format(time=_until(context))}
        paper = msgspec.structs.replace(order.paper, items=items, labels=labels)
        path = folder.path / f"{number}.pdf"
        async with context.exports.taken(), asyncio.timeout(limits.EXPORT_S_MAX):
            await _set(paper, path, job)
        job.done = sum(before.size for before in order.parts[:number])
        made.append(JobFile(path, _name(order, number), part.size))
    if not made:
        raise NothingToPrintError
    job.files += made


def _until(context: Context) -> str:
    """When codes made a moment ago end, to the minute before."""
    ends_ms = context.clock.now_ms() + (limits.PAIRING_VALID_S - 60) * 1000
    return f"{datetime.fromtimestamp(ends_ms / 1000, ZoneInfo(context.settings.timezone)):%H:%M %d/%m/%Y}"


def _name(order: _Order, number: int) -> str:
    parts = [i18n.text(order.language, f"print.file.{order.body.what}"), order.session.code]
    parts += [code.upper() for code in (order.body.unit, order.body.point) if code]
    if len(order.parts) > 1:
        parts.append(f"{number:02}")
    return " - ".join(parts) + ".pdf"


async def _set(paper: Paper, path: Path, job: Job) -> None:
    """Have a process set the paper; it says how many codes are made. Whoever gives the job up ends it.

    Raises:
        ExportFailedError: the file could not be written.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "diemcau.reports.papers",
        str(path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    begun = job.done
    try:
        into, out, said = process.stdin, process.stdout, process.stderr
        if into is None or out is None or said is None:  # never: they were asked for
            raise ExportFailedError
        await _send(into, msgspec.json.encode(paper))
        async for line in out:
            job.done = begun + int(line)
        error = await said.read()
        if await process.wait():
            log.error("paper was not printed", said=error.decode(errors="replace")[-2000:])
            raise ExportFailedError
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _send(into: asyncio.StreamWriter, data: bytes) -> None:
    try:
        into.write(data)
        await into.drain()
        into.close()
        await into.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        return  # the process ended early and says why on its standard error
