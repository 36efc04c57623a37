"""Who stands at the door: every way of saying it, and what it shows of them to whom."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from phone import Phone, change, events
from sample import Sample, figures, fill
from support import Running, Start

from diemcau.domain import door_code
from diemcau.domain.authority import System
from diemcau.domain.models import Phase, SpotMode
from diemcau.services import badges, nonces, spot_checks
from diemcau.store.schema import attendee, invitation, session, session_point, spot_check_person, unlisted
from diemcau.wire.spot_checks import SpotCheckNew


@pytest.fixture
async def running(database: str, start: Start) -> Running:
    """A server on each kind of database."""
    return await start(database)


@pytest.fixture
async def sample(running: Running) -> Sample:
    """The small conference inside it."""
    return await fill(running.context.engines)


async def badge_of(running: Running, person: str) -> str:
    """The link on the person's badge."""
    return (await badges.issue_one(System(), running.context, person)).url


# --- telephone -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "typed", ["02438250000", "024 3825 0000", "+84 24 3825 0000", "(024) 3825.0000", "842438250000"]
)
async def test_telephone_finds_its_owner(phone: Phone, typed: str) -> None:
    """However the number is written; what is shown stays masked, on the receipt too."""
    asked = await phone.say(typed)
    assert "Lê H•••" in asked.words, asked.words
    receipt = await phone.tap(asked)
    assert "Lê H•••" in receipt.words
    assert "Hoà" not in receipt.words
    assert "3825" not in receipt.words


async def test_shared_telephone_asks_for_the_code(phone: Phone, running: Running) -> None:
    """A secretary's number stands in five rows of the list: nobody is chosen by chance."""
    await change(running, sa.update(attendee).values(phone_digits="0912345678"))
    shared = await phone.say("0912345678")
    assert shared.status == 409
    assert "dùng chung số điện thoại" in shared.words
    assert 'name="number"' not in shared.text
    asked = await phone.post(**shared.form_with("claim"), who="DB-0006")
    assert "Lê H•••" in asked.words


async def test_telephones_follow_the_lists(phone: Phone, running: Running) -> None:
    """A number that the office corrects is found at once, and the former one no more."""
    await running.admin.ok("PATCH", "/api/v1/attendees/DB-0005", {"phone": "+84 988 777 666"})
    assert "H'Hen N•••" in (await phone.say("0988777666")).words
    await running.admin.ok("PATCH", "/api/v1/attendees/DB-0005", {"phone": ""})
    assert (await phone.say("0988777666")).status == 404


# --- namesakes -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("number", "who"),
    [
        ("1", "DB-0003"),
        ("2", "DB-0004"),
        ("DB-0004", "DB-0004"),
        ("0900 000 003", "DB-0003"),
        ("+84900000004", "DB-0004"),
    ],
)
async def test_namesakes_are_told_apart(phone: Phone, running: Running, sample: Sample, number: str, who: str) -> None:
    """The number on the printed list, the code or the telephone says which of the two it is."""
    ambiguous = await phone.say("nguyen thi hien")
    assert ambiguous.status == 409
    assert "Số thứ tự trong danh sách" in ambiguous.words
    assert 'value="nguyen thi hien"' in ambiguous.text
    asked = await phone.post(**ambiguous.form_with("claim"), who="nguyen thi hien", number=number)
    assert asked.status == 200, asked.words
    receipt = await phone.tap(asked)
    assert "nguyen thi hien" in receipt.words
    (event,) = await events(running)
    assert event.attendee_id == sample.attendees[who]


@pytest.mark.parametrize("number", ["3", "9", "DB-0006", "DB-9999", "0912345678", "x", "999999", "9999999"])
async def test_wrong_number_of_a_namesake(phone: Phone, number: str) -> None:
    """Somebody else's number, code or telephone does not turn one name into another."""
    claim = (await phone.scan()).form_with("claim")
    wrong = await phone.post(**claim, who="nguyen thi hien", number=number)
    assert wrong.status == 409
    assert "không khớp" in wrong.words
    assert 'name="number"' in wrong.text


async def test_ambiguous_name_numbers_the_list(phone: Phone, running: Running) -> None:
    """The operator who is asked for the number finds it in the list, also when nobody printed one before."""
    await phone.say("nguyen thi hien")
    i = invitation.c
    async with running.context.engines.read() as connection:
        here = sa.select(i.number).where(i.point_id == phone.conference.points["HN-0002"]).order_by(i.number)
        numbers = list((await connection.execute(here)).scalars())
    assert numbers == [1, 2, 3, 4]


