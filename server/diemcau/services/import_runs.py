"""Writing a list that was read: in small steps beside the check-ins, on record, and taken back when asked.

All of a list or nothing of it stays: whatever stops it half way, the journal written with each step takes it back, at
once where this server lives on, at the next start where it was killed. While it is written, which takes a second or two
for 52,000 people, readers may see a part of it: to hide it until then would cost every reader of these tables.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

import structlog

from diemcau import limits
from diemcau.domain.authority import Action, Actor, Scope, System, require, scope_of
from diemcau.errors import ImportNotUndoableError, MalformedError, NotFoundError, OverloadedError
from diemcau.services import board, unit_import_runs
from diemcau.services.unit_import_runs import maker, unit_above
from diemcau.store import import_removals, import_runs, import_undo, imports, units
from diemcau.store.import_runs import Part, Run, StaleError
from diemcau.wire import import_runs as wire

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.services.jobs import Job
    from diemcau.store.engine import Connection
    from diemcau.wire import api

ACTIONS = {"units": Action.UNITS_WRITE, "points": Action.POINTS_WRITE, "attendees": Action.PEOPLE_WRITE}
ATTEMPTS = 3
"""How often a page is tried anew because someone wrote to the same rows meanwhile."""

ALL_ROWS = 2**31 - 1
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class How:
    """What is to become of the list beside writing it.

    mode: add, or replace, which removes those of `unit` and below who are not in the file and whom nothing refers to.
    move_invitations: draft sessions summon whoever changes halls to the new one.
    """

    mode: Literal["add", "replace"] = "add"
    unit: str | None = None
    file_name: str = ""
    move_invitations: bool = False


@dataclass(slots=True)
class Plan:
    """A list made ready. `units`: ids and paths of units by code; `codes`: all of the file's, when it replaces."""

    ready: imports.Takeover
    units: Mapping[str, tuple[int, str]]
    unchanged: int
    codes: set[str]
    how: How


@dataclass(slots=True)
class Done:
    """What was written. kept: codes that are not in the file and stay, because something refers to them.

    sessions: whose invitations changed.
    """

    run_id: int | None = None
    removed: int = 0
    kept: list[str] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)


def asked_for(mode: str, unit: str | None, file_name: str, *, move_invitations: bool) -> How:
    """What somebody asked for, in our words; whether it makes sense, `checked` tells.

    Raises:
        MalformedError: there is no such mode.
    """
    if mode not in {"add", "replace"}:
        raise MalformedError(field="mode", reason="reason.import_mode")
    name = file_name.replace("\0", "").strip()[-limits.IMPORT_FILE_NAME_CHARS_MAX :]
    return How(cast("Literal['add', 'replace']", mode), unit, name, move_invitations)


# --- taking over -------------------------------------------------------------------------------------------
def checked(actor: Actor, what: str, how: How) -> None:
    """Refuse what makes no sense before a file is received.

    Raises:
        MalformedError: this list cannot be replaced, or it is not said whose is.
        ForbiddenError: the actor may write to no such list.
    """
    require(actor, ACTIONS[what])
    if how.mode == "replace" and what == "units":
        raise MalformedError(field="mode", reason="reason.import_mode")
    if how.mode == "replace" and not how.unit:
        raise MalformedError(field="unit", reason="reason.replace_needs_unit")


async def take_over(actor: Actor, context: Context, plan: Plan, job: Job) -> Done:
    """Write the list, step by step, all of it or nothing; `job` is told how far it has come.

    Raises:
        StaleError: someone wrote the same rows meanwhile; nothing stays of it.
        NotFoundError, ForbiddenError: no such unit to replace, or not the actor's.
    """
    what, ready = plan.ready.what, plan.ready
    replaced = await _replaced(actor, context, plan)
    leaving = [row async for row in _leaving(context, what, replaced, plan.codes)] if replaced else []
    if not (ready.inserts or ready.updates or leaving):
        return Done()
    by_id = dict(plan.units.values())
    values = {
        "what": what,
        "mode": plan.how.mode,
        "file_name": plan.how.file_name,
        "made_ms": context.clock.now_ms(),
        "made_by": maker(actor),
        "unit_id": unit_above(_paths(ready, by_id, replaced), by_id),
    }
    run_id = await context.writer.write(partial(import_runs.insert, values=values))
    done = Done(run_id)
    async with import_runs.claimed(context.engines, run_id) as mine:
        try:
            if not mine:
                raise StaleError  # noqa: TRY301 a server that started now takes our empty run for a dead one's
            await _write(context, plan, leaving, done, job)
        except Exception:
            await _take_back_broken(context, run_id)
            raise
    await _tell(context, what, done.sessions)
    return done


