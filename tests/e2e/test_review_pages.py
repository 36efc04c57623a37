"""The organizer's and the clerk's browser: matching, taking back, freezing, badges."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from io import BytesIO
from typing import Any

import pytest
import zxingcpp
from axe_playwright_python.async_playwright import Axe
from operator_hall import HALL, Centre, words
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect
from support import PASSWORD

from diemcau.services import nonces

OTHER_HALL = "Nhà văn hóa xã Tân Minh"
COMES = "H'Hen Niê"
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SCREEN: dict[str, Any] = {"locale": "vi-VN", "viewport": {"width": 1366, "height": 768}, "accept_downloads": True}

SignIn = Callable[[str], Awaitable[Page]]


def button(where: Page | Locator, key: str, about: str = "") -> Locator:
    """The button that says this, about that."""
    return where.get_by_role("button", name=words(key) + (f": {about}" if about else ""), exact=True)


async def record(here: Centre, who: dict[str, str], point: str = "DD") -> dict[str, Any]:
    """Enter somebody as the organizer does through the API."""
    now_ms = time.time_ns() // 1_000_000
    item = {"nonce": nonces.write(nonces.make(now_ms)), "point": point, "who": who, "at_ms": now_ms, "reason": "thử"}
    batch = {"device_ms": now_ms, "items": [item]}
    (result,) = (await here.call("POST", "/sessions/S1/check-ins", batch))["items"]
    assert result["result"] != "refused", result
    return dict(result)


@pytest.fixture
async def two(here: Centre) -> Centre:
    """A second hall, a namesake in it, a clerk of the first unit and an inspector."""
    await here.call("POST", "/units", {"code": "TM", "name": "Xã Tân Minh"})
    await here.call("POST", "/points", {"code": "TM", "name": OTHER_HALL, "unit": "TM"})
    namesake = {"code": "B1", "full_name": "Nguyễn Thị Hiền", "title": "Bí thư chi bộ", "unit": "TM", "point": "TM"}
    await here.call("POST", "/attendees", namesake)
    await here.call("PUT", "/sessions/S1/points", {"points": ["DD", "TM"]})
    await here.call("PUT", "/sessions/S1/invitations", {"unit": "TM"})
    for name, role, unit in (("chủ", "admin", None), ("cán bộ", "clerk", "DD"), ("thanh tra", "inspector", None)):
        account = {"name": name, "password": PASSWORD, "grants": [{"role": role, "unit": unit}]}
        await here.call("POST", "/accounts", account)
    return here


@pytest.fixture
async def sign_in(browser: Browser, two: Centre) -> AsyncIterator[SignIn]:
    """Opens a browser of somebody's own, signed in; nothing may fail in its scripts."""
    broken: list[str] = []
    async with AsyncExitStack() as stack:

        async def opened(name: str) -> Page:
            context: BrowserContext = await browser.new_context(**SCREEN, base_url=f"http://localhost:{two.port}")
            stack.push_async_callback(context.close)
            context.set_default_timeout(15_000)
            page = await context.new_page()
            page.on("pageerror", lambda error: broken.append(str(error)))
            await page.goto("/s/login")
            await page.get_by_label(words("console.login.name"), exact=True).fill(name)
            await page.get_by_label(words("console.login.password"), exact=True).fill(PASSWORD)
            await button(page, "console.login.button").click()
            await expect(page.get_by_role("link", name=words("console.nav.people"), exact=True)).to_be_visible()
            return page

        yield opened
    assert broken == []


async def clean(page: Page) -> None:
    """Nothing that keeps anybody out, and nothing beside the screen."""
    found = await Axe().run(page, options=AXE)
    assert found.violations_count == 0, found.generate_report()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def notice(page: Page, text: str) -> None:
    """What the page says became of it."""
    await expect(page.get_by_role("status").filter(has_text=text).first).to_be_visible()


async def downloaded(page: Page, pressed: Locator) -> str:
    """The file that pressing this gives."""
    async with page.expect_download() as download:
        await pressed.click()
    path = await (await download.value).path()
    return await asyncio.to_thread(path.read_text, encoding="utf-8")


