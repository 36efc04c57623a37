"""The attendee's way from the scan to the green tick, as a phone without script walks it."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from typing import Any

import pytest
import sqlalchemy as sa
from phone import Phone
from sample import Sample, figures
from support import Running

from diemcau.store.schema import attendance, attendance_event


async def flags(running: Running) -> list[str]:
    """The flags of everybody counted."""
    async with running.context.engines.read() as connection:
        return list((await connection.execute(sa.select(attendance.c.flags))).scalars())


# --- the way through -----------------------------------------------------------------------------------------
async def test_scan_name_tap_receipt(phone: Phone, running: Running) -> None:
    """An old man with a cheap phone: scan, name without diacritics, one tap, a tick with time and number."""
    scanned = await phone.scan()
    assert "Hội trường Quận ủy Ba Đình" in scanned.words
    assert 'lang="vi"' in scanned.text
    asked = await phone.post(**scanned.form_with("claim"), who="  le   hoa ")
    assert "Lê H•••" in asked.words
    assert "Lê Hoà" not in asked.words
    receipt = await phone.tap(asked)
    assert "Đã điểm danh" in receipt.words
    assert "09:40:00 · số 1" in receipt.words, receipt.words  # 02:40 UTC
    assert "le hoa" in receipt.words
    assert "Lê Hoà" not in receipt.words
    assert await figures(running.context.engines) == (1, 1, 1, 1)
    assert await flags(running) == [""]


@pytest.mark.parametrize(
    ("hall", "typed", "masked"),
    [
        ("HN-0002", "Lê Hòa", "Lê H•••"),
        ("HN-0002", "Lê Hoà", "Lê H•••"),
        ("HN-0002", "h'hen niê", "H'Hen N•••"),
        ("HN-0002", "H’HEN NIE", "H'Hen N•••"),
        ("HN-0003", "hiền", "H•••"),
        ("HN-0003", "Y Thong E ban", "Y T••• Ê•••"),
        ("HN-0003", "dieu kre", "Điểu K•••"),
        ("HN-0002", "db-0005", "H'Hen N•••"),
        ("HN-0002", " DB - 0005 ", "H'Hen N•••"),
    ],
)
async def test_people_are_found_as_they_write_themselves(phone: Phone, hall: str, typed: str, masked: str) -> None:
    """Diacritics, tone placement, apostrophes, capitals, single names, and codes with a stray space."""
    asked = await phone.say(typed, hall)
    assert asked.status == 200, asked.words
    assert masked in asked.words


async def test_name_in_nfd(phone: Phone) -> None:
    """An iPhone may send letters and their marks apart."""
    assert (await phone.say("Le\u0302 Hoa\u0300")).status == 200


async def test_receipt_by_code_stays_masked(phone: Phone) -> None:
    """Whoever knows only a code does not learn the full name from the receipt."""
    receipt = await phone.check_in("DB-0006")
    assert "Lê H•••" in receipt.words
    assert "Hoà" not in receipt.words


async def test_not_me_goes_back_without_harm(phone: Phone, running: Running) -> None:
    """A stranger's masked name: back to the field, nothing recorded, nothing used up."""
    asked = await phone.say("DB-0003")
    claim = asked.form_with("claim")
    again = await phone.post(**claim)
    assert 'name="who"' in again.text
    assert again.form_with("claim") == claim
    receipt = await phone.tap(await phone.post(**again.form_with("claim"), who="DB-0004"))
    assert "số 1" in receipt.words
    assert await figures(running.context.engines) == (1, 1, 1, 1)


async def test_five_people_with_one_phone(phone: Phone, running: Running) -> None:
    """A family of colleagues and one telephone: five times, then the code has to be scanned again."""
    receipt = await phone.check_in("DB-0003")
    for number, who in enumerate(("DB-0004", "H'Hen Niê", "le hoa", "DB-0001"), 2):
        form = await phone.post(**receipt.form_with("claim"))
        receipt = await phone.tap(await phone.post(**form.form_with("claim"), who=who))
        assert f"số {number}" in receipt.words
    assert "người khác" not in receipt.words
    assert await figures(running.context.engines) == (5, 5, 5, 5)