async def foreseen(actor: Actor, context: Context, plan: Plan) -> Done:
    """Who would be removed, and who would stay, without writing anything.

    Raises:
        NotFoundError, ForbiddenError: as for `take_over`.
    """
    done = Done()
    replaced = await _replaced(actor, context, plan)
    if replaced is None:
        return done
    leaving = [row async for row in _leaving(context, plan.ready.what, replaced, plan.codes)]
    for start in range(0, len(leaving), limits.IMPORT_UNDO_ROWS):
        ids = leaving[start : start + limits.IMPORT_UNDO_ROWS]
        async with context.read() as connection:
            held = await import_removals.held(connection, plan.ready.what, ids)
        done.kept += held
        done.removed += len(ids) - len(held)
    return done


def tell(result: api.ImportResult, done: Done) -> None:
    """Put into an import's result what taking it over came to."""
    result.run, result.removed, result.kept_total = done.run_id, done.removed, len(done.kept)
    result.kept = done.kept[: limits.IMPORT_KEPT_SHOWN_MAX]


async def _write(context: Context, plan: Plan, leaving: list[int], done: Done, job: Job) -> None:
    ready, run_id = plan.ready, cast("int", done.run_id)
    first, changes = 1, len(ready.updates) + len(ready.inserts)
    job.done, job.total = 0, changes + len(leaving)
    for ready_part in ready.parts(limits.IMPORT_PART_ROWS):
        part = Part(run_id, first, ready_part, plan.how.move_invitations)
        done.sessions |= await context.writer.write(partial(import_runs.apply, part=part))
        first += len(ready_part.updates) + len(ready_part.inserts)
        job.done = first - 1
    for start in range(0, len(leaving), limits.IMPORT_UNDO_ROWS):
        ids = leaving[start : start + limits.IMPORT_UNDO_ROWS]
        removal = await context.writer.write(
            partial(import_runs.remove, what=ready.what, run_id=run_id, first=first, ids=ids)
        )
        done.sessions |= removal.sessions
        done.removed += len(removal.rows)
        done.kept += removal.held
        first += len(removal.rows)
        job.done = changes + start + len(ids)
    figures = {
        "added": len(ready.inserts),
        "changed": len(ready.updates),
        "unchanged": plan.unchanged,
        "removed": done.removed,
    }
    if not await context.writer.write(
        partial(import_runs.set_state, run_id=run_id, state="done", allowed=["staging"], values=figures)
    ):
        raise StaleError


async def _replaced(actor: Actor, context: Context, plan: Plan) -> str | None:
    """The path of the unit whose list this is; None when nobody is to be removed."""
    if plan.how.mode != "replace" or plan.how.unit is None:
        return None
    async with context.read() as connection:
        unit = await units.get(connection, plan.how.unit)
    require(actor, ACTIONS[plan.ready.what], unit.path)
    return unit.path


async def _leaving(context: Context, what: str, path: str, codes: set[str]) -> AsyncIterator[int]:
    """Ids of those of the unit who are not in the file."""
    after = 0
    while True:
        async with context.read() as connection:
            page = await import_removals.page(connection, what, Scope((path,)), after, limits.IMPORT_PART_ROWS)
        for row_id, code in page:
            if code not in codes:
                yield row_id
        if len(page) < limits.IMPORT_PART_ROWS:
            return
        after = page[-1][0]


def _paths(ready: imports.Takeover, by_id: Mapping[int, str], replaced: str | None) -> list[str]:
    """Of every unit that a row of the list lies in, or lay in."""
    ids = {row[-1] for row in ready.updates}
    if "unit_id" in ready.columns:
        place = ready.columns.index("unit_id")
        ids |= {row[place] for row in ready.updates} | {row[place + 1] for row in ready.inserts}
    return [by_id[unit_id] for unit_id in ids if unit_id in by_id] + ([replaced] if replaced else [])


async def _tell(context: Context, what: str, sessions: set[int]) -> None:
    """Boards, which show points and how many are summoned to each."""
    if what == "points":
        await board.refresh_all(System(), context)
        return
    for session_id in sessions:
        await board.refresh(System(), context, session_id)


# --- on record ---------------------------------------------------------------------------------------------
async def listed(actor: Actor, context: Context, after: str, limit: int) -> wire.ImportRunPage:
    """Imports, the newest first, of which the actor may change every row.

    Raises:
        ForbiddenError: the actor may write to no list.
        MalformedError: `after` is none of ours.
    """
    require(actor, Action.PEOPLE_WRITE)
    scopes = {what: scope for what, action in ACTIONS.items() if (scope := scope_of(actor, action)).paths}
    if after and not (after.isascii() and after.isdigit() and len(after) < 19):
        raise MalformedError(field="after", reason="reason.unreadable")
    async with context.read() as connection:
        rows = await import_runs.listed(connection, scopes, int(after) if after else None, limit + 1)
    following = str(rows[limit - 1].run_id) if len(rows) > limit else None
    return wire.ImportRunPage([_view(row) for row in rows[:limit]], following)