async def test_ambiguous_answers_count_as_tries(phone: Phone) -> None:
    """Trying every number of a list under one name is guessing, too."""
    claim = (await phone.scan()).form_with("claim")
    answers = [await phone.post(**claim, who="nguyen thi hien", number=str(number)) for number in (90, 91, 92, 93, 94)]
    assert [answer.status for answer in answers] == [409] * 5
    assert "Đã nhập sai nhiều lần" in answers[-1].words
    assert (await phone.post(**claim, who="nguyen thi hien", number="1")).status == 409


# --- badges ---------------------------------------------------------------------------------------------------
async def test_badge_link_or_its_letters(phone: Phone, running: Running) -> None:
    """Pasted as a link or copied by hand, in small letters and with dashes: the badge says who it is."""
    link = await badge_of(running, "DB-0006")
    letters = link.rpartition("/")[2]
    by_hand = "-".join(letters[start : start + 5] for start in range(0, 26, 5)).lower()
    for typed in (link, link.lower(), letters, by_hand, f"{link}?fbclid=" + "x" * 100):
        asked = await phone.say(typed)
        assert asked.status == 200, asked.words
        assert "Lê Hoà" in asked.words
    receipt = await phone.check_in(link)
    assert "Lê Hoà" in receipt.words


async def test_badge_holder_learns_where_they_were_recorded(phone: Phone, running: Running) -> None:
    """Possession proves who asks: when and where the earlier entry was is told to them, and to nobody who types."""
    await phone.check_in("DB-0006", "HN-0003")
    running.clock.advance(120)
    link = await badge_of(running, "DB-0006")
    holder = await phone.another().check_in(link)
    assert "Đã được ghi trước đó" in holder.words
    assert "09:40, tại Hội trường Quận ủy Hoàn Kiếm" in holder.words
    for typed in ("DB-0006", "le hoa", "02438250000"):
        stranger = await phone.another().check_in(typed)
        assert "Hoàn Kiếm" not in stranger.words
        assert not re.search(r"\d\d:\d\d", stranger.words)
    assert await figures(running.context.engines) == (1, 1, 5, 1)


async def test_revoked_badge(phone: Phone, running: Running) -> None:
    """A badge that was taken back opens nothing; its holder still checks in by name."""
    link = await badge_of(running, "DB-0006")
    await badges.reissue(System(), running.context, "DB-0006")
    refused = await phone.say(link)
    assert refused.status == 410
    assert "không còn hiệu lực" in refused.words
    assert (await phone.post(**refused.form_with("claim"), who="le hoa")).status == 200


async def test_unknown_badge_is_a_wrong_name(phone: Phone) -> None:
    """Twenty-six letters of nobody are answered like any other wrong name."""
    assert (await phone.say("A" * 26)).status == 404
    assert (await phone.say("https://other.vn/B/" + "A" * 26)).status == 404


# --- on no list -------------------------------------------------------------------------------------------------
async def test_who_is_on_no_list_writes_name_and_unit(phone: Phone, running: Running) -> None:
    """A guest is not turned away: name and unit, one tap, a tick; the office sees them apart."""
    unknown = await phone.say("Trần Khách Mời")
    form = await phone.post(**{**unknown.forms()[1], "guest": "1"})
    assert 'value="Trần Khách Mời"' in form.text
    sent = await phone.post(**form.form_with("claim"), name="Trần Khách Mời", unit="Sở Nội vụ", stands_for="Lê Hoà")
    receipt = await phone.send("GET", sent.headers["Location"])
    assert "Đã điểm danh" in receipt.words
    assert "Ngoài danh sách" in receipt.words
    assert "số" not in receipt.words.split("Ban tổ chức")[0].replace("số điện thoại", "")
    assert await figures(running.context.engines) == (0, 0, 1, 1)
    (event,) = await events(running)
    assert event.flags == "unlisted substitute"
    async with running.context.engines.read() as connection:
        (row,) = await connection.execute(sa.select(unlisted))
        points = await connection.execute(sa.select(session_point.c.unlisted).order_by(session_point.c.door_id))
        assert list(points.scalars()) == [0, 1, 0, 0]
    assert (row.name, row.unit_text, row.stands_for_text, row.nonce) == (
        "Trần Khách Mời",
        "Sở Nội vụ",
        "Lê Hoà",
        event.nonce,
    )


