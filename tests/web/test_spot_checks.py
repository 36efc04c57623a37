"""Spot-checks: asked by the centre, answered by the halls, never a figure of attendance."""

from __future__ import annotations

import base64
from collections.abc import Collection
from typing import Any

import live_support
import pytest
import sqlalchemy as sa
from sample import Sample, fill
from support import NOW_MS, Client, Running

from diemcau.domain import door_code
from diemcau.domain.models import EventKind, Role
from diemcau.store.schema import (
    attendance,
    attendance_event,
    session,
    session_point,
    spot_check_person,
    spot_check_point,
)
from diemcau.wire import api, live

CHECKS = "/api/v1/sessions/s1/spot-checks"
TASKS = "/api/v1/sessions/s1/points/{}/spot-check"
HERE = "HN-0002"
SEATED = ("DB-0003", "DB-0004", "DB-0005", "DB-0006", "DB-0001", "DB-0002", "DB-0007")
MINUTE_S = 60


async def seat(running: Running, sample: Sample, hall: str, people: Collection[str], *, left: bool = False) -> None:
    """Count these people in a hall, straight in the tables."""
    values = [
        {
            "session_id": sample.session_id,
            "attendee_id": sample.attendees[person],
            "nonce": sample.attendees[person].to_bytes(16, "big"),
            "point_id": sample.points[hall],
            "at_ms": NOW_MS,
            "left_ms": NOW_MS if left else None,
        }
        for person in people
    ]
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.insert(attendance), values)
        await connection.execute(
            sa.update(session_point)
            .where(session_point.c.point_id == sample.points[hall])
            .values(present=session_point.c.present + len(values))
        )


@pytest.fixture
async def running(database: str, start: Any) -> Running:
    """A server on each kind of database."""
    started: Running = await start(database)
    return started


@pytest.fixture
async def sample(running: Running) -> Sample:
    """The small conference, seven people in Ba Đình and one in Hoàn Kiếm, known to the live side."""
    filled = await fill(running.context.engines)
    await seat(running, filled, HERE, SEATED)
    await seat(running, filled, "HN-0003", ["DB-0008"])
    await live_support.loaded(running, filled.session_id)
    return filled


async def begin(running: Running, **body: Any) -> dict[str, Any]:
    """A spot-check, begun by the administrator."""
    answer: dict[str, Any] = await running.admin.ok("POST", CHECKS, {"phase": "start"} | body)
    return answer


async def operator(running: Running, hall: str = HERE, kind: str = "operator") -> Client:
    """A device of a hall."""
    return running.admin.signed_in(await live_support.token(running, hall, kind))


async def task(client: Client, hall: str = HERE) -> dict[str, Any]:
    """The one thing that a hall is asked."""
    (only,) = (await client.ok("GET", TASKS.format(hall)))["items"]
    return dict(only)


def answer_path(check: dict[str, Any], hall: str = HERE) -> str:
    """Where a hall answers."""
    return f"{CHECKS}/{check['id']}/points/{hall}"


async def test_each_hall_is_asked_about_five_of_its_own(running: Running, sample: Sample) -> None:
    """The operator walks through the hall with five names of people who checked in there, and no others."""
    check = await begin(running, minutes=10)
    assert check["ends_ms"] - check["started_ms"] == 10 * 60_000
    asked = await task(await operator(running))
    assert (asked["id"], asked["phase"], asked["mode"], asked["present"]) == (check["id"], "start", "sample", 7)
    codes = [person["code"] for person in asked["people"]]
    assert len(codes) == len(set(codes)) == 5
    assert set(codes) <= set(SEATED)
    assert {person["seen"] for person in asked["people"]} == {None}
    assert all(person["full_name"] and person["unit_name"] for person in asked["people"])
    fewer = await task(await operator(running, "HN-0003"), "HN-0003")
    assert [person["code"] for person in fewer["people"]] == ["DB-0008"]
    assert (await task(await operator(running, "HN-0004"), "HN-0004"))["people"] == []


