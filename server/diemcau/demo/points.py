"""Plays the halls' devices over real WebSockets, each along its course, and notes what the server must record.

The agents are the ones that `diemcau agent` runs; what happens to them here is what happens to laptops.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from diemcau.agent.point import Line, PointAgent
from diemcau.demo.courses import FLAPS, Course, Plan
from diemcau.demo.ledger import LOST_BEATS
from diemcau.domain.link_state import RTT_SLOW_MS
from diemcau.domain.models import LinkState
from diemcau.wire import live

if TYPE_CHECKING:
    from diemcau.clock import Clock
    from diemcau.demo.ledger import Ledger

FLAP_BEATS = 0.3
MARGIN_BEATS = 0.2
RECOVERING_BEATS = 2
"""A lost point is online again with its second beat (DESIGN.md §5)."""

CALM_BEATS = 4.2
"""A slow line is well again after three beats without trouble; whoever beats just too early, with the next."""

ANSWER_S = 2.0


class Prompt(Random):
    """The chance of a laptop that comes back early each time: a flapping line breaks for seconds, not for long."""

    def random(self) -> float:
        """Near the lower end of every wait."""
        return super().random() / 10


class Hall:
    """One hall's device: its agent, and the ledger of what the server must have seen of it."""

    def __init__(self, code: str, agent: PointAgent, ledger: Ledger, clock: Clock, beat_s: float) -> None:
        self.code = code
        self.agent = agent
        self.connected = 0
        self.ledger = ledger
        self._clock = clock
        self._beat_s = beat_s
        self._answered = 0
        self._recovering = 0
        self._heard_ms = 0
        self._told_rtt_ms = 0.0
        self._changed = asyncio.Event()
        agent.on_line = self._on_line
        agent.on_frame = self._on_frame

    async def is_online(self) -> None:
        """Wait until the server must have the point online."""
        while self.ledger.link(self.code) is not LinkState.ONLINE:
            await self._next_change()

    async def fall_silent(self, *, cut: bool) -> None:
        """Break the connection or merely say no more; never with a beat on its way, or nobody knew the last one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                while self._answered < self.agent.beats:
                    await self._next_change()
        if cut:
            self.agent.drop()
        else:
            self.agent.silence()

    def stayed_silent(self) -> None:
        """Note what the silence up to now has become."""
        self.ledger.silent(self.code, self._heard_ms, self._clock.now_ms(), self._beat_s)

    async def go_away(self) -> None:
        """Put the page into the background."""
        await self.agent.away()
        self.ledger.moved(self.code, LinkState.AWAY, self._clock.now_ms())

    async def leave(self) -> None:
        """Say goodbye."""
        self.ledger.moved(self.code, LinkState.LEFT, self._clock.now_ms())
        await self.agent.leave()

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _on_line(self, line: Line) -> None:
        if line is not Line.UP:
            return
        self.connected += 1
        self._recovering = 0
        self._sign_of_life(beat=False)

    def _on_frame(self, frame: live.ServerPointFrame) -> None:
        if isinstance(frame, live.BeatAck):
            self._answered += 1
            self._sign_of_life(beat=True)
            # Each beat tells the round trip of the one before: what was measured now goes out with the next.
            if self._told_rtt_ms > RTT_SLOW_MS and self.ledger.link(self.code) is not LinkState.AWAY:
                self.ledger.slow[self.code] = self._clock.now_ms()
            self._told_rtt_ms = self.agent.rtt_ms or 0.0

    def _sign_of_life(self, *, beat: bool) -> None:
        """The server heard us just now: what it must have noted before, and what it notes because of it."""
        if self._heard_ms:
            self.stayed_silent()
        self._heard_ms = self._clock.now_ms()
        link = self.ledger.link(self.code)
        if link is LinkState.LOST:
            self._recovering += beat
        if link in {LinkState.EXPECTED, LinkState.SUSPECT} or self._recovering >= RECOVERING_BEATS:
            self._recovering = 0
            self.ledger.moved(self.code, LinkState.ONLINE, self._heard_ms)
        self._changed.set()


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
    halls: dict[str, Hall] = field(default_factory=dict)
    _over: set[str] = field(default_factory=set)
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Play until cancelled; lines that should be up stay up."""
        async with asyncio.TaskGroup() as group:
            for code, plan in self.plans.items():
                group.create_task(self._play(code, plan), name=f"hall {code}")
            group.create_task(asyncio.Event().wait(), name="until cancelled")

    async def settled(self) -> None:
        """Wait until every course is over and lines that were slow have had the time to be well again."""
        await self._settled.wait()
        calm_ms = max(self.ledger.slow.values(), default=0) + round(CALM_BEATS * self.beat_s * 1000)
        await asyncio.sleep(max(0.0, (calm_ms - self.clock.now_ms()) / 1000))

    async def _play(self, code: str, plan: Plan) -> None:
        if plan.course is not Course.NEVER:
            await asyncio.sleep(plan.join_s)
            chance = Prompt(code) if plan.course is Course.FLAP else Random(code)  # noqa: S311 no secret
            agent = PointAgent(self.origin, self.tokens[code], self.session, clock=self.clock, chance=chance)
            hall = self.halls[code] = Hall(code, agent, self.ledger, self.clock, self.beat_s)
            holding = asyncio.create_task(agent.run(), name=f"agent {code}")
            try:
                await hall.is_online()
                if plan.course is not Course.STEADY:
                    await asyncio.sleep(max(0.0, plan.event_s - plan.join_s))
                    await self._event(hall, plan)
                self._finish(code)
                ended = await holding
                if ended is not None:
                    self.ledger.failure(f"{code}: the server closed the line for good ({ended})")
            finally:
                holding.cancel()
        self._finish(code)

    async def _event(self, hall: Hall, plan: Plan) -> None:
        """What happens to this hall."""
        if plan.course is Course.LEAVE:
            await hall.leave()
        elif plan.course is Course.AWAY:
            await hall.go_away()
        elif plan.course is Course.FLAP:
            for _ in range(FLAPS):
                await self._gone(hall, FLAP_BEATS * self.beat_s, cut=True)
                await asyncio.sleep(FLAP_BEATS * self.beat_s)
        elif plan.course is Course.DROP:
            await hall.fall_silent(cut=plan.cut)
            await asyncio.sleep((LOST_BEATS + MARGIN_BEATS) * self.beat_s)
            hall.stayed_silent()
        else:
            await self._gone(hall, plan.gone_s, cut=plan.cut)

    async def _gone(self, hall: Hall, for_s: float, *, cut: bool) -> None:
        """Silent for a while, then back."""
        await hall.fall_silent(cut=cut)
        await asyncio.sleep(for_s)
        hall.stayed_silent()
        hall.agent.resume()
        await hall.is_online()

    def _finish(self, code: str) -> None:
        self._over.add(code)
        if len(self._over) == len(self.plans):
            self._settled.set()
