"""Corrections through the API: who may take what back, who a guest was, and what everybody sees afterwards."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from desk import Desk, by_code, by_name, paired
from sample import Sample
from support import Client, Running

from diemcau import limits
from diemcau.domain import signed
from diemcau.domain.log_verifier import Verifier
from diemcau.domain.models import Role
from diemcau.services import nonces
from diemcau.wire import api

S1 = "/api/v1/sessions/S1"
SLIP = {"reason": "nhầm người"}


@pytest.fixture
async def desk(running: Running, sample: Sample) -> Desk:
    """The operator's device of Ba Đình's hall."""
    del sample
    return Desk(running, await paired(running))


async def annul(client: Client, entry: str, **more: Any) -> tuple[int, Any]:
    """Take an entry back: status and answer."""
    return await client.call("POST", f"{S1}/check-ins/{entry}/annul", SLIP | more)


async def match(client: Client, unlisted_id: int, **body: Any) -> tuple[int, Any]:
    """Say who somebody on no list is: status and answer."""
    return await client.call("POST", f"{S1}/unlisted/{unlisted_id}/match", body)


async def figures(running: Running, point: str = "HN-0002") -> tuple[int, int]:
    """People counted and people on no list at a point, as boards see it."""
    (row,) = [row for row in (await running.admin.ok("GET", f"{S1}/live"))["points"] if row["point"] == point]
    return row["present"], row.get("unlisted", 0)


async def guest(running: Running, state: str = "open") -> Any:
    """The only person on no list."""
    (one,) = (await running.admin.ok("GET", f"{S1}/unlisted?state={state}"))["items"]
    return one


# --- annuls --------------------------------------------------------------------------------------------------
async def test_an_operator_takes_back_a_slip(running: Running, desk: Desk) -> None:
    """The wrong badge was scanned: within minutes the operator undoes it, and the board counts one less."""
    entry = await desk.record(by_code("DB-0003"))
    assert await figures(running) == (1, 0)
    status, answer = await annul(desk.client, entry["nonce"])
    assert (status, answer["annuls"], answer.get("promoted")) == (200, entry["nonce"], None)
    assert await figures(running) == (0, 0)
    again = await annul(desk.client, entry["nonce"])
    assert (again[1]["nonce"], again[1]["replayed"]) == (answer["nonce"], True)


async def test_an_operator_takes_back_only_their_own_and_soon(running: Running, desk: Desk) -> None:
    """A device cannot undo another's work, nor rewrite the morning at noon."""
    entry = await desk.record(by_code("DB-0003"))
    neighbour = await paired(running)
    assert (await annul(neighbour, entry["nonce"]))[0] == 403
    running.clock.advance(limits.ANNUL_OWN_S + 1)
    status, problem = await annul(desk.client, entry["nonce"])
    assert (status, problem["code"], problem["params"]) == (403, "annul_too_late", {"minutes": 15})
    clerk = await running.account("clerk", api.GrantView(Role.CLERK, "HN-001"))
    assert (await annul(clerk, entry["nonce"]))[0] == 200


async def test_staff_take_back_within_their_units(running: Running, desk: Desk) -> None:
    """A clerk answers for the people of the unit; an inspector only looks on (I5)."""
    entry = await desk.record(by_code("DB-0003"))
    elsewhere = await running.account("elsewhere", api.GrantView(Role.CLERK, "HN-002"))
    inspector = await running.account("inspector", api.GrantView(Role.INSPECTOR, "HN-001"))
    for client in (elsewhere, inspector):
        assert (await annul(client, entry["nonce"]))[0] == 403
    assert (await annul(running.anonymous, entry["nonce"]))[0] == 401
    assert await figures(running) == (1, 0)


async def test_the_next_entry_counts_instead(running: Running, desk: Desk) -> None:
    """Somebody scanned for a namesake is taken out of the wrong hall and counts where they really sit."""
    wrong = await desk.record(by_code("DB-0003"))
    other = Desk(running, await paired(running, "HN-0003"), "HN-0003")
    right = await other.record(by_code("DB-0003"))
    assert (right["result"], right["reason"]) == ("duplicate", "already_elsewhere")
    status, answer = await annul(running.admin, wrong["nonce"])
    assert (status, answer["promoted"]["point"]) == (200, "HN-0003")
    assert (await figures(running), await figures(running, "HN-0003")) == ((0, 0), (1, 0))