# --- people on no list -----------------------------------------------------------------------------------------
async def test_a_clerk_says_who_a_typed_name_is(two: Centre, sign_in: SignIn) -> None:
    """A summoned person who was not found at the door would stay absent, and be counted apart for ever."""
    await record(two, {"type": "unlisted", "name": "Nguyen thi Hien", "unit": "xa Dai Dong"})
    page = await sign_in("cán bộ")
    await page.goto("/s/session/S1")
    await page.get_by_role("link", name=words("review.page"), exact=True).click()
    await clean(page)
    await button(page, "review.match", "Nguyen thi Hien").click()
    dialog = page.get_by_role("dialog")
    person = dialog.get_by_role("radio", name="Nguyễn Thị Hiền Chi ủy viên · Xã Đại Đồng · A1")
    await expect(person).to_be_visible()
    await button(dialog, "review.match.yes").click()
    await expect(dialog.get_by_role("alert")).to_have_text(words("review.match.must"))
    await person.check()
    await clean(page)
    await button(dialog, "review.match.yes").click()
    await notice(page, f"Nguyễn Thị Hiền được tính có mặt tại {HALL}")
    await expect(page.get_by_text(words("review.unlisted.none"), exact=True)).to_be_visible()
    assert page.url.endswith("/review")
    await page.goto("/s/session/S1/board")
    tile = words("console.board.tile", name=HALL, state=words("console.board.state.expected"), present="1")
    await expect(page.get_by_role("button", name=tile)).to_be_visible()
    assert await two.present() == {"Nguyễn Thị Hiền"}


async def test_a_guest_is_added_to_a_units_list(two: Centre, sign_in: SignIn) -> None:
    """A guest whom nobody listed could never be counted."""
    await record(two, {"type": "unlisted", "name": "Hoàng Văn Khách", "unit": "Hội Nông dân"})
    page = await sign_in("cán bộ")
    await page.goto("/s/session/S1/review")
    await button(page, "review.add", "Hoàng Văn Khách").click()
    dialog = page.get_by_role("dialog")
    unit = dialog.get_by_role("combobox", name=words("console.people.unit"), exact=True)
    await unit.click()
    await unit.fill("dai dong")
    await dialog.get_by_role("option", name="Xã Đại Đồng").click()
    await button(dialog, "review.add").click()
    await notice(page, "Hoàng Văn Khách được tính có mặt")
    await button(page, "review.unlisted.matched").click()
    await expect(page.get_by_text("DD-X01")).to_be_visible()


# --- two halls, one person -------------------------------------------------------------------------------------
async def test_the_hall_where_somebody_really_sat_counts(two: Centre, sign_in: SignIn) -> None:
    """Somebody who was entered in the wrong hall would be counted there, whatever the organizer knows."""
    await record(two, {"type": "attendee", "code": "A2"}, "DD")
    assert (await record(two, {"type": "attendee", "code": "A2"}, "TM"))["result"] == "duplicate"
    page = await sign_in("chủ")
    await page.goto("/s/session/S1/review")
    await page.get_by_role("link", name=words("review.tab.halls")).click()
    await clean(page)
    await button(page, "history.annul", f"{COMES}, {HALL}").click()
    dialog = page.get_by_role("dialog")
    await button(dialog, "history.annul").click()
    await expect(dialog.get_by_text(words("console.required"))).to_be_visible()
    await dialog.get_by_label(words("history.why"), exact=True).fill("Ngồi ở Tân Minh")
    await button(dialog, "history.annul").click()
    await notice(page, f"Lượt tại {OTHER_HALL}")
    (row,) = (await two.call("GET", "/sessions/S1/attendance?q=A2"))["items"]
    assert (row["point"], row["status"]) == ("TM", "present")
    await page.goto("/s/session/S1/attendance?person=A2")
    history = page.get_by_role("dialog", name=COMES)
    await expect(history.get_by_text(words("history.annulled_why", reason="Ngồi ở Tân Minh"))).to_be_visible()
    await expect(history.locator(".annulled")).to_contain_text(HALL)
    await clean(page)
    await page.keyboard.press("Escape")
    await page.wait_for_url("**/attendance")


