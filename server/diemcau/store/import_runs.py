"""Imports on record: what each one changed, written with the change itself, so that it can be taken back.

A long list is written in small transactions, each with the rows of `import_row` that undo it: whatever stops an import
half way, its journal holds exactly what is in the tables.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from diemcau import limits
from diemcau.domain.authority import Scope
from diemcau.store import bulk, import_removals, imports
from diemcau.store.bulk import StaleError
from diemcau.store.import_removals import Removal
from diemcau.store.imports import Takeover
from diemcau.store.schema import import_row, import_run, invitation, session, session_point, unit
from diemcau.store.session_points import recount_invited
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from diemcau.store.engine import Connection, Engines

LOCK_CLASS = 0x44434D49
"""Of PostgreSQL's advisory locks that say which imports somebody is at work on."""

ADDED_TOGETHER = 250
"""New rows that share one row of the journal, which would otherwise cost as much as the list itself. Taking one of
them back twice does no harm, so they need not be struck off singly."""

UNFINISHED = ("staging", "undoing")
Values = Mapping[str, Any]


class Before(msgspec.Struct, omit_defaults=True):
    """What was there: the values that changed, or all of a row that was removed with what belonged to it.

    badges: issue, token hash, when made, when revoked. invitations: session, point, number on the hall's list.
    """

    values: dict[str, Any]
    badges: list[tuple[int, bytes, int, int | None]] = []
    invitations: list[tuple[int, int | None, int | None]] = []


_before = msgspec.msgpack.Decoder(Before)
_after: msgspec.msgpack.Decoder[dict[str, Any]] = msgspec.msgpack.Decoder(dict[str, Any])
_added: msgspec.msgpack.Decoder[tuple[list[str], list[list[Any]]]] = msgspec.msgpack.Decoder(
    tuple[list[str], list[list[Any]]]
)


@dataclass(frozen=True, slots=True)
class Run:
    """An import as stored. `unit_id`: under which all of its rows lie; None: the whole tree."""

    run_id: int
    what: str
    mode: str
    file_name: str
    made_ms: int
    made_by: str
    unit_id: int | None
    state: str
    added: int
    changed: int
    unchanged: int
    removed: int
    undone_ms: int | None
    undone_by: str
    unit_code: str | None = None
    unit_path: str = ""


# --- runs --------------------------------------------------------------------------------------------------
async def insert(connection: Connection, values: Values) -> int:
    """A new run in state `staging`; its id."""
    made = await connection.execute(sa.insert(import_run).values(state="staging", **values).returning(import_run.c.id))
    return int(made.scalar_one())


async def set_state(
    connection: Connection, run_id: int, state: str, allowed: Sequence[str], values: Values | None = None
) -> bool:
    """Move a run on, where it is in one of the `allowed` states, with these `values`; whether it was."""
    statement = sa.update(import_run).where(import_run.c.id == run_id, import_run.c.state.in_(allowed))
    return bool((await connection.execute(statement.values(state=state, **(values or {})))).rowcount)


async def forget(connection: Connection, run_id: int) -> bool:
    """Remove a run that left nothing behind; whether it did not."""
    rows = sa.select(1).where(import_row.c.import_id == run_id).limit(1)
    if (await connection.execute(rows)).first():
        return False
    await connection.execute(sa.delete(import_run).where(import_run.c.id == run_id))
    return True


QUERY = sa.select(
    import_run, unit.c.code.label("unit_code"), sa.func.coalesce(unit.c.path, "").label("unit_path")
).outerjoin(unit, unit.c.id == import_run.c.unit_id)


async def get(connection: Connection, run_id: int) -> Run | None:
    """A run; None when there is none of this id."""
    row = (await connection.execute(QUERY.where(import_run.c.id == run_id))).mappings().first()
    return _run(row) if row else None


async def listed(connection: Connection, scopes: Mapping[str, Scope], before: int | None, limit: int) -> list[Run]:
    """Runs, the newest first; of each kind of list those whose rows all lie in the scope given for it."""
    path = sa.func.coalesce(unit.c.path, "")
    mine = [sa.and_(import_run.c.what == what, in_scope(path, scope)) for what, scope in scopes.items()]
    query = QUERY.where(sa.or_(sa.false(), *mine))
    if before is not None:
        query = query.where(import_run.c.id < before)
    rows = await connection.execute(query.order_by(import_run.c.id.desc()).limit(limit))
    return [_run(row) for row in rows.mappings()]


async def unfinished(connection: Connection) -> list[Run]:
    """Runs that somebody is at work on, or that were left half way."""
    rows = await connection.execute(QUERY.where(import_run.c.state.in_(UNFINISHED)).order_by(import_run.c.id))
    return [_run(row) for row in rows.mappings()]


def _run(row: sa.RowMapping) -> Run:
    values = dict(row)
    return Run(run_id=values.pop("id"), **values)


@asynccontextmanager
async def claimed(engines: Engines, run_id: int) -> AsyncIterator[bool]:
    """Whether nobody else is at work on this run; while in the block, nobody else will be.

    The embedded database has one process, which asks for each run once. On PostgreSQL the claim ends with the
    connection, so that what a dead server left is free.
    """
    if engines.dialect == "sqlite":
        yield True
        return
    lock = sa.select(sa.func.pg_try_advisory_xact_lock(LOCK_CLASS, run_id % 2**31))
    async with engines.readers.connect() as connection:
        yield bool(await connection.scalar(lock))


# --- taking over -------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Part:
    """What one transaction writes. first: number of its first row in the journal."""

    run_id: int
    first: int
    ready: Takeover
    move_invitations: bool = False


