"""The live state of every session this process watches: rows, links, device sockets, boards."""

from __future__ import annotations

import asyncio
import secrets
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from diemcau.live.audience import Audience, Watcher, epoch_of
from diemcau.live.lines import Lines
from diemcau.live.presence import Presence
from diemcau.wire.live import CloseCode, CountEvent, Live

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diemcau.clock import Clock
    from diemcau.domain.authority import Scope
    from diemcau.live.rows import LiveSession
    from diemcau.wire.live import Resume


class Center:
    """Plain data in, frames out. `epoch` is new with every start, so that nobody resumes across one."""

    def __init__(self, clock: Clock, beat_interval_s: float) -> None:
        self.clock = clock
        self.epoch = secrets.token_hex(4)
        self.presence = Presence.of(clock, beat_interval_s)
        self.lines = Lines()
        self.seen: dict[int, int] = {}
        self.queues: dict[int, tuple[int, int | None, int]] = {}
        self.storing = asyncio.Lock()
        self.stopping = False
        self.sessions: dict[int, LiveSession] = {}
        self._audiences: dict[tuple[int, tuple[str, ...]], Audience] = {}

    def session(self, code: str) -> LiveSession | None:
        """The session of this code, if it is watched."""
        return next((session for session in self.sessions.values() if session.brief.code == code), None)

    def drop(self, session_id: int) -> None:
        """The session is no more, or no longer watched; its boards are told to go."""
        session = self.sessions.pop(session_id, None)
        if session is None:
            return
        self.presence.unwatch(session_id, session.rows)
        for key in [key for key in self._audiences if key[0] == session_id]:
            for watcher in self._audiences.pop(key).watchers:
                watcher.close(CloseCode.NOT_FOUND)

    def take_seen(self, rows_max: int) -> dict[int, int]:
        """Up to `rows_max` devices that ended their socket, and when."""
        taken = dict(islice(self.seen.items(), rows_max))
        for device_id in taken:
            del self.seen[device_id]
        return taken

    def some_queues(self, rows_max: int) -> dict[int, tuple[int, int | None, int]]:
        """Up to `rows_max` devices that told something new of their queue (`lines.Line.queue`)."""
        return dict(islice(self.queues.items(), rows_max))

    def forget_queues(self, stored: dict[int, tuple[int, int | None, int]]) -> None:
        """These are stored; what a device has told since is not."""
        for device_id, told in stored.items():
            if self.queues.get(device_id) == told:
                del self.queues[device_id]

    def close_all(self, code: CloseCode) -> None:
        """Ask every device and board to go; none is let in any more."""
        self.stopping = True
        for line in self.lines:
            line.socket.close(code)
        for watcher in self.watchers():
            watcher.close(code)

    # --- boards ---------------------------------------------------------------------------------------------
    def live(self, session: LiveSession, scope: Scope) -> Live:
        """The whole scope at once."""
        return session.live(scope, epoch_of(self.epoch, session.session_id, scope), self.clock.now_ms())

    def watch(self, session: LiveSession, scope: Scope, resume: Resume | None) -> Watcher:
        """Begin to watch: what the board lacks waits in its queue already."""
        key = (session.session_id, scope.paths)
        audience = self._audiences.get(key)
        if audience is None:
            self._flush_session(session)
            audience = self._audiences[key] = Audience(session, scope, self.epoch)
        now_ms = self.clock.now_ms()
        if resume is None:
            watcher = Watcher(audience, audience.snapshot(now_ms), -1)
        else:
            watcher = Watcher(audience, audience.resume(resume.epoch, resume.seq, now_ms), resume.seq)
        audience.watchers.add(watcher)
        return watcher

    def unwatch(self, watcher: Watcher) -> None:
        """The board went."""
        audience = watcher.audience
        audience.watchers.discard(watcher)
        key = (audience.session.session_id, audience.scope.paths)
        if not audience.watchers and self._audiences.get(key) is audience:
            del self._audiences[key]

    def watchers(self) -> list[Watcher]:
        """Every open board."""
        return [watcher for audience in self._audiences.values() for watcher in audience.watchers]

    def watched(self, session_id: int) -> bool:
        """Whether any board watches the session."""
        return any(key[0] == session_id for key in self._audiences)

    def flush(self) -> None:
        """Tell boards and halls what changed since the last time."""
        for session in self.sessions.values():
            self._flush_session(session)

    def _flush_session(self, session: LiveSession) -> None:
        changed, session.changed = session.changed, set()
        heads = session.head_seq > session.flushed_seq
        session.flushed_seq = session.seq
        if not changed and not heads:
            return
        now_ms = self.clock.now_ms()
        for (session_id, _), audience in list(self._audiences.items()):
            if session_id == session.session_id:
                audience.flush(changed, now_ms)
        self._tell_counts(session, changed)

    def _tell_counts(self, session: LiveSession, changed: Iterable[int]) -> None:
        for point_id in changed:
            row = session.rows.get(point_id)
            if row is None or row.told == row.figures:
                continue
            row.told = row.figures
            frame = b""
            for line in self.lines.at(point_id):
                if line.session_id == session.session_id:
                    frame = frame or msgspec.json.encode(CountEvent(*row.figures))
                    line.socket.push(frame)