async def test_back_button_takes_the_next_place(phone: Phone, running: Running) -> None:
    """Going back and typing another name just works; five people a scan all the same."""
    claim = (await phone.scan()).form_with("claim")
    for who in ("DB-0003", "DB-0004", "DB-0005", "DB-0006", "DB-0001"):
        await phone.tap(await phone.post(**claim, who=who))
    asked = await phone.post(**claim, who="DB-0002")
    refused = await phone.post(**asked.form_with("confirm"))
    assert refused.status == 409
    assert "Quét lại mã" in refused.words
    assert await figures(running.context.engines) == (5, 5, 5, 5)


async def test_forwarded_receipt_offers_nothing(phone: Phone) -> None:
    """A receipt sent to a friend at home shows a tick and no way to check in from there."""
    sent = await phone.post(**(await phone.say("le hoa")).form_with("confirm"))
    at_home = Phone(phone.running, phone.conference)
    receipt = await at_home.send("GET", sent.headers["Location"])
    assert "Đã điểm danh" in receipt.words
    assert all("claim" not in form for form in receipt.forms())


async def test_sent_twice_counts_once(phone: Phone, running: Running) -> None:
    """A double tap, or a form sent again after a lost answer: the same receipt, nobody twice."""
    confirm = (await phone.say("le hoa")).form_with("confirm")
    first = await phone.post(**confirm)
    running.clock.advance(60)
    again = await phone.post(**confirm)
    assert first.status == again.status == 303
    assert first.headers["Location"] == again.headers["Location"]
    assert await figures(running.context.engines) == (1, 1, 1, 1)


async def test_second_scan_says_already_recorded_and_no_more(phone: Phone, running: Running) -> None:
    """Typing somebody's name tells that they are recorded, but neither when nor in which hall."""
    await phone.check_in("Trần Văn Ánh", "HN-0001")
    running.clock.advance(120)
    receipt = await Phone(running, phone.conference).check_in("DB-0002", "HN-0003")
    assert "Đã được ghi trước đó" in receipt.words
    assert "số" not in receipt.words.split("Ban tổ chức")[0]
    assert "Thành ủy" not in receipt.words
    assert not re.search(r"\d\d:\d\d", receipt.words)
    assert await figures(running.context.engines) == (1, 1, 2, 1)


@pytest.mark.parametrize(
    ("who", "hall", "late_s", "expected"),
    [
        ("DB-0007", "HN-0002", 0, "wrong_point"),
        ("DB-0012", "HN-0004", 0, "not_invited"),
        ("DB-0003", "HN-0002", 1_801, "late"),
        ("DB-0007", "HN-0002", 1_801, "wrong_point late"),
    ],
)
async def test_nobody_is_turned_away(
    phone: Phone, running: Running, who: str, hall: str, late_s: int, expected: str
) -> None:
    """Wrong hall, not invited, late: accepted like anybody else, flagged for the office."""
    running.clock.advance(late_s)
    assert "Đã điểm danh" in (await phone.check_in(who, hall)).words
    assert await flags(running) == [expected]


# --- what never happens ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_previews_record_nothing(phone: Phone, running: Running, method: str) -> None:
    """Zalo fetches links to preview them: opening a code, however often, checks nobody in and uses nothing up."""
    code = phone.code()
    for path in (f"/c/{code}", f"/C/{code}", f"/c/{code.lower()}"):
        assert (await phone.send(method, path)).status == 200
    assert await figures(running.context.engines) == (0, 0, 0, 0)


async def test_pages_are_small_and_need_no_script(phone: Phone) -> None:
    """On bad 3G the page is one request of one small packet burst, and nothing in it asks for more."""
    scanned = await phone.scan()
    wrong = await phone.post(**scanned.form_with("claim"), who="Không Có Ai")
    asked = await phone.say("Nguyễn Thị Hồng Đào", "HN-0001")
    receipt = await phone.tap(asked)
    expired = await phone.scan(age_s=300)
    ambiguous = await phone.another().say("nguyen thi hien")
    guest = await phone.post(**wrong.forms()[1], guest="1")
    remembered = await phone.scan()
    for page in (scanned, wrong, asked, receipt, expired, ambiguous, guest, remembered):
        wire = len(page.text.encode()) + sum(len(name) + len(value) + 4 for name, value in page.headers.items())
        assert wire < 7_000
        assert "<script" not in page.text
        assert not re.search(r"""(?:src|srcset)=|@import|url\(|https?://|\son\w+=|style=""", page.text)
        assert re.findall(r'href="([^"]*)"', page.text)[0] == "data:,"
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "script" not in policy
        assert page.headers["Cache-Control"] == "private, no-cache"