async def apply(connection: Connection, part: Part) -> set[int]:
    """Write a part and what undoes it; the sessions whose invitations moved.

    Raises:
        StaleError: someone wrote the same rows meanwhile; nothing of this part is kept.
    """
    ready, columns = part.ready, part.ready.columns
    moved = await _move(connection, ready) if part.move_invitations else {}
    await imports.take_over(connection, ready)
    journal: list[tuple[Any, ...]] = []
    encode = msgspec.msgpack.encode
    width = len(columns)
    for change, before in zip(ready.updates, ready.befores, strict=True):
        old = Before(dict(zip(columns, before, strict=True)), invitations=moved.get(change[width], []))
        new = dict(zip(columns, change[:width], strict=True))
        journal.append((change[width + 1], "changed", encode(old), encode(new)))
    await note(connection, part.run_id, part.first, journal)
    added = [
        ("", "added", None, encode((columns, ready.inserts[start : start + ADDED_TOGETHER])))
        for start in range(0, len(ready.inserts), ADDED_TOGETHER)
    ]
    await note(connection, part.run_id, part.first + len(journal), added)
    sessions = {session_id for invitations in moved.values() for session_id, *_ in invitations}
    for session_id in sessions:
        await recount_invited(connection, session_id)
    return sessions


async def remove(connection: Connection, what: str, run_id: int, first: int, ids: Sequence[int]) -> Removal:
    """Remove the points or people of these ids to which nothing refers, and write down what undoes it."""
    done = await import_removals.remove(connection, what, ids, drafts_hold=False)
    encode = msgspec.msgpack.encode
    journal = [
        (row["code"], "removed", encode(Before(row, *done.belongings.get(row["id"], ([], [])))), None)
        for row in done.rows
    ]
    await note(connection, run_id, first, journal)
    return done


async def note(connection: Connection, run_id: int, first: int, journal: Sequence[tuple[Any, ...]]) -> None:
    """Write into the journal, from number `first` on: code, change, what was there and what came, as MessagePack."""
    rows = [(run_id, number, *row) for number, row in enumerate(journal, first)]
    await bulk.insert(connection, import_row, ["import_id", "number", "code", "change", "before", "after"], rows)


async def _move(connection: Connection, ready: Takeover) -> dict[int, list[tuple[int, int | None, int | None]]]:
    """Let draft sessions summon whoever changes halls to the new one, where it takes part; what was, per person."""
    if "point_id" not in ready.columns:
        return {}
    place, width = ready.columns.index("point_id"), len(ready.columns)
    homes = {
        change[width]: change[place]
        for change, before in zip(ready.updates, ready.befores, strict=True)
        if change[place] is not None and change[place] != before[place]
    }
    i = invitation.c
    query = (
        sa.select(i.attendee_id, i.session_id, i.point_id, i.number)
        .join(session, session.c.id == i.session_id)
        .where(session.c.state == "draft", i.attendee_id.in_(homes))
    )
    found = (await connection.execute(query)).all() if homes else []
    sessions = {row.session_id for row in found}
    pairs = sa.select(session_point.c.session_id, session_point.c.point_id).where(
        session_point.c.session_id.in_(sessions)
    )
    halls = {tuple(row) for row in await connection.execute(pairs)} if sessions else set()
    moved: dict[int, list[tuple[int, int | None, int | None]]] = {}
    changes: list[tuple[Any, ...]] = []
    for person, session_id, point_id, number in found:
        if point_id != homes[person] and (session_id, homes[person]) in halls:
            moved.setdefault(person, []).append((session_id, point_id, number))
            changes.append((homes[person], None, session_id, person))
    await bulk.update(connection, invitation, ["session_id", "attendee_id"], ["point_id", "number"], changes)
    return moved


# --- the journal -------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Noted:
    """One row that an import added, changed or removed. Rows that were added together share a number."""

    number: int
    code: str
    change: str
    before: Before | None
    after: dict[str, Any]


async def noted(connection: Connection, run_id: int, below: int, limit: int) -> list[Noted]:
    """A page of what a run did, the last first: at most `limit` rows, or some that were added together."""
    r = import_row.c
    mine = sa.and_(r.import_id == run_id, r.number < below)
    kinds = sa.select(r.number, r.change).where(mine).order_by(r.number.desc()).limit(limit)
    following = (await connection.execute(kinds)).all()
    single = next((place for place, row in enumerate(following) if row.change == "added"), len(following))
    wanted = [row.number for row in following[: single or 1]]
    query = sa.select(r.number, r.code, r.change, r.before, r.after).where(r.import_id == run_id, r.number.in_(wanted))
    rows: list[Noted] = []
    for number, code, change, before, after in await connection.execute(query.order_by(r.number.desc())):
        if change == "added":
            columns, every = _added.decode(after)
            rows += [Noted(number, one, change, None, dict(zip(columns, new, strict=True))) for one, *new in every]
        else:
            now = _after.decode(after) if after else {}
            rows.append(Noted(number, code, change, _before.decode(before) if before else None, now))
    return rows


async def everything(connection: Connection, run_id: int) -> list[Noted]:
    """All that a run did, the last first; for runs of which a few thousand rows are all there is."""
    rows: list[Noted] = []
    below = 2**31 - 1
    while page := await noted(connection, run_id, below, limits.IMPORT_CHUNK_ROWS):
        rows += page
        below = page[-1].number
    return rows


async def strike(connection: Connection, run_id: int, numbers: Collection[int]) -> None:
    """These rows are as they were before."""
    if numbers:
        await connection.execute(
            sa.delete(import_row).where(import_row.c.import_id == run_id, import_row.c.number.in_(numbers))
        )


__all__ = ["Before", "Noted", "Part", "Removal", "Run", "StaleError"]
