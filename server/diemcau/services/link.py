"""The link of a hall: device frames in, changes of its state stored, then shown (DESIGN.md §5, I6).

Beats stay in memory. A change is stored by compare-and-set, stamped with the moment it became true, and only
what is stored reaches boards.
"""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import msgspec
import structlog

from diemcau import limits
from diemcau.domain.authority import Anonymous, Device, System
from diemcau.domain.link_state import rtt_band
from diemcau.domain.models import SessionState
from diemcau.errors import ForbiddenError, MalformedError, NotFoundError, NotSignedInError
from diemcau.live.lines import Line
from diemcau.services import unsent_queues
from diemcau.services.identities import identify
from diemcau.store import devices, links
from diemcau.wire.live import PROTOCOL_VERSION, BeatAck, CloseCode, SessionEvent, Welcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diemcau.domain.link_state import Transition
    from diemcau.live.lines import Socket
    from diemcau.live.rows import LiveSession
    from diemcau.services.context import Context
    from diemcau.store.engine import Connection
    from diemcau.wire.live import Beat, Identify

log = structlog.get_logger()
NEARNESS = {SessionState.LIVE: 0, SessionState.BREAK: 0, SessionState.OPEN: 1, SessionState.ENDED: 2}
"""What a hall takes part in now, before what is over but not yet closed."""

_sids = count(1)


# --- devices ----------------------------------------------------------------------------------------------------
async def enter(actor: Anonymous, context: Context, frame: Identify, socket: Socket) -> tuple[Line, Welcome]:
    """A device says who it is: its line, bound to the session that is near its point, and the welcome.

    Raises:
        MalformedError: it speaks another version of the protocol.
        NotSignedInError: the token is unknown or revoked.
        ForbiddenError: the token is no device's.
        NotFoundError: the session it names is closed, or does not include its point.
    """
    if frame.v != PROTOCOL_VERSION:
        raise MalformedError(field="v", reason=str(PROTOCOL_VERSION))
    device = await identify(actor, context, frame.token)
    if isinstance(device, Anonymous):
        raise NotSignedInError
    if not isinstance(device, Device):
        raise ForbiddenError
    point_name = await devices.point_name(context.engines, device.point_id)
    line = Line(socket, device, frame.boot, f"{context.live.epoch}-{next(_sids):x}")
    line.wanted = _wanted(context, device, frame.session) if frame.session else None
    _replace(context, line)
    session = _near(context, line)
    _forget_elsewhere(context, line, session)
    welcome = Welcome(line.sid, device.point_code, point_name, session.brief if session else None)
    if session is not None:
        row = session.rows[device.point_id]
        welcome.present, welcome.invited, welcome.unlisted = row.figures
        row.told = row.told or row.figures
        line.session_id = session.session_id
        watched = context.live.presence.watch(session.session_id, row.point_id, row.link, row.since_ms, row.version)
        line.watched = watched
        context.live.presence.connect(watched, device.device_id)
    return line, welcome


def beat(context: Context, line: Line, frame: Beat) -> bytes:
    """A sign of life, and its answer. This is the path that 31,000 points take every ten seconds."""
    watched = line.watched
    unsent_queues.heard(context, line, frame)
    if watched is not None:
        context.live.presence.beat(watched, line.device.device_id, frame.seq, frame.rtt_ms, hidden=frame.hidden)
        band = rtt_band(frame.rtt_ms)
        if band != line.rtt_band:
            line.rtt_band = band
            session = context.live.sessions.get(watched.session_id)
            if session is not None:
                session.set_band(watched.point_id, band)
    return msgspec.json.encode(BeatAck(frame.seq, context.clock.now_ms()))


def away(context: Context, line: Line) -> None:
    """The page is about to be hidden or the phone locked."""
    if line.watched is not None:
        context.live.presence.away(line.watched, line.device.device_id)


def leave(context: Context, line: Line) -> None:
    """A clean goodbye."""
    if line.watched is not None:
        context.live.presence.leave(line.watched, line.device.device_id)


def gone(context: Context, line: Line) -> None:
    """The socket ended. That alone changes nothing: the device may be back before its deadline."""
    if context.live.lines.drop(line):
        context.live.seen[line.device.device_id] = context.clock.now_ms()
        unsent_queues.gone(context, line)


def revoke(context: Context, device_id: int) -> None:
    """The device's token is worth nothing any more: close its socket, and miss it no longer."""
    line = context.live.lines.of_device(device_id)
    if line is not None:
        context.live.lines.drop(line)
        _unbind(context, line, "revoked")
        line.socket.close(CloseCode.REVOKED)


def bind_anew(context: Context, point_ids: Iterable[int], session_id: int) -> None:
    """A session changed: devices that now belong to another go through the door again, the others are told."""
    session = context.live.sessions.get(session_id)
    event = msgspec.json.encode(SessionEvent(session.brief)) if session else b""
    told = session.told_brief != session.brief if session else False
    for point_id in point_ids:
        for line in context.live.lines.at(point_id):
            near = _near(context, line)
            if (near.session_id if near else None) != line.session_id:
                if told and line.session_id == session_id:
                    line.socket.push(event)  # so that a screen can say "closed", and not "no session"
                _unbind(context, line, "rebind")
                line.socket.close(CloseCode.REBIND)
            elif told and line.session_id == session_id:
                line.socket.push(event)
    if session:
        session.told_brief = session.brief