async def test_a_correction_is_not_corrected(running: Running, desk: Desk) -> None:
    """What was taken back by mistake is recorded again; an undo of an undo would be read by nobody."""
    entry = await desk.record(by_code("DB-0003"))
    _, answer = await annul(running.admin, entry["nonce"])
    status, problem = await annul(running.admin, answer["nonce"])
    assert (status, problem["code"]) == (409, "not_annullable")


async def test_a_lost_answer_is_asked_for_again(running: Running, desk: Desk) -> None:
    """A correction has a name of its own: sent twice it is one, and the name stands for nothing else."""
    first, second = await desk.results(desk.item(by_code("DB-0003")), desk.item(by_code("DB-0004")))
    own = nonces.write(nonces.make(running.clock.now_ms()))
    answers = [await annul(desk.client, first["nonce"], nonce=own) for _ in range(2)]
    assert [answer["nonce"] for _, answer in answers] == [own, own]
    status, problem = await annul(desk.client, second["nonce"], nonce=own)
    assert (status, problem["code"]) == (409, "conflict_nonce")
    log = (await running.admin.ok("GET", f"{S1}/events"))["items"]
    assert [event["kind"] for event in log].count("annul") == 1


@pytest.mark.parametrize("nonce", ["019a0000-0000-7000-8000-000000000000", "none", "%00"])
async def test_what_was_never_recorded(running: Running, desk: Desk, nonce: str) -> None:
    """A mistyped entry is said to be missing, not taken for another."""
    assert (await annul(running.admin, nonce))[0] in {400, 404}
    assert (await annul(running.admin, "019a0000-0000-7000-8000-000000000000", reason=" "))[0] == 400


async def test_a_check_out_is_taken_back(running: Running, desk: Desk) -> None:
    """Somebody who only went to the telephone has not left."""
    await desk.record(by_code("DB-0003"))
    running.clock.advance(60)
    left = await desk.record(by_code("DB-0003"), kind="check_out")
    status, answer = await annul(desk.client, left["nonce"])
    assert (status, answer["promoted"]["point"]) == (200, "HN-0002")
    assert await figures(running) == (1, 0)


# --- matches -------------------------------------------------------------------------------------------------
async def test_a_guest_turns_out_to_be_summoned(running: Running, desk: Desk) -> None:
    """The clerk says who the typed name was: counted as that person, in the hall where they sit, no guest left."""
    await desk.record(by_name("Nguyễn Hiền", "Ba Đình"))
    assert await figures(running) == (0, 1)
    one = await guest(running)
    clerk = await running.account("clerk", api.GrantView(Role.CLERK, "HN-001"))
    status, answer = await match(clerk, one["id"], attendee="db-0003")
    assert (status, answer["result"], answer["person"]["code"]) == (200, "accepted", "DB-0003")
    assert await figures(running) == (1, 0)
    rows = (await running.admin.ok("GET", f"{S1}/attendance?q=DB-0003"))["items"]
    assert (rows[0]["status"], rows[0]["point"], rows[0]["flags"]) == ("present", "HN-0002", [])
    assert (await guest(running, "matched"))["matched"]["code"] == "DB-0003"
    again = await match(clerk, one["id"], attendee="DB-0003")
    assert (again[1]["nonce"], again[1]["replayed"]) == (answer["nonce"], True)
    status, problem = await match(clerk, one["id"], attendee="DB-0004")
    assert (status, problem["code"]) == (409, "already_matched")


async def test_a_match_is_taken_back(running: Running, desk: Desk) -> None:
    """The clerk chose the wrong namesake: after taking it back the guest is a guest again, and can be matched anew."""
    await desk.record(by_name("Nguyễn Hiền"))
    one = await guest(running)
    _, first = await match(running.admin, one["id"], attendee="DB-0003")
    await annul(running.admin, first["nonce"])
    assert await figures(running) == (0, 1)
    status, answer = await match(running.admin, one["id"], attendee="DB-0004")
    assert (status, answer["result"]) == (200, "accepted")
    assert await figures(running) == (1, 0)


