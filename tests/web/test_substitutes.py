"""Substitutes (dự thay): who takes whose place, and how the figures say so at every level."""

from __future__ import annotations

from typing import Any

import pytest
import sample as sample_conference
import sqlalchemy as sa
from desk import Desk, by_code, by_name, desk, staff
from phone import change
from sample import NOT_INVITED
from support import Running, Start

from diemcau.domain.models import Role
from diemcau.store.schema import invitation, point
from diemcau.wire import api

SUMMARY = "/api/v1/sessions/S1/summary"


@pytest.fixture
async def running(start: Start, database: str) -> Running:
    """A server on each database, with the sample conference."""
    started = await start(database)
    await sample_conference.fill(started.context.engines)
    return started


@pytest.fixture
async def hall(running: Running) -> Desk:
    """The operator of Ba Đình, HN-0002, where DB-0003 to DB-0006 are summoned."""
    return await desk(running)


async def row_of(running: Running, code: str) -> Any:
    """A person in the attendance list."""
    rows = (await running.admin.ok("GET", f"/api/v1/sessions/S1/attendance?q={code}"))["items"]
    return next(row for row in rows if row["code"] == code)


async def figures_of(running: Running, unit: str) -> tuple[Any, ...]:
    """Summoned, present, substituted, unmarked, guests, unlisted and both rates of a unit."""
    rows = (await running.admin.ok("GET", SUMMARY))["rows"]
    row = next(row for row in rows if row["unit"] == unit)
    keys = ("summoned", "present", "substituted", "unmarked", "guests", "unlisted", "rate", "rate_with_substitutes")
    return tuple(row[key] for key in keys)


async def test_a_stranger_takes_a_place(running: Running, hall: Desk) -> None:
    """Somebody on no list sits for a member who cannot come: the member is stood for, the stranger stays a stranger."""
    result = await hall.record(by_name("Lê Văn Thay", "Quận Ba Đình"), stands_for="db-0006")
    assert (result["result"], result["flags"]) == ("accepted", ["unlisted", "substitute"])
    row = await row_of(running, "DB-0006")
    assert (row["status"], row["substitute"], row["at_ms"]) == ("substituted", "Lê Văn Thay", None)
    assert await figures_of(running, "HN-001") == (4, 0, 1, 3, 0, 1, 0.0, 25.0)
    assert await figures_of(running, "HN") == (11, 0, 1, 10, 0, 1, 0.0, 9.1)
    view = await running.admin.ok("GET", "/api/v1/sessions/S1")
    assert (view["present"], view["unlisted"]) == (0, 1)
    (event,) = (await hall.client.ok("GET", "/api/v1/sessions/S1/events"))["items"]
    assert (event["person"]["full_name"], event["stands_for"]["full_name"]) == ("Lê Văn Thay", "Lê Hoà")


async def test_somebody_of_the_list_takes_a_place(running: Running) -> None:
    """A colleague who was not summoned comes instead: each is found in the list with the other's name."""
    centre = staff(running, running.admin, "HN-0004")
    result = await centre.record(by_code(NOT_INVITED), stands_for="DB-0011")
    assert result["flags"] == ["not_invited", "substitute"]
    came, stood = await row_of(running, NOT_INVITED), await row_of(running, "DB-0011")
    assert (came["status"], came["stands_for"]) == ("present", "Tôn Nữ Thị Ngọc Bảo Quyên")
    assert (stood["status"], stood["substitute"]) == ("substituted", "Đỗ Đức Ước")
    assert await figures_of(running, "HN-002-01") == (1, 0, 1, 0, 1, 0, 0.0, 100.0)


async def test_who_comes_after_all_is_present(running: Running, hall: Desk) -> None:
    """The member arrives late although somebody sits for them: they are present, and no place counts twice."""
    await hall.record(by_name("Lê Văn Thay"), stands_for="DB-0006")
    await hall.record(by_code("DB-0006"))
    assert (await row_of(running, "DB-0006"))["status"] == "present"
    assert await figures_of(running, "HN-001") == (4, 1, 0, 3, 0, 1, 25.0, 25.0)