async def test_guest_sent_twice_counts_once(phone: Phone, running: Running) -> None:
    """A double tap, and the same guest scanning again: one person."""
    claim = (await phone.scan()).form_with("claim")
    guest = {"name": "Trần Khách Mời", "unit": "Sở Nội vụ"}
    first = await phone.post(**claim, **guest)
    again = await phone.post(**claim, **guest)
    assert first.headers["Location"] == again.headers["Location"]
    later = await phone.post(**(await phone.scan()).form_with("claim"), name=" trần  khách mời ", unit="so noi vu")
    assert "Đã được ghi trước đó" in (await phone.send("GET", later.headers["Location"])).words
    assert [event.counted for event in await events(running)] == [True, False]


@pytest.mark.parametrize(
    ("typed", "words"),
    [({"name": "", "unit": "Sở"}, "Chưa có họ tên"), ({"name": "Lan", "unit": " \u200b "}, "Chưa có đơn vị")],
)
async def test_guest_form_keeps_what_was_typed(phone: Phone, typed: dict[str, str], words: str) -> None:
    """A forgotten field asks for that field, and loses nothing of the other."""
    page = await phone.post(**(await phone.scan()).form_with("claim"), **typed)
    assert page.status == 400
    assert words in page.words
    assert all(f'value="{text}"' in page.text for text in typed.values() if text.strip("\u200b "))


async def test_session_without_a_list_asks_for_name_and_unit(phone: Phone, running: Running) -> None:
    """Where nobody is invited nobody has to be found; who has a code or a badge may still use it."""
    await change(running, sa.delete(invitation))
    form = await phone.scan()
    assert 'name="unit"' in form.text
    sent = await phone.post(**form.form_with("claim"), name="Lê Hoà", unit="Văn phòng")
    assert "Đã điểm danh" in (await phone.send("GET", sent.headers["Location"])).words
    form = await phone.another().scan()
    who = await phone.post(**form.forms()[1], listed="1")
    await phone.tap(await phone.post(**who.form_with("claim"), who="DB-0007"))
    assert [event.flags for event in await events(running)] == ["unlisted", "shared_device"]


# --- spot-checks ------------------------------------------------------------------------------------------------
async def asked_for_presence(running: Running) -> int:
    """The centre asks all halls, with a code of its own for ten minutes."""
    await change(running, sa.update(session).values(state="live"))
    check = SpotCheckNew(Phase.MIDDLE, SpotMode.CODE, 10)
    return (await spot_checks.begin(System(), running.context, "S1", check)).id


def spot_code(phone: Phone, check_id: int, hall: str = "HN-0002") -> str:
    """What the hall's display shows during the check."""
    step = door_code.step_of(phone.running.clock.now_ms())
    return door_code.encode(phone.conference.door_ids[hall], phone.conference.door_keys[hall], step, check_id)


async def test_code_of_a_spot_check_confirms_presence(phone: Phone, running: Running, sample: Sample) -> None:
    """Who checked in before confirms that they are still there; who had not is counted by it; one tap again."""
    await phone.check_in("le hoa")
    running.clock.advance(3600)
    check_id = await asked_for_presence(running)
    offered = await phone.send("GET", f"/C/{spot_code(phone, check_id)}")
    assert "Lê H•••" in offered.words
    assert "Xác nhận có mặt" in offered.words
    first = await phone.post(**offered.form_with("confirm"))
    again = await phone.post(**offered.form_with("confirm"))
    assert first.headers["Location"] == again.headers["Location"]
    receipt = await phone.send("GET", first.headers["Location"])
    assert "Đã xác nhận có mặt" in receipt.words
    assert "10:40:00" in receipt.words
    late = phone.another()
    scanned = await late.send("GET", f"/C/{spot_code(phone, check_id)}")
    await late.tap(await late.post(**scanned.form_with("claim"), who="h'hen nie"))
    assert await figures(running.context.engines) == (2, 2, 3, 2)
    assert [event.kind for event in await events(running)] == ["check_in", "spot_check", "spot_check"]
    async with running.context.engines.read() as connection:
        seen = (await connection.execute(sa.select(spot_check_person).where(spot_check_person.c.seen))).all()
    assert {(row.spot_check_id, row.attendee_id) for row in seen} >= {
        (check_id, sample.attendees["DB-0006"]),
        (check_id, sample.attendees["DB-0005"]),
    }


async def test_scan_that_is_taken_back_confirms_nothing(phone: Phone, running: Running) -> None:
    """Somebody scanned for a colleague who is not there: taken back, the colleague is seen by no check any more."""
    check_id = await asked_for_presence(running)
    for _ in range(2):
        scanned = await phone.another().send("GET", f"/C/{spot_code(phone, check_id)}")
        await phone.another().tap(await phone.another().post(**scanned.form_with("claim"), who="le hoa"))
    seen: list[int] = []
    for event in await events(running):
        path = f"/api/v1/sessions/S1/check-ins/{nonces.write(event.nonce)}/annul"
        await running.admin.ok("POST", path, {"reason": "quét hộ"})
        (check,) = (await running.admin.ok("GET", "/api/v1/sessions/S1/spot-checks"))["items"]
        seen.append(check["figures"]["scanned"])
    assert seen == [1, 0]
    assert await figures(running.context.engines) == (0, 0, 4, 1)