async def test_a_guest_who_counts_elsewhere(running: Running, desk: Desk) -> None:
    """One person, two halls: the match does not count them twice, and both halls stand side by side for review."""
    other = Desk(running, await paired(running, "HN-0003"), "HN-0003")
    await other.record(by_code("DB-0003"))
    await desk.record(by_name("Nguyễn Hiền"))
    status, answer = await match(running.admin, (await guest(running))["id"], attendee="DB-0003")
    assert (status, answer["result"], answer["check_in"]["point"]) == (200, "duplicate", "HN-0003")
    assert (await figures(running), await figures(running, "HN-0003")) == ((0, 0), (1, 0))
    (both,) = (await running.admin.ok("GET", f"{S1}/two-halls"))["items"]
    assert [entry["point"] for entry in both["entries"]] == ["HN-0003", "HN-0002"]


async def test_a_guest_is_added(running: Running, desk: Desk) -> None:
    """Who is on no list at all becomes a person of a unit, with a code to find them by, and counts as a guest of it."""
    await desk.record(by_name("Trần Khách", "Sở Y tế"))
    one = await guest(running)
    own = nonces.write(nonces.make(running.clock.now_ms()))
    body = {"unit": "HN-001", "title": "Chuyên viên", "nonce": own}
    status, answer = await match(running.admin, one["id"], **body)
    assert (status, answer["result"], answer["person"]["code"]) == (200, "accepted", "HN-001-X01")
    assert answer["person"]["full_name"] == "Trần Khách"
    assert await figures(running) == (1, 0)
    again = await match(running.admin, one["id"], **body)
    assert (again[1]["person"]["code"], again[1]["replayed"]) == ("HN-001-X01", True)
    people = (await running.admin.ok("GET", "/api/v1/attendees?q=tran khach"))["items"]
    assert [(one["code"], one["unit"], one["title"]) for one in people] == [("HN-001-X01", "HN-001", "Chuyên viên")]
    await desk.record(by_name("Lê Lạ"))
    _, second = await match(running.admin, (await guest(running))["id"], unit="HN-001")
    assert second["person"]["code"] == "HN-001-X02"


async def test_a_guest_takes_somebodys_place(running: Running, desk: Desk) -> None:
    """A substitute is matched with whom they stand for; who is not summoned has no place to take."""
    await desk.record(by_name("Trần Khách"))
    one = await guest(running)
    for stands_for in ("DB-0012", "NONE"):
        status, problem = await match(running.admin, one["id"], unit="HN-001", stands_for=stands_for)
        assert (status, problem["params"]["field"]) == (400, "stands_for")
    status, answer = await match(running.admin, one["id"], unit="HN-001", stands_for="DB-0004")
    assert (status, answer["result"]) == (200, "accepted")
    events = (await running.admin.ok("GET", f"{S1}/events"))["items"]
    assert (events[0]["kind"], events[0]["stands_for"]["code"], events[0]["flags"]) == (
        "match",
        "DB-0004",
        ["not_invited", "substitute"],
    )


async def test_matching_stays_within_ones_units(running: Running, desk: Desk) -> None:
    """The hall and the person must both be one's own: neither end lets a clerk reach into another unit (I5)."""
    await desk.record(by_name("Trần Khách"))
    one = await guest(running)
    here = await running.account("here", api.GrantView(Role.CLERK, "HN-001"))
    there = await running.account("there", api.GrantView(Role.CLERK, "HN-002"))
    assert (await match(here, one["id"], attendee="DB-0007"))[0] == 403
    assert (await match(here, one["id"], unit="HN-002"))[0] == 403
    assert (await match(there, one["id"], attendee="DB-0007"))[0] == 403
    assert (await match(desk.client, one["id"], attendee="DB-0003"))[0] == 403
    assert await figures(running) == (0, 1)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "attendee | unit"),
        ({"attendee": "DB-0003", "unit": "HN-001"}, 400, "attendee | unit"),
        ({"attendee": "NONE"}, 404, None),
        ({"unit": "NONE"}, 404, None),
        ({"attendee": "DB-0003", "stands_for": "DB-0003"}, 400, "stands_for"),
    ],
)
async def test_bad_input_names_its_field(
    running: Running, desk: Desk, body: dict[str, str], status: int, field: str | None
) -> None:
    """Whoever fills the form learns what to correct, and nothing is written."""
    await desk.record(by_name("Trần Khách"))
    answered, problem = await match(running.admin, (await guest(running))["id"], **body)
    assert (answered, problem["params"].get("field")) == (status, field)
    assert (await match(running.admin, 999, attendee="DB-0003"))[0] == 404
    assert await figures(running) == (0, 1)