async def test_a_place_is_taken_once(running: Running, hall: Desk) -> None:
    """Two people who both say they come for the same member: the first takes the place, both sit in the hall."""
    await hall.record(by_name("Lê Văn Thay"), stands_for="DB-0006")
    await hall.record(by_name("Phạm Văn Thế"), stands_for="DB-0006")
    assert (await row_of(running, "DB-0006"))["substitute"] == "Lê Văn Thay"
    assert await figures_of(running, "HN-001") == (4, 0, 1, 3, 0, 2, 0.0, 25.0)


@pytest.mark.parametrize("stands_for", ["NOBODY", NOT_INVITED, "DB-0007", "DB-0003"])
async def test_places_that_cannot_be_taken(running: Running, hall: Desk, stands_for: str) -> None:
    """Nobody of this code, somebody not summoned, of another hall, or oneself: the operator is told which field."""
    result = await hall.record(by_code("DB-0003"), stands_for=stands_for)
    assert (result["result"], result["reason"], result["field"]) == ("refused", "malformed", "stands_for")


@pytest.mark.parametrize("stands_for", ["NOBODY", NOT_INVITED, "DB-0007"])
async def test_who_sat_there_offline_is_kept_without_the_place(running: Running, hall: Desk, stands_for: str) -> None:
    """The list changed while the hall was cut off: the person counts all the same, flagged for a clerk to ask."""
    result = await hall.record(by_code("DB-0003"), stands_for=stands_for, offline=True)
    assert (result["result"], result["counted"], result["flags"]) == ("accepted", True, ["offline", "substitute"])
    assert (await figures_of(running, "HN"))[1:3] == (1, 0)
    oneself = await hall.record(by_code("DB-0004"), stands_for="DB-0004", offline=True)
    assert (oneself["reason"], oneself["field"]) == ("malformed", "stands_for")


async def test_a_retry_outlives_the_place(running: Running, hall: Desk) -> None:
    """The member is moved to another hall between a check-in and its retry: the device hears what it heard first."""
    item = hall.item(by_name("Lê Văn Thay"), stands_for="DB-0006")
    first = await hall.results(item)
    elsewhere = sa.select(point.c.id).where(point.c.code == "HN-0003").scalar_subquery()
    await change(running, sa.update(invitation).where(invitation.c.name_folded == "le hoa").values(point_id=elsewhere))
    assert await hall.results(item) == [result | {"replayed": True} for result in first]
    assert (await row_of(running, "DB-0006"))["status"] == "substituted"


async def test_a_clerk_gives_away_places_of_the_own_unit_only(running: Running) -> None:
    """A district's clerk cannot mark another district's people as stood for (I5)."""
    clerk = staff(running, await running.account("clerk", api.GrantView(Role.CLERK, "HN-001")))
    other = await clerk.record(by_name("Lê Văn Thay"), stands_for="DB-0007")
    own = await clerk.record(by_name("Lê Văn Thay"), stands_for="DB-0006")
    assert (other["reason"], own["result"]) == ("malformed", "accepted")


async def test_a_stand_in_as_typed(running: Running, hall: Desk) -> None:
    """Without the code of the member, the operator types the name; a clerk sorts it out later."""
    result = await hall.record(by_name("Lê Văn Thay", "", "ông Hoà"))
    assert result["flags"] == ["unlisted", "substitute"]
    assert (await row_of(running, "DB-0006"))["status"] == "unmarked"


async def test_the_filter_and_the_file_know_substitutes(running: Running, hall: Desk) -> None:
    """Whoever looks for places that were taken finds them in the list and in the file."""
    await hall.record(by_name("Lê Văn Thay"), stands_for="DB-0006")
    page = await running.admin.ok("GET", "/api/v1/sessions/S1/attendance?status=substituted")
    assert [row["code"] for row in page["items"]] == ["DB-0006"]
    assert (await running.admin.ok("GET", "/api/v1/sessions/S1/attendance?status=unmarked&unit=HN-001"))["items"]
    status, text = await running.admin.call(
        "GET", "/api/v1/sessions/S1/exports/attendance.csv", headers={"Accept-Language": "vi"}
    )
    (line,) = (line for line in text.splitlines() if "DB-0006" in line)
    assert status == 200
    assert "Có người dự thay" in line
    assert "Người dự thay: Lê Văn Thay" in line
