"""Check-ins that an operator's device or staff send: one by one, each with its own answer (DESIGN.md §6, §6a)."""

from __future__ import annotations

import pytest
import sample as sample_conference
import sqlalchemy as sa
from desk import Desk, badge_of, by_badge, by_code, by_name, desk, nonce, paired, staff
from phone import change
from sample import ENDS_MS, NOT_INVITED, STARTS_MS, figures
from support import NOW_MS, Running, Start

from diemcau.domain.authority import System
from diemcau.domain.models import DeviceKind, Role
from diemcau.services import badges
from diemcau.store.schema import invitation, session, session_point, unlisted
from diemcau.wire import api


@pytest.fixture
async def running(start: Start, database: str) -> Running:
    """A server on each database, with the sample conference."""
    started = await start(database)
    await sample_conference.fill(started.context.engines)
    return started


@pytest.fixture
async def hall(running: Running) -> Desk:
    """The operator of Ba Đình, HN-0002."""
    return await desk(running)


@pytest.fixture
async def next_hall(running: Running) -> Desk:
    """The operator of Hoàn Kiếm, HN-0003."""
    return await desk(running, "HN-0003")


async def set_state(running: Running, state: str) -> None:
    """Put S1 into a state, whatever it was."""
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(state=state))


async def counted(running: Running) -> tuple[int, int, int, int]:
    """Counted rows, the counters' sum, events, events that say they were counted."""
    return await figures(running.context.engines)


# --- what is recorded ----------------------------------------------------------------------------------------
async def test_a_scanned_badge_is_a_check_in(running: Running, hall: Desk) -> None:
    """The operator sees at once who came in, with unit and title, because namesakes are common."""
    result = await hall.record(by_badge(await badge_of(running, "DB-0003")))
    assert (result["result"], result["counted"], result["flags"]) == ("accepted", True, [])
    assert result["check_in"] == {
        "point": "HN-0002",
        "point_name": "Hội trường Quận ủy Ba Đình",
        "at_ms": NOW_MS,
        "person": {
            "full_name": "Nguyễn Thị Hiền",
            "code": "DB-0003",
            "title": "Chủ tịch",
            "unit": "HN-001",
            "unit_name": "Quận Ba Đình",
        },
        "number": 1,
    }
    (event,) = (await hall.client.ok("GET", "/api/v1/sessions/S1/events"))["items"]
    assert (event["source"], event["kind"], event["counted"], event["offset_ms"]) == ("badge", "check_in", True, 0)


async def test_a_badge_in_any_form(running: Running, hall: Desk) -> None:
    """A USB scanner gives the link, a person types the characters with spaces and in lower case."""
    token = await badge_of(running, "DB-0003")
    spaced = " ".join(token[at : at + 4] for at in range(0, len(token), 4)).lower()
    for typed in (f"https://other.example/b/{token}", spaced, token):
        result = await hall.record(by_badge(typed))
        assert result["check_in"]["person"]["code"] == "DB-0003"
    assert (await counted(running))[0] == 1


async def test_nobody_is_turned_away(running: Running, hall: Desk) -> None:
    """Wrong hall, no invitation, late, on no list: all sit in the hall and all are recorded, each flagged."""
    hall.running.clock.advance((STARTS_MS - NOW_MS) / 1000 + 60)
    elsewhere, guest, stranger, at_home = await hall.results(
        hall.item(by_code("db-0007")),
        hall.item(by_code(NOT_INVITED)),
        hall.item(by_name("  Lê   Văn Khách ", "Sở Y tế")),
        hall.item(by_code("DB-0004"), at_ms=STARTS_MS),
    )
    assert elsewhere["flags"] == ["wrong_point", "late"]
    assert guest["flags"] == ["not_invited", "late"]
    assert stranger["flags"] == ["unlisted", "late"]
    assert stranger["check_in"]["person"] == {"full_name": "Lê Văn Khách", "unit_name": "Sở Y tế"}
    assert at_home["flags"] == []
    assert {one["result"] for one in (elsewhere, guest, stranger, at_home)} == {"accepted"}
    assert (await counted(running))[:2] == (3, 3)
    async with running.context.read() as connection:
        assert (await connection.execute(sa.select(sa.func.sum(session_point.c.unlisted)))).scalar_one() == 1


