"""Pairing: the one link an operator opens, once."""

from __future__ import annotations

import asyncio

import pytest
from sample import Sample
from support import Client, Running

from diemcau import limits
from diemcau.domain.models import Role
from diemcau.wire import api


async def code_for(running: Running, point: str = "HN-0002", kind: str = "operator") -> str:
    """A fresh pairing code."""
    return str((await running.admin.ok("POST", f"/api/v1/points/{point}/pairings", {"kind": kind}))["code"])


def pair(who: Client, code: str, device: str = "Máy tính hội trường") -> asyncio.Task[tuple[int, dict[str, str]]]:
    """Consume a code, as the page does."""
    return asyncio.ensure_future(who.call("POST", "/api/v1/pair", {"code": code, "device": device}))


async def test_a_code_pairs_one_device(running: Running, sample: Sample) -> None:
    """The operator's page learns its hall and may ask who it is; the centre sees the device."""
    made = await running.admin.ok("POST", "/api/v1/points/hn-0002/pairings", {})
    assert made["expires_ms"] == running.clock.now_ms() + 86_400_000
    assert made["url"].endswith("/pair/" + made["code"].replace("-", ""))
    status, paired = await pair(running.anonymous, made["code"])
    assert (status, paired["point"], paired["point_name"], paired["kind"]) == (
        200,
        "HN-0002",
        "Hội trường Quận ủy Ba Đình",
        "operator",
    )
    me = await running.anonymous.signed_in(paired["token"]).ok("GET", "/api/v1/me")
    assert (me["kind"], me["point"]) == ("device", "HN-0002")
    (device,) = (await running.admin.ok("GET", "/api/v1/points/HN-0002/devices"))["items"]
    assert (device["name"], device["revoked"]) == ("Máy tính hội trường", False)


async def test_a_code_is_read_as_people_type_it(running: Running, sample: Sample) -> None:
    """Lower case, spaces instead of dashes, and a zero where there can only be an O, all pair."""
    code = await code_for(running)
    typed = code.lower().replace("-", " ").replace("o", "0").replace("i", "1").replace("b", "8")
    assert (await pair(running.anonymous, f" {typed} "))[0] == 200


async def test_a_code_pairs_only_once(running: Running, sample: Sample) -> None:
    """A link forwarded in a chat does not make a second device, even when both tap at the same moment."""
    code = await code_for(running)
    answers = await asyncio.gather(*(pair(running.anonymous, code) for _ in range(8)))
    assert sorted(status for status, _ in answers) == [200] + [410] * 7
    assert {body["code"] for status, body in answers if status == 410} == {"pairing_used"}
    assert len((await running.admin.ok("GET", "/api/v1/points/HN-0002/devices"))["items"]) == 1


async def test_old_and_invented_codes_say_so(running: Running, sample: Sample) -> None:
    """After a day a code is called expired, a made-up one unknown: different sentences, different help."""
    code = await code_for(running)
    running.clock.advance(limits.PAIRING_VALID_S)
    assert (await pair(running.anonymous, code))[1]["code"] == "pairing_expired"
    assert (await pair(running.anonymous, "AAAA-BBBB-CCCC"))[1]["code"] == "pairing_unknown"


async def test_guessing_codes_is_slowed_for_everybody(running: Running, sample: Sample) -> None:
    """Sixty wrong codes in a minute close pairing for a while; a right one works again after it."""
    code = await code_for(running)
    for number in range(limits.PAIRING_FAILURES_PER_MINUTE_MAX):
        assert (await pair(running.anonymous, f"AAAABBBB{number:04}"))[0] == 410
    status, problem = await pair(running.anonymous, code)
    assert (status, problem["code"]) == (429, "rate_limited")
    running.clock.advance(61)
    assert (await pair(running.anonymous, code))[0] == 200


async def test_a_unit_gets_all_its_codes_at_once(running: Running, sample: Sample) -> None:
    """One call makes the codes for a district and its wards, and for nobody else."""
    made = await running.admin.ok("POST", "/api/v1/pairings", {"unit": "hn-002", "kind": "display"})
    assert [item["point"] for item in made["items"]] == ["HN-0003", "HN-0004"]
    status, paired = await pair(running.anonymous, made["items"][1]["code"])
    assert (status, paired["point"], paired["kind"]) == (200, "HN-0004", "display")
    listed = await running.admin.ok("POST", "/api/v1/pairings", {"points": ["hn-0004", "HN-0001"]})
    assert [item["point"] for item in listed["items"]] == ["HN-0001", "HN-0004"]


