"""What boards and displays see: live rows loaded from the database and kept true afterwards."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from diemcau import limits
from diemcau.domain.authority import Action, Actor, Anonymous, Scope, System, require
from diemcau.domain.models import LinkState, SessionState
from diemcau.errors import DiemcauError, NotFoundError
from diemcau.live.audience import Watcher
from diemcau.live.rows import LiveSession, Row
from diemcau.services import link
from diemcau.services.identities import identify
from diemcau.store import links, units
from diemcau.wire.live import CloseCode, SessionBrief

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diemcau.services.context import Context
    from diemcau.store.check_ins import Outcome
    from diemcau.store.links import LivePointRow, LiveSessionRow
    from diemcau.store.who_counts import Counts
    from diemcau.wire.live import BoardIdentify, Live

log = structlog.get_logger()
Watching = Watcher
"""One board's queue of frames, under the name that the web knows it by."""

CLOSE_CODES = {
    400: CloseCode.MALFORMED,
    401: CloseCode.NOT_SIGNED_IN,
    403: CloseCode.FORBIDDEN,
    404: CloseCode.NOT_FOUND,
}
"""What an error means to a socket, by its HTTP status; anything else is ours, and the other side may try again."""


# --- keeping true ----------------------------------------------------------------------------------------------
async def start(actor: System, context: Context) -> None:
    """Load every session that is not closed; whatever had a link is unknown now, because nobody watched (I6)."""
    await context.writer.write(lambda c: links.blind(c, context.clock.now_ms()))
    context.live.presence.begin_blind(context.settings.blind_grace_s)
    async with context.read() as connection:
        session_ids = await links.open_sessions(connection)
    for session_id in session_ids:
        await refresh(actor, context, session_id)


async def refresh_all(actor: System, context: Context) -> None:
    """Points or units were moved: what hangs elsewhere now leaves some boards and enters others (I5)."""
    for session_id in list(context.live.sessions):
        await refresh(actor, context, session_id)


async def refresh(actor: System, context: Context, session_id: int) -> None:
    """Read the session's state, points and counts anew and publish what differs; devices are bound anew."""
    del actor
    known = context.live.sessions.get(session_id)
    mark = known.seq if known else 0
    async with context.read() as connection:
        found = await links.live_session(connection, session_id)
        points = await links.live_points(connection, session_id) if found else []
    known = context.live.sessions.get(session_id)
    points_before = set(known.rows) if known else set()
    if found is None:
        context.live.drop(session_id)
    elif known is not None or found.state is not SessionState.CLOSED:
        _take(context, found, points, mark)
    link.bind_anew(context, points_before | {row.point_id for row in points}, session_id)


def publish(context: Context, outcomes: Sequence[Outcome]) -> None:
    """Carry a committed batch to boards and displays."""
    unknown: set[int] = set()
    for outcome in outcomes:
        if outcome.present is None and outcome.unlisted is None:
            continue
        item = outcome.check_in
        session = context.live.sessions.get(item.session_id)
        if session is None or not session.set_present(item.point_id, outcome.present, outcome.unlisted):
            unknown.add(item.session_id)
    for session_id in unknown:
        context.spawn(refresh(System(), context, session_id), "refresh a board")


def counts_changed(actor: System, context: Context, session_id: int, counts: Mapping[int, Counts]) -> None:
    """Carry the figures that a correction changed to boards and displays; call it right after the commit."""
    del actor
    session = context.live.sessions.get(session_id)
    told = [session is not None and session.set_present(point_id, *now) for point_id, now in counts.items()]
    if not all(told):
        context.spawn(refresh(System(), context, session_id), "refresh a board")


async def fan_out(actor: System, context: Context) -> None:
    """Tell boards and halls what changed, a few times a second, until cancelled."""
    del actor
    while True:
        await asyncio.sleep(limits.FLUSH_INTERVAL_S)
        try:
            context.live.flush()
        except Exception:
            log.exception("boards were not told")


