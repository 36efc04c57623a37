"""Every figure opens as many rows as it says, and what a revision changes is the sum of whom it changed (I3)."""

from __future__ import annotations

import random
from collections import Counter
from operator import methodcaller
from typing import Any

import msgspec
import pytest
import sample
import sqlalchemy as sa
from sample import NOT_INVITED, PEOPLE, POINTS, UNITS, Sample
from support import NOW_MS, Client, Running, Start

from diemcau.domain.attendance import total
from diemcau.domain.models import Flag, Role
from diemcau.services import nonces
from diemcau.services.revising import figures_of
from diemcau.store.check_ins import CheckIn, Unlisted
from diemcau.store.schema import absence, attendee
from diemcau.wire import api

ONE = "/api/v1/sessions/S1"
FIGURES = ("summoned", "present", "late", "substituted", "excused", "unmarked", "unexcused", "guests", "unlisted")
CODES = [code for code, *_ in PEOPLE]
HALLS = [code for code, *_ in POINTS]
FROZEN = ("summoned", "present", "late", "substituted", "excused", "guests", "unlisted")


@pytest.fixture
async def running(database: str, start: Start) -> Running:
    """A server on each kind of database."""
    return await start(database)


class Crowd:
    """People who come at random to the sample conference, the same ones for the same seed."""

    def __init__(self, running: Running, conference: Sample, seed: int) -> None:
        self.running = running
        self.conference = conference
        self.chance = random.Random(seed)
        self.came: list[str] = []

    async def come(self, number: int, *, offline: bool = False) -> None:
        """So many check in: late or not, invited or not, for somebody else or not, some on no list."""
        for _ in range(number):
            item = msgspec.structs.replace(self._item(), offline=offline)
            await self.running.context.writer.check_in(item)
            self.came.append(nonces.write(item.nonce))

    def _item(self) -> CheckIn:
        chance, conference = self.chance, self.conference
        flags = [flag for flag in (Flag.LATE, Flag.WRONG_POINT) if chance.random() < 0.3]
        item = sample.check_in(conference, chance.choice(CODES), chance.choice(HALLS), *flags)
        item = msgspec.structs.replace(item, nonce=nonces.make(item.server_ms, chance.randbytes(10)))
        if chance.random() < 0.3:
            name = f"Khách {chance.randrange(5)}"
            key = name.encode().ljust(16, b".")
            item = msgspec.structs.replace(item, who=Unlisted(key, name, name.lower(), "Sở Y tế", b"s" * 16))
        if chance.random() < 0.3:
            item = msgspec.structs.replace(item, stands_for=sample.listed(conference, chance.choice(CODES)))
        return item

    async def excuse(self, *people: str) -> None:
        """Their absence is approved, as the figures know it."""
        rows = [
            {
                "session_id": self.conference.session_id,
                "attendee_id": self.conference.attendees[code],
                "state": "approved",
                "requested_ms": NOW_MS,
                "requested_by": "root",
                "excused": True,
            }
            for code in people
        ]
        await self.running.context.writer.write(lambda connection: connection.execute(sa.insert(absence), rows))

    async def move(self, number: int) -> None:
        """So many people go to other units."""
        for code in self.chance.sample(CODES, number):
            unit = self.conference.units[self.chance.choice([code for code, *_ in UNITS])]
            moved = sa.update(attendee).where(attendee.c.code == code).values(unit_id=unit)
            await self.running.context.writer.write(methodcaller("execute", moved))

    async def correct(self) -> None:
        """Staff take entries back and say who people on no list were."""
        for nonce in self.chance.sample(self.came, len(self.came) // 4):
            body = {"reason": "Nhầm người"}
            status, answer = await self.running.admin.call("POST", f"{ONE}/check-ins/{nonce}/annul", body)
            assert status in {200, 201}, answer
        for one in (await self.running.admin.ok("GET", f"{ONE}/unlisted"))["items"][::2]:
            body = {"attendee": self.chance.choice(CODES), "reason": "Đúng người"}
            status, answer = await self.running.admin.call("POST", f"{ONE}/unlisted/{one['id']}/match", body)
            assert status in {200, 201, 404, 409}, answer


async def rows_behind(client: Client, unit: str, figure: str) -> list[Any]:
    """Every row behind a figure, page after page."""
    rows: list[Any] = []
    after = ""
    while True:
        query = f"unit={unit}&figure={figure}&limit=4&after={after}"
        page = await client.ok("GET", f"{ONE}/attendance?{query}")
        rows += page["items"]
        if not page["next"]:
            return rows
        after = page["next"]


async def every_figure_has_its_rows(running: Running) -> list[Any]:
    """Ask for the rows behind every figure of every unit; the summary's rows."""
    rows: list[Any] = (await running.admin.ok("GET", f"{ONE}/summary"))["rows"]
    for row in rows:
        for figure in FIGURES:
            behind = await rows_behind(running.admin, row["unit"], figure)
            assert len(behind) == row[figure], (row["unit"], figure)
            assert figure == "unlisted" or len({one["code"] for one in behind}) == len(behind)
        points = await running.admin.ok("GET", f"{ONE}/points?unit={row['unit']}")
        assert len(points["items"]) == row["points"]
    return rows


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_figure_opens_its_rows(running: Running, seed: int) -> None:
    """Whoever asks "which three?" gets three, before closing and after, and wherever people move later."""
    crowd = Crowd(running, await sample.fill(running.context.engines), seed)
    await crowd.come(14)
    await crowd.excuse("DB-0005", "DB-0010", "DB-0002")
    await crowd.move(3)
    whole = (await every_figure_has_its_rows(running))[0]
    view = await running.admin.ok("GET", ONE)
    assert (view["invited"], view["unlisted"]) == (whole["summoned"], whole["unlisted"])
    assert view["present"] == len(await rows_behind(running.admin, "", "checked_in"))
    for state in ("live", "ended", "closed"):
        await running.admin.ok("POST", f"{ONE}/state", {"to": state})
    frozen = await every_figure_has_its_rows(running)
    await crowd.move(6)
    assert await every_figure_has_its_rows(running) == frozen


@pytest.mark.parametrize("seed", [3, 4, 5])
async def test_the_changes_add_up(running: Running, seed: int) -> None:
    """What a revision says of people is exactly what it did to the figures, unit by unit."""
    crowd = Crowd(running, await sample.fill(running.context.engines), seed)
    await crowd.come(12)
    for state in ("live", "ended", "closed"):
        await running.admin.ok("POST", f"{ONE}/state", {"to": state})
    await crowd.move(4)
    for revision in (2, 3):
        await crowd.come(6, offline=True)
        await crowd.correct()
        await crowd.move(2)
        made = await running.admin.ok("POST", f"{ONE}/revisions", {"reason": "Điểm cầu Ba Đình mất mạng"})
        changes = await every_change(running.admin, revision)
        assert (changes["figures"], changes["previous"]) == (made["figures"], made["previous"])
        units = {one["unit"]: difference(one["before"], one["after"]) for one in changes["units"]}
        by_unit = sums(changes["items"])
        assert {code: figures for code, figures in by_unit.items() if any(figures.values())} == {
            code: figures for code, figures in units.items() if any(figures.values())
        }
        whole = Counter[str]()
        for figures in by_unit.values():
            whole.update(figures)
        assert {name: whole[name] for name in FROZEN} == difference(made["previous"], made["figures"])
        assert all(item["events"] for item in changes["items"] if item["before"] != item["after"])
        summary = (await every_figure_has_its_rows(running))[0]
        assert {name: summary[name] for name in FROZEN} == {name: made["figures"][name] for name in FROZEN}


def difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """By how much each figure changed."""
    return {name: after[name] - before[name] for name in FROZEN}


def sums(items: list[Any]) -> dict[str, dict[str, int]]:
    """By unit, what all its people's changes come to."""
    found: dict[str, dict[str, int]] = {}
    for unit in {item["unit"] for item in items}:
        mine = [item for item in items if item["unit"] == unit]
        now, was = (total(figures_of(item[side]) for item in mine) for side in ("after", "before"))
        found[unit] = {name: getattr(now, name) - getattr(was, name) for name in FROZEN}
    return found


async def every_change(client: Client, revision: int) -> Any:
    """All pages of what a revision changed, as one."""
    whole = await client.ok("GET", f"{ONE}/revisions/{revision}/changes?limit=3")
    while whole["next"]:
        page = await client.ok("GET", f"{ONE}/revisions/{revision}/changes?limit=3&after={whole['next']}")
        whole["items"] += page["items"]
        whole["next"] = page["next"]
    return whole


async def test_a_change_says_who_and_why(running: Running) -> None:
    """An inspector reads what each person was and is, and who made which entry that did it, why."""
    conference = await sample.fill(running.context.engines)
    first = sample.check_in(conference, "DB-0003", "HN-0002")
    first = msgspec.structs.replace(first, nonce=nonces.make(NOW_MS, bytes(10)))
    await running.context.writer.check_in(first)
    for state in ("live", "ended", "closed"):
        await running.admin.ok("POST", f"{ONE}/state", {"to": state})
    item = sample.check_in(conference, "DB-0007", "HN-0003")
    await running.context.writer.check_in(msgspec.structs.replace(item, offline=True))
    guest = sample.check_in(conference, NOT_INVITED, "HN-0004")
    await running.context.writer.check_in(msgspec.structs.replace(guest, offline=True))
    body = {"reason": "Quét nhầm thẻ"}
    await running.admin.ok("POST", f"{ONE}/check-ins/{nonces.write(first.nonce)}/annul", body)
    await running.admin.ok("POST", f"{ONE}/revisions", {"reason": "Hàng đợi của Hoàn Kiếm"})
    changes = await running.admin.ok("GET", f"{ONE}/revisions/2/changes")
    assert (changes["reason"], changes["made_by"], changes["next"]) == ("Hàng đợi của Hoàn Kiếm", "root", None)
    found = {item["code"]: item for item in changes["items"]}
    assert {code: (item["before"], item["after"]) for code, item in found.items()} == {
        "DB-0003": ("present", "unexcused"),
        "DB-0007": ("unexcused", "present"),
        NOT_INVITED: ("", "guest"),
    }
    (annul,) = found["DB-0003"]["events"]
    assert (annul["kind"], annul["by"], annul["reason"]) == ("annul", "root", "Quét nhầm thẻ")
    (late,) = found["DB-0007"]["events"]
    assert (late["kind"], late["point_name"]) == ("check_in", "Hội trường Quận ủy Hoàn Kiếm")
    assert {one["unit"] for one in changes["units"]} == {"HN-001", "HN-002", "HN-002-01"}
    clerk = await running.account("lan", api.GrantView(Role.CLERK, "HN-001"))
    seen = await clerk.ok("GET", f"{ONE}/revisions/2/changes")
    assert [item["code"] for item in seen["items"]] == ["DB-0003"]
    assert [one["unit"] for one in seen["units"]] == ["HN-001"]
    closing = await running.admin.ok("GET", f"{ONE}/revisions/1/changes")
    assert (closing["previous"], closing["items"]) == (None, [])
    for number in ("3", "0", "x", "9" * 30):
        status, answer = await running.admin.call("GET", f"{ONE}/revisions/{number}/changes")
        assert (status, answer["code"]) == (404, "not_found")
