"""A spot-check in real browsers: begun in the console, answered in the hall, shown on the hall's screen."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zxingcpp
from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import Browser, Page, expect
from support import NOW_MS, Running

from diemcau import i18n
from diemcau.services import nonces

HALL = "Hội trường xã Đại Đồng"
HOUR_MS = 3_600_000
PEOPLE = ("Nguyễn Thị Hồng Đào", "Trần Văn Ánh", "H'Hen Niê", "Lê Hoà", "Y Thông Ê-ban", "Điểu K'Ré")
PICTURES = os.environ.get("DIEMCAU_TEST_PICTURES")


def words(key: str, **params: str | float) -> str:
    """The Vietnamese words on the screen."""
    return i18n.text("vi", key, **params)


@dataclass(slots=True)
class Conference:
    """A server with one hall of six people, all checked in; browsers open onto it."""

    running: Running
    browser: Browser

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """What the organizer asks of the server."""
        return await self.running.admin.ok(method, path, body)

    async def page(self, width: int, height: int, **options: Any) -> Page:
        """A new browser's page."""
        context = await self.browser.new_context(viewport={"width": width, "height": height}, locale="vi-VN", **options)
        return await context.new_page()

    async def paired(self, kind: str, width: int, height: int) -> Page:
        """A page of the hall."""
        page = await self.page(width, height)
        await page.goto((await self.call("POST", "/api/v1/points/DD/pairings", {"kind": kind}))["url"])
        await page.get_by_role("button", name=words("pair.press")).click()
        await page.wait_for_url("**/display" if kind == "display" else "**/operator")
        return page

    async def console(self) -> Page:
        """The organizer's page of spot-checks."""
        page = await self.page(1366, 800)
        origin = self.running.context.settings.origin
        cookie = {"name": "diemcau_session", "value": str(self.running.admin.token), "url": origin}
        await page.context.add_cookies([cookie])  # type: ignore[list-item]
        await page.goto(f"{origin}/s/session/S1/spot-checks")
        return page


@asynccontextmanager
async def conference(browser: Browser, running: Running) -> AsyncIterator[Conference]:
    """The conference, its broadcast on."""
    here = Conference(running, browser)
    await here.call("POST", "/api/v1/units", {"code": "DD", "name": "Xã Đại Đồng"})
    await here.call("POST", "/api/v1/points", {"code": "DD", "name": HALL, "unit": "DD"})
    for number, name in enumerate(PEOPLE, 1):
        person = {"code": f"A{number}", "full_name": name, "unit": "DD", "point": "DD", "title": "Đại biểu"}
        await here.call("POST", "/api/v1/attendees", person)
    times = {"starts_ms": NOW_MS + HOUR_MS, "ends_ms": NOW_MS + 3 * HOUR_MS}
    await here.call("POST", "/api/v1/sessions", {"code": "S1", "title": "Buổi sáng", **times})
    await here.call("PUT", "/api/v1/sessions/S1/points", {"unit": "DD"})
    await here.call("PUT", "/api/v1/sessions/S1/invitations", {"unit": "DD"})
    await here.call("POST", "/api/v1/sessions/S1/state", {"to": "open"})
    sheet = {"nonce": nonces.write(nonces.make(NOW_MS)), "point": "DD", "reason": "mất điện"}
    people = [{"code": f"A{number}"} for number in range(1, 7)]
    await here.call(
        "POST", "/api/v1/sessions/S1/papers", sheet | {"device_ms": NOW_MS, "at_ms": NOW_MS, "people": people}
    )
    await here.call("POST", "/api/v1/sessions/S1/state", {"to": "live"})
    yield here
    for context in list(browser.contexts):
        await context.close()


async def picture(page: Page, name: str) -> None:
    """Keep a picture for whoever looks at the page, where a folder for them is named."""
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


async def violations(page: Page) -> list[str]:
    """What axe finds wrong on the page, in either colour scheme."""
    wrong = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        found = await Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        wrong += [f"{rule['id']}: {node['target']}" for rule in found.response["violations"] for node in rule["nodes"]]
    return wrong