async def test_names_are_escaped(phone: Phone) -> None:
    """What somebody types is shown as text, whatever it is."""
    wrong = await phone.say('"><script>alert(1)</script>')
    assert "<script" not in wrong.text
    assert "&lt;script&gt;" in wrong.text


async def test_purpose_is_stated(phone: Phone) -> None:
    """Before anything is typed the page says what is recorded, by whom, and what for."""
    assert "Ban tổ chức ghi nhận" in (await phone.scan()).words


async def test_nonces_are_uuid7(phone: Phone, running: Running) -> None:
    """Nonces sort by time, so that the log's index grows at its end."""
    await phone.check_in("le hoa")
    async with running.context.engines.read() as connection:
        nonce = (await connection.execute(sa.select(attendance_event.c.nonce))).scalar_one()
    assert int.from_bytes(nonce[:6], "big") == running.clock.now_ms()
    assert (nonce[6] >> 4, nonce[8] >> 6) == (7, 2)


# --- languages and programs --------------------------------------------------------------------------------------
async def test_english_from_the_browser_to_the_receipt(running: Running, sample: Sample) -> None:
    """A foreign guest's phone gets English at every step."""
    phone = Phone(running, sample, language="en-GB,en;q=0.8")
    scanned = await phone.scan()
    assert 'lang="en"' in scanned.text
    assert "Full name or attendee code" in scanned.words
    assert "not on the hall's list" in (await phone.post(**scanned.form_with("claim"), who="Nobody")).words
    assert "expired" in (await phone.scan(age_s=100)).words
    assert "Checked in" in (await phone.check_in("le hoa")).words


async def test_language_link_keeps_the_step(phone: Phone) -> None:
    """Tapping "English" on any page turns that page, and the next ones, without scanning again."""
    scanned = await phone.scan()
    english = await phone.post(**scanned.forms()[-1], lang="en")
    assert 'lang="en"' in english.text
    asked = await phone.post(**english.form_with("claim"), who="le hoa")
    assert "Please check the name" in asked.words
    back = await phone.post(**asked.forms()[-1], lang="vi")
    assert "Xin kiểm tra lại tên" in back.words
    receipt = await phone.tap(back)
    assert "Đã điểm danh" in receipt.words
    location = "/c/r/none?lang=en"
    assert "receipt" in (await phone.send("GET", location)).words


async def test_program_gets_json(running: Running, sample: Sample) -> None:
    """A program walks the same way with the same rules."""
    phone = Phone(running, sample)
    anonymous = running.anonymous

    async def ask(method: str, path: str, body: Any = None) -> Any:
        return await anonymous.ok(method, path, body, headers={"Accept": "application/json"})

    opened = await ask("GET", f"/c/{phone.code()}")
    assert (opened["session"], opened["point"], opened["people_left"], opened["tries_left"]) == ("S1", "HN-0002", 5, 5)
    found = await ask("POST", "/c/check-in", {"claim": opened["claim"], "who": "le hoa"})
    assert found["masked"] == "Lê H•••"
    done = await ask("POST", "/c/check-in", {"confirm": found["confirm"]})
    assert (done["result"], done["number"], done["at_ms"]) == ("accepted", 1, running.clock.now_ms())
    kept = await ask("GET", f"/c/r/{done['receipt']}")
    assert (kept["shown"], kept["number"], kept["next_claim"]) == ("le hoa", 1, None)
    following = await ask("POST", "/c/check-in", {"claim": done["next_claim"]})
    assert following["people_left"] == 4
    status, problem = await anonymous.call(
        "POST", "/c/check-in", {"claim": opened["claim"], "who": "nobody"}, headers={"Accept": "application/json"}
    )
    assert (status, problem["code"]) == (404, "unknown_attendee")


async def test_signed_in_organizer_tries_the_door(phone: Phone, running: Running) -> None:
    """An organizer who tests the page in their own browser is an attendee like others there."""
    http, origin = running.admin.http, running.admin.origin
    async with http.post(
        f"{origin}/api/v1/login", json={"name": "root", "password": "correct horse battery"}
    ) as answer:
        phone.cookies["diemcau_session"] = SimpleCookie(answer.headers["Set-Cookie"])["diemcau_session"].value
    claim = (await phone.scan()).form_with("claim")
    asked = await phone.send("POST", "/c/check-in", {**claim, "who": "le hoa"}, Origin=origin)
    assert asked.status == 200
