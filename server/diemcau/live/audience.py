"""Boards that watch the same part of a session: what changed is gathered, encoded once, and given to each."""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.live.rows import Counted, Frame, LiveSession, Row, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from diemcau.domain.authority import Scope
    from diemcau.wire.live import CloseCode


class Watcher:
    """One board's queue of frames. One that does not keep up loses its deltas, and later gets what it lacks at once."""

    __slots__ = ("_deltas", "_frames", "_seq", "_wake", "audience", "closed", "lost")

    def __init__(self, audience: Audience, first: list[Frame], seq: int) -> None:
        self.audience = audience
        self.closed: CloseCode | None = None
        self.lost = False
        self._frames = deque(first)
        self._deltas = 0
        self._seq = seq
        self._wake = asyncio.Event()

    def put(self, deltas: list[Frame]) -> None:
        """Queue deltas; where too many wait already, forget them all. Parts of a snapshot stay."""
        if self.lost:
            return
        if self._deltas + len(deltas) > max(limits.BOARD_QUEUE_FRAMES_MAX, len(deltas)):
            for _ in range(self._deltas):
                self._frames.pop()
            self._deltas = 0
            self.lost = True
        else:
            self._frames.extend(deltas)
            self._deltas += len(deltas)
        self._wake.set()

    def close(self, code: CloseCode) -> None:
        """Tell the board to go; what waits is not sent any more."""
        self.closed = code
        self._wake.set()

    def pop(self, server_ms: int) -> bytes | None:
        """The next frame, if there is one."""
        if not self._frames and self.lost:
            self.lost = False
            self._frames.extend(self.audience.resume(self.audience.epoch, self._seq, server_ms))
        if not self._frames:
            return None
        frame = self._frames.popleft()
        self._deltas = min(self._deltas, len(self._frames))
        if frame.seq is not None:
            self._seq = frame.seq
        return frame.data

    async def next(self, now_ms: Callable[[], int]) -> bytes | None:
        """The next frame, as soon as there is one; None when the board must go (`closed` says why)."""
        while self.closed is None:
            frame = self.pop(now_ms())
            if frame is not None:
                return frame
            self._wake.clear()
            await self._wake.wait()
        return None


class Audience:
    """The watchers of one (session, scope), and how far they were told."""

    __slots__ = ("_counted", "_snapshot", "_tally", "epoch", "scope", "session", "told_seq", "watchers")

    def __init__(self, session: LiveSession, scope: Scope, node: str) -> None:
        self.session = session
        self.scope = scope
        self.epoch = epoch_of(node, session.session_id, scope)
        self.watchers: set[Watcher] = set()
        self.told_seq = session.seq
        self._snapshot: tuple[int, list[Frame]] | None = None
        self._tally = Tally()
        self._counted: dict[int, Counted] = {}
        for row in session.within(scope):
            self._count(row.point_id, row)

    def snapshot(self, server_ms: int) -> list[Frame]:
        """The scope as it is now; encoded once for all who ask before the next change."""
        if self._snapshot is None or self._snapshot[0] != self.session.seq:
            self._snapshot = (self.session.seq, self.session.snapshot(self.scope, self.epoch, server_ms))
        return self._snapshot[1]

    def resume(self, epoch: str, seq: int, server_ms: int) -> list[Frame]:
        """What a board that has everything up to `seq` of `epoch` still lacks: deltas, or a snapshot."""
        deltas = self.session.since(self.scope, seq, server_ms) if epoch == self.epoch else None
        return self.snapshot(server_ms) if deltas is None else deltas

    def flush(self, changed: set[int], server_ms: int) -> None:
        """Tell all watchers what changed since they were last told; nothing where nothing did."""
        rows = self._recount(changed)
        session = self.session
        if rows is None and session.head_seq <= self.told_seq:
            return
        frames = session.deltas(self.scope, self.told_seq, rows or [], (self._tally.wire(), server_ms))
        self.told_seq = session.seq
        for watcher in self.watchers:
            watcher.put(frames)

    def _recount(self, changed: set[int]) -> list[Row] | None:
        """The changed rows in scope; None where the change does not touch it."""
        rows: list[Row] = []
        touched = False
        for point_id in changed:
            row = self.session.rows.get(point_id)
            here = row if row is not None and self.scope.covers(row.unit_path) else None
            touched |= self._count(point_id, here) or here is not None
            if here is not None:
                rows.append(here)
        return rows if touched else None

    def _count(self, point_id: int, row: Row | None) -> bool:
        """Count the point anew; whether it was counted before."""
        before = self._counted.pop(point_id, None)
        if before is not None:
            self._tally.add(before, -1)
        if row is not None:
            part = self._counted[point_id] = row.part()
            self._tally.add(part)
        return before is not None


def epoch_of(node: str, session_id: int, scope: Scope) -> str:
    """Marks whose `seq` is whose: of this start of this node, for this session and scope."""
    return f"{node}.{session_id}.{zlib.crc32(' '.join(sorted(scope.paths)).encode()):08x}"