async def test_spot_check_is_no_oracle(phone: Phone, running: Running) -> None:
    """Typing somebody's name during a check does not tell whether they had been there before."""
    check_id = await asked_for_presence(running)
    told: list[str] = []
    await phone.check_in("DB-0005")
    for person in ("DB-0005", "DB-0006"):
        stranger = phone.another()
        scanned = await stranger.send("GET", f"/C/{spot_code(phone, check_id)}")
        receipt = await stranger.tap(await stranger.post(**scanned.form_with("claim"), who=person))
        told.append(receipt.words.replace("H'Hen N•••", "X").replace("Lê H•••", "X"))
    assert told[0] == told[1]


async def test_code_of_a_spot_check_ends_with_it(phone: Phone, running: Running) -> None:
    """A minute after the end its last code is expired, and says so; another hall's check opens nothing here."""
    check_id = await asked_for_presence(running)
    running.clock.advance(599)
    last = spot_code(phone, check_id)
    running.clock.advance(50)
    assert (await phone.send("GET", f"/C/{last}")).status == 200
    running.clock.advance(30)
    assert (await phone.send("GET", f"/C/{spot_code(phone, check_id)}")).status == 410
    assert (await phone.send("GET", f"/C/{spot_code(phone, check_id + 1)}")).status == 404
    running.clock.advance(3600)
    assert (await phone.send("GET", f"/C/{spot_code(phone, check_id)}")).status == 404


# --- closing ------------------------------------------------------------------------------------------------------
async def test_tap_after_closing(phone: Phone, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session closes between our look and the commit: the tap is refused and nothing slips in."""
    asked = await phone.say("le hoa")
    check_in = type(running.context.writer).check_in

    async def closing_first(writer: Any, item: Any) -> Any:
        await writer.write(lambda connection: connection.execute(sa.update(session).values(state="closed")))
        return await check_in(writer, item)

    monkeypatch.setattr(type(running.context.writer), "check_in", closing_first)
    refused = await phone.post(**asked.form_with("confirm"))
    assert refused.status == 409
    assert "chốt số liệu" in refused.words
    assert await figures(running.context.engines) == (0, 0, 0, 0)


# --- programs -----------------------------------------------------------------------------------------------------
async def test_program_gets_everything(running: Running, sample: Sample) -> None:
    """What a page offers, a program is offered: remembered people, guests, numbers, badges."""
    phone = Phone(running, sample)
    anonymous = running.anonymous
    cookies: dict[str, str] = {}

    async def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return await anonymous.call(method, path, body, headers={"Accept": "application/json", "Cookie": cookie})

    _, opened = await ask("GET", f"/c/{phone.code()}")
    assert (opened["listed"], opened["spot_check"], opened["remembered"]) == (True, False, None)
    status, problem = await ask("POST", "/c/check-in", {"claim": opened["claim"], "who": "nguyen thi hien"})
    assert (status, problem["code"], problem["params"]) == (409, "ambiguous_name", {"by": "name"})
    _, found = await ask("POST", "/c/check-in", {"claim": opened["claim"], "who": "nguyen thi hien", "number": "1"})
    assert (found["masked"], found["full_name"]) == ("Nguyễn T••• H•••", None)
    link = await badge_of(running, "DB-0006")
    _, found = await ask("POST", "/c/check-in", {"claim": opened["claim"], "who": link})
    assert found["full_name"] == "Lê Hoà"
    _, guest = await ask("POST", "/c/check-in", {"claim": opened["claim"], "name": "Lan", "unit": "Sở"})
    assert (guest["result"], guest["unlisted"], guest["number"], guest["shown"]) == ("accepted", True, None, "Lan")
    status, problem = await ask("POST", "/c/check-in", {"claim": opened["claim"], "name": "Lan", "unit": ""})
    assert (status, problem["code"], problem["params"]["field"]) == (400, "malformed", "unit")
    await phone.check_in("le hoa")
    cookies.update(phone.cookies)
    _, opened = await ask("GET", f"/c/{phone.code()}")
    assert opened["remembered"]["masked"] == "Lê H•••"
    _, done = await ask("POST", "/c/check-in", {"confirm": opened["remembered"]["confirm"]})
    assert (done["result"], done["earlier_ms"]) == ("duplicate", None)
