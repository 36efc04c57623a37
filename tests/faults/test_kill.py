"""Killed in the middle of the crowd, again and again: nothing acknowledged is lost, nobody is counted twice (I1–I3)."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa
from sample import Sample, fill
from support import free_port

from diemcau.clock import SystemClock
from diemcau.domain import door_code
from diemcau.store import migrate
from diemcau.store.engine import Engines
from diemcau.store.schema import attendance, attendance_event, attendee, point, session_point

ROUNDS = 5
PEOPLE = 800
PHONES = 24
READY_S = 20
ROUND_S = 30


@dataclass(slots=True)
class Ledger:
    """What the phones know: receipts they were given, and taps that were never answered."""

    receipts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)

    @property
    def acknowledged(self) -> int:
        """Receipts given so far."""
        return sum(len(given) for given in self.receipts.values())

    def give(self, person: str, receipt: dict[str, Any]) -> None:
        """The server said that this person is checked in."""
        self.receipts.setdefault(person, []).append(receipt)


@dataclass(slots=True)
class Crowd:
    """Phones at one server, until it dies. Each person comes to two doors at once."""

    origin: str
    http: aiohttp.ClientSession
    conference: Sample
    ledger: Ledger
    kill: asyncio.Event
    after: int

    async def come(self, people: list[str]) -> None:
        """Let everybody walk to two doors, some phones at a time, until all are in or the server is gone."""
        halls = list(self.conference.points)
        visits = [(person, halls[(number + other) % 4]) for number, person in enumerate(people) for other in (0, 1)]
        waiting = iter(visits)

        async def phone() -> None:
            for person, hall in waiting:
                await self._walk(person, hall)

        with suppress(aiohttp.ClientError):
            async with asyncio.TaskGroup() as phones:
                for _ in range(PHONES):
                    phones.create_task(_until_gone(phone()))
        self.kill.set()

    async def retry(self) -> None:
        """Send every tap that was never answered once more, with the very same form."""
        for key, confirm in list(self.ledger.unanswered.items()):
            self.ledger.give(key.split()[0], await self._ask("POST", "/c/check-in", {"confirm": confirm}))
            del self.ledger.unanswered[key]

    async def _walk(self, person: str, hall: str) -> None:
        step = door_code.step_of(SystemClock().now_ms())
        code = door_code.encode(self.conference.door_ids[hall], self.conference.door_keys[hall], step)
        opened = await self._ask("GET", f"/c/{code}")
        found = await self._ask("POST", "/c/check-in", {"claim": opened["claim"], "who": person})
        self.ledger.unanswered[f"{person} {hall}"] = found["confirm"]
        if self.ledger.acknowledged >= self.after:
            self.kill.set()  # before this tap, so that at least one is in flight when the server dies
        self.ledger.give(person, await self._ask("POST", "/c/check-in", {"confirm": found["confirm"]}))
        del self.ledger.unanswered[f"{person} {hall}"]

    async def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        async with self.http.request(
            method, self.origin + path, json=body, headers={"Accept": "application/json"}
        ) as answer:
            assert answer.status == 200, await answer.text()
            said: dict[str, Any] = await answer.json()
            return said


async def _until_gone(phone: Any) -> None:
    """A phone whose server is gone stops; what it waited for stays unanswered."""
    with suppress(aiohttp.ClientError):
        await phone


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A real server process on the folder's database; whatever happens, it is gone afterwards."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "diemcau", "serve", "--port", str(port), "--database", f"sqlite:///{folder}/diemcau.db"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout
        async with asyncio.timeout(READY_S):
            while not (line := await process.stdout.readline()).startswith(b"Diemcau: "):
                assert line, (await process.stderr.read()).decode() if process.stderr else "no ready line"
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def prepare(folder: Path) -> Sample:
    """The small conference with many more people, none of them invited: they check in by code."""
    engines = Engines(f"sqlite:///{folder}/diemcau.db")
    await migrate.prepare(engines)
    conference = await fill(engines)
    people = [
        {"code": code, "full_name": code, "name_folded": code, "sort_key": code, "unit_id": conference.units["HN"]}
        for code in codes()
    ]
    async with engines.writing.begin() as connection:
        await connection.execute(sa.insert(attendee), people)
    await engines.close()
    return conference


def codes() -> list[str]:
    """The crowd's attendee codes."""
    return [f"P{number:04}" for number in range(PEOPLE)]


async def test_kill_in_the_crowd(tmp_path: Path) -> None:
    """Five times the power goes while people tap: every green tick that was shown is true afterwards."""
    conference = await prepare(tmp_path)
    chance = random.Random(20_260_119)
    ledger, ahead, lost_answers = Ledger(), codes(), 0
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ROUND_S)) as http:
        for _ in range(ROUNDS):
            async with serving(tmp_path) as (process, origin):
                after = ledger.acknowledged + chance.randint(40, 200)
                crowd = Crowd(origin, http, conference, ledger, asyncio.Event(), after)
                await crowd.retry()
                coming = asyncio.create_task(crowd.come([code for code in ahead if code not in ledger.receipts]))
                async with asyncio.timeout(ROUND_S):
                    await crowd.kill.wait()
                    process.kill()
                    await coming
                lost_answers += len(ledger.unanswered)
        async with serving(tmp_path) as (_, origin):
            await Crowd(origin, http, conference, ledger, asyncio.Event(), 0).retry()
    assert ledger.acknowledged > ROUNDS * 40
    assert lost_answers, "no tap was in flight when the server died: the test proves nothing"
    await compare(tmp_path, ledger)


async def compare(folder: Path, ledger: Ledger) -> None:
    """Hold the phones' receipts against the database."""
    engines = Engines(f"sqlite:///{folder}/diemcau.db")
    e = attendance_event.c
    counted = (
        sa.select(attendee.c.code, point.c.code, attendance.c.at_ms, e.number)
        .join(attendee, attendee.c.id == attendance.c.attendee_id)
        .join(point, point.c.id == attendance.c.point_id)
        .join(attendance_event, e.nonce == attendance.c.nonce)
    )
    async with engines.read() as connection:
        rows = {row[0]: tuple(row[1:]) for row in await connection.execute(counted)}
        marked = (await connection.execute(sa.select(sa.func.count()).where(e.counted.is_(True)))).scalar_one()
        counters = sa.select(point.c.code, session_point.c.present).join(point, point.c.id == session_point.c.point_id)
        present = {str(code): int(count) for code, count in await connection.execute(counters)}
    await engines.close()
    for person, receipts in ledger.receipts.items():
        assert person in rows, f"{person} was told they are checked in and is not"
        told = {(r["point"], r["at_ms"], r["number"]) for r in receipts if r["result"] == "accepted"}
        assert told <= {rows[person]}, person
    assert Counter(hall for hall, _, _ in rows.values()) == Counter(present)
    assert marked == len(rows)
    for hall, count in present.items():
        assert sorted(number for at, _, number in rows.values() if at == hall) == list(range(1, count + 1))
