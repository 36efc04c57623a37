"""What else befalls a server under full load: SIGTERM, a full disk, a locked database, a clock that jumps (I1, I2)."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from conftest import skip_or_fail
from ledger import Ledger, by_hall, compare, send
from nursery import Forked, Nursery, nursery
from support import NOW_MS, Start

from diemcau.bench.crowd import Crowd, token_of
from diemcau.clock import SystemClock

CLOCK = SystemClock()
PEOPLE = 2_000
CONNECTIONS = 6
BACKLOG_MAX = 200
BATCH_MAX = 20
HOUR_MS = 3_600_000
DISK_MIB = 12
LOCKED_S = 60
ANSWER_S = 30


async def deliver(http: aiohttp.ClientSession, origin: str, ledger: Ledger, items: list[dict[str, Any]]) -> int:
    """Send items as a queue does: an answer settles them, 503 leaves them waiting. Returns the status."""
    hall = int(items[0]["point"][1:])
    async with http.post(
        f"{origin}/api/v1/sessions/B1/check-ins",
        json={"device_ms": CLOCK.now_ms(), "items": items},
        headers={"Authorization": f"Bearer {token_of(hall)}"},
    ) as response:
        if response.status == 200:
            ledger.answer((await response.json())["items"])
        elif response.status == 503:
            assert int(response.headers["Retry-After"]) > 0
        else:
            raise AssertionError(f"{response.status} {await response.text()}")
        return response.status


async def flood(http: aiohttp.ClientSession, server: Forked, ledger: Ledger, until: Callable[[int], bool]) -> list[int]:
    """Several connections send without a pause until `until(status)` holds or the server is gone; the statuses."""
    statuses: list[int] = []
    ended = asyncio.Event()

    async def connection() -> None:
        while not ended.is_set():
            pending = ledger.pending
            while len(pending) < BACKLOG_MAX:
                pending.append(ledger.scan(CLOCK.now_ms()))
            try:
                status = await deliver(http, server.origin, ledger, ledger.chance.choice(by_hall(pending))[:BATCH_MAX])
            except aiohttp.ClientError:
                return
            statuses.append(status)
            if until(status):
                ended.set()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return statuses


async def settle(http: aiohttp.ClientSession, server: Forked, ledger: Ledger) -> None:
    """Send what waits until everything is answered."""
    async with asyncio.timeout(ANSWER_S):
        while ledger.pending:
            for items in by_hall(ledger.pending):
                with suppress(aiohttp.ClientError):
                    await deliver(http, server.origin, ledger, items)


@asynccontextmanager
async def played(crowd: Crowd) -> AsyncIterator[tuple[Nursery, aiohttp.ClientSession, Ledger]]:
    """A crowd's database, servers to start on it, and an empty ledger."""
    await crowd.fill(CLOCK.now_ms())
    timeout = aiohttp.ClientTimeout(LOCKED_S + ANSWER_S)
    async with nursery() as servers, aiohttp.ClientSession(timeout=timeout) as http:
        yield servers, http, Ledger(random.Random(11), crowd.halls, crowd.people)


async def test_stopped_at_full_load(tmp_path: Path) -> None:
    """An update of the server in the middle of the rush would lose scans it had acknowledged."""
    crowd = Crowd(tmp_path, PEOPLE, 1)
    async with played(crowd) as (servers, http, ledger):
        for _ in range(5):
            server = await servers.serve(crowd.database, tmp_path)
            enough = len(ledger.told) + 400
            stopping: list[asyncio.Task[None]] = []

            def stop_when_enough(_: int) -> bool:
                if len(ledger.told) >= enough and not stopping:  # noqa: B023 used within this round only
                    stopping.append(asyncio.create_task(server.stop()))  # noqa: B023 the same
                return False

            await flood(http, server, ledger, stop_when_enough)
            await asyncio.gather(*stopping)
        server = await servers.serve(crowd.database, tmp_path)
        await settle(http, server, ledger)
        await server.stop()
    await compare(ledger, crowd.database)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, unmount = shutil.which("mount") or "", shutil.which("umount") or ""
    command = (mount, "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder))
    if os.geteuid() != 0 or not (mount and unmount) or subprocess.run(command, check=False).returncode:
        skip_or_fail("disk", "only root may mount a small disk")
    yield folder
    subprocess.run((unmount, str(folder)), check=True)


async def test_full_disk(small_disk: Path) -> None:
    """A full disk would be answered by silence or by a green tick, and freeing it would not help."""
    crowd = Crowd(small_disk, PEOPLE, 1)
    async with played(crowd) as (servers, http, ledger):
        ballast = small_disk / "ballast"
        server = await servers.serve(crowd.database, small_disk)
        free = shutil.disk_usage(small_disk).free
        ballast.write_bytes(bytes(max(0, free - 600_000)))
        statuses = await flood(http, server, ledger, lambda status: status == 503)
        assert statuses.count(200) > 3, "the disk was full before anything was written"
        told = len(ledger.told)
        status = await deliver(http, server.origin, ledger, by_hall(ledger.pending)[0][:BATCH_MAX])
        assert (status == 200) == (len(ledger.told) > told), "a small batch may still find room; silence is no answer"
        ballast.unlink()
        await settle(http, server, ledger)
        await server.stop()
        await compare(ledger, crowd.database)


async def test_locked_for_a_minute(tmp_path: Path) -> None:
    """Another program that holds the database would make the door hang, or lose what waited."""
    crowd = Crowd(tmp_path, PEOPLE, 1)
    async with played(crowd) as (servers, http, ledger):
        server = await servers.serve(crowd.database, tmp_path)
        loop = asyncio.get_running_loop()
        with closing(sqlite3.connect(tmp_path / "diemcau.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            released = loop.create_future()
            loop.call_later(LOCKED_S, released.set_result, None)
            statuses = await flood(http, server, ledger, lambda _: released.done())
            assert set(statuses) == {503}, "something was acknowledged that could not have been written"
            assert not ledger.told
            other.execute("ROLLBACK")
        await settle(http, server, ledger)
        await server.stop()
    await compare(ledger, crowd.database)


async def test_clock_that_jumps(start: Start, database: str, tmp_path: Path) -> None:
    """A server whose clock is set right by an hour, either way, would lose, double or refuse scans."""
    crowd = Crowd(tmp_path, PEOPLE, 1, database)
    await crowd.fill(NOW_MS)
    running = await start(database)
    ledger = Ledger(random.Random(5), crowd.halls, crowd.people)
    device_ms = NOW_MS  # the halls' own clocks go on as before
    async with aiohttp.ClientSession() as http:
        for jump_ms in (0, HOUR_MS, -2 * HOUR_MS, HOUR_MS, -HOUR_MS, HOUR_MS):
            running.clock.jump(jump_ms)
            scans = [ledger.scan(device_ms) for _ in range(60)]
            earlier = ledger.chance.sample(list(ledger.items.values()), 30)
            for items in by_hall([*scans, *earlier]):
                ledger.answer(await send(http, running.admin.origin, items, device_ms))
    assert ledger.replays
    await compare(ledger, database)
    skewed = {flag for result in ledger.told.values() for flag in result.get("flags", ())}
    assert "clock_skew" in skewed, "an hour's difference was not flagged"