def _unbind(context: Context, line: Line, cause: str) -> None:
    if line.watched is not None:
        context.live.presence.forget(line.watched, line.device.device_id, cause)
    line.watched = line.session_id = None


def _replace(context: Context, line: Line) -> None:
    """The newest socket of a device wins; an older page learns that it was replaced."""
    before = context.live.lines.enter(line)
    if before is not None:
        before.watched = None
        before.socket.close(CloseCode.REPLACED)


def _forget_elsewhere(context: Context, line: Line, near: LiveSession | None) -> None:
    """Another session does not miss a device that takes part here."""
    for session_id in context.live.sessions:
        watched = context.live.presence.get(session_id, line.device.point_id)
        if watched is not None and (near is None or session_id != near.session_id):
            context.live.presence.forget(watched, line.device.device_id, "rebind")


def _wanted(context: Context, device: Device, code: str) -> int:
    session = context.live.session(code.upper())
    if session is None or session.brief.state is SessionState.CLOSED or device.point_id not in session.rows:
        raise NotFoundError(what="session", key=code.upper())
    return session.session_id


def _near(context: Context, line: Line) -> LiveSession | None:
    """The session a device is bound to: what runs and is nearest now, else the next draft, else none."""
    now_ms = context.clock.now_ms()
    point_id = line.device.point_id
    ours = [
        session
        for session in context.live.sessions.values()
        if point_id in session.rows and session.brief.state is not SessionState.CLOSED
    ]
    if line.wanted is not None:
        return next((session for session in ours if session.session_id == line.wanted), None)
    running = [session for session in ours if session.brief.state in NEARNESS]
    if running:
        return min(running, key=lambda s: (NEARNESS[s.brief.state], abs(s.brief.starts_ms - now_ms), s.session_id))
    coming = [session for session in ours if session.brief.ends_ms > now_ms]
    return min(coming, key=lambda s: (s.brief.starts_ms, s.session_id), default=None)


# --- time and records -------------------------------------------------------------------------------------------
async def watch(actor: System, context: Context) -> None:
    """Turn the wheel until cancelled."""
    while True:
        try:
            await tick(actor, context)
        except Exception:
            log.exception("the wheel stumbled")
        await asyncio.sleep(limits.WHEEL_TICK_S)


async def tick(actor: System, context: Context) -> None:
    """Notice who fell silent. Sockets that lead nowhere any more are closed: whoever still lives there comes back."""
    del actor
    for watched, device_id in context.live.presence.tick():
        line = context.live.lines.of_device(device_id)
        if line is not None and line.watched is watched:
            context.live.lines.drop(line)
            line.socket.close(CloseCode.SILENT)


async def keep_records(actor: System, context: Context) -> None:
    """Store changes as they come, until cancelled; what cannot be stored now is tried again."""
    while True:
        await context.live.presence.wake.wait()
        try:
            await store(actor, context)
        except Exception as error:  # noqa: BLE001 a database that is away for a minute loses nothing
            log.warning("changes of link wait for the database", error=repr(error))
            await asyncio.sleep(limits.STORE_RETRY_S)


async def store(actor: System, context: Context) -> None:
    """Store all changes that wait, a batch at a time and in order, and show each batch once it is durable."""
    del actor
    async with context.live.storing:
        while batch := context.live.presence.take(limits.TRANSITIONS_BATCH_MAX):
            await _store_batch(context, batch)
    await unsent_queues.store(System(), context)


async def _store_batch(context: Context, batch: list[Transition]) -> None:
    presence = context.live.presence
    seen = {row.device_id: row.noticed_ms for row in batch if row.device_id and row.cause != "silence"}
    seen |= context.live.take_seen(limits.TRANSITIONS_BATCH_MAX)
    try:
        stored, refused = await context.writer.write(partial(_store, batch=batch, seen=seen))
    except BaseException:
        presence.put_back(batch)
        raise
    for row in stored:
        session = context.live.sessions.get(row.session_id)
        if session is not None:
            session.set_link(row.point_id, row.after, row.at_ms, row.version)
    for (session_id, point_id), standing in refused.items():
        watched = presence.get(session_id, point_id)
        if watched is None or standing is None:
            presence.unwatch(session_id, [point_id])
        else:
            presence.rebase(watched, *standing)


async def _store(
    connection: Connection, batch: list[Transition], seen: dict[int, int]
) -> tuple[list[Transition], dict[tuple[int, int], links.Standing | None]]:
    await devices.seen(connection, seen.items())
    return await links.append(connection, batch)


async def stop(actor: System, context: Context) -> None:
    """A planned stop: every socket is asked to come back, and what was noticed is stored."""
    context.live.close_all(CloseCode.RESTART)
    await store(actor, context)
    seen = context.live.take_seen(limits.WRITE_QUEUE_ITEMS_MAX)
    await context.writer.write(lambda c: devices.seen(c, seen.items()))
