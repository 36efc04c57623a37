"""What goes wrong at the door ends in a sentence that says what to do next, and costs nobody anything."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from phone import Phone
from sample import STARTS_MS, figures
from support import Running

from diemcau import limits
from diemcau.store.schema import session, session_point


async def set_state(running: Running, state: str) -> None:
    """Move the session behind everybody's back."""
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(state=state))


async def test_namesakes_are_asked_for_their_code(phone: Phone) -> None:
    """Two people of one name in a hall: the page asks for the code, keeps what was typed, and the code works."""
    ambiguous = await phone.say("Nguyen Thi Hien")
    assert ambiguous.status == 409
    assert "mã đại biểu" in ambiguous.words
    assert 'role="alert"' in ambiguous.text
    assert 'value="Nguyen Thi Hien"' in ambiguous.text
    asked = await phone.post(**ambiguous.form_with("claim"), who="DB-0004")
    assert "Nguyễn T••• H•••" in asked.words


async def test_name_of_another_hall_is_unknown_here(phone: Phone) -> None:
    """Names are looked up within the hall's own list only: a door is no directory of the city."""
    unknown = await phone.say("Trần Văn Ánh", "HN-0002")
    assert unknown.status == 404
    assert "Không thấy tên hoặc mã này" in unknown.words


@pytest.mark.parametrize("who", ["", "   ", "\u200b"])
async def test_empty_field_costs_nothing(phone: Phone, who: str) -> None:
    """Sending the empty field six times is no guessing."""
    claim = (await phone.scan()).form_with("claim")
    for _ in range(6):
        assert (await phone.post(**claim, who=who)).status == 400
    assert (await phone.post(**claim, who="le hoa")).status == 200


async def test_five_wrong_names_use_the_scan_up(phone: Phone) -> None:
    """Guessing names stops after five; scanning again starts over."""
    claim = (await phone.scan()).form_with("claim")
    for left in (4, 3, 2, 1):
        wrong = await phone.post(**claim, who="Không Có Ai")
        assert wrong.status == 404
        assert (f"Còn {left} lần" in wrong.words) == (left <= 3)
    stopped = await phone.post(**claim, who="Không Có Ai")
    assert stopped.status == 409
    assert "Quét lại mã" in stopped.words
    assert (await phone.post(**claim, who="le hoa")).status == 409
    assert (await phone.say("le hoa")).status == 200


