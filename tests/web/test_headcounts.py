"""Headcounts: from a hall or told by telephone, kept apart from named people, the last one holds."""

from __future__ import annotations

from typing import Any

import live_support
import pytest
import sqlalchemy as sa
from arrivals import arrive
from sample import Sample, fill
from support import NOW_MS, Client, Running

from diemcau import limits
from diemcau.domain.models import Role
from diemcau.store.schema import headcount, session
from diemcau.wire import api

SAY = "/api/v1/sessions/s1/headcounts"
OWN = "/api/v1/sessions/s1/points/{}/headcount"
HERE = "HN-0002"
NONCE = "019c1c6f-9280-7000-8000-00000000cafe"


@pytest.fixture
async def running(database: str, start: Any) -> Running:
    """A server on each kind of database."""
    started: Running = await start(database)
    return started


@pytest.fixture
async def sample(running: Running) -> Sample:
    """The small conference, known to the live side."""
    filled = await fill(running.context.engines)
    await live_support.loaded(running, filled.session_id)
    return filled


async def operator(running: Running, hall: str = HERE, kind: str = "operator") -> Client:
    """A device of a hall."""
    return running.admin.signed_in(await live_support.token(running, hall, kind))


async def rows(running: Running) -> int:
    """How many headcounts are kept."""
    async with running.context.engines.read() as connection:
        return int((await connection.execute(sa.select(sa.func.count()).select_from(headcount))).scalar_one())


async def by_point(client: Client, query: str = "") -> dict[str, Any]:
    """The list, by point."""
    answer = await client.ok("GET", SAY + query)
    return {item["point"]: item for item in answer["items"]}


async def test_a_hall_says_how_many_sit_there(running: Running, sample: Sample) -> None:
    """The operator sends a number; the centre sees it, with its source and its age; the hall sees what was sent."""
    hall = await operator(running)
    running.clock.advance(60)
    said = (await hall.ok("POST", SAY, {"point": "hn-0002", "number": 61, "by": "  Anh  Tư "}))["headcount"]
    assert said == {
        "point": HERE,
        "number": 61,
        "source": "operator",
        "told_by": "Anh Tư",
        "made_by": "máy",
        "at_ms": NOW_MS + 60_000,
        "server_ms": NOW_MS + 60_000,
    }
    running.clock.advance(120)
    listed = await running.admin.ok("GET", SAY)
    assert (listed["server_ms"], listed["points"], listed["reported"]) == (NOW_MS + 180_000, 4, 1)
    (item,) = [item for item in listed["items"] if item["point"] == HERE]
    assert (item["headcount"], item["reported"], item["present"]) == (said, True, 0)
    assert (item["contact_name"], item["contact_phone"]) == ("Vũ Thị Trực", "0904000002")
    assert (await hall.ok("GET", OWN.format(HERE)))["headcount"] == said


async def test_told_by_telephone(running: Running, sample: Sample) -> None:
    """Somebody at the centre notes what a hall without a network says, and who said it."""
    clerk = await running.account("lan", api.GrantView(Role.CLERK, "HN-001"))
    said = (await clerk.ok("POST", SAY, {"point": HERE, "number": 58, "by": "chị Trực"}))["headcount"]
    assert (said["source"], said["told_by"], said["made_by"]) == ("center", "chị Trực", "lan")
    hall = await operator(running)
    assert (await hall.ok("GET", OWN.format(HERE)))["headcount"] == said


async def test_the_last_count_holds_and_all_are_kept(running: Running, sample: Sample) -> None:
    """A number that waited in a hall without a line arrives after a newer one: it was counted earlier, and is kept."""
    hall = await operator(running)
    running.clock.advance(600)
    for number, ago_s in ((40, 500), (61, 0), (52, 300)):
        at_ms = running.clock.now_ms() - ago_s * 1000
        await hall.ok("POST", SAY, {"point": HERE, "number": number, "at_ms": at_ms})
    assert (await by_point(running.admin))[HERE]["headcount"]["number"] == 61
    assert await rows(running) == 3


@pytest.mark.parametrize("off_ms", [3_600_000, -30 * 86_400_000])
async def test_a_clock_that_is_wrong_does_not_rule(running: Running, sample: Sample, off_ms: int) -> None:
    """A laptop of the year 2031 must not make its number hold for ever; one of 2009 must not make it worthless."""
    hall = await operator(running)
    said = await hall.ok("POST", SAY, {"point": HERE, "number": 40, "at_ms": NOW_MS + off_ms})
    assert said["headcount"]["at_ms"] == NOW_MS
    running.clock.advance(1)
    again = await hall.ok("POST", SAY, {"point": HERE, "number": 41})
    assert again["headcount"]["number"] == 41


async def test_sent_again_it_is_the_same(running: Running, sample: Sample) -> None:
    """The answer got lost and the page sends anew: one row, and a newer number is not undone by it."""
    hall = await operator(running)
    body = {"point": HERE, "number": 61, "nonce": NONCE, "at_ms": NOW_MS}
    first = await hall.ok("POST", SAY, body)
    assert await hall.ok("POST", SAY, body) == first
    running.clock.advance(5)
    await hall.ok("POST", SAY, {"point": HERE, "number": 63})
    assert (await hall.ok("POST", SAY, body))["headcount"]["number"] == 63
    assert await rows(running) == 2
    status, problem = await hall.call("POST", SAY, body | {"number": 62})
    assert (status, problem["code"]) == (409, "conflict_nonce")
    other = await operator(running, "HN-0003")
    status, problem = await other.call("POST", SAY, body | {"point": "HN-0003"})
    assert (status, problem["code"]) == (409, "conflict_nonce")


