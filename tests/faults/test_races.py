"""Two halls scan the same person in the same moment, a thousand times: one counts, and the other says where (I2)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
from ledger import send
from support import NOW_MS, Start

from diemcau.bench.crowd import Crowd, nonce

PEOPLE = 1_000
AT_ONCE = 20


def scan(person: int, hall: int) -> list[dict[str, Any]]:
    """One person at one hall."""
    who = {"type": "attendee", "code": f"A{person}"}
    return [{"nonce": nonce(NOW_MS), "point": f"P{hall}", "who": who, "at_ms": NOW_MS}]


async def test_a_thousand_races(start: Start, database: str, tmp_path: Path) -> None:
    """Somebody scanned in two halls at once would be counted twice, or not at all."""
    crowd = Crowd(tmp_path, PEOPLE, 1, database)
    await crowd.fill(NOW_MS)
    running = await start(database)
    people = iter(range(PEOPLE))
    firsts: dict[int, int] = {}

    async def race(http: aiohttp.ClientSession) -> None:
        for person in people:
            halls = (person % crowd.halls, (person + 1) % crowd.halls)
            answers = await asyncio.gather(
                *(send(http, running.admin.origin, scan(person, hall), NOW_MS) for hall in halls)
            )
            results = [answer[0] for answer in answers]
            first = [result["result"] for result in results].index("accepted")
            other = results[1 - first]
            assert (results[first]["counted"], other["result"]) == (True, "duplicate")
            assert other["reason"] == "already_elsewhere"
            assert other["check_in"]["point"] == f"P{halls[first]}"
            firsts[halls[first]] = firsts.get(halls[first], 0) + 1

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(race(http) for _ in range(AT_ONCE)))
    live = await running.admin.ok("GET", "/api/v1/sessions/B1/live")
    assert {row["point"]: row["present"] for row in live["points"]} == {
        f"P{hall}": firsts.get(hall, 0) for hall in range(crowd.halls)
    }
    assert live["totals"]["present"] == PEOPLE
