"""Published figures, made anew through the public interface: the quick report comes out as the papers have it."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import count
from typing import Any

from support import NOW_MS, Client, Running

TIMES = {"starts_ms": NOW_MS, "ends_ms": NOW_MS + 3_600_000}
AT_ONCE = 16
SESSION = "/api/v1/sessions/S1"


@dataclass(frozen=True)
class Hall:
    """A point and what its operator counted."""

    code: str
    unit: str
    people: int
    mode: str = "online"


def shared(total: int, halls: int) -> list[int]:
    """`total` people over so many halls, no two neighbours alike."""
    each, rest = divmod(total, halls)
    return [
        each + (number < rest) + (7 if number % 2 else -7) * (number < halls - halls % 2) for number in range(halls)
    ]


async def conference(client: Client, units: Sequence[tuple[str, str, str | None]], halls: Sequence[Hall]) -> None:
    """Units (code, level, parent) and halls, an open session over all of them, and what each hall says."""
    for code, level, parent in units:
        await client.ok("POST", "/api/v1/units", {"code": code, "name": code, "level": level, "parent": parent})
    await each(client, halls, _point)
    await client.ok("POST", "/api/v1/sessions", {"code": "S1", "title": "Hội nghị", **TIMES})
    await client.ok("PUT", f"{SESSION}/points", {"points": [hall.code for hall in halls]})
    await client.ok("POST", f"{SESSION}/state", {"to": "open"})
    await each(client, halls, _headcount)


async def each(client: Client, halls: Sequence[Hall], ask: Any) -> None:
    """The same call for every hall, some at once."""
    for start in range(0, len(halls), AT_ONCE):
        await asyncio.gather(*(client.ok("POST", *ask(hall)) for hall in halls[start : start + AT_ONCE]))


def _point(hall: Hall) -> tuple[str, dict[str, Any]]:
    return "/api/v1/points", {"code": hall.code, "name": hall.code, "unit": hall.unit, "mode": hall.mode}


def _headcount(hall: Hall) -> tuple[str, dict[str, Any]]:
    return f"{SESSION}/headcounts", {"point": hall.code, "number": hall.people, "by": "đầu mối"}


async def table(client: Client) -> list[list[str]]:
    """The first report as its CSV has it: level, points, delegates; the total last."""
    report = await client.ok("POST", f"{SESSION}/quick-reports", {"number": 1})
    assert report["total"]["reported"] == report["total"]["points"]
    for name in ("points", "headcount", "delegates"):
        assert sum(row[name] for row in report["rows"]) == report["total"][name]
    headers = {"Authorization": f"Bearer {client.token}", "Accept-Language": "vi"}
    async with client.http.get(f"{client.origin}{SESSION}/quick-reports/1.csv", headers=headers) as answer:
        text = (await answer.read()).decode("utf-8-sig")
    return [[row[0], row[1], row[-1]] for row in list(csv.reader(io.StringIO(text)))[1:]]


async def test_dong_thap(running: Running) -> None:
    """1/327 + 13/2,247 + 34/3,369 = 48/5,943: three levels, some halls before a television set."""
    units: list[tuple[str, str, str | None]] = [("DT", "cấp tỉnh", None)]
    units += [(f"H{number}", "cấp huyện", "DT") for number in range(13)]
    units += [(f"X{number}", "cấp cơ sở", f"H{number % 13}") for number in range(34)]
    halls = [Hall("TT", "DT", 327, "center")]
    halls += [Hall(f"H{number}", f"H{number}", people) for number, people in enumerate(shared(2247, 13))]
    halls += [
        Hall(f"X{number}", f"X{number}", people, "tv" if number % 5 == 0 else "online")
        for number, people in enumerate(shared(3369, 34))
    ]
    await conference(running.admin, units, halls)
    assert await table(running.admin) == [
        ["Điểm cầu trung tâm", "1", "327"],
        ["Cấp huyện", "13", "2247"],
        ["Cấp cơ sở", "34", "3369"],
        ["Tổng số", "48", "5943"],
    ]


async def test_thai_nguyen(running: Running) -> None:
    """21 points for 19 units: the centre's own, and one unit with two halls; a unit is not a point."""
    units: list[tuple[str, str, str | None]] = [("TN", "tỉnh", None)]
    units += [(f"DB{number}", "đảng bộ trực thuộc", "TN") for number in range(1, 20)]
    halls = [Hall("TN", "TN", 300, "center"), Hall("DB1-2", "DB1", 55)]
    halls += [Hall(f"DB{number}", f"DB{number}", 60 + number) for number in range(1, 20)]
    await conference(running.admin, units, halls)
    assert await table(running.admin) == [
        ["Điểm cầu trung tâm", "1", "300"],
        ["Đảng bộ trực thuộc", "20", str(55 + sum(60 + number for number in range(1, 20)))],
        ["Tổng số", "21", str(300 + 55 + sum(60 + number for number in range(1, 20)))],
    ]
    listed = await running.admin.ok("GET", f"{SESSION}/headcounts")
    assert len({item["unit_name"] for item in listed["items"]} - {"TN"}) == 19
    assert (listed["points"], listed["reported"]) == (21, 21)


async def test_hanoi(running: Running) -> None:
    """766 points and over 52,000 people: the sample conference's own halls, counted."""
    folder = files("diemcau.demo") / "hanoi_766"
    for what in ("units", "points"):
        content = (folder / f"{what}.csv").read_bytes()
        await imported(running.admin, what, content)
    rows = list(csv.DictReader(io.StringIO((folder / "points.csv").read_text(encoding="utf-8-sig"))))
    numbers = count()
    halls = [Hall(row["code"], row["unit_code"], 40 + 57 * next(numbers) % 59) for row in rows]
    assert len(halls) == 766
    await running.admin.ok("POST", "/api/v1/sessions", {"code": "S1", "title": "Hội nghị", **TIMES})
    await running.admin.ok("PUT", f"{SESSION}/points", {"unit": "HN"})
    await running.admin.ok("POST", f"{SESSION}/state", {"to": "open"})
    await each(running.admin, halls, _headcount)
    *levels, total = await table(running.admin)
    assert levels[0][:2] == ["Điểm cầu trung tâm", "1"]
    assert total == ["Tổng số", "766", str(sum(hall.people for hall in halls))]
    assert int(total[2]) > 52_000


async def imported(client: Client, what: str, content: bytes) -> None:
    """Hand in a list and wait until it is taken over."""
    job = await client.ok("POST", f"/api/v1/imports?what={what}&file={what}.csv", data=content)
    async with asyncio.timeout(60):
        while job["state"] in {"queued", "running"}:
            job = await client.ok("GET", f"/api/v1/jobs/{job['id']}")
    assert job["state"] == "done", job