async def test_a_duplicate_says_where_the_first_was(running: Running, hall: Desk, next_hall: Desk) -> None:
    """Two halls for one person: the operator learns when and where they were counted; they count once (I2)."""
    await hall.record(by_code("DB-0003"))
    running.clock.advance(60)
    again = await hall.record(by_code("DB-0003"))
    there = await next_hall.record(by_code("DB-0003"))
    assert (again["result"], again["reason"], again["counted"]) == ("duplicate", "already_here", False)
    assert (there["result"], there["reason"], there["flags"]) == ("duplicate", "already_elsewhere", ["wrong_point"])
    assert there["check_in"]["point"] == "HN-0002"
    assert there["check_in"]["point_name"] == "Hội trường Quận ủy Ba Đình"
    assert there["check_in"]["at_ms"] == again["check_in"]["at_ms"] == NOW_MS
    assert there["check_in"]["person"]["full_name"] == "Nguyễn Thị Hiền"
    assert await counted(running) == (1, 1, 3, 1)


async def test_the_same_name_and_unit_is_the_same_stranger(running: Running, hall: Desk) -> None:
    """A guest typed twice, with other capitals and another tone mark's place, does not make two guests."""
    first = await hall.record(by_name("Lê Văn Hoà", "Sở Y tế"))
    again = await hall.record(by_name("lê văn hòa", "so y te"))
    other = await hall.record(by_name("Lê Văn Hoà", "Sở Nội vụ"))
    assert (first["result"], again["result"], other["result"]) == ("accepted", "duplicate", "accepted")
    assert again["reason"] == "already_here"


async def test_a_namesake_but_for_a_diacritic_is_somebody_else(running: Running, hall: Desk) -> None:
    """In a session without a list, Ân would vanish behind An of the same office."""
    first = await hall.record(by_name("Nguyễn Văn An", "Sở Y tế"))
    other = await hall.record(by_name("Nguyễn Văn Ân", "Sở Y tế"))
    assert (first["counted"], other["counted"]) == (True, True)


async def test_without_a_list_nobody_is_uninvited(running: Running, hall: Desk) -> None:
    """A session that summons nobody: badges, sheets and matches are as little odd as names at its door."""
    await change(running, sa.delete(invitation))
    assert (await hall.record(by_badge(await badge_of(running, "DB-0003"))))["flags"] == []
    assert (await hall.record(by_code("DB-0007")))["flags"] == []
    paper = {"nonce": nonce(NOW_MS), "point": "HN-0002", "reason": "mất điện", "at_ms": NOW_MS, "device_ms": NOW_MS}
    lines = await hall.client.ok("POST", "/api/v1/sessions/S1/papers", {**paper, "people": [{"code": "DB-0004"}]})
    assert "flags" not in lines["items"][0]
    await hall.record(by_name("Lê Hoà"))
    (guest,) = (await running.admin.ok("GET", "/api/v1/sessions/S1/unlisted"))["items"]
    await running.admin.ok("POST", f"/api/v1/sessions/S1/unlisted/{guest['id']}/match", {"attendee": "DB-0006"})
    rows = (await running.admin.ok("GET", "/api/v1/sessions/S1/attendance"))["items"]
    assert [(row["code"], row.get("flags", [])) for row in rows if row["code"] == "DB-0006"] == [("DB-0006", [])]


async def test_checking_out(running: Running, hall: Desk) -> None:
    """Whoever leaves early was there all the same; when they left is kept beside it."""
    await hall.record(by_code("DB-0003"))
    running.clock.advance(3600)
    left = await hall.record(by_code("DB-0003"), kind="check_out")
    assert (left["result"], left["counted"]) == ("accepted", False)
    assert await counted(running) == (1, 1, 2, 1)
    rows = (await running.admin.ok("GET", "/api/v1/sessions/S1/attendance"))["items"]
    (row,) = (row for row in rows if row["code"] == "DB-0003")
    assert (row["status"], row["left_ms"]) == ("present", NOW_MS + 3_600_000)


async def test_online_refusals(running: Running, hall: Desk) -> None:
    """Where the operator can still do something about it, they are told at once; nothing is stored."""
    token = await badge_of(running, "DB-0003")
    await badges.revoke(System(), running.context, "DB-0003")
    assert (await hall.record(by_badge(token)))["reason"] == "revoked"
    assert (await hall.record(by_badge("A" * 26)))["reason"] == "unknown_attendee"
    assert (await hall.record(by_code("NOBODY")))["reason"] == "unknown_attendee"
    assert (await hall.record(by_badge("not a badge")))["field"] == "who.token"
    await set_state(running, "draft")
    assert (await hall.record(by_code("DB-0003")))["reason"] == "not_open"
    await set_state(running, "closed")
    assert (await hall.record(by_code("DB-0003")))["reason"] == "closed"
    assert await counted(running) == (0, 0, 0, 0)


