"""What halls recorded and what they were told, held against what the database says afterwards."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp
import sqlalchemy as sa

from diemcau.bench.crowd import nonce, token_of
from diemcau.domain import log_chain
from diemcau.store.engine import Engines
from diemcau.store.schema import attendance, attendance_event, attendee, point, session_point
from diemcau.store.schema import log_chain as chains

ANSWERED = frozenset({"accepted", "duplicate"})
SAME = ("result", "counted")
"""What every answer about one nonce must say alike, however often it is asked."""


@dataclass(slots=True)
class Ledger:
    """The scans of all halls by nonce, and the first definite answer to each."""

    chance: random.Random
    halls: int
    people: int
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    replays: int = 0

    def scan(self, now_ms: int) -> dict[str, Any]:
        """Somebody is scanned somewhere; people wander, so many are scanned in two halls or twice."""
        hall = self.chance.randrange(self.halls)
        name = nonce(now_ms)
        self.items[name] = {
            "nonce": name,
            "point": f"P{hall}",
            "who": {"type": "attendee", "code": f"A{self.chance.randrange(self.people)}"},
            "at_ms": now_ms,
            "offline": self.chance.random() < 0.5,
        }
        return self.items[name]

    @property
    def pending(self) -> list[dict[str, Any]]:
        """What no answer came for yet."""
        return [item for name, item in self.items.items() if name not in self.told]

    def answer(self, results: list[dict[str, Any]]) -> None:
        """A batch was answered: every item definitely, and not otherwise than before."""
        for result in results:
            assert result["result"] in ANSWERED, result
            before = self.told.setdefault(result["nonce"], result)
            assert all(before.get(name) == result.get(name) for name in SAME), (before, result)
            self.replays += bool(result.get("replayed"))


async def send(http: aiohttp.ClientSession, origin: str, items: list[dict[str, Any]], now_ms: int) -> Any:
    """Send items of one hall as its device does; the answer's items.

    Raises:
        aiohttp.ClientError: no answer, which says nothing about what was written.
    """
    hall = int(items[0]["point"][1:])
    async with http.post(
        f"{origin}/api/v1/sessions/B1/check-ins",
        json={"device_ms": now_ms, "items": items},
        headers={"Authorization": f"Bearer {token_of(hall)}"},
    ) as response:
        assert response.status == 200, (response.status, await response.text())
        return (await response.json())["items"]


def by_hall(items: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The items, one list a hall."""
    halls: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        halls.setdefault(item["point"], []).append(item)
    return list(halls.values())


async def compare(ledger: Ledger, database: str) -> None:
    """Hold the ledger against the database, and the database against itself.

    Every answer is true, every scan is there once, everybody counts once, counters are sums, and the log's chains
    hold from the first entry to the last.
    """
    engines = Engines(database)
    e = attendance_event.c
    events = sa.select(e.nonce, e.counted, attendee.c.code, point.c.code, e.body, e.hash, e.writer, e.position)
    events = events.join(attendee, attendee.c.id == e.attendee_id).join(point, point.c.id == e.point_id).order_by(e.id)
    counted = sa.select(attendance.c.nonce, point.c.code).join(point, point.c.id == attendance.c.point_id)
    counters = sa.select(point.c.code, session_point.c.present).join(point, point.c.id == session_point.c.point_id)
    async with engines.read() as connection:
        rows = {str(UUID(bytes=row[0])): row for row in await connection.execute(events)}
        winners = {str(UUID(bytes=row[0])): str(row[1]) for row in await connection.execute(counted)}
        present = {str(code): int(count) for code, count in await connection.execute(counters) if count}
        ends = sa.select(chains.c.writer, chains.c.count, chains.c.head)
        heads = {row[0]: (int(row[1]), row[2]) for row in await connection.execute(ends)}
    await engines.close()
    assert set(rows) == set(ledger.items), "scans are missing from the log, or somebody else's are in it"
    assert set(ledger.told) == set(ledger.items)
    for name, item in ledger.items.items():
        assert (rows[name][2], rows[name][3]) == (item["who"]["code"], item["point"])
        assert bool(rows[name][1]) == (ledger.told[name]["result"] == "accepted") == (name in winners), name
    assert len({item["who"]["code"] for item in ledger.items.values()}) == len(winners)
    assert Counter(winners.values()) == Counter(present)
    _follow(list(rows.values()), heads)


def _follow(rows: list[Any], heads: dict[bytes, tuple[int, bytes]]) -> None:
    """Compute every chain anew."""
    at: dict[bytes, tuple[int, bytes]] = {}
    for *_, body, stored, writer, position in rows:
        count, before = at.get(writer, (0, log_chain.START))
        assert position == count + 1
        assert log_chain.link(before, log_chain.digest(body)) == stored
        at[writer] = (position, stored)
    assert at == {writer: head for writer, head in heads.items() if head[0]}
