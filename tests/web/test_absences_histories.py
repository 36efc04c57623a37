"""Whatever the day brings, everybody stands in one figure, at every level, in every view, file and minutes (I3)."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
import sample as sample_conference
from desk import Desk, by_code, by_name, staff
from sample import NOT_INVITED, PEOPLE
from support import Running, Start

ONE = "/api/v1/sessions/S1"
SUMMONED = {code: unit for code, _, _, unit, _, _ in PEOPLE if code != NOT_INVITED}
UNITS = {"HN": "", "HN-001": "HN-001", "HN-002": "HN-002", "HN-002-01": "HN-002-01"}
STATUSES = ("present", "substituted", "excused", "unmarked", "unexcused")


@dataclass(slots=True)
class Day:
    """What should be true: who came, whose place is taken, whose absence stands approved; now, and once all tells."""

    came: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=dict)

    def status(self, code: str) -> str:
        """One person's figure, were everything told."""
        if code in self.came:
            return "present"
        if code in self.taken:
            return "substituted"
        return "excused" if self.states.get(code) == "approved" else "missing"

    def told(self) -> dict[str, str]:
        """Everybody's figure."""
        return {code: self.status(code) for code in SUMMONED}


async def step(chance: random.Random, running: Running, desk: Desk, day: Day) -> None:
    """Something happens to somebody."""
    code = chance.choice(sorted(SUMMONED))
    what = chance.choice(("come", "stand", "ask", "decide", "decide"))
    if what == "come":
        await desk.record(by_code(code), offline=True)
        day.came.add(code)
    elif what == "stand":
        await desk.record(by_name(f"Khách của {code}"), stands_for=code, offline=True)
        day.taken.add(code)
    elif what == "ask" and day.states.get(code) not in {"requested", "approved"}:
        state = chance.choice(("requested", "approved"))
        await running.admin.ok("POST", f"{ONE}/absences", {"attendee": code, "reason": "DUTY", "state": state})
        day.states[code] = state
    elif what == "decide" and code in day.states:
        day.states[code] = chance.choice(("approved", "approved", "refused", "withdrawn"))
        await running.admin.ok("PATCH", f"{ONE}/absences/{code}", {"state": day.states[code]})


async def hold(running: Running, told: dict[str, str], *, closed: bool) -> None:
    """Every view says what is true, at every level."""
    missing = "unexcused" if closed else "unmarked"
    expected = {code: missing if status == "missing" else status for code, status in told.items()}
    summary = {row["unit"]: row for row in (await running.admin.ok("GET", f"{ONE}/summary"))["rows"]}
    for unit, below in UNITS.items():
        row = summary[unit]
        assert row["summoned"] == sum(row[status] for status in STATUSES)
        mine = Counter(expected[code] for code, home in SUMMONED.items() if home.startswith(below))
        assert {status: row[status] for status in STATUSES} == {status: mine[status] for status in STATUSES}
        items = (await running.admin.ok("GET", f"{ONE}/attendance?unit={unit}"))["items"]
        assert Counter(one["status"] for one in items if one["invited"]) == mine
        assert (row["rate"] or 0) <= (row["rate_with_substitutes"] or 0)
    await hold_files(running, Counter(expected.values()), missing)


async def hold_files(running: Running, whole: Counter[str], missing: str) -> None:
    """The files say the same: the total, and the list it sums up."""
    words = {"present": "Có mặt", "substituted": "Dự thay", "excused": "Vắng có lý do"}
    words |= {"unmarked": "Chưa điểm danh", "unexcused": "Vắng không lý do"}
    header, *rows = await table(running, "summary")
    total = dict(zip(header, rows[-1], strict=True))
    assert [int(total[words[status]]) for status in (*STATUSES[:3], missing)] == [
        whole[status] for status in (*STATUSES[:3], missing)
    ]
    assert int(total["Triệu tập"]) == whole.total()
    header, *rows = await table(running, "attendance")
    found = Counter(row[header.index("Trạng thái")] for row in rows)
    assert found[words["excused"]] == whole["excused"]
    assert found[words[missing]] == whole[missing]
    assert found["Có người dự thay"] == whole["substituted"]


async def table(running: Running, what: str) -> list[list[str]]:
    """A report as CSV."""
    status, text = await running.admin.call("GET", f"{ONE}/exports/{what}.csv", headers={"Accept-Language": "vi"})
    assert status == 200, text
    return [[cell.strip("\t") for cell in row] for row in csv.reader(io.StringIO(text.lstrip("\ufeff")))]


@pytest.mark.parametrize("seed", range(3))
async def test_any_history(start: Start, database: str, seed: int) -> None:
    """A total that differs from the list beneath it is a total nobody can answer for."""
    chance = random.Random(seed)
    running = await start(database)
    await sample_conference.fill(running.context.engines)
    desk, day = staff(running, running.admin, "HN-0001"), Day()
    for _ in range(14):
        await step(chance, running, desk, day)
    await hold(running, day.told(), closed=False)
    for to in ("live", "ended", "closed"):
        await running.admin.ok("POST", f"{ONE}/state", {"to": to})
    frozen = day.told()
    for _ in range(10):
        await step(chance, running, desk, day)
    await running.admin.ok("PATCH", f"{ONE}/absences/{await asked(running, day)}", {"state": "approved"})
    await hold(running, frozen, closed=True)
    made = await running.admin.ok("POST", f"{ONE}/revisions", {"reason": "đến muộn"})
    await hold(running, day.told(), closed=True)
    assert minutes_of(made["previous"]) == Counter(frozen.values())
    assert minutes_of(made["figures"]) == Counter(day.told().values())


async def asked(running: Running, day: Day) -> str:
    """Somebody new, so that something waits for the revision whatever chance brought."""
    code = next(code for code in sorted(SUMMONED) if day.states.get(code) not in {"requested", "approved"})
    await running.admin.ok("POST", f"{ONE}/absences", {"attendee": code, "reason": "ILL"})
    day.states[code] = "approved"
    return code


def minutes_of(figures: dict[str, Any]) -> Counter[str]:
    """Frozen figures as the model counts."""
    told = {"present": "present", "substituted": "substituted", "excused": "excused", "missing": "unexcused"}
    return +Counter({name: figures[key] for name, key in told.items()})
