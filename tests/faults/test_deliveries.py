"""A bad line: answers that never arrive, batches that arrive twice or out of order, over three connections (I1, I2)."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest
from ledger import Ledger, by_hall, compare, send
from support import NOW_MS, Start

from diemcau.bench.crowd import Crowd, token_of
from diemcau.bench.load import post

DELIVERIES = 400
CONNECTIONS = 3
BATCH_MAX = 15
PEOPLE = 600


async def hang_up(origin: str, items: list[dict[str, Any]]) -> None:
    """Send a batch and be gone before the answer: whatever was written, nobody hears of it."""
    hall = int(items[0]["point"][1:])
    body = msgspec.json.encode({"device_ms": NOW_MS, "items": items})
    where = urlsplit(origin)
    _, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(post("/api/v1/sessions/B1/check-ins", body, token_of(hall)))
    await writer.drain()
    writer.transport.abort()


def some(ledger: Ledger) -> list[dict[str, Any]]:
    """Items of one hall in any order: new ones, unanswered ones, and now and then some that were answered before."""
    chance = ledger.chance
    pending = ledger.pending
    while len(pending) < 60:
        pending.append(ledger.scan(NOW_MS))
    if chance.random() < 0.2 and ledger.told:
        pending += [ledger.items[name] for name in chance.sample(sorted(ledger.told), min(20, len(ledger.told)))]
    items = chance.choice(by_hall(pending))
    chance.shuffle(items)
    return items[: chance.randint(1, BATCH_MAX)]


@pytest.mark.parametrize("seed", [1, 2])
async def test_three_connections_on_a_bad_line(start: Start, database: str, tmp_path: Path, seed: int) -> None:
    """An operator's queue would lose or double people whenever the line swallowed an answer."""
    crowd = Crowd(tmp_path, PEOPLE, 1, database)
    await crowd.fill(NOW_MS)
    running = await start(database)
    origin = running.admin.origin
    ledger = Ledger(random.Random(seed), crowd.halls, crowd.people)
    left = iter(range(DELIVERIES))

    async def connection(http: aiohttp.ClientSession) -> None:
        for _ in left:
            items = some(ledger)
            match ledger.chance.choice(("heard", "lost", "twice")):
                case "lost":
                    await hang_up(origin, items)
                case "twice":
                    answers = await asyncio.gather(*(send(http, origin, items, NOW_MS) for _ in range(2)))
                    ledger.answer([result for answer in answers for result in answer])
                case _:
                    ledger.answer(await send(http, origin, items, NOW_MS))

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(connection(http) for _ in range(CONNECTIONS)))
        for items in by_hall(ledger.pending):
            ledger.answer(await send(http, origin, items, NOW_MS))
    assert ledger.replays > DELIVERIES // 4, "hardly anything came twice: the test proves little"
    await compare(ledger, database)