def _take(context: Context, found: LiveSessionRow, points: list[LivePointRow], mark: int) -> None:
    live = context.live
    brief = SessionBrief(found.code, found.title, found.state, found.starts_ms, found.ends_ms, found.spot_checks)
    session = live.sessions.get(found.session_id)
    if session is None:
        session = live.sessions[found.session_id] = LiveSession(found.session_id, brief, found.unit_path)
    session.set_brief(brief, found.unit_path)
    here = {point.point_id for point in points}
    gone = [point_id for point_id in session.rows if point_id not in here]
    live.presence.unwatch(found.session_id, gone)
    for point_id in gone:
        session.remove(point_id)
    for point in points:
        _take_point(session, point, mark)
    if found.state is SessionState.CLOSED:
        live.presence.unwatch(found.session_id, list(session.rows))
        return
    for row in session.rows.values():
        if row.link is LinkState.UNKNOWN:  # the wheel must notice when the grace ends
            live.presence.watch(found.session_id, row.point_id, row.link, row.since_ms, row.version)


def _take_point(session: LiveSession, point: LivePointRow, mark: int) -> None:
    """A known row keeps its link, which is truer here, and a count that was published since the reading began."""
    known = session.rows.get(point.point_id)
    if known is None:
        session.put(
            Row(
                point.point_id,
                point.code,
                point.name,
                point.unit_path,
                point.link,
                point.since_ms,
                point.version,
                point.present,
                point.invited,
                point.unlisted,
                headcount=point.headcount,
            )
        )
        return
    known.name = point.name
    if known.unit_path != point.unit_path:
        session.move(point.point_id, point.unit_path)
    present, unlisted = (known.present, known.unlisted) if known.counted > mark else (point.present, point.unlisted)
    session.set_figures(point.point_id, present, point.invited, unlisted)
    if known.counted <= mark:
        session.set_headcount(point.point_id, point.headcount)


# --- being watched ---------------------------------------------------------------------------------------------
async def live(actor: Actor, context: Context, session: str, unit: str | None) -> Live:
    """The whole scope at once: all that the actor may see of a session, or its part at and below `unit`.

    Raises:
        NotFoundError: no such session or unit, or a session that is not the actor's to see.
        ForbiddenError: the unit lies outside the actor's, or the actor watches no boards.
    """
    found, scope = await _scope(actor, context, session, unit)
    return context.live.live(found, scope)


async def watch(actor: Actor, context: Context, frame: BoardIdentify) -> Watcher:
    """Begin to watch; what the board lacks waits in the watcher's queue already. End it with `unwatch`.

    Raises:
        NotFoundError, ForbiddenError, NotSignedInError: see `live`.
    """
    found, scope = await _scope(actor, context, frame.session.upper(), (frame.unit or "").upper() or None)
    return context.live.watch(found, scope, frame.resume)


def unwatch(context: Context, watcher: Watcher) -> None:
    """The board went."""
    context.live.unwatch(watcher)


async def recheck(actor: Anonymous, context: Context, token: str, frame: BoardIdentify, watcher: Watcher) -> None:
    """Close a board whose watcher may no longer see what it sees: at once, to come back with what it may (I5)."""
    try:
        _, scope = await _scope(
            await identify(actor, context, token), context, frame.session.upper(), (frame.unit or "").upper() or None
        )
    except DiemcauError as error:
        watcher.close(close_code(error))
        return
    if scope != watcher.audience.scope:
        watcher.close(CloseCode.REBIND)


def close_code(error: DiemcauError) -> CloseCode:
    """The code to close a socket with."""
    return CLOSE_CODES.get(error.status, CloseCode.RESTART)


async def _scope(actor: Actor, context: Context, code: str, unit: str | None) -> tuple[LiveSession, Scope]:
    scope = require(actor, Action.BOARD_READ)
    session = context.live.session(code) or await _load(context, code)
    if not scope.touches(session.unit_path):
        raise NotFoundError(what="session", key=code)
    if unit is None:
        return session, scope
    async with context.read() as connection:
        found = await units.get(connection, unit)
    return session, require(actor, Action.BOARD_READ, found.path).narrowed(found.path)


async def _load(context: Context, code: str) -> LiveSession:
    """A closed session somebody looks at: loaded as it was frozen; of many, those nobody watches go again."""
    async with context.read() as connection:
        session_id = await links.session_id_of(connection, code)
        found = await links.live_session(connection, session_id) if session_id else None
        points = await links.live_points(connection, found.session_id) if found else []
    if found is None:
        raise NotFoundError(what="session", key=code)
    closed = [
        session_id
        for session_id, session in context.live.sessions.items()
        if session.brief.state is SessionState.CLOSED and not context.live.watched(session_id)
    ]
    for session_id in closed[: -limits.CLOSED_SESSIONS_LOADED_MAX]:
        context.live.drop(session_id)
    _take(context, found, points, 0)
    return context.live.sessions[found.session_id]
