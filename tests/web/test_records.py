"""The attendance list and the summary through the API."""

from __future__ import annotations

from typing import Any

import pytest
import sample
from arrivals import arrive
from support import NOW_MS, Client, Running

from diemcau.domain.models import Flag, Role
from diemcau.wire import api

ATTENDANCE = "/api/v1/sessions/S1/attendance"
SUMMARY = "/api/v1/sessions/S1/summary"


@pytest.fixture
async def conference(running: Running) -> sample.Sample:
    """The sample conference with three people in, one late, one uninvited."""
    conference = await sample.fill(running.context.engines)
    writer = running.context.writer
    await arrive(writer, conference, "DB-0001", "HN-0001")
    await arrive(writer, conference, "DB-0003", "HN-0003", Flag.WRONG_POINT, Flag.LATE)
    await arrive(writer, conference, sample.NOT_INVITED, "HN-0004", Flag.NOT_INVITED)
    return conference


async def all_pages(client: Client, query: str, limit: int) -> list[Any]:
    """Every row, page after page."""
    rows: list[Any] = []
    after = ""
    while True:
        page = await client.ok("GET", f"{ATTENDANCE}?limit={limit}&after={after}{query}")
        assert len(page["items"]) <= limit
        rows += page["items"]
        if page["next"] is None:
            return rows
        after = page["next"]


async def test_a_row_tells_who_where_and_how(running: Running, conference: sample.Sample) -> None:
    """A clerk sees at once who came, where they sit, and what was odd."""
    rows = {row["code"]: row for row in await all_pages(running.admin, "", 1000)}
    assert rows["DB-0003"] == {
        "code": "DB-0003",
        "full_name": "Nguyễn Thị Hiền",
        "title": "Chủ tịch",
        "unit": "HN-001",
        "unit_name": "Quận Ba Đình",
        "point": "HN-0003",
        "point_name": "Hội trường Quận ủy Hoàn Kiếm",
        "status": "late",
        "invited": True,
        "at_ms": NOW_MS,
        "flags": ["wrong_point", "late"],
        "phone": "0900000003",
        "left_ms": None,
        "substitute": "",
        "stands_for": "",
        "reason": "",
    }
    assert (rows["DB-0012"]["invited"], rows["DB-0012"]["status"]) == (False, "present")
    assert (rows["DB-0011"]["point"], rows["DB-0011"]["status"]) == ("HN-0004", "unmarked")
    assert rows["DB-0011"]["at_ms"] is None


@pytest.mark.parametrize("limit", [1, 2, 5, 11, 12, 13])
async def test_pages_join_without_gap_or_repeat(running: Running, conference: sample.Sample, limit: int) -> None:
    """Scrolling shows everybody once, in one order, however many fit a page."""
    whole = await all_pages(running.admin, "", 1000)
    assert len(whole) == 12
    assert await all_pages(running.admin, "", limit) == whole


async def test_the_summary_rolls_up(running: Running, conference: sample.Sample) -> None:
    """Each unit's row holds all below it, and the first row the whole (I3)."""
    summary = await running.admin.ok("GET", SUMMARY)
    keys = ("unit", "parent", "depth", "points", "summoned", "present", "late", "unmarked", "guests", "rate")
    assert [tuple(row[key] for key in keys) for row in summary["rows"]] == [
        ("HN", None, 0, 4, 11, 2, 1, 9, 1, 18.2),
        ("HN-001", "HN", 1, 1, 4, 1, 1, 3, 0, 25.0),
        ("HN-002", "HN", 1, 2, 5, 0, 0, 5, 1, 0.0),
        ("HN-002-01", "HN-002", 2, 1, 1, 0, 0, 1, 1, 0.0),
    ]
    assert (summary["state"], summary["as_of_ms"]) == ("open", NOW_MS)
    assert {row["unexcused"] for row in summary["rows"]} == {0}