@pytest.mark.parametrize("body", [{}, {"unit": "HN", "points": ["HN-0001"]}, {"points": ["A"] * 1001}])
async def test_a_bulk_that_cannot_be_made_is_refused(running: Running, sample: Sample, body: dict[str, object]) -> None:
    """Neither, both, or too many: a sentence, and no codes."""
    status, problem = await running.admin.call("POST", "/api/v1/pairings", body)
    assert (status, problem["code"]) == (400, "malformed")
    assert "reason." not in problem["title"]


async def test_codes_stay_within_the_units_one_answers_for(running: Running, sample: Sample) -> None:
    """A district's organizer pairs its own halls and sees no other's; a clerk pairs none (I5)."""
    organizer = await running.account("tổ chức", api.GrantView(Role.ORGANIZER, "HN-002"))
    clerk = await running.account("cán bộ", api.GrantView(Role.CLERK, "HN-002"))
    assert (await organizer.call("POST", "/api/v1/points/HN-0004/pairings", {}))[0] == 201
    assert (await organizer.call("POST", "/api/v1/points/HN-0002/pairings", {}))[0] == 403
    assert (await organizer.call("GET", "/api/v1/points/HN-0002/devices"))[0] == 403
    assert (await organizer.call("POST", "/api/v1/pairings", {"unit": "HN"}))[0] == 403
    assert (await organizer.call("POST", "/api/v1/pairings", {"points": ["HN-0003", "HN-0001"]}))[0] == 403
    assert (await clerk.call("POST", "/api/v1/points/HN-0004/pairings", {}))[0] == 403
    assert (await running.anonymous.call("POST", "/api/v1/points/HN-0004/pairings", {}))[0] == 401


async def test_a_revoked_device_is_nobody_at_once(running: Running, sample: Sample) -> None:
    """The token of a lost laptop is worth nothing from the moment the centre revokes it."""
    _, paired = await pair(running.anonymous, await code_for(running))
    laptop = running.anonymous.signed_in(paired["token"])
    await laptop.ok("GET", "/api/v1/me")
    (device,) = (await running.admin.ok("GET", "/api/v1/points/HN-0002/devices"))["items"]
    elsewhere = f"/api/v1/points/HN-0003/devices/{device['id']}"
    assert (await running.admin.call("DELETE", elsewhere))[0] == 404
    for _ in range(2):
        assert (await running.admin.call("DELETE", f"/api/v1/points/HN-0002/devices/{device['id']}"))[0] == 204
    assert (await laptop.call("GET", "/api/v1/me"))[0] == 401
    assert (await running.admin.ok("GET", "/api/v1/points/HN-0002/devices"))["items"][0]["revoked"]


async def test_a_point_has_a_bounded_number_of_devices(running: Running, sample: Sample) -> None:
    """The 21st device is told to have one revoked first, and its code still works afterwards."""
    spare = await code_for(running)
    for _ in range(limits.DEVICES_PER_POINT_MAX):
        assert (await pair(running.anonymous, await code_for(running)))[0] == 200
    status, problem = await pair(running.anonymous, spare)
    assert (status, problem["code"]) == (409, "too_many_devices")
    (first, *_) = (await running.admin.ok("GET", "/api/v1/points/HN-0002/devices"))["items"]
    await running.admin.ok("DELETE", f"/api/v1/points/HN-0002/devices/{first['id']}")
    assert (await pair(running.anonymous, spare))[0] == 200


@pytest.mark.parametrize("path", ["/api/v1/points/NOWHERE/pairings", "/api/v1/points/NOWHERE/devices"])
async def test_an_unknown_point_is_named(running: Running, sample: Sample, path: str) -> None:
    """A typing error in a code is answered with that code."""
    posts = path.endswith("pairings")
    status, problem = await running.admin.call("POST" if posts else "GET", path, {} if posts else None)
    assert (status, problem["params"]["key"]) == (404, "NOWHERE")