# --- offline -------------------------------------------------------------------------------------------------
async def test_what_was_recorded_offline_is_a_fact(running: Running, hall: Desk) -> None:
    """Revoked and unknown badges and unknown codes of a cut-off hall are stored and flagged, never refused."""
    token = await badge_of(running, "DB-0003")
    await badges.revoke(System(), running.context, "DB-0003")
    revoked, unknown, typed = await hall.results(
        hall.item(by_badge(token), offline=True),
        hall.item(by_badge("A" * 26), offline=True),
        hall.item(by_code("go-nham"), offline=True),
    )
    assert (revoked["result"], revoked["counted"], revoked["flags"]) == (
        "accepted",
        True,
        ["revoked_badge", "offline"],
    )
    assert (unknown["result"], unknown["flags"]) == ("accepted", ["unlisted", "unknown_badge", "offline"])
    assert (typed["result"], typed["flags"]) == ("accepted", ["unlisted", "offline"])
    assert typed["check_in"]["person"]["full_name"] == "GO-NHAM"
    async with running.context.read() as connection:
        rows = (await connection.execute(sa.select(unlisted.c.name, unlisted.c.badge_hash.is_not(None)))).all()
    assert sorted(tuple(row) for row in rows) == [("", True), ("GO-NHAM", False)]


@pytest.mark.parametrize("state", ["draft", "closed"])
async def test_a_queue_that_comes_too_early_or_too_late(running: Running, hall: Desk, state: str) -> None:
    """A hall that was cut off credits its people; after closing they wait for the next revision."""
    await set_state(running, state)
    result = await hall.record(by_code("DB-0003"), offline=True)
    assert result["result"] == "accepted"
    if state == "closed":
        assert (result["counted"], result["held"]) == (False, True)
        assert result["flags"] == ["offline", "after_closing"]
        assert (await counted(running))[0] == 0
    else:
        assert (result["counted"], result["held"]) == (True, False)
        assert result["flags"] == ["offline", "before_opening"]


async def test_before_the_doors_opened(running: Running, hall: Desk) -> None:
    """A scan from before the opening that comes with the queue later is flagged by when it happened."""
    await set_state(running, "draft")
    running.clock.advance(600)
    await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": "open"})
    running.clock.advance(600)
    early, timely = await hall.results(
        hall.item(by_code("DB-0003"), offline=True, at_ms=NOW_MS),
        hall.item(by_code("DB-0004"), offline=True, at_ms=NOW_MS + 601_000),
    )
    assert early["flags"] == ["offline", "before_opening"]
    assert timely["flags"] == ["offline"]


@pytest.mark.parametrize("at_ms", [915_148_800_000, 1_925_000_000_000, -8_640_000_000_000_000, 8_640_000_000_000_000])
async def test_wild_clocks_lose_nobody(running: Running, hall: Desk, at_ms: int) -> None:
    """A laptop that believes in 1999 or 2031 records its hall; the clock is flagged and nobody is called late."""
    running.clock.advance((ENDS_MS - NOW_MS) / 1000)
    hall.behind_ms = running.clock.now_ms() - at_ms
    offline = await hall.record(by_code("DB-0003"), offline=True)
    assert offline["result"] == "accepted"
    assert offline["flags"] == ["offline", "clock_skew"]
    online = await hall.record(by_code("DB-0004"))
    assert (online["flags"], online["check_in"]["at_ms"]) == (["late", "clock_skew"], ENDS_MS)
    events = (await hall.client.ok("GET", "/api/v1/sessions/S1/events"))["items"]
    assert {event["device_ms"] for event in events} == {at_ms}
    assert {event["offset_ms"] for event in events} == {ENDS_MS - at_ms}
    assert {event["server_ms"] for event in events} == {ENDS_MS}


async def test_late_by_when_it_happened(running: Running, hall: Desk) -> None:
    """Who came in time is in time, however late the queue arrives; a clock some seconds off does not matter."""
    running.clock.advance((ENDS_MS - NOW_MS) / 1000)
    hall.behind_ms = 40_000
    timely, late = await hall.results(
        hall.item(by_code("DB-0003"), offline=True, at_ms=STARTS_MS - 40_000),
        hall.item(by_code("DB-0004"), offline=True, at_ms=STARTS_MS - 39_999),
    )
    assert (timely["flags"], timely["check_in"]["at_ms"]) == (["offline"], STARTS_MS)
    assert (late["flags"], late["check_in"]["at_ms"]) == (["late", "offline"], STARTS_MS + 1)


async def test_a_time_before_the_session_was_made(running: Running, hall: Desk) -> None:
    """A clock that was set right on the way gives itself away by what cannot have happened yet."""
    starts = {"starts_ms": NOW_MS + 7_200_000, "ends_ms": NOW_MS + 9_000_000}
    await running.admin.ok("POST", "/api/v1/sessions", {"code": "S9", "title": "Buổi chín", **starts})
    await running.admin.ok("PUT", "/api/v1/sessions/S9/points", {"unit": "HN"})
    item = hall.item(by_code("DB-0003"), offline=True, at_ms=NOW_MS - 1)
    (result,) = (await hall.send(item, session="s9"))["items"]
    assert result["flags"] == ["offline", "clock_skew", "before_opening"]


