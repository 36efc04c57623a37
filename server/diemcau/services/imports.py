"""Lists in: a file becomes units, points or attendees, all of it or nothing."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from diemcau import limits
from diemcau.domain.authority import Action, Actor, Scope, System, require
from diemcau.errors import Finding, ImportRejectedError, MalformedError, OverloadedError, TooLargeError
from diemcau.intake.frames import Ended, Opened, Rows
from diemcau.intake.process import read_file
from diemcau.services import board, jobs, unit_imports
from diemcau.services.context import Context
from diemcau.services.jobs import Job
from diemcau.store import imports
from diemcau.store.imports import StaleError, Takeover
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.store.engine import Connection

ACTIONS = {"units": Action.UNITS_WRITE, "points": Action.POINTS_WRITE, "attendees": Action.PEOPLE_WRITE}
ATTEMPTS = 3
"""How often a list is made ready anew because someone wrote to the same rows meanwhile."""


class Wanted(msgspec.Struct, frozen=True):
    """Which list to import; `dry_run` only says what would happen."""

    what: str
    dry_run: bool = False


async def begin(actor: Actor, context: Context, wanted: Wanted, chunks: AsyncIterator[bytes]) -> Job:
    """Receive a file and import it in the background; the job says how far it has come.

    Raises:
        MalformedError: there is no such list.
        ForbiddenError: the actor may write to no such list.
        TooLargeError: the file is larger than `IMPORT_BYTES_MAX`.
        OverloadedError: too many jobs run and wait already.
    """
    _authorize(actor, wanted.what)
    context.jobs.admit()
    path = await _receive(chunks)

    async def work(job: Job) -> api.ImportResult:
        return await run(actor, context, wanted, path, job)

    try:
        return jobs.start(actor, context, f"import {wanted.what}", work, after=path.unlink)
    except OverloadedError:  # others came while this file was received
        path.unlink()
        raise


async def run(actor: Actor, context: Context, wanted: Wanted, path: Path, job: Job) -> api.ImportResult:
    """Import the file at `path`; `job` is told how far it has come.

    Raises:
        ImportFileError: the file cannot be read at all.
        ImportRejectedError: something in it is wrong; nothing was taken over.
        OverloadedError: someone wrote to the same rows again and again meanwhile.
    """
    scope = _authorize(actor, wanted.what)
    for _ in range(ATTEMPTS):
        try:
            if wanted.what == "units":
                return await _import_units(context, scope, wanted, path, job)
            return await _import_rows(context, scope, wanted, path, job)
        except StaleError:
            continue
    raise OverloadedError(retry_after_s=limits.OVERLOADED_RETRY_AFTER_S)


def _authorize(actor: Actor, what: str) -> Scope:
    if what not in ACTIONS:
        require(actor, Action.PEOPLE_WRITE)
        raise MalformedError(field="what", reason="reason.list_unknown")
    return require(actor, ACTIONS[what])


async def _receive(chunks: AsyncIterator[bytes]) -> Path:
    with ExitStack() as undo, tempfile.NamedTemporaryFile(prefix="diemcau-import-", delete=False) as file:
        path = Path(file.name)
        undo.callback(path.unlink)
        async for chunk in _bounded(chunks):
            await asyncio.to_thread(file.write, chunk)
        undo.pop_all()
    return path


async def _bounded(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limits.IMPORT_BYTES_MAX:
            raise TooLargeError
        yield chunk


# --- points and attendees ----------------------------------------------------------------------------------
@dataclass(slots=True)
class _Preparation:
    """A list on its way from the file to the database, chunk by chunk."""

    scope: Scope
    units: dict[str, tuple[int, str]]
    points: dict[str, int]
    opened: Opened
    ready: Takeover
    findings: list[Finding] = field(default_factory=list)
    findings_total: int = 0
    unchanged: int = 0

    async def add(self, connection: Connection, rows: Rows) -> None:
        """Sort a chunk's rows into new, changed and unchanged ones, and note what is wrong with the others."""
        for row in rows.unfit:
            self._resolve(row)
        made = [(number, code, values) for number, code, values in map(self._resolve, rows.rows) if values]
        known = await imports.known(connection, self.ready.what, [code for _, code, _ in made], self.ready.columns)
        for number, code, values in made:
            before = known.get(code)
            if before is None:
                self.ready.inserts.append((code, *values))
            elif not self.scope.covers(before.unit_path):
                self._note(number, "code", "reason.forbidden", code)
            elif before.values == values:
                self.unchanged += 1
            else:
                self.ready.updates.append((*values, before.row_id, code, before.unit_id))
                self._note_name(values, before)

    def _resolve(self, row: tuple[int, list[str | int]]) -> tuple[int, str, tuple[Any, ...] | None]:
        """A row with the ids of unit and point in place of their codes; no values when one cannot be used."""
        number, cells = row
        named = dict(zip(self.opened.fields, cells, strict=True))
        values: list[Any] = []
        fit = True
        for name, cell in list(named.items())[1:]:
            if name == "unit_code":
                place = self.units.get(str(cell))
                if cell and (place is None or not self.scope.covers(place[1])):
                    fit = False
                    self._note(number, name, "reason.forbidden" if place else "reason.unit_unknown", str(cell))
                values.append(place[0] if place else None)
            elif name == "point_code":
                if cell and cell not in self.points:
                    fit = False
                    self._note(number, name, "reason.point_unknown", str(cell))
                values.append(self.points.get(str(cell)))
            else:
                values.append(cell)
        return number, str(cells[0]), tuple(values) if fit else None

    def _note(self, row: int, column: str, reason: str, value: str) -> None:
        self.findings_total += 1
        if len(self.findings) < limits.IMPORT_FINDINGS_MAX:
            self.findings.append(Finding(row, self.opened.headers[column], reason, value))

    def _note_name(self, values: tuple[Any, ...], before: imports.Known) -> None:
        if self.ready.what == "attendees":
            place = self.ready.columns.index("name_folded")
            if values[place] != before.values[place]:
                self.ready.renamed.append((values[place], before.row_id))