async def test_nothing_left_to_match(running: Running, desk: Desk) -> None:
    """A guest whose entry was taken back is nobody's any more."""
    entry = await desk.record(by_name("Trần Khách"))
    one = await guest(running)
    await annul(desk.client, entry["nonce"])
    assert (await running.admin.ok("GET", f"{S1}/unlisted"))["items"] == []
    assert (await match(running.admin, one["id"], attendee="DB-0003"))[0] == 404


# --- after closing -------------------------------------------------------------------------------------------
async def test_after_closing_corrections_wait(running: Running, desk: Desk) -> None:
    """Frozen figures stay as they were signed: an annul and a match wait, and the next revision applies both."""
    entry = await desk.record(by_code("DB-0003"))
    await desk.record(by_name("Trần Khách"))
    one = await guest(running)
    for to in ("live", "ended", "closed"):
        await running.admin.ok("POST", f"{S1}/state", {"to": to})
    annulled = (await annul(running.admin, entry["nonce"]))[1]
    matched = (await match(running.admin, one["id"], attendee="DB-0004"))[1]
    assert (annulled["held"], matched["held"]) == (True, True)
    assert (await match(running.admin, one["id"], attendee="DB-0004"))[1]["replayed"]
    assert await figures(running) == (1, 1)
    await running.admin.ok("POST", f"{S1}/revisions", {"reason": "đối chiếu danh sách giấy"})
    assert await figures(running) == (1, 0)
    rows = (await running.admin.ok("GET", f"{S1}/attendance?status=present"))["items"]
    assert [row["code"] for row in rows] == ["DB-0004"]


# --- the log -------------------------------------------------------------------------------------------------
async def test_the_log_holds_every_correction(running: Running, desk: Desk) -> None:
    """An inspector who reads the log finds each correction behind what it corrects, about the same person (I4)."""
    entry = await desk.record(by_code("DB-0003"))
    await desk.record(by_name("Trần Khách"))
    await annul(running.admin, entry["nonce"])
    _, matched = await match(running.admin, (await guest(running))["id"], attendee="DB-0004")
    await annul(running.admin, matched["nonce"])
    key = (await running.anonymous.ok("GET", "/api/v1/signing-key"))["fingerprint"]
    verifier = Verifier(signed.read_fingerprint(key) or b"")
    lines = (await running.admin.ok("GET", f"{S1}/exports/log.jsonl")).encode().splitlines(keepends=True)
    for line in lines:
        verifier.line(line)
    seen = verifier.finish()
    assert (seen.entries, seen.opened) == (5, 5)
    read = [msgspec.json.decode(line) for line in lines[1:-1]]
    bodies = [msgspec.json.decode(line["body"]) for line in read]
    people = ["Nguyễn Thị Hiền", "Trần Khách", "Nguyễn Thị Hiền", "Nguyễn Thị Hiền", "Nguyễn Thị Hiền"]
    assert [line["opening"]["full_name"] for line in read] == people
    assert [body["kind"] for body in bodies] == ["check_in", "check_in", "annul", "match", "annul"]
    assert [body.get("of") for body in bodies[2:]] == [bodies[place]["nonce"] for place in (0, 1, 3)]
    assert (bodies[2]["by"], bodies[2]["reason"]) == ("root", "nhầm người")