# --- who may -------------------------------------------------------------------------------------------------
async def test_an_operator_records_its_own_hall_only(running: Running, hall: Desk) -> None:
    """A device that was carried elsewhere, or stolen, fills no other hall (I5); the rest of its queue goes through."""
    own, other = await hall.results(
        hall.item(by_code("DB-0003")), hall.item(by_code("DB-0007"), point="HN-0003", offline=True)
    )
    assert (own["result"], other["result"], other["reason"]) == ("accepted", "refused", "forbidden")


async def test_a_display_records_nothing(running: Running) -> None:
    """A screen that hangs in the open may not write."""
    display = Desk(running, await paired(running, kind=DeviceKind.DISPLAY))
    body = {"device_ms": NOW_MS, "items": [display.item(by_code("DB-0003"))]}
    assert (await display.client.call("POST", "/api/v1/sessions/S1/check-ins", body))[0] == 403
    assert (await display.client.call("GET", "/api/v1/sessions/S1/events"))[0] == 403


async def test_staff_enter_their_own_people_with_a_reason(running: Running) -> None:
    """A clerk credits the people of the unit, in whatever hall they sat; who and why stays in the log."""
    clerk = staff(running, await running.account("clerk", api.GrantView(Role.CLERK, "HN-001")), "HN-0003")
    without, blank, own, foreign, stranger = await clerk.results(
        clerk.item(by_code("DB-0003"), reason=""),
        clerk.item(by_code("DB-0003"), reason="  \n "),
        clerk.item(by_code("DB-0003"), source="badge"),
        clerk.item(by_code("DB-0007")),
        clerk.item(by_name("Lê Văn Khách")),
    )
    assert {without["reason"], blank["reason"]} == {"reason_missing"}
    assert (own["result"], own["flags"]) == ("accepted", ["wrong_point"])
    assert (foreign["reason"], stranger["reason"]) == ("forbidden", "forbidden")
    assert "check_in" not in foreign
    clerk.point = "HN-0002"
    assert (await clerk.record(by_name("Lê Văn Khách")))["result"] == "accepted"
    (event,) = (await clerk.client.ok("GET", "/api/v1/sessions/S1/events?attendee=db-0003"))["items"]
    assert (event["source"], event["by"], event["reason"]) == ("manual", "clerk", "danh sách giấy")


async def test_staff_may_enter_after_closing(running: Running) -> None:
    """A dispute settled after the figures were frozen waits for the next revision."""
    await set_state(running, "closed")
    result = await staff(running, running.admin).record(by_code("DB-0003"))
    assert (result["result"], result["held"], result["counted"]) == ("accepted", True, False)
    assert "after_closing" in result["flags"]


async def test_sessions_and_points_that_are_not_there(running: Running, hall: Desk) -> None:
    """A session nobody knows is an error of the request; a point that takes no part one of the item."""
    body = {"device_ms": NOW_MS, "items": [hall.item(by_code("DB-0003"))]}
    for client in (hall.client, running.admin):
        status, problem = await client.call("POST", "/api/v1/sessions/S7/check-ins", body)
        assert (status, problem["code"]) == (404, "not_found")
    entry = staff(running, running.admin, "HN-9999")
    assert (await entry.record(by_code("DB-0003")))["reason"] == "unknown_point"
    async with running.context.engines.readers.connect() as raw:
        connection = await raw.execution_options(writing=True)
        async with connection.begin():
            await connection.execute(sa.delete(session_point).where(session_point.c.door_id == 2))
    assert (await hall.record(by_code("DB-0003"), offline=True))["reason"] == "unknown_point"


async def test_a_session_that_staff_may_not_see(running: Running) -> None:
    """What another district organizes does not exist for this one (I5)."""
    starts = {"starts_ms": NOW_MS + 7_200_000, "ends_ms": NOW_MS + 9_000_000}
    session = {"code": "S9", "title": "Buổi chín", "unit": "HN-002", **starts}
    await running.admin.ok("POST", "/api/v1/sessions", session)
    clerk = staff(running, await running.account("clerk", api.GrantView(Role.CLERK, "HN-001")))
    body = {"device_ms": NOW_MS, "items": [clerk.item(by_code("DB-0003"))]}
    assert (await clerk.client.call("POST", "/api/v1/sessions/S9/check-ins", body))[0] == 404