async def test_views_agree_with_one_another(running: Running, conference: sample.Sample) -> None:
    """List, summary and session say the same numbers, for everybody and in each unit (I3)."""
    rows = await all_pages(running.admin, "", 1000)
    view = await running.admin.ok("GET", "/api/v1/sessions/S1")
    assert view["present"] == sum(row["at_ms"] is not None for row in rows)
    assert view["invited"] == sum(row["invited"] for row in rows)
    for line in (await running.admin.ok("GET", SUMMARY))["rows"]:
        below = await all_pages(running.admin, f"&unit={line['unit']}", 1000)
        invited = [row for row in below if row["invited"]]
        assert line["summoned"] == len(invited)
        assert line["present"] == sum(row["status"] in {"present", "late"} for row in invited)
        assert line["late"] == sum(row["status"] == "late" for row in invited)
        assert line["unmarked"] == sum(row["status"] == "unmarked" for row in invited)
        assert line["guests"] == len(below) - len(invited)


async def test_filters(running: Running, conference: sample.Sample) -> None:
    """Unit, status and a name typed without diacritics narrow the list together."""
    for query, codes in {
        "&status=late": ["DB-0003"],
        "&status=present": ["DB-0001", "DB-0012"],
        "&status=unmarked&unit=hn-002-01": ["DB-0011"],
        "&q=nguyen+thi+hien": ["DB-0003", "DB-0004"],
        "&q=nguyen+thi+hien&status=unmarked": ["DB-0004"],
        "&q=db-001": ["DB-0010", "DB-0011", "DB-0012"],
        "&status=unexcused": [],
        "&q=%25": [],
    }.items():
        assert [row["code"] for row in await all_pages(running.admin, query, 2)] == codes, query


async def test_closing_makes_the_missing_unexcused(running: Running, conference: sample.Sample) -> None:
    """Only frozen figures call anybody absent."""
    for to in ("live", "ended", "closed"):
        await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": to})
    top = (await running.admin.ok("GET", SUMMARY))["rows"][0]
    assert (top["unmarked"], top["unexcused"]) == (0, 9)
    assert len(await all_pages(running.admin, "&status=unexcused", 1000)) == 9
    assert await all_pages(running.admin, "&status=unmarked", 1000) == []


async def test_nobody_reads_beyond_their_units(running: Running, conference: sample.Sample) -> None:
    """A district's clerk sees the district: rows, totals and search (I5)."""
    clerk = await running.account("clerk", api.GrantView(Role.CLERK, "HN-002"))
    assert {row["unit"] for row in await all_pages(clerk, "", 3)} == {"HN-002", "HN-002-01"}
    assert await all_pages(clerk, "&q=hong+dao", 3) == []
    rows = (await clerk.ok("GET", SUMMARY))["rows"]
    assert [(row["unit"], row["parent"], row["depth"]) for row in rows] == [
        ("HN-002", None, 0),
        ("HN-002-01", "HN-002", 1),
    ]
    for path in (ATTENDANCE, SUMMARY):
        assert (await clerk.call("GET", f"{path}?unit=HN-001"))[0] == 403
        assert (await running.anonymous.call("GET", path))[0] == 401


async def test_two_grants_have_a_total(running: Running, conference: sample.Sample) -> None:
    """Whoever answers for two units gets both and their sum, not the city's."""
    both = await running.account(
        "both", api.GrantView(Role.INSPECTOR, "HN-001"), api.GrantView(Role.INSPECTOR, "HN-002-01")
    )
    rows = (await both.ok("GET", SUMMARY))["rows"]
    assert [(row["unit"], row["depth"], row["summoned"], row["guests"]) for row in rows] == [
        ("", 0, 5, 1),
        ("HN-001", 1, 4, 0),
        ("HN-002-01", 1, 1, 1),
    ]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [("status=here", 400, "malformed"), ("after=x", 400, "malformed"), ("unit=NONE", 404, "not_found")],
)
async def test_what_is_asked_wrongly(
    running: Running, conference: sample.Sample, query: str, status: int, code: str
) -> None:
    """A mistyped filter is said, not silently ignored."""
    answered, problem = await running.admin.call("GET", f"{ATTENDANCE}?{query}")
    assert (answered, problem["code"]) == (status, code)
