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
from diemcau.intake.frames import Ended, Mapping, Opened, Rows
from diemcau.intake.process import read_file
from diemcau.intake.tables import TABLES
from diemcau.services import board, import_runs, jobs, unit_import_runs, unit_imports
from diemcau.services.context import Context
from diemcau.services.import_reading import RowReader, look_up, preview
from diemcau.services.jobs import Job
from diemcau.store import imports
from diemcau.store.imports import StaleError, Takeover
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.store.engine import Connection

ACTIONS = {"units": Action.UNITS_WRITE, "points": Action.POINTS_WRITE, "attendees": Action.PEOPLE_WRITE}
FIELDS = frozenset(column.field for columns in TABLES.values() for column in columns)
ATTEMPTS = 3
"""How often a list is made ready anew because someone wrote to the same rows meanwhile."""


class Wanted(msgspec.Struct, frozen=True):
    """Which list to import, and how it is taken over; `dry_run` only says what would happen.

    mapping: what columns are, where somebody said so. `units`: units' codes by their names in the file. partial: take
    over what can be taken over, and leave out rows with findings.
    """

    what: str
    dry_run: bool = False
    how: import_runs.How = import_runs.How()
    mapping: Mapping | None = None
    units: dict[str, str] = {}
    partial: bool = False


def asked_mapping(text: str) -> Mapping | None:
    """What somebody says about sheets and columns, from JSON (docs/lists.md); None where nothing is said.

    Raises:
        MalformedError: it is not understood.
    """
    if not text:
        return None
    try:
        mapping = msgspec.json.decode(text.encode(), type=Mapping)
    except (msgspec.DecodeError, UnicodeError):
        raise MalformedError(field="mapping", reason="reason.mapping") from None
    if len(mapping) > limits.IMPORT_SHEETS_MAX or any(
        field not in FIELDS for choice in mapping.values() for field in choice.columns
    ):
        raise MalformedError(field="mapping", reason="reason.mapping")
    return mapping


def asked_units(text: str) -> dict[str, str]:
    """Units' codes by their names in the file, from JSON.

    Raises:
        MalformedError: it is not understood.
    """
    try:
        return msgspec.json.decode(text.encode(), type=dict[str, str]) if text else {}
    except (msgspec.DecodeError, UnicodeError):
        raise MalformedError(field="units", reason="reason.mapping") from None


async def begin(actor: Actor, context: Context, wanted: Wanted, chunks: AsyncIterator[bytes]) -> Job:
    """Receive a file and import it in the background; the job says how far it has come.

    Raises:
        MalformedError: there is no such list.
        ForbiddenError: the actor may write to no such list.
        TooLargeError: the file is larger than `IMPORT_BYTES_MAX`.
        OverloadedError: too many jobs run and wait already.
    """
    _authorize(actor, wanted.what)
    import_runs.checked(actor, wanted.what, wanted.how)
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
    import_runs.checked(actor, wanted.what, wanted.how)
    for _ in range(ATTEMPTS):
        try:
            if wanted.what == "units":
                return await _import_units(actor, context, scope, wanted, path, job)
            return await _import_rows(actor, context, scope, wanted, path, job)
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
    reader: RowReader
    ready: Takeover
    unchanged: int = 0
    codes: set[str] = field(default_factory=set)

    async def add(self, connection: Connection, rows: Rows) -> None:
        """Sort a chunk's rows into new, changed and unchanged ones, and note what is wrong with the others."""
        reader = self.reader
        made = await reader.rows(connection, rows)
        self.codes.update(code for _, code, _ in made)
        known = await imports.known(connection, self.ready.what, [code for _, code, _ in made], self.ready.columns)
        for number, code, values in made:
            before = known.get(code)
            if before is None:
                self.ready.inserts.append((code, *values))
                reader.mark(number, "new")
            elif not self.scope.covers(before.unit_path):
                reader.note(number, "code", "reason.forbidden", code)
                reader.reject(number)
            else:
                self._compare(number, code, reader.kept(values, before.values), before)

    def _compare(self, number: int, code: str, values: tuple[Any, ...], before: imports.Known) -> None:
        if before.values == values:
            self.unchanged += 1
            self.reader.mark(number, "unchanged")
            return
        self.ready.updates.append((*values, before.row_id, code, before.unit_id))
        self.ready.befores.append(before.values)
        self._note_name(values, before)
        self.reader.mark(number, "changed")

    def _note_name(self, values: tuple[Any, ...], before: imports.Known) -> None:
        if self.ready.what == "attendees":
            place = self.ready.columns.index("name_folded")
            if values[place] != before.values[place]:
                self.ready.renamed.append((values[place], before.row_id))