async def test_who_went_home_is_not_asked_about(running: Running, sample: Sample) -> None:
    """Somebody who checked out is rightly not in the hall: asking about them would only make a wrong doubt."""
    await seat(running, sample, "HN-0004", ["DB-0011"])
    await seat(running, sample, "HN-0004", ["DB-0012"], left=True)
    await begin(running)
    asked = await task(await operator(running, "HN-0004"), "HN-0004")
    assert [person["code"] for person in asked["people"]] == ["DB-0011"]


async def test_an_answer_in_pieces(running: Running, sample: Sample) -> None:
    """The operator taps name by name and counts at the end; each tap is kept, and may be taken back."""
    check = await begin(running)
    hall = await operator(running)
    first, second, *others = [person["code"] for person in (await task(hall))["people"]]
    await hall.ok("POST", answer_path(check), {"seen": [first], "not_seen": [second]})
    await hall.ok("POST", answer_path(check), {"headcount": 6})
    said = await hall.ok("POST", answer_path(check), {"seen": [second.lower()]})
    seen = {person["code"]: person["seen"] for person in said["people"]}
    assert seen == {first: True, second: True} | dict.fromkeys(others)
    assert said["headcount"] == 6
    assert (await task(hall)) == said


async def test_figures_equal_their_rows(running: Running, sample: Sample) -> None:
    """The list of checks, the table of halls and the rows in the database say the same (I3)."""
    check = await begin(running)
    hall = await operator(running)
    codes = [person["code"] for person in (await task(hall))["people"]]
    await hall.ok("POST", answer_path(check), {"headcount": 6, "seen": codes[:3], "not_seen": codes[3:4]})
    await begin(running, phase="end")
    first, second = (await running.admin.ok("GET", CHECKS))["items"]
    detail = await running.admin.ok("GET", f"{CHECKS}/{check['id']}")
    assert detail["check"] == first
    assert first["figures"] == {
        "points": 4,
        "answered": 1,
        "present": 8,
        "present_answered": 7,
        "headcount": 6,
        "asked": 6,
        "confirmed": 3,
        "not_confirmed": 1,
        "scanned": 0,
    }
    for name in ("present", "asked", "confirmed", "not_confirmed", "scanned"):
        assert first["figures"][name] == sum(item[name] for item in detail["items"])
    assert first["figures"]["headcount"] == sum(item.get("headcount") or 0 for item in detail["items"])
    h, p = spot_check_point.c, spot_check_person.c
    async with running.context.engines.read() as connection:
        rows = (
            await connection.execute(
                sa.select(sa.func.count(), sa.func.sum(h.present)).where(h.spot_check_id == first["id"])
            )
        ).one()
        asked = (
            await connection.execute(sa.select(sa.func.count()).where(p.spot_check_id == first["id"], p.asked))
        ).scalar()
    assert (*rows, asked) == (4, 8, 6)
    assert (second["phase"], second["figures"]["confirmed"], second["figures"]["answered"]) == ("end", 0, 0)


async def test_not_confirmed_is_not_absent(running: Running, sample: Sample) -> None:
    """Somebody in the corridor at the wrong moment stays present in every figure of attendance."""
    before = await running.admin.ok("GET", "/api/v1/sessions/s1/summary")
    check = await begin(running)
    hall = await operator(running)
    codes = [person["code"] for person in (await task(hall))["people"]]
    await hall.ok("POST", answer_path(check), {"headcount": 0, "not_seen": codes})
    after = await running.admin.ok("GET", "/api/v1/sessions/s1/summary")
    assert after["rows"] == before["rows"]
    page = await running.admin.ok("GET", "/api/v1/sessions/s1/attendance?status=present")
    assert set(codes) <= {row["code"] for row in page["items"]}


async def test_a_hall_may_answer_late_but_not_for_ever(running: Running, sample: Sample) -> None:
    """The line was down just then: half an hour is given, and what the page then shows is no longer asked."""
    check = await begin(running, minutes=5)
    hall = await operator(running)
    running.clock.advance(35 * MINUTE_S)
    await hall.ok("POST", answer_path(check), {"headcount": 6})
    running.clock.advance(1)
    status, problem = await hall.call("POST", answer_path(check), {"headcount": 7})
    assert (status, problem["code"]) == (409, "spot_check_over")
    assert (await hall.ok("GET", TASKS.format(HERE)))["items"] == []