async def test_asked_in_the_console_answered_in_the_hall(browser: Browser, running: Running) -> None:
    """The organizer presses one button; within seconds the hall is asked, and its answers stand in the table."""
    async with conference(browser, running) as here:
        operator = await here.paired("operator", 360, 780)
        await expect(operator.get_by_text(words("link.online")).first).to_be_visible()
        console = await here.console()
        await expect(console.get_by_text(words("spot.console.none"))).to_be_visible()
        await console.get_by_role("button", name=words("spot.console.begin")).click()
        dialog = console.get_by_role("dialog")
        await dialog.get_by_label(words("spot.console.phase")).select_option("middle")
        await dialog.get_by_role("button", name=words("spot.console.begin")).click()
        await expect(console.get_by_text(f"○ {words('spot.console.no_answer')}")).to_be_visible()

        asked = operator.get_by_role("region", name=re.compile(words("spot.title")))
        await expect(asked).to_be_visible(timeout=10_000)
        await expect(asked.get_by_role("listitem")).to_have_count(5)
        seen = asked.get_by_role("button", name=words("spot.seen"))
        for index in range(4):
            await seen.nth(index).click()
        await asked.get_by_role("button", name=words("spot.not_seen")).nth(4).click()
        await asked.get_by_label(words("spot.headcount")).fill("nhiều")
        await asked.get_by_role("button", name=words("spot.headcount_save")).click()
        await expect(asked.get_by_text(words("spot.headcount_bad"))).to_be_visible()
        await asked.get_by_label(words("spot.headcount")).fill("7")
        await asked.get_by_role("button", name=words("spot.headcount_save")).click()
        await expect(asked.get_by_text(re.compile(r"^Đã trả lời đủ"))).to_be_visible()
        await picture(operator, "spot-operator-360")
        assert await violations(operator) == []
        await picture(operator, "spot-operator-360-dark")

        cell = console.get_by_role("cell").filter(has_text=words("spot.console.cell_people", headcount=7, present=6))
        await expect(cell).to_be_visible(timeout=15_000)
        await expect(cell).to_contain_text(words("spot.console.cell_names", confirmed=4, asked=5))
        await expect(cell).to_contain_text(words("spot.console.cell_not_confirmed", n=1))
        await picture(console, "spot-console")
        assert await violations(console) == []
        assert (await here.call("GET", "/api/v1/sessions/S1"))["present"] == 6


async def test_answers_wait_for_the_network(browser: Browser, running: Running) -> None:
    """The line drops just then: what was tapped stays, says that it waits, and goes out by itself."""
    async with conference(browser, running) as here:
        operator = await here.paired("operator", 360, 780)
        await here.call("POST", "/api/v1/sessions/S1/spot-checks", {"phase": "end"})
        asked = operator.get_by_role("region", name=re.compile(words("spot.title")))
        await expect(asked.get_by_role("listitem")).to_have_count(5, timeout=10_000)
        await operator.context.set_offline(True)
        await asked.get_by_role("button", name=words("spot.seen")).first.click()
        await expect(asked.get_by_text(words("spot.waiting"))).to_be_visible()
        await expect(asked.get_by_role("button", pressed=True)).to_have_count(1)
        async with operator.expect_response("**/spot-checks/*/points/DD") as answered:
            await operator.context.set_offline(False)
        assert (await answered.value).ok
        await expect(asked.get_by_text(words("spot.waiting"))).to_be_hidden()
        (check,) = (await here.call("GET", "/api/v1/sessions/S1/spot-checks"))["items"]
        assert check["figures"]["confirmed"] == 1


async def test_answers_outlive_the_page(browser: Browser, running: Running) -> None:
    """The phone reloads the page while its answers wait: they are still there, and arrive with the line."""
    async with conference(browser, running) as here:
        operator = await here.paired("operator", 360, 780)
        await here.call("POST", "/api/v1/sessions/S1/spot-checks", {"phase": "end"})
        asked = operator.get_by_role("region", name=re.compile(words("spot.title")))
        await expect(asked.get_by_role("listitem")).to_have_count(5, timeout=10_000)
        await operator.set_viewport_size({"width": 320, "height": 640})
        assert await operator.evaluate("document.documentElement.scrollWidth") == 320, "wider than a small phone"
        await operator.route("**/spot-checks/*/points/DD", lambda route: route.abort())
        await asked.get_by_role("button", name=words("spot.seen")).first.click()
        await expect(asked.get_by_text(words("spot.waiting"))).to_be_visible()
        await operator.unroute("**/spot-checks/*/points/DD")
        async with operator.expect_response("**/spot-checks/*/points/DD") as answered:
            await operator.reload()
        assert (await answered.value).ok
        await expect(asked.get_by_role("button", pressed=True)).to_have_count(1)
        (check,) = (await here.call("GET", "/api/v1/sessions/S1/spot-checks"))["items"]
        assert check["figures"]["confirmed"] == 1


async def test_the_screen_shows_a_code_of_its_own(browser: Browser, running: Running, tmp_path: Path) -> None:
    """The projector says what it is for, with a code that is not the door's; without the server it goes on."""
    async with conference(browser, running) as here:
        display = await here.paired("display", 1366, 768)
        code = display.get_by_role("img", name=words("display.qr", point=HALL))
        await expect(code).to_be_visible()
        before = await scanned(display, tmp_path)
        await here.call("POST", "/api/v1/sessions/S1/spot-checks", {"phase": "start", "mode": "code", "minutes": 5})
        await expect(display.get_by_text(words("spot.display_text"))).to_be_visible(timeout=10_000)
        during = await scanned(display, tmp_path)
        assert during != before
        door = await here.call("GET", "/api/v1/sessions/S1/points/DD/door")
        assert door["spot"]["until_ms"] == NOW_MS + 5 * 60_000
        await picture(display, "spot-display")
        assert await violations(display) == []
        await running.server.__aexit__()
        still_works = words("display.lost_endless", duration="").partition(". ")[2]
        await expect(display.get_by_text(still_works)).to_be_visible(timeout=15_000)
        await expect(display.get_by_text(words("spot.display_text"))).to_be_visible()


async def scanned(display: Page, folder: Path) -> str:
    """What a camera reads off the screen."""
    await display.screenshot(path=folder / "display.png")
    (found,) = zxingcpp.read_barcodes(Image.open(folder / "display.png"))
    return found.text
