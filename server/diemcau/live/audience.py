"""Boards that watch the same part of a session: what changed is gathered, encoded once, and given to each."""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.live.rows import ROWS_PER_PART, Counted, LiveSession, Row, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from diemcau.domain.authority import Scope
    from diemcau.wire.live import CloseCode


class Watcher:
    """One board's queue of frames. A board that does not keep up loses them and gets a snapshot instead."""

    __slots__ = ("_frames", "_wake", "audience", "closed", "lost")

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.closed: CloseCode | None = None
        self.lost = False
        self._frames: deque[bytes] = deque()
        self._wake = asyncio.Event()

    def put(self, frames: list[bytes], *, snapshot: bool = False) -> None:
        """Queue frames; where too many wait already, forget them all and owe a snapshot."""
        if snapshot:
            self._frames.clear()
            self.lost = False
        elif self.lost or len(self._frames) + len(frames) > limits.BOARD_QUEUE_FRAMES_MAX:
            self._frames.clear()
            self.lost = True
            frames = []
        self._frames.extend(frames)
        self._wake.set()

    def close(self, code: CloseCode) -> None:
        """Tell the board to go; what waits is not sent any more."""
        self.closed = code
        self._frames.clear()
        self._wake.set()

    async def next(self, now_ms: Callable[[], int]) -> bytes | None:
        """The next frame, as soon as there is one; None when the board must go (`closed` says why)."""
        while not self._frames and self.closed is None:
            if self.lost:
                self.put(self.audience.snapshot(now_ms()), snapshot=True)
                break
            self._wake.clear()
            await self._wake.wait()
        return None if self.closed is not None else self._frames.popleft()


class Audience:
    """The watchers of one (session, scope), and how far they were told."""

    __slots__ = ("_counted", "_snapshot", "_tally", "epoch", "scope", "session", "told_seq", "watchers")

    def __init__(self, session: LiveSession, scope: Scope, node: str) -> None:
        self.session = session
        self.scope = scope
        self.epoch = epoch_of(node, session.session_id, scope)
        self.watchers: set[Watcher] = set()
        self.told_seq = session.seq
        self._snapshot: tuple[int, list[bytes]] | None = None
        self._tally = Tally()
        self._counted: dict[int, Counted] = {}
        for row in session.within(scope):
            self._count(row.point_id, row)

    def snapshot(self, server_ms: int) -> list[bytes]:
        """The scope as it is now; encoded once for all who ask before the next change."""
        if self._snapshot is None or self._snapshot[0] != self.session.seq:
            self._snapshot = (self.session.seq, self.session.snapshot(self.scope, self.epoch, server_ms))
        return self._snapshot[1]

    def resume(self, epoch: str, seq: int, server_ms: int) -> list[bytes]:
        """What a board that has everything up to `seq` of `epoch` still lacks: a delta, or a snapshot."""
        if epoch == self.epoch:
            totals = self.session.totals(self.session.within(self.scope))
            delta = self.session.delta(self.scope, seq, totals, server_ms)
            if delta is not None:
                return [delta]
        return self.snapshot(server_ms)

    def flush(self, changed: set[int], server_ms: int) -> None:
        """Tell all watchers what changed since they were last told; nothing where nothing did."""
        rows = self._recount(changed)
        session = self.session
        head = session.head_seq > self.told_seq
        if rows is None and not head:
            return
        if rows is not None and len(rows) > ROWS_PER_PART:
            frames, snapshot = self.snapshot(server_ms), True
        else:
            totals = self._tally.wire()
            frames = [session.encode_delta(self.scope, self.told_seq, rows or [], totals, server_ms)]
            snapshot = False
        self.told_seq = session.seq
        for watcher in self.watchers:
            watcher.put(frames, snapshot=snapshot)

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