COLUMN_OF = {"unit_code": "unit_id", "point_code": "point_id"}


async def _import_rows(context: Context, scope: Scope, wanted: Wanted, path: Path, job: Job) -> api.ImportResult:
    preparation: _Preparation | None = None
    ended = Ended(0, [], 0, [])
    async with aclosing(read_file(wanted.what, path)) as frames:
        async for frame in frames:
            if isinstance(frame, Opened):
                preparation = await _prepare(context, scope, wanted.what, frame)
                job.total = frame.total
            elif isinstance(frame, Rows) and preparation:
                # A connection a chunk: a reading transaction as long as the file would leave none for anybody else.
                async with context.read() as connection:
                    await preparation.add(connection, frame)
                job.done = frame.row
            elif isinstance(frame, Ended):
                ended = frame
    if preparation is None:
        raise rejected(ended, [], 0)
    if ended.findings_total or preparation.findings_total:
        raise rejected(ended, preparation.findings, preparation.findings_total)
    ready = preparation.ready
    if not wanted.dry_run and (ready.inserts or ready.updates):
        await context.writer.write(lambda c: imports.take_over(c, ready))
        if wanted.what == "points" and ready.updates:
            await board.refresh_all(System(), context)
    job.done = job.total = ended.rows
    return api.ImportResult(
        rows=ended.rows,
        created=len(ready.inserts),
        updated=len(ready.updates),
        unchanged=preparation.unchanged,
        dry_run=wanted.dry_run,
        ignored=preparation.opened.ignored,
    )


async def _prepare(context: Context, scope: Scope, what: str, opened: Opened) -> _Preparation:
    columns = [COLUMN_OF.get(name, name) for name in opened.fields[1:]]
    async with context.read() as connection:
        units = await imports.unit_places(connection)
        points = await imports.point_ids(connection) if "point_code" in opened.fields else {}
    return _Preparation(scope, units, points, opened, Takeover(what, columns))


def rejected(ended: Ended, findings: list[Finding], total: int) -> ImportRejectedError:
    """Everything wrong with a file, in the order of its rows."""
    every = sorted([*ended.findings, *findings], key=lambda finding: finding.row)
    return ImportRejectedError(every[: limits.IMPORT_FINDINGS_MAX], ended.findings_total + total)


# --- units -------------------------------------------------------------------------------------------------
async def _import_units(context: Context, scope: Scope, wanted: Wanted, path: Path, job: Job) -> api.ImportResult:
    opened, ended = Opened([], {}, [], 0), Ended(0, [], 0, [])
    rows: list[tuple[int, list[str | int]]] = []
    async with aclosing(read_file("units", path)) as frames:
        async for frame in frames:
            if isinstance(frame, Opened):
                opened, job.total = frame, frame.total
            elif isinstance(frame, Rows):
                rows += frame.rows
                job.done = frame.row
            elif isinstance(frame, Ended):
                ended = frame
    table = unit_imports.Table(opened, rows, frozenset(ended.spoilt))

    async def prepare(connection: Connection) -> unit_imports.Change:
        change = unit_imports.compare(table, await imports.nodes(connection), scope)
        if ended.findings_total or change.findings:
            raise rejected(ended, change.findings, len(change.findings))
        return change

    async def write(connection: Connection) -> unit_imports.Change:
        change = await prepare(connection)  # once more, on what the writer sees
        await imports.take_over_units(connection, change.inserts, change.updates)
        if change.parents:
            await imports.place_units(connection, change.parents)
        return change

    async with context.read() as connection:
        change = await prepare(connection)
    if not wanted.dry_run and change.worth_writing:
        change = await context.writer.write(write)
        context.identities.forget()  # grants hold paths, and paths may have changed
        await board.refresh_all(System(), context)
    job.done = job.total = ended.rows
    return api.ImportResult(
        rows=ended.rows,
        created=len(change.inserts),
        updated=change.updated,
        unchanged=change.unchanged,
        dry_run=wanted.dry_run,
        ignored=opened.ignored,
    )