async def test_people_and_heads_are_never_added(running: Running, sample: Sample) -> None:
    """Sixty counted and two checked in are not sixty-two: the list has two columns, the figures stay as they were."""
    await arrive(running.context.writer, sample, "DB-0003", HERE)
    await arrive(running.context.writer, sample, "DB-0004", HERE)
    before = await running.admin.ok("GET", "/api/v1/sessions/s1/summary")
    await running.admin.ok("POST", SAY, {"point": HERE, "number": 60})
    item = (await by_point(running.admin))[HERE]
    assert (item["present"], item["headcount"]["number"]) == (2, 60)
    assert (await running.admin.ok("GET", "/api/v1/sessions/s1/summary"))["rows"] == before["rows"]


async def test_who_has_not_reported(running: Running, sample: Sample) -> None:
    """The centre telephones those who said nothing; a hall where people check in, or that counted nobody, is none."""
    await arrive(running.context.writer, sample, "DB-0003", HERE)
    await running.admin.ok("POST", SAY, {"point": "HN-0003", "number": 0})
    answer = await running.admin.ok("GET", SAY + "?unreported=1")
    assert [item["point"] for item in answer["items"]] == ["HN-0001", "HN-0004"]
    assert (answer["points"], answer["reported"]) == (4, 2)


async def test_who_may_say_and_see(running: Running, sample: Sample) -> None:
    """A hall speaks for itself alone; staff for their own units; nobody else learns who is to be telephoned (I5)."""
    body = {"point": HERE, "number": 61}
    refused = [
        await operator(running, "HN-0003"),
        await operator(running, kind="display"),
        await running.account("elsewhere", api.GrantView(Role.CLERK, "HN-002")),
        await running.account("inspector", api.GrantView(Role.INSPECTOR, "HN-001")),
    ]
    for client in refused:
        assert (await client.call("POST", SAY, body))[0] == 403
        assert (await client.call("GET", OWN.format(HERE)))[0] == 403
    assert (await running.anonymous.call("POST", SAY, body))[0] == 401
    assert (await refused[0].call("GET", SAY))[0] == 403
    assert (await running.admin.call("POST", SAY, {"point": "NOWHERE", "number": 1}))[0] == 404
    assert list(await by_point(refused[2])) == ["HN-0003", "HN-0004"]
    assert list(await by_point(running.admin, "?unit=hn-002-01")) == ["HN-0004"]
    assert (await refused[2].call("GET", SAY + "?unit=HN-001"))[0] == 403
    assert await rows(running) == 0


@pytest.mark.parametrize(("state", "code"), [("draft", "not_open"), ("closed", "session_closed")])
async def test_nothing_is_said_before_or_after(running: Running, sample: Sample, state: str, code: str) -> None:
    """Before the doors open there is nobody to count, and frozen figures stay as they were signed."""
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(state=state))
    status, problem = await running.admin.call("POST", SAY, {"point": HERE, "number": 1})
    assert (status, problem["code"]) == (409, code)


async def test_what_was_kept_may_be_sent_again_after_closing(running: Running, sample: Sample) -> None:
    """The answer to the last number got lost: the hall must hear that it arrived, not that it is refused."""
    body = {"point": HERE, "number": 61, "nonce": NONCE}
    first = await running.admin.ok("POST", SAY, body)
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(state="closed"))
    assert await running.admin.ok("POST", SAY, body) == first


@pytest.mark.parametrize("body", [{"number": -1}, {"number": 1_000_001}, {"number": 1.5}, {"nonce": "x"}, {"more": 1}])
async def test_nonsense_is_refused(running: Running, sample: Sample, body: dict[str, Any]) -> None:
    """A slip of the finger gets a sentence, and no figure."""
    status, problem = await running.admin.call("POST", SAY, {"point": HERE, "number": 3} | body)
    assert (status, problem["code"]) == (400, "malformed")


async def test_a_program_gone_wrong_is_stopped(
    running: Running, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every number is kept, so their count has an end; what was said stays."""
    monkeypatch.setattr(limits, "HEADCOUNTS_A_POINT_MAX", 2)
    for number in (1, 2):
        await running.admin.ok("POST", SAY, {"point": HERE, "number": number})
    status, problem = await running.admin.call("POST", SAY, {"point": HERE, "number": 3})
    assert (status, problem["code"]) == (409, "too_many_kept")


async def test_the_board_shows_it(running: Running, sample: Sample) -> None:
    """The coordinator sees the number beside the check-ins at once, and after a restart of the board too."""
    await running.admin.ok("POST", SAY, {"point": HERE, "number": 61})
    board = await running.admin.ok("GET", "/api/v1/sessions/s1/live")
    assert {row["point"]: row["headcount"] for row in board["points"]} == {
        "HN-0001": None,
        HERE: 61,
        "HN-0003": None,
        "HN-0004": None,
    }
    running.context.live.drop(sample.session_id)
    await live_support.loaded(running, sample.session_id)
    again = await running.admin.ok("GET", "/api/v1/sessions/s1/live")
    assert [row["headcount"] for row in again["points"]] == [row["headcount"] for row in board["points"]]
    assert again["totals"] == board["totals"]


async def test_what_was_said_keeps_the_session_and_the_hall(running: Running, sample: Sample) -> None:
    """A session with records is not deleted by a slip, nor is a hall that somebody counted in."""
    await running.admin.ok("POST", SAY, {"point": HERE, "number": 61})
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(state="draft"))
    status, problem = await running.admin.call("DELETE", "/api/v1/sessions/s1")
    assert (status, problem["code"]) == (409, "session_kept")
