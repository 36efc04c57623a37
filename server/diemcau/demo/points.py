"""Plays the halls' devices over real WebSockets, each along its course, and notes what the server must record."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from websockets.exceptions import WebSocketException

from diemcau.demo.courses import FLAPS, Course, Plan
from diemcau.demo.ledger import LOST_BEATS
from diemcau.demo.line import Line
from diemcau.domain.models import LinkState
from diemcau.wire import live

if TYPE_CHECKING:
    from diemcau.clock import Clock
    from diemcau.demo.ledger import Ledger

RECONNECT_S = 0.5
FLAP_BEATS = 0.3
RECOVERING_BEATS = 2
MARGIN_BEATS = 0.2


@dataclass(slots=True)
class Points:
    """All halls at once. `await settled()`: every course is over and its last deadline has passed."""

    origin: str
    session: str
    tokens: Mapping[str, str]
    plans: Mapping[str, Plan]
    beat_s: float
    ledger: Ledger
    clock: Clock
    reconnected: int = 0
    _lines: dict[str, Line] = field(default_factory=dict)
    _over: set[str] = field(default_factory=set)
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Play until cancelled; lines that should be up stay up."""
        try:
            async with asyncio.TaskGroup() as group:
                for hall, plan in self.plans.items():
                    group.create_task(self._play(hall, plan), name=f"hall {hall}")
                group.create_task(asyncio.Event().wait(), name="until cancelled")
        finally:
            for line in self._lines.values():
                line.cut()

    async def settled(self) -> None:
        """Wait until every course is over."""
        await self._settled.wait()

    async def _play(self, hall: str, plan: Plan) -> None:
        if plan.course is not Course.NEVER:
            await asyncio.sleep(plan.join_s)
            line = await self._join(hall)
            if plan.course is not Course.STEADY:
                line = await self._hold(hall, line, plan.event_s - plan.join_s)
                kept = await self._event(hall, plan, line)
                if kept is None:
                    self._finish(hall)
                    return
                line = kept
            self._finish(hall)
            await self._hold(hall, line)
        self._finish(hall)

    async def _event(self, hall: str, plan: Plan, line: Line) -> Line | None:
        """What happens to this hall; its line afterwards, None when it has none any more."""
        if plan.course is Course.LEAVE:
            await line.leave()
            self.ledger.moved(hall, LinkState.LEFT, line.spoke_ms)
            return None
        if plan.course is Course.AWAY:
            await line.away()
            self.ledger.moved(hall, LinkState.AWAY, line.spoke_ms)
            return line
        if plan.course is Course.FLAP:
            for _ in range(FLAPS):
                line = await self._gone(hall, line, FLAP_BEATS * self.beat_s, cut=True)
            return line
        if plan.course is Course.DROP:
            self._fall_silent(line, cut=plan.cut)
            gone_s = (LOST_BEATS + MARGIN_BEATS) * self.beat_s
            await asyncio.sleep(gone_s)
            self.ledger.silent(hall, line.spoke_ms, self.clock.now_ms(), self.beat_s)
            return None
        return await self._gone(hall, line, plan.gone_s, cut=plan.cut)

    async def _gone(self, hall: str, line: Line, for_s: float, *, cut: bool) -> Line:
        """Silent for a while, then back on a new connection."""
        self._fall_silent(line, cut=cut)
        await asyncio.sleep(for_s)
        back = await self._join(hall, silent_since_ms=line.spoke_ms)
        line.cut()
        return back

    def _fall_silent(self, line: Line, *, cut: bool) -> None:
        if cut:
            line.cut()
        else:
            line.silence()

    async def _join(self, hall: str, silent_since_ms: int | None = None) -> Line:
        """Connect, as often as it takes; what passed meanwhile and the return go into the ledger."""
        while True:
            identify = live.Identify(live.PROTOCOL_VERSION, self.tokens[hall], uuid4().hex, self.session)
            try:
                line = await Line.open(self.origin, identify, self.clock)
            except (OSError, TimeoutError, WebSocketException):
                await asyncio.sleep(RECONNECT_S)
                continue
            self._lines[hall] = line
            if silent_since_ms is not None:
                self.ledger.silent(hall, silent_since_ms, line.spoke_ms, self.beat_s)
            if self.ledger.link(hall) is LinkState.LOST:  # a lost point proves itself first
                await line.beaten(RECOVERING_BEATS)
            self.ledger.moved(hall, LinkState.ONLINE, line.spoke_ms)
            return line

    async def _hold(self, hall: str, line: Line, for_s: float | None = None) -> Line:
        """Keep the line up for so long (None: until cancelled), on a new connection whenever the server ends it."""
        until_s = None if for_s is None else self.clock.monotonic_s() + for_s
        while True:
            left_s = None if until_s is None else max(0.0, until_s - self.clock.monotonic_s())
            try:
                async with asyncio.timeout(left_s):
                    await line.closed()
            except TimeoutError:
                return line
            self.reconnected += 1
            await asyncio.sleep(RECONNECT_S)
            line = await self._join(hall, silent_since_ms=line.spoke_ms)

    def _finish(self, hall: str) -> None:
        self._over.add(hall)
        if len(self._over) == len(self.plans):
            self._settled.set()