async def test_who_may_answer(running: Running, sample: Sample) -> None:
    """The hall's operator, or staff of its unit on their behalf, who is named; nobody else sees the names."""
    check = await begin(running)
    hall = await operator(running)
    (asked, *_) = (await task(hall))["people"]
    refused = [
        await operator(running, "HN-0003"),
        await operator(running, kind="display"),
        await running.account("elsewhere", api.GrantView(Role.CLERK, "HN-002")),
        await running.account("inspector", api.GrantView(Role.INSPECTOR, "HN-001")),
    ]
    for client in refused:
        assert (await client.call("GET", TASKS.format(HERE)))[0] == 403
        assert (await client.call("POST", answer_path(check), {"seen": [asked["code"]]}))[0] == 403
    assert (await running.anonymous.call("GET", TASKS.format(HERE)))[0] == 401
    clerk = await running.account("lan", api.GrantView(Role.CLERK, "HN-001"))
    await clerk.ok("POST", answer_path(check), {"headcount": 9})
    items = (await running.admin.ok("GET", f"{CHECKS}/{check['id']}"))["items"]
    (row,) = [item for item in items if item["point"] == HERE]
    assert (row["answered_by"], row["headcount"], row["answered_ms"]) == ("lan", 9, NOW_MS)
    await hall.ok("POST", answer_path(check), {"headcount": 8})
    items = (await running.admin.ok("GET", f"{CHECKS}/{check['id']}"))["items"]
    assert [item["answered_by"] for item in items if item["point"] == HERE] == ["máy"]


async def test_everybody_sees_their_own_halls(running: Running, sample: Sample) -> None:
    """A clerk of one district reads its halls' answers and totals, and no others (I5)."""
    check = await begin(running)
    clerk = await running.account("clerk", api.GrantView(Role.CLERK, "HN-002"))
    (seen,) = (await clerk.ok("GET", CHECKS))["items"]
    detail = await clerk.ok("GET", f"{CHECKS}/{check['id']}")
    assert [item["point"] for item in detail["items"]] == ["HN-0003", "HN-0004"]
    assert seen == detail["check"]
    assert (seen["figures"]["points"], seen["figures"]["present"], seen["figures"]["asked"]) == (2, 1, 1)
    narrowed = await running.admin.ok("GET", f"{CHECKS}/{check['id']}?unit=hn-002-01")
    assert [item["point"] for item in narrowed["items"]] == ["HN-0004"]
    assert (await clerk.call("GET", f"{CHECKS}/{check['id']}?unit=HN-001"))[0] == 403


async def test_asking_one_district(running: Running, sample: Sample) -> None:
    """A check of one district leaves the other halls in peace."""
    await begin(running, unit="hn-002")
    assert (await (await operator(running)).ok("GET", TASKS.format(HERE)))["items"] == []
    assert (await task(await operator(running, "HN-0003"), "HN-0003"))["phase"] == "start"
    clerk = await running.account("clerk", api.GrantView(Role.CLERK, "HN-001"))
    assert (await clerk.ok("GET", CHECKS))["items"] == []


@pytest.mark.parametrize(("state", "code"), [("draft", "not_open"), ("closed", "session_closed")])
async def test_nobody_is_asked_before_or_after(running: Running, sample: Sample, state: str, code: str) -> None:
    """Halls are asked from the opening of the doors until the figures are frozen."""
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(state=state))
    status, problem = await running.admin.call("POST", CHECKS, {"phase": "middle"})
    assert (status, problem["code"]) == (409, code)


async def test_answers_end_with_the_closing(running: Running, sample: Sample) -> None:
    """Frozen figures stay as they are: the minutes were signed with them."""
    check = await begin(running)
    hall = await operator(running)
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(state="closed"))
    status, problem = await hall.call("POST", answer_path(check), {"headcount": 6})
    assert (status, problem["code"]) == (409, "session_closed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"seen": ["DB-0012"]}, "seen"),
        ({"not_seen": ["NOBODY"]}, "not_seen"),
        ({"headcount": -1}, "headcount"),
    ],
)
async def test_nonsense_is_refused_whole(running: Running, sample: Sample, body: Any, field: str) -> None:
    """A program that answers about somebody else must learn of it, and nothing of its answer is kept."""
    check = await begin(running)
    hall = await operator(running)
    status, problem = await hall.call("POST", answer_path(check), {"headcount": 3} | body)
    assert (status, problem["params"]["field"]) == (400, field)
    assert "headcount" not in (await task(hall)) or (await task(hall))["headcount"] is None