# --- freezing --------------------------------------------------------------------------------------------------
async def freeze(page: Page) -> None:
    """End the session and freeze its figures, as the organizer does."""
    await page.goto("/s/session/S1")
    for move in ("live", "ended", "closed"):
        await button(page, f"console.session.move.{move}").click()
        if move != "live":
            dialog = page.get_by_role("dialog")
            if move == "closed":
                await expect(dialog.get_by_text(words("minutes.close.late"))).to_be_visible()
            await button(dialog, f"console.session.move.{move}").click()
            await expect(dialog).to_have_count(0)


async def enter(page: Page, code: str, reason: str) -> None:
    """Record somebody as present by hand, from the attendance list."""
    await page.goto(f"/s/session/S1/attendance?person={code}")
    await button(page, "history.present").click()
    dialog = page.get_by_role("dialog").last
    await expect(dialog.get_by_role("combobox", name=words("history.hall"), exact=True)).to_have_value(HALL)
    await dialog.get_by_label(words("history.why"), exact=True).fill(reason)
    await button(dialog, "history.present").click()


async def test_what_comes_after_freezing_waits_for_the_next_revision(two: Centre, sign_in: SignIn) -> None:
    """Frozen figures would change in silence, or a late entry would be lost."""
    page = await sign_in("chủ")
    await enter(page, "A2", "Quên điện thoại")
    await notice(page, words("history.result.accepted"))
    await freeze(page)
    await expect(page.get_by_text(words("minutes.nothing_waits"))).to_be_visible()
    await enter(page, "A3", "Danh sách giấy đến muộn")
    await notice(page, words("history.result.held"))
    assert await two.present() == {COMES}
    await page.goto("/s/session/S1/review")
    await expect(page.get_by_text(words("review.closed"))).to_be_visible()
    await page.goto("/s/session/S1")
    await page.get_by_role("link", name=words("minutes.waiting_link")).click()
    await expect(page.get_by_text("Trần Văn Ánh")).to_be_visible()
    await page.go_back()
    await clean(page)
    await button(page, "minutes.revise").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label(words("history.why"), exact=True).fill("Bổ sung danh sách giấy")
    await button(dialog, "minutes.revise").click()
    await expect(page.get_by_text(words("minutes.why", reason="Bổ sung danh sách giấy"))).to_be_visible()
    await expect(page.get_by_text(words("minutes.change", change="+1"), exact=True)).to_have_count(1)
    assert await two.present() == {COMES, "Trần Văn Ánh"}
    minutes = await downloaded(page, button(page, "minutes.download", words("minutes.file.minutes")))
    assert '"revision":2' in minutes


async def test_a_refused_file_says_why(two: Centre, sign_in: SignIn) -> None:
    """A clerk who may not have the whole session's minutes would press a button that does nothing."""
    for state in ("live", "ended", "closed"):
        await two.call("POST", "/sessions/S1/state", {"to": state})
    page = await sign_in("cán bộ")
    await page.goto("/s/session/S1")
    await button(page, "minutes.download", words("minutes.file.minutes")).click()
    await expect(page.get_by_role("alert")).to_have_text(words("error.forbidden"))
    await expect(button(page, "minutes.revise")).to_have_count(0)


# --- paper -----------------------------------------------------------------------------------------------------
def photograph() -> bytes:
    """Of a sheet."""
    kept = BytesIO()
    Image.new("RGB", (60, 80), "#eee").save(kept, "JPEG")
    return kept.getvalue()


