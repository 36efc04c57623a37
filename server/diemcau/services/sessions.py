"""Sessions (buổi): made, changed, given points and invitations, moved through their states."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from diemcau import limits
from diemcau.domain import names
from diemcau.domain.authority import Account, Action, Actor, System, require, scope_of
from diemcau.domain.models import SESSION_MOVES, SessionState
from diemcau.errors import (
    ConflictError,
    DiemcauError,
    MalformedError,
    NoPointsError,
    NotFoundError,
    SessionClosedError,
    SessionKeptError,
    WrongStateError,
)
from diemcau.services import board, freezing
from diemcau.store import session_points, sessions, units
from diemcau.store.session_points import Figures
from diemcau.wire import api

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.services.context import Context
    from diemcau.store.engine import Connection
    from diemcau.store.sessions import SessionRow
log = structlog.get_logger()
MILLIS_DIGITS_MAX = 14
"""What the last moment of the year 2999 has (`wire.api.Millis`); the databases take 18."""


# --- reading -----------------------------------------------------------------------------------------------
async def listed(actor: Actor, context: Context, after: str, rows: int) -> api.SessionPage:
    """A page of the sessions the actor may see, the newest start first.

    A session is seen by whoever answers for a part of its organizing unit, for that unit, or for one above it.

    Raises:
        MalformedError: `after` is not what an earlier page gave.
    """
    scope = require(actor, Action.SESSIONS_READ)
    async with context.read() as connection:
        found = await sessions.page(connection, scope, _after(after), rows + 1)
        figures = await session_points.figures(connection, [row.session_id for row in found[:rows]], scope)
        used = await _used(connection, found[:rows])
    items = [
        _view(actor, row, figures.get(row.session_id, Figures()), used=row.session_id in used) for row in found[:rows]
    ]
    more = f"{items[-1].starts_ms}:{items[-1].code}" if len(found) > rows else None
    return api.SessionPage(items, more)


async def get(actor: Actor, context: Context, code: str) -> api.SessionView:
    """One session. Points, invited and present are those of the halls inside the actor's units.

    Raises:
        NotFoundError: no such session, or not the actor's to see.
    """
    async with context.read() as connection:
        return await _read(actor, connection, code)


async def visible(actor: Actor, connection: Connection, code: str, *, kept: bool = False) -> SessionRow:
    """The session of this code, if the actor may see it; one they may not see does not exist for them (I5).

    Raises:
        NotFoundError: no such session, or not the actor's to see.
    """
    scope = require(actor, Action.SESSIONS_READ)
    row = await sessions.get(connection, code, kept=kept)
    if not scope.touches(row.unit_path):
        raise NotFoundError(what="session", key=code)
    return row


async def writable(
    actor: Actor, connection: Connection, code: str, *, closed: bool = False, kept: bool = True
) -> SessionRow:
    """The session, if the actor organizes it; a closed one only where `closed` says so.

    kept: in a job of the writer, where no other server may close it, or take somebody in, before the commit.

    Raises:
        NotFoundError, ForbiddenError, SessionClosedError: not seen, not theirs, frozen.
    """
    row = await visible(actor, connection, code, kept=kept)
    require(actor, Action.SESSIONS_WRITE, row.unit_path)
    if row.state is SessionState.CLOSED and not closed:
        raise SessionClosedError(key=code)
    return row


# --- making and changing -------------------------------------------------------------------------------------
async def add(actor: Actor, context: Context, body: api.SessionNew) -> api.SessionView:
    """Make a session in draft.

    Raises:
        ForbiddenError: not an organizer of the organizing unit.
        ConflictError: the code is taken.
        NotFoundError: no such organizing unit.
        MalformedError: no title, or an end before the start.
    """
    code = body.code.upper()
    values: dict[str, Any] = {
        "code": code,
        "title": _title(body.title),
        "conference": names.tidy(body.conference),
        "program": names.tidy(body.program),
        "rehearsal": body.rehearsal,
        "readable_roster": body.readable_roster,
        "starts_ms": body.starts_ms,
        "ends_ms": _ends(body.starts_ms, body.ends_ms),
        "state_ms": context.clock.now_ms(),
        "made_ms": context.clock.now_ms(),
    }
    require(actor, Action.SESSIONS_WRITE)

    async def work(connection: Connection) -> int:
        unit = await units.get(connection, body.unit.upper()) if body.unit else None
        require(actor, Action.SESSIONS_WRITE, unit.path if unit else "")
        if await sessions.exists(connection, code):
            raise ConflictError(what="session", key=code)
        return await sessions.insert(connection, {**values, "unit_id": unit.unit_id if unit else None})

    return await _changed(actor, context, code, await context.writer.write(work))


async def change(actor: Actor, context: Context, code: str, body: api.SessionPatch) -> api.SessionView:
    """Change what is given; a start that moves lets a session held back in draft open itself again.

    The readable roster may be switched on and off until closing, which ends it by itself.

    Raises:
        SessionClosedError: the figures are frozen.
        ForbiddenError, NotFoundError, MalformedError: see `add`.
    """
    require(actor, Action.SESSIONS_WRITE)
    given = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}

    async def work(connection: Connection) -> int:
        row = await writable(actor, connection, code)
        values: dict[str, Any] = {
            name: names.tidy(value) if isinstance(value, str) else value for name, value in given.items()
        }
        if "title" in values:
            _title(values["title"])
        starts_ms = values.get("starts_ms", row.starts_ms)
        _ends(starts_ms, values.get("ends_ms", row.ends_ms))
        if starts_ms != row.starts_ms:
            values["held"] = False
        if values:
            await sessions.update(connection, row.session_id, values)
        return row.session_id

    return await _changed(actor, context, code, await context.writer.write(work))


async def delete(actor: Actor, context: Context, code: str) -> None:
    """Delete a session that never opened, with its points and invitations.

    Raises:
        SessionKeptError: it was open once, or has records of its own.
        ForbiddenError, NotFoundError: see `add`.
    """

    async def work(connection: Connection) -> int:
        row = await writable(actor, connection, code)
        if row.state is not SessionState.DRAFT or await sessions.recorded(connection, row.session_id):
            raise SessionKeptError(key=code)
        await sessions.delete(connection, row.session_id)
        return row.session_id

    require(actor, Action.SESSIONS_WRITE)
    await board.refresh(System(), context, await context.writer.write(work))


async def move(actor: Actor, context: Context, code: str, to: SessionState) -> api.SessionView:
    """Move the session to another state; the move and who made it are kept.

    Raises:
        WrongStateError: not a move from where it is, or back to draft after someone checked in.
        NoPointsError: it cannot open without a point.
        ForbiddenError, NotFoundError: see `add`.
    """
    require(actor, Action.SESSIONS_WRITE)
    session_id = await context.writer.write(lambda c: _move(actor, context, c, code, to))
    return await _changed(actor, context, code, session_id)


async def _move(actor: Actor, context: Context, connection: Connection, code: str, to: SessionState) -> int:
    row = await writable(actor, connection, code, closed=True)
    allowed = list(SESSION_MOVES[row.state])
    if SessionState.DRAFT in allowed and await sessions.checked_in(connection, [row.session_id]):
        allowed.remove(SessionState.DRAFT)
    if to not in allowed:
        raise _wrong_state(row.state, to, allowed)
    if row.state is SessionState.DRAFT and not await session_points.count(connection, row.session_id):
        raise NoPointsError(key=code)
    by = actor.name if isinstance(actor, Account | System) else ""
    if not await sessions.move(connection, row, to, context.clock.now_ms(), by):
        now = (await sessions.get(connection, code)).state
        raise _wrong_state(now, to, list(SESSION_MOVES[now]))
    if to is SessionState.CLOSED:
        await freezing.freeze(actor, context, connection, row)
    return row.session_id


def _wrong_state(state: SessionState, to: SessionState, allowed: list[SessionState]) -> WrongStateError:
    words = ", ".join(f"state.{move}" for move in allowed)
    return WrongStateError(state=f"state.{state}", to=f"state.{to}", allowed=words or "state.none")


# --- opening by the clock ------------------------------------------------------------------------------------
async def open_due(actor: System, context: Context) -> list[str]:
    """Open the drafts whose start is near (`limits.SESSION_OPENS_BEFORE_S`); the codes of those that opened.

    Left alone: what someone moved back to draft by hand, what has no points, and what is over already.
    """
    async with context.read() as connection:
        due = await sessions.due(connection, context.clock.now_ms())
    opened: list[str] = []
    for row in due:
        try:
            await move(actor, context, row.code, SessionState.OPEN)
        except DiemcauError as error:  # someone was faster; the next tick looks again
            log.warning("a session did not open itself", session=row.code, error=str(error))
        else:
            opened.append(row.code)
    return opened


async def opens_itself(actor: System, context: Context) -> None:
    """Look for due sessions every few seconds, until cancelled; a failure is logged and the next look goes on."""
    while True:
        try:
            await open_due(actor, context)
        except Exception as error:  # noqa: BLE001 a database away for a minute must not stop this for the day
            log.warning("sessions that may be due were not looked at", error=repr(error))
        await asyncio.sleep(limits.SESSION_OPENS_TICK_S)


# --- parts ---------------------------------------------------------------------------------------------------
async def _changed(actor: Actor, context: Context, code: str, session_id: int) -> api.SessionView:
    await board.refresh(System(), context, session_id)
    return await get(actor, context, code)


async def _read(actor: Actor, connection: Connection, code: str) -> api.SessionView:
    row = await visible(actor, connection, code)
    scope = require(actor, Action.SESSIONS_READ)
    figures = await session_points.figures(connection, [row.session_id], scope)
    used = bool(await _used(connection, [row]))
    return _view(actor, row, figures.get(row.session_id, Figures()), used=used)


async def _used(connection: Connection, rows: Sequence[SessionRow]) -> set[int]:
    """Those that could go back to draft, had nobody checked in yet."""
    undoable = [row.session_id for row in rows if SessionState.DRAFT in SESSION_MOVES[row.state]]
    return await sessions.checked_in(connection, undoable)


def _view(actor: Actor, row: SessionRow, figures: Figures, *, used: bool) -> api.SessionView:
    return api.SessionView(
        code=row.code,
        title=row.title,
        starts_ms=row.starts_ms,
        ends_ms=row.ends_ms,
        state=row.state,
        state_ms=row.state_ms,
        conference=row.conference,
        program=row.program,
        unit=row.unit_code,
        rehearsal=row.rehearsal,
        readable_roster=row.readable_roster,
        points=figures.points,
        invited=figures.invited,
        present=figures.present,
        unlisted=figures.unlisted,
        allowed=_allowed(actor, row, figures, used=used),
    )


def _allowed(actor: Actor, row: SessionRow, figures: Figures, *, used: bool) -> list[SessionState]:
    """The moves this actor could make now; none for who only looks on."""
    if not scope_of(actor, Action.SESSIONS_WRITE).covers(row.unit_path):
        return []
    if row.state is SessionState.DRAFT and not figures.points:
        return []
    return [move for move in SESSION_MOVES[row.state] if move is not SessionState.DRAFT or not used]


def _title(text: str) -> str:
    title = names.tidy(text)
    if not title:
        raise MalformedError(field="title", reason="reason.empty")
    return title


def _ends(starts_ms: int, ends_ms: int) -> int:
    if ends_ms < starts_ms:
        raise MalformedError(field="ends_ms", reason="reason.ends_before_start")
    return ends_ms


def _after(after: str) -> tuple[int, str] | None:
    if not after:
        return None
    starts_ms, _, code = after.partition(":")
    if not (starts_ms.isascii() and starts_ms.isdigit() and len(starts_ms) <= MILLIS_DIGITS_MAX and code):
        raise MalformedError(field="after", reason="reason.not_a_page")
    return int(starts_ms), code.upper()
