"""A request that is cancelled at any of its awaits: nothing half written, nobody twice, the writer lives (I1, I2)."""

from __future__ import annotations

import asyncio
import random
import types
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from ledger import Ledger, by_hall, compare, send
from support import NOW_MS, Running, Start

from diemcau.bench.crowd import Crowd, token_of
from diemcau.domain.authority import Anonymous
from diemcau.services import recording
from diemcau.services.identities import identify
from diemcau.wire.check_ins import CheckInBatch

AWAITS_MAX = 40
BATCHES = 60


@types.coroutine
def cancelled_at(work: Coroutine[Any, Any, Any], at: int) -> Generator[Any, Any, bool]:
    """Drive `work` and cancel it at its `at`-th await; whether it came that far."""
    waits = 0
    thrown = False
    value: Any = None
    while True:
        try:
            if waits == at and not thrown:
                thrown = True
                waited = work.throw(asyncio.CancelledError())
            else:
                waited = work.send(value)
        except StopIteration:
            return False
        except asyncio.CancelledError:
            return True
        waits += 1
        value = yield waited


async def attempt(running: Running, items: list[dict[str, Any]], at: int) -> bool:
    """Hand a batch to the service as the web does, and cancel it at its `at`-th await."""
    device = await identify(Anonymous(), running.context, token_of(int(items[0]["point"][1:])))
    body = msgspec.json.decode(msgspec.json.encode({"device_ms": NOW_MS, "items": items}), type=CheckInBatch)
    return await cancelled_at(recording.check_ins(device, running.context, "B1", body), at)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_cancelled_at_every_await(start: Start, database: str, tmp_path: Path, seed: int) -> None:
    """A phone or a proxy that hangs up at the worst moment would leave the writer stuck or somebody counted twice."""
    crowd = Crowd(tmp_path, 400, 1, database)
    await crowd.fill(NOW_MS)
    running = await start(database)
    ledger = Ledger(random.Random(seed), crowd.halls, crowd.people)
    reached: set[int] = set()
    for number in range(BATCHES):
        items = by_hall([ledger.scan(NOW_MS) for _ in range(8)])[0]
        at = number % AWAITS_MAX if seed == 1 else ledger.chance.randrange(12)
        if await attempt(running, items, at):
            reached.add(at)
    assert len(reached) > 1, "the service was never caught between two awaits"
    async with aiohttp.ClientSession() as http:
        for items in by_hall(ledger.pending):
            ledger.answer(await send(http, running.admin.origin, items, NOW_MS))
    await compare(ledger, database)
