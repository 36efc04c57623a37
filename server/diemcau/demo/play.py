"""The order of events: a server, an organizer's work, the play, and either the check or the newcomer's panel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import aiohttp

from diemcau import i18n
from diemcau.demo import arrivals, courses
from diemcau.demo.board import Board
from diemcau.demo.client import Client
from diemcau.demo.doors import Doors
from diemcau.demo.figures import Measured
from diemcau.demo.ledger import Ledger
from diemcau.demo.organizer import SESSION, Organizer
from diemcau.demo.people import People
from diemcau.demo.points import Points
from diemcau.demo.process import cost_of
from diemcau.domain.models import SessionState

if TYPE_CHECKING:
    from diemcau.clock import Clock
    from diemcau.demo.arrivals import Visit
    from diemcau.demo.process import ServerProcess
    from diemcau.demo.sample import Sample
    from diemcau.demo.screen import Screen

SEED = 766
LISTS = ("units", "points", "attendees")
LIVE_AFTER = 0.9
"""Without a clock to follow, the session goes live once this share of those who come has arrived."""

EVENTS_BEATS = 9.5
"""In a check everything that happens to a line has happened about when the people are in."""

GRACE_BEATS = 4.5
"""A server calls nothing lost within six beats of its start. Whoever was last heard a beat before their event, and is
called lost three beats after that, must not fall into that time."""

BOARD_S = 30.0
AT_ONCE_CHECK = 64
"""Phones with an open page while checking: enough to fill the writer's batches, few enough for a short p99."""

AT_ONCE_SHOW = 256


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it is played. speed None: as fast as the server answers, for a check."""

    speed: float | None
    beat_s: float

    @property
    def before_start_s(self) -> float:
        """From the first arrival to the start of the session."""
        return 120.0 if self.speed is None else -arrivals.FIRST_S / self.speed

    def due_s(self, visit: Visit) -> float:
        """When the person comes, in seconds after the first."""
        return 0.0 if self.speed is None else (visit.at_s - arrivals.FIRST_S) / self.speed


@dataclass(slots=True)
class Play:
    """Everything that plays against one server."""

    server: ServerProcess
    sample: Sample
    screen: Screen
    clock: Clock
    pace: Pace
    organizer: Organizer
    ledger: Ledger = field(default_factory=Ledger)
    measured: Measured = field(default_factory=Measured)
    visits: list[Visit] = field(default_factory=list)
    starts_ms: int = 0
    doors: Doors = field(init=False)
    board: Board = field(init=False)
    people: People = field(init=False)
    points: Points = field(init=False)

    @property
    def coming(self) -> int:
        """How many people come."""
        return sum(1 if visit.companion is None else 2 for visit in self.visits)

    @classmethod
    @asynccontextmanager
    async def on(
        cls, server: ServerProcess, sample: Sample, screen: Screen, clock: Clock, pace: Pace
    ) -> AsyncIterator[Play]:
        """A play on a fresh server; its connections end with it."""
        http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=64),
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=120),
        )
        async with http:
            client = Client(http, server.listening.connect, screen.language)
            yield cls(server, sample, screen, clock, pace, Organizer(client, sample, clock))

    async def set_up(self) -> None:
        """All that an organizer does before the doors open."""
        organizer, screen = self.organizer, self.screen
        await organizer.begin(self.server.setup_token)
        for what in LISTS:
            with screen.bar(f"demo.importing.{what}") as progress:
                await organizer.import_list(what, progress)
        self.measured.import_s = organizer.import_s
        self.starts_ms = self.clock.now_ms() + round(self.pace.before_start_s * 1000)
        title = i18n.text("vi", "demo.title", points=len(self.sample.halls))  # as everything else in the sample
        points, invited = await organizer.make_session(title, self.starts_ms)
        screen.say("demo.session_made", points=screen.number(points), invited=screen.number(invited))
        began_s = self.clock.monotonic_s()
        with screen.bar("demo.pairing") as progress:
            tokens = await organizer.pair_all(progress)
        self.measured.pairing_s = self.clock.monotonic_s() - began_s
        self._make_players(tokens)
        await organizer.move(SessionState.OPEN)

    def _make_players(self, tokens: dict[str, str]) -> None:
        client, newcomer = self.organizer.client, self.sample.newcomer_hall.code
        random = Random(SEED)  # noqa: S311 a play, not a secret
        played = [person for person in self.sample.people if person.hall != newcomer]
        halls = [hall for hall in self.sample.halls if hall.code != newcomer]
        self.visits = arrivals.plan(played, halls, random)
        self.doors = Doors(client, SESSION, tokens, self.clock)
        self.board = Board(client, SESSION, self.clock)
        self.ledger.on_count = self.board.acknowledged
        where = self.server.listening
        at_once = AT_ONCE_CHECK if self.pace.speed is None else AT_ONCE_SHOW
        self.people = People(where.connect, where.public, self.doors, self.ledger, self.clock, at_once)
        beat_s = self.pace.beat_s
        first_s = self.server.ready_s + GRACE_BEATS * beat_s - self.clock.monotonic_s()
        last_s = max(self.pace.due_s(self.visits[-1]), EVENTS_BEATS * beat_s)
        plans = courses.plan(halls, beat_s, (first_s, last_s), random)
        self.points = Points(where.connect, SESSION, tokens, plans, beat_s, self.ledger, self.clock)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """The board is followed and the halls are played for as long as the block lasts."""
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(self.board.follow(), name="board"),
                group.create_task(self.points.run(), name="points"),
            ]
            async with asyncio.timeout(BOARD_S):
                await self.board.seen.wait()
            yield
            for task in background:
                task.cancel()

    async def perform(self) -> None:
        """Let everybody come, and the session go live in between. Returns once everyone has their receipt."""
        began_s, cpu_s = self.clock.monotonic_s(), cost_of(self.server.pid).cpu_s
        async with asyncio.TaskGroup() as group:
            group.create_task(self._go_live())
            await self.people.play(self.visits, self.pace.due_s)
            self.measured.playing_s = self.clock.monotonic_s() - began_s
            self.measured.playing_server_cpu_s = cost_of(self.server.pid).cpu_s - cpu_s
            self.measured.page_bytes = self.people.page_bytes

    async def _go_live(self) -> None:
        if self.pace.speed is None:
            await self.people.arrived(round(LIVE_AFTER * self.coming))
        else:
            await asyncio.sleep(max(0.0, (self.starts_ms - self.clock.now_ms()) / 1000))
        await self.organizer.move(SessionState.LIVE)