async def test_one_person_cannot_be_both(running: Running, sample: Sample) -> None:
    """An answer that contradicts itself says nothing."""
    check = await begin(running)
    hall = await operator(running)
    code = (await task(hall))["people"][0]["code"]
    assert (await hall.call("POST", answer_path(check), {"seen": [code], "not_seen": [code]}))[0] == 400


@pytest.mark.parametrize("address", ["999", "x", "99999999999999999999", "1%00"])
async def test_unknown_check(running: Running, sample: Sample, address: str) -> None:
    """A mistyped number is not found, whatever it looks like."""
    assert (await running.admin.call("GET", f"{CHECKS}/{address}"))[0] in {400, 404}
    assert (await running.admin.call("POST", f"{CHECKS}/{address}/points/{HERE}", {}))[0] in {400, 404}


async def test_halls_hear_of_it_at_once(running: Running, sample: Sample) -> None:
    """Ten minutes are short: the page in the hall learns by its socket that it is asked something."""
    token = await live_support.token(running, HERE)
    async with live_support.device(running, token) as (speaker, welcome):
        assert welcome.session is not None
        assert welcome.session.spot_checks == 0
        await begin(running)
        heard = await speaker.hear(live.SessionEvent)
        assert heard.session.spot_checks == 1


async def test_the_door_has_codes_of_its_own(running: Running, sample: Sample) -> None:
    """Whoever is in the hall scans anew: a photograph of the morning's code does not confirm anybody."""
    check = await begin(running, mode="code", minutes=5)
    assert check["figures"]["asked"] == 0
    hall = await operator(running)
    assert (await task(hall))["people"] == []
    door = await hall.ok("GET", "/api/v1/sessions/s1/points/hn-0002/door")
    assert door["spot"] == {"id": check["id"], "until_ms": check["ends_ms"]}
    step = door_code.step_of(door["server_ms"] - 2000)
    key = base64.b64decode(door["key"])
    code = door_code.encode(door["door_id"], key, step, check["id"])
    listed = await hall.ok("GET", "/api/v1/sessions/s1/points/hn-0002/door", headers={"Host": "192.168.1.7"})
    assert code in [one["code"] for one in listed["codes"]]
    headers = {"Accept": "application/json"}
    claim = (await running.anonymous.ok("GET", f"/c/{code}", headers=headers))["claim"]
    sent = {"claim": claim, "who": "DB-0003"}
    found = await running.anonymous.ok("POST", "/c/check-in", sent, headers=headers)
    await running.anonymous.ok("POST", "/c/check-in", sent | {"confirm": found["confirm"]}, headers=headers)
    (seen,) = (await running.admin.ok("GET", CHECKS))["items"]
    assert (seen["figures"]["scanned"], seen["figures"]["present"], seen["figures"]["confirmed"]) == (1, 8, 0)
    running.clock.advance(5 * MINUTE_S)
    assert (await hall.ok("GET", "/api/v1/sessions/s1/points/hn-0002/door"))["spot"] is None


async def test_answers_stand_in_the_log_without_names(running: Running, sample: Sample) -> None:
    """What a hall said can be proved later; the log names nobody, and saying it again adds nothing."""
    check = await begin(running)
    hall = await operator(running)
    person = (await task(hall))["people"][0]
    for _ in range(2):
        await hall.ok("POST", answer_path(check), {"headcount": 6, "seen": [person["code"]]})
    e = attendance_event
    async with running.context.engines.read() as connection:
        rows = list(await connection.execute(sa.select(e).where(e.c.kind == EventKind.SPOT_CHECK)))
    bodies = sorted(row.body.decode() for row in rows)
    assert len(bodies) == 2
    assert any(f"spot_check={check['id']} phase=start headcount=6" in body for body in bodies)
    (named,) = [body for body in bodies if " seen" in body]
    assert '"who":[' in named
    assert person["full_name"] not in named
    assert person["code"] not in named
    assert {(row.attendee_id, row.counted) for row in rows} == {(None, False)}
