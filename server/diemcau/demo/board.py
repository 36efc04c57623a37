"""A coordinator's board, followed from the opening to the end: one snapshot, then deltas (I7)."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from diemcau.domain.models import LinkState
from diemcau.wire import live

if TYPE_CHECKING:
    from diemcau.clock import Clock
    from diemcau.demo.client import Client

FRAMES = msgspec.json.Decoder(live.ServerBoardFrame)
RECONNECT_S = 1.0
FRAME_BYTES_MAX = 4 * 1_048_576


@dataclass(slots=True)
class Board:
    """Rows by point as the board would draw them now, and how late they were.

    count_ms: from the acknowledgement of a check-in until the row of its hall showed it (0: already there).
    lost_ms: from the deadline that a silent point passed until its row said lost.
    """

    client: Client
    session: str
    clock: Clock
    rows: dict[str, live.LiveRow] = field(default_factory=dict)
    totals: live.LiveTotals | None = None
    snapshots: int = 0
    deltas: int = 0
    gaps: int = 0
    count_ms: list[float] = field(default_factory=list)
    lost_ms: list[float] = field(default_factory=list)
    seen: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _epoch: str = ""
    _seq: int = -1
    _parts: dict[str, live.LiveRow] = field(default_factory=dict)
    _awaited: dict[str, deque[tuple[int, float]]] = field(default_factory=dict)

    def acknowledged(self, hall: str, count: int) -> None:
        """The server acknowledged the hall's `count`th person: measure until the board shows it."""
        row = self.rows.get(hall)
        if row is not None and row.present >= count:
            self.count_ms.append(0.0)
        else:
            self._awaited.setdefault(hall, deque()).append((count, self.clock.monotonic_s()))

    @property
    def awaited(self) -> int:
        """Acknowledged check-ins that the board does not show yet."""
        return sum(len(waiting) for waiting in self._awaited.values())

    async def caught_up(self) -> None:
        """Wait until every acknowledged check-in is shown."""
        while self.awaited:
            self._changed.clear()
            await self._changed.wait()

    async def follow(self) -> None:
        """Watch until cancelled; whenever the line drops, connect again and resume."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                await self._watch()
            await asyncio.sleep(RECONNECT_S)

    async def _watch(self) -> None:
        url = self.client.origin.replace("http", "ws", 1) + "/ws/v1/board"
        headers = {"Origin": self.client.origin}
        async with self.client.http.ws_connect(url, headers=headers, max_msg_size=FRAME_BYTES_MAX) as socket:
            resume = live.Resume(self._epoch, self._seq) if self._seq >= 0 else None
            await socket.send_str(msgspec.json.encode(live.BoardIdentify(self.session, resume=resume)).decode())
            async for message in socket:
                if message.type != aiohttp.WSMsgType.TEXT:
                    continue
                if not self.take(FRAMES.decode(message.data)):
                    return

    def take(self, frame: live.ServerBoardFrame) -> bool:
        """Apply one frame; False when it does not join what is here, so that a new snapshot is needed."""
        self._changed.set()
        if isinstance(frame, live.Snapshot):
            self._snapshot(frame)
        elif isinstance(frame, live.Delta):
            return self._delta(frame)
        return True

    def _snapshot(self, frame: live.Snapshot) -> None:
        if frame.part == 1:
            self._parts = {}
        self._parts.update((row.point, row) for row in frame.points)
        if frame.part < frame.parts:
            return
        self.snapshots += 1
        self._epoch, self._seq, self.totals = frame.epoch, frame.seq, frame.totals
        self.rows = {}
        for row in self._parts.values():
            self._show(row)
        self.seen.set()

    def _delta(self, frame: live.Delta) -> bool:
        if frame.from_seq > self._seq:
            self.gaps += 1
            self._seq = -1
            return False
        self.deltas += 1
        self._seq, self.totals = max(frame.seq, self._seq), frame.totals
        for row in frame.points:
            self._show(row)
        for point in frame.gone:
            self.rows.pop(point, None)
        return True

    def _show(self, row: live.LiveRow) -> None:
        before = self.rows.get(row.point)
        self.rows[row.point] = row
        if row.link is LinkState.LOST and before is not None and before.link is not LinkState.LOST:
            self.lost_ms.append(max(0.0, self.clock.now_ms() - row.since_ms))
        waiting = self._awaited.get(row.point)
        while waiting and waiting[0][0] <= row.present:
            self.count_ms.append((self.clock.monotonic_s() - waiting.popleft()[1]) * 1000)