async def _import_rows(  # noqa: PLR0913 what a file is held against
    actor: Actor, context: Context, scope: Scope, wanted: Wanted, path: Path, job: Job
) -> api.ImportResult:
    preparation: _Preparation | None = None
    ended = Ended(0, [], 0, [])
    async with aclosing(read_file(wanted.what, path, wanted.mapping)) as frames:
        async for frame in frames:
            if isinstance(frame, Opened):
                preparation = preparation or await _prepare(context, scope, wanted, frame)
                preparation.reader.open(frame)
                job.total = frame.total
            elif isinstance(frame, Rows) and preparation:
                # A connection a chunk: a reading transaction as long as the file would leave none for anybody else.
                async with context.read() as connection:
                    await preparation.add(connection, frame)
                job.done = frame.row
            elif isinstance(frame, Ended):
                ended = frame
    reader = preparation.reader if preparation else None
    if wanted.dry_run:
        result = _trial(preparation, ended, job)
        if preparation:
            import_runs.tell(result, await import_runs.foreseen(actor, context, _plan(preparation, wanted)))
        return result
    if preparation is None or reader is None:
        raise rejected(ended, [], 0)
    # Who stands in a row that cannot be read is not to be removed: what replaces is whole.
    partial = wanted.partial and wanted.how.mode == "add"
    if not partial and (ended.findings_total or reader.findings_total):
        raise rejected(ended, reader.findings, reader.findings_total)
    ready = preparation.ready
    done = await import_runs.take_over(actor, context, _plan(preparation, wanted), job)
    job.done = job.total = ended.rows
    result = api.ImportResult(
        rows=ended.rows,
        created=len(ready.inserts),
        updated=len(ready.updates),
        unchanged=preparation.unchanged,
        ignored=reader.ignored,
        rejected=reader.rejected,
    )
    import_runs.tell(result, done)
    return result


def _plan(preparation: _Preparation, wanted: Wanted) -> import_runs.Plan:
    places = preparation.reader.lookups.places
    return import_runs.Plan(preparation.ready, places, preparation.unchanged, preparation.codes, wanted.how)


def _trial(preparation: _Preparation | None, ended: Ended, job: Job) -> api.ImportResult:
    """What the file would do, and what it was understood to be."""
    job.done = job.total = ended.rows
    if preparation is None:
        return api.ImportResult(ended.rows, 0, 0, 0, dry_run=True, preview=preview(ended, None))
    reader, ready = preparation.reader, preparation.ready
    return api.ImportResult(
        rows=ended.rows,
        created=len(ready.inserts),
        updated=len(ready.updates),
        unchanged=preparation.unchanged,
        dry_run=True,
        ignored=reader.ignored,
        rejected=reader.rejected,
        preview=preview(ended, reader),
    )


async def _prepare(context: Context, scope: Scope, wanted: Wanted, opened: Opened) -> _Preparation:
    async with context.read() as connection:
        lookups = await look_up(connection, wanted.what, scope, wanted.units)
    reader = RowReader(wanted.what, lookups, opened)
    return _Preparation(scope, reader, Takeover(wanted.what, reader.columns))


def rejected(ended: Ended, findings: list[Finding], total: int) -> ImportRejectedError:
    """Everything wrong with a file, in the order of its rows."""
    every = sorted([*ended.findings, *findings], key=lambda finding: (finding.sheet, finding.row))
    return ImportRejectedError(every[: limits.IMPORT_FINDINGS_MAX], ended.findings_total + total)


# --- units -------------------------------------------------------------------------------------------------
async def _import_units(  # noqa: PLR0913 as above
    actor: Actor, context: Context, scope: Scope, wanted: Wanted, path: Path, job: Job
) -> api.ImportResult:
    opened, ended = Opened([], {}, [], 0), Ended(0, [], 0, [])
    rows: list[tuple[int, list[str | int]]] = []
    async with aclosing(read_file("units", path, wanted.mapping)) as frames:
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
        if not wanted.dry_run and (ended.findings_total or change.findings):
            raise rejected(ended, change.findings, len(change.findings))
        return change

    async def write(connection: Connection) -> tuple[unit_imports.Change, int | None]:
        before = await imports.nodes(connection)
        change = await prepare(connection)  # once more, on what the writer sees
        await imports.take_over_units(connection, change.inserts, change.updates)
        if change.parents:
            await imports.place_units(connection, change.parents)
        trees = (before, await imports.nodes(connection))
        name = wanted.how.file_name
        return change, await unit_import_runs.record(actor, context, connection, name, change, trees)

    run_id = None
    async with context.read() as connection:
        change = await prepare(connection)
    if not wanted.dry_run and change.worth_writing:
        change, run_id = await context.writer.write(write)
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
        rejected=ended.rows - len(change.inserts) - change.updated - change.unchanged,
        preview=unit_imports.preview(ended, table, change) if wanted.dry_run else None,
        run=run_id,
    )
