"""Killing the server in the middle of its halls' batches, as often as wanted, and comparing at the end (I1, I2, I4).

`test_kills.py` does it two hundred times in every run; `scripts/kill 1000` as often as it is told.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from ledger import Ledger, by_hall, compare, send
from nursery import Forked, Nursery, nursery

from diemcau.bench.crowd import Crowd
from diemcau.clock import SystemClock

PEOPLE = 4_000
CONNECTIONS = 3
BATCH_MAX = 20
BACKLOG_MAX = 120
"""Scans that wait unanswered; beyond it halls only send again what they have."""

ROUND_S = 60
CLOCK = SystemClock()


@dataclass(slots=True)
class Tally:
    """What the rounds came to."""

    kills: int = 0
    scans: int = 0
    replays: int = 0
    in_flight: int = 0
    """Rounds in which something was unanswered when the server died."""


async def kill_often(folder: Path, rounds: int, seed: int, database: str | None = None) -> Tally:
    """Play `rounds` rounds of halls that scan and a server that dies, then send the rest and compare."""
    crowd = Crowd(folder, PEOPLE, 1, database)
    await crowd.fill(CLOCK.now_ms())
    ledger = Ledger(random.Random(seed), crowd.halls, crowd.people)
    tally = Tally()
    async with nursery() as servers, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ROUND_S)) as http:
        for _ in range(rounds):
            server = await servers.serve(crowd.database, folder)
            async with asyncio.timeout(ROUND_S):
                await _round(server, http, ledger)
            tally.kills += 1
            tally.in_flight += bool(ledger.pending)
        await _finish(servers, http, ledger, crowd)
    await compare(ledger, crowd.database)
    tally.scans, tally.replays = len(ledger.items), ledger.replays
    return tally


async def _round(server: Forked, http: aiohttp.ClientSession, ledger: Ledger) -> None:
    """Three connections send, until enough is answered; then the server dies with whatever is under way."""
    enough = len(ledger.told) + ledger.chance.randint(5, 90)
    dead = asyncio.Event()

    async def halls() -> None:
        while not dead.is_set():
            items = _some(ledger)
            try:
                ledger.answer(await send(http, server.origin, items, CLOCK.now_ms()))
            except aiohttp.ClientError:
                continue  # killed, and nobody knows what it wrote; or an old connection to a port that is used again
            if len(ledger.told) >= enough and not dead.is_set():
                dead.set()
                server.kill()

    await asyncio.gather(*(halls() for _ in range(CONNECTIONS)))
    await server.gone()


def _some(ledger: Ledger) -> list[dict[str, Any]]:
    """Items of one hall, new ones and unanswered ones, in any order; others may be sending the same ones now."""
    pending = ledger.pending
    while len(pending) < BACKLOG_MAX:
        pending.append(ledger.scan(CLOCK.now_ms()))
    items = ledger.chance.choice(by_hall(pending))
    ledger.chance.shuffle(items)
    return items[: ledger.chance.randint(1, BATCH_MAX)]


async def _finish(servers: Nursery, http: aiohttp.ClientSession, ledger: Ledger, crowd: Crowd) -> None:
    """What was never answered is sent once more, to a server that is left alone; it stops politely."""
    server = await servers.serve(crowd.database, crowd.folder)
    for items in by_hall(ledger.pending):
        ledger.answer(await send(http, server.origin, items, CLOCK.now_ms()))
    await server.stop()
