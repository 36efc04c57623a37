"""Guessing at a door: slowed by scan, network and door, while right answers always pass."""

from __future__ import annotations

import re

import pytest
from phone import Page, Phone
from sample import Sample, figures, fill
from support import Running, Start

from diemcau import limits


@pytest.fixture
async def running(database: str, start: Start) -> Running:
    """A server on each kind of database."""
    return await start(database)


@pytest.fixture
async def sample(running: Running) -> Sample:
    """The small conference inside it."""
    return await fill(running.context.engines)


# --- guessing -----------------------------------------------------------------------------------------------------
async def test_people_who_were_shown_and_not_confirmed_use_a_scan_up(phone: Phone, running: Running) -> None:
    """Nobody reads the list off one scan by trying codes: five strangers, and it is used up."""
    claim = (await phone.scan()).form_with("claim")
    codes = ("DB-0001", "DB-0002", "DB-0003", "DB-0004", "DB-0005")
    for code in codes:
        assert (await phone.post(**claim, who=code)).status == 200
    stopped = await phone.post(**claim, who="DB-0006")
    assert stopped.status == 409
    assert "Đã nhập sai nhiều lần" in stopped.words
    assert await figures(running.context.engines) == (0, 0, 0, 0)


async def test_confirming_gives_the_try_back(phone: Phone) -> None:
    """Four wrong names, then five colleagues, each found at once: everybody checks in."""
    claim = (await phone.scan()).form_with("claim")
    for _ in range(4):
        assert (await phone.post(**claim, who="Không Có Ai")).status == 404
    for code in ("DB-0001", "DB-0002", "DB-0003", "DB-0004", "DB-0005"):
        receipt = await phone.tap(await phone.post(**claim, who=code))
        assert "Đã điểm danh" in receipt.words


async def test_unknown_name_and_name_of_another_hall_look_alike(phone: Phone) -> None:
    """The answer does not tell whether somebody of that name sits anywhere else in the city."""

    def told(page: Page) -> tuple[int, str]:
        return page.status, re.sub(r'name="(claim|who)" value="[^"]*"', "", page.text.replace("Trần Văn Ánh", "X"))

    nobody = told(await phone.say("X"))
    elsewhere = told(await phone.say("Trần Văn Ánh"))
    assert (nobody[0], re.sub(r'value="[^"]*"', "", nobody[1])) == (
        elsewhere[0],
        re.sub(r'value="[^"]*"', "", elsewhere[1]),
    )


async def test_a_hall_behind_one_address_is_never_slowed(phone: Phone, running: Running) -> None:
    """500 phones within two minutes, one in ten mistypes once: nobody is told to wait, and nobody has to."""
    statuses: list[int] = []
    for number in range(500):
        if number % 10 == 0:
            statuses.append((await phone.another().say("Không Có Ai")).status)
        asked = await phone.another().say("le hoa")
        assert asked.status == 200
        running.clock.advance(0.24)
    assert statuses == [404] * 50


async def test_guessing_from_one_place_slows_that_place_only(
    phone: Phone, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A student who tries names from one network is told to wait; a guest on another network learns of a typo."""
    monkeypatch.setattr(limits, "NETWORK_FAILURES_PER_MINUTE_MAX", 3)
    monkeypatch.setattr(limits, "DOOR_FAILURES_PER_MINUTE_MAX", 4)

    async def from_network(address: str) -> int:
        caller = phone.another()
        claim = (await caller.scan()).form_with("claim")
        typed = {**claim, "who": "Không Có Ai"}
        return (await caller.send("POST", "/c/check-in", typed, **{"X-Forwarded-For": address})).status

    assert [await from_network(f"27.64.1.{number}") for number in range(6)] == [404, 404, 429, 429, 429, 429]
    assert await from_network("27.65.1.1") == 404
    assert await from_network("2402:800:1:1::1") == 429
    assert "số 1" in (await phone.another().check_in("le hoa")).words
    running.clock.advance(61)
    assert await from_network("27.64.1.1") == 404


async def test_wrong_door_codes_are_slowed_alike(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes made up for one door are soon only told to wait; the right one opens all the same."""
    monkeypatch.setattr(limits, "NETWORK_FAILURES_PER_MINUTE_MAX", 3)
    statuses = [(await phone.scan(age_s=7200)).status for _ in range(5)]
    assert statuses == [404, 404, 429, 429, 429]
    assert (await phone.scan()).status == 200
    assert (await phone.scan("HN-0003", age_s=7200)).status == 404