async def test_guessing_at_a_door_never_stops_the_right_name(
    phone: Phone, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who tries hundreds of names is told to wait; the hall's people go on checking in meanwhile."""
    monkeypatch.setattr(limits, "DOOR_FAILURES_PER_MINUTE_MAX", 3)
    answers = [await phone.say("Không Có Ai") for _ in range(4)]
    assert [answer.status for answer in answers] == [404, 404, 429, 429]
    wrong = answers[-1]
    assert "Retry-After" in wrong.headers
    assert "vẫn điểm danh được ngay" in wrong.words
    assert "số 1" in (await phone.check_in("le hoa")).words
    running.clock.advance(61)
    assert (await phone.say("Không Có Ai")).status == 404


async def test_old_code_says_so(phone: Phone) -> None:
    """A photograph of the code from the morning is expired, and says where the new one is."""
    assert (await phone.scan(age_s=60)).status == 200
    for age_s in (75, 3500):
        expired = await phone.scan(age_s=age_s)
        assert expired.status == 410
        assert "đã hết hạn" in expired.words
    assert (await phone.scan(age_s=7200)).status == 404


@pytest.mark.parametrize("code", ["AAAAAAAAAAAAAAAAAAAA", "x", "AAAAAAI55VMJXKVBSN5B", "%00", "a" * 300])
async def test_foreign_codes_are_refused_politely(phone: Phone, code: str) -> None:
    """Another QR code on the wall ends in a sentence, not in an error."""
    refused = await phone.send("GET", f"/c/{code}")
    assert refused.status == 404
    assert "Mã QR không đúng" in refused.words


async def test_claim_lives_five_minutes(phone: Phone, running: Running) -> None:
    """Who puts the phone away for five minutes has to scan again, at each step."""
    claim = (await phone.scan()).form_with("claim")
    confirm = (await phone.post(**claim, who="le hoa")).form_with("confirm")
    running.clock.advance(301)
    for fields in (claim, {**claim, "who": "le hoa"}, confirm):
        expired = await phone.post(**fields)
        assert expired.status == 410
        assert "Quét lại mã" in expired.words
    assert await figures(running.context.engines) == (0, 0, 0, 0)


@pytest.mark.parametrize("field_name", ["claim", "confirm"])
async def test_forged_forms_are_refused(phone: Phone, field_name: str) -> None:
    """A changed letter anywhere in what the server sealed makes it worthless, and so does another purpose."""
    asked = await phone.say("le hoa")
    sealed = asked.form_with(field_name)[field_name]
    other = asked.form_with("confirm" if field_name == "claim" else "claim").popitem()[1]
    flipped = ("B" if sealed[0] != "B" else "C") + sealed[1:]
    for forged in (flipped, sealed[:-2], "", "ạ", other, "A" * 3000):
        assert (await phone.post(**{field_name: forged})).status == 404, forged


async def test_nothing_at_all_is_refused(phone: Phone) -> None:
    """A POST without a form is answered like a wrong code."""
    assert (await phone.post()).status == 404
    assert (await phone.send("POST", "/c/check-in", None, **{"Content-Type": "application/json"})).status == 404


async def test_unknown_receipt(phone: Phone) -> None:
    """A mistyped receipt is not found, and says so."""
    assert (await phone.send("GET", "/c/r/none")).status == 404


@pytest.mark.parametrize(("state", "words"), [("draft", "Điểm danh mở lúc"), ("closed", "chốt số liệu")])
async def test_session_in_the_wrong_state(phone: Phone, running: Running, state: str, words: str) -> None:
    """Before the opening and after the freeze the page says why and what to do, at every step, at once."""
    claim = (await phone.scan()).form_with("claim")
    confirm = (await phone.post(**claim, who="le hoa")).form_with("confirm")
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(starts_ms=STARTS_MS + 7_200_000))
    await set_state(running, state)
    for refused in (await phone.scan(), await phone.post(**claim, who="le hoa"), await phone.post(**confirm)):
        assert refused.status == 409
        assert words in refused.words
    assert await figures(running.context.engines) == (0, 0, 0, 0)
    await set_state(running, "live")
    assert "số 1" in (await phone.check_in("le hoa")).words


async def test_opening_time_is_local(phone: Phone, running: Running) -> None:
    """Who comes too early learns when to scan again, on the clock of the hall."""
    await set_state(running, "draft")
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(starts_ms=STARTS_MS + 7_200_000))
    assert "10:40" in (await phone.scan()).words  # the start at 12:10, less 90 minutes


async def test_overloaded_server_keeps_the_tap(phone: Phone, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the queue is full the page holds everything; one more tap a moment later is enough."""
    confirm = (await phone.say("le hoa")).form_with("confirm")
    with monkeypatch.context() as patch:
        patch.setattr(limits, "WRITE_QUEUE_ITEMS_MAX", 0)
        busy = await phone.post(**confirm)
    assert busy.status == 503
    assert busy.headers["Retry-After"] == str(limits.OVERLOADED_RETRY_AFTER_S)
    assert "Gửi lại" in busy.words
    assert "số 1" in (await phone.tap(busy)).words


async def test_hall_taken_out_of_the_session(phone: Phone, running: Running) -> None:
    """A hall that leaves the session between two taps ends in a sentence."""
    confirm = (await phone.say("le hoa")).form_with("confirm")
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.delete(session_point))
    assert (await phone.post(**confirm)).status == 404


async def test_page_survives_a_broken_database(phone: Phone, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a failure nobody foresaw is a page in the reader's language."""

    async def broken(*_: object, **__: object) -> list[Any]:
        raise aiohttp.ClientError("as unforeseen as any")

    monkeypatch.setattr(type(running.context.engines), "lookup", broken)
    failed = await phone.scan()
    assert failed.status == 500
    assert "Máy chủ gặp lỗi" in failed.words