async def undo(actor: Actor, context: Context, run_id: int) -> wire.ImportUndone:
    """Take an import back: the values before return, what it added goes, what it removed comes back.

    Only rows that still are as it left them and that nothing refers to by now; the others are told and stay. One that
    was interrupted goes on where it stopped.

    Raises:
        NotFoundError: there is none.
        ForbiddenError: some of its rows lie outside the units in which the actor may change such a list.
        ImportNotUndoableError: it is still being written or undone, or was undone already.
    """
    require(actor, Action.PEOPLE_WRITE)
    async with context.read() as connection:
        run = await import_runs.get(connection, run_id)
    if run is None:
        raise NotFoundError(what="import", key=str(run_id))
    scope = require(actor, ACTIONS[run.what], run.unit_path)
    async with import_runs.claimed(context.engines, run_id) as mine:
        started = mine and await context.writer.write(
            partial(import_runs.set_state, run_id=run_id, state="undoing", allowed=["done", "undoing"])
        )
        if not started:
            raise ImportNotUndoableError(key=str(run_id))
        answer = await _take_back(context, run, scope)
        await _end(context, run_id, maker(actor))
    return answer


async def repair(actor: System, context: Context) -> None:
    """Take back what a server left half written, and finish what one was undoing, before anybody reads it."""
    del actor
    async with context.read() as connection:
        runs = await import_runs.unfinished(connection)
    for run in runs:
        async with import_runs.claimed(context.engines, run.run_id) as mine:
            if mine:
                log.warning("an import was left half done and is taken back", run=run.run_id, state=run.state)
                await _take_back(context, run, Scope(("",)))
                await _end(context, run.run_id, System().name)


async def _take_back_broken(context: Context, run_id: int) -> None:
    """Leave nothing of an import that could not go on; the run itself stays only where something of it had to."""
    async with context.read() as connection:
        run = await import_runs.get(connection, run_id)
    if run is None:
        return
    await _take_back(context, run, Scope(("",)))
    if not await context.writer.write(partial(import_runs.forget, run_id=run_id)):
        await _end(context, run_id, System().name)


async def _end(context: Context, run_id: int, by: str) -> None:
    values = {"undone_ms": context.clock.now_ms(), "undone_by": by}
    await context.writer.write(
        partial(import_runs.set_state, run_id=run_id, state="undone", allowed=import_runs.UNFINISHED, values=values)
    )


async def _take_back(context: Context, run: Run, scope: Scope) -> wire.ImportUndone:
    if run.what == "units":
        return await unit_import_runs.take_back(System(), context, run, scope)
    async with context.read() as connection:
        where = await import_undo.places(connection, scope)
    answer = wire.ImportUndone(0, 0, [])
    sessions: set[int] = set()
    below: int | None = ALL_ROWS
    while below is not None:
        page = await _page(context, run, below, where)
        sessions |= page.sessions
        answer.undone += page.done
        answer.kept_total += len(page.kept)
        room = limits.IMPORT_KEPT_SHOWN_MAX - len(answer.kept)
        answer.kept += [wire.KeptRow(code, reason) for code, reason in page.kept[:room]]
        below = page.lowest
    await _tell(context, run.what, sessions)
    return answer


async def _page(context: Context, run: Run, below: int, where: import_undo.Places) -> import_undo.Page:
    async def work(connection: Connection) -> import_undo.Page:
        return await import_undo.take_back(connection, run, below, limits.IMPORT_UNDO_ROWS, where)

    for _ in range(ATTEMPTS):
        try:
            return await context.writer.write(work)
        except StaleError:
            continue
    raise OverloadedError(retry_after_s=limits.OVERLOADED_RETRY_AFTER_S)


def _view(run: Run) -> wire.ImportRun:
    return wire.ImportRun(
        id=run.run_id,
        what=cast("Literal['units', 'points', 'attendees']", run.what),
        mode=cast("Literal['add', 'replace']", run.mode),
        file=run.file_name,
        made_ms=run.made_ms,
        made_by=run.made_by,
        unit=run.unit_code,
        state=cast("Literal['staging', 'done', 'undoing', 'undone']", run.state),
        added=run.added,
        changed=run.changed,
        unchanged=run.unchanged,
        removed=run.removed,
        undone_ms=run.undone_ms,
        undone_by=run.undone_by,
    )