async def test_a_sheet_is_looked_at_and_taken_back(two: Centre, sign_in: SignIn) -> None:
    """People who were ticked by mistake would stay counted, with nobody able to see the sheet they came from."""
    now_ms = time.time_ns() // 1_000_000
    nonce = nonces.write(nonces.make(now_ms))
    sheet = {"nonce": nonce, "point": "DD", "reason": "Mất điện", "device_ms": now_ms, "at_ms": now_ms}
    await two.call("POST", "/sessions/S1/papers", sheet | {"people": [{"code": "A2"}, {"code": "A3"}]})
    page = await sign_in("chủ")
    photo = f"/api/v1/sessions/S1/papers/{nonce}/photo"
    origin = {"Origin": f"http://localhost:{two.port}", "Content-Type": "application/octet-stream"}
    assert (await page.request.put(photo, data=photograph(), headers=origin)).ok
    await page.goto("/s/session/S1/papers")
    await page.get_by_role("button", name=words("sheets.photo_of", point=HALL)).click()
    picture = page.get_by_role("img", name=words("sheets.photo_of", point=HALL))
    await expect(picture).to_have_js_property("naturalWidth", 60)
    await clean(page)
    await page.go_back()
    await page.get_by_role("button", name=words("sheets.undo")).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label(words("history.why"), exact=True).fill("Nhập nhầm buổi")
    await button(dialog, "sheets.undo").click()
    await expect(page.get_by_text("đã hoàn tác lúc")).to_be_visible()
    assert await two.present() == set()
    await clean(page)


# --- badges ----------------------------------------------------------------------------------------------------
async def decoded(page: Page) -> str:
    """What a scanner reads off the badge on the screen."""
    code = page.get_by_role("img", name=words("badges.qr", name=COMES))
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(await code.screenshot())))
    return str(found.text)


async def test_a_badge_on_the_screen_is_the_link_that_scanners_read(two: Centre, sign_in: SignIn) -> None:
    """A badge handed out would open nothing, or go on working after it was replaced."""
    page = await sign_in("cán bộ")
    await page.goto("/s/people")
    await page.get_by_role("button", name=words("badges.of", name=COMES)).click()
    first = two.badges[COMES]
    assert await decoded(page) == first
    await clean(page)
    await button(page, "badges.reissue").click()
    await button(page.get_by_role("group", name=words("badges.reissue")), "badges.reissue").click()
    await notice(page, words("badges.reissued"))
    second = await decoded(page)
    assert second != first
    await page.go_back()
    await page.wait_for_url("**/s/people")
    old, new = [await page.request.get(link.lower().replace("/b/", "/B/")) for link in (first, second)]
    assert (old.ok, new.ok) == (False, True)


async def test_links_of_a_unit_are_a_file_that_no_spreadsheet_runs(two: Centre, sign_in: SignIn) -> None:
    """A name that begins with an equals sign would run on the printer's computer."""
    await two.call("POST", "/attendees", {"code": "A9", "full_name": "＝HYPERLINK", "unit": "DD"})
    page = await sign_in("cán bộ")
    await page.goto("/s/people?badges=1")
    dialog = page.get_by_role("dialog")
    await button(dialog, "badges.bulk.issue").click()
    await notice(page, words("badges.bulk.done", made="1", total="9"))
    text = await downloaded(page, button(dialog, "badges.bulk.csv"))
    assert text.startswith("\ufeffMã,")
    assert "A9,'＝HYPERLINK,Xã Đại Đồng," in text
    assert two.badges[COMES] in text
    assert "B1," not in text


# --- who may not -----------------------------------------------------------------------------------------------
async def test_an_inspector_looks_and_changes_nothing(two: Centre, sign_in: SignIn) -> None:
    """Whoever only inspects would be offered buttons that fail, or worse, that do not."""
    await record(two, {"type": "unlisted", "name": "Hoàng Văn Khách"})
    await record(two, {"type": "attendee", "code": "A2"})
    page = await sign_in("thanh tra")
    await page.goto("/s/session/S1/review")
    await expect(page.get_by_text("Hoàng Văn Khách")).to_be_visible()
    await expect(button(page, "review.match", "Hoàng Văn Khách")).to_have_count(0)
    await page.goto("/s/session/S1/attendance?person=A2")
    history = page.get_by_role("dialog", name=COMES)
    await expect(history.get_by_text(words("history.counts"))).to_be_visible()
    await expect(history.get_by_role("button")).to_have_count(1)
    await page.goto("/s/people")
    await expect(page.get_by_text(COMES)).to_be_visible()
    await expect(page.get_by_role("button", name=words("badges.of", name=COMES))).to_have_count(0)
