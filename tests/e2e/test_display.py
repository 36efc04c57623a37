"""The display at the door and the operator's page in a real browser, from pairing to being taken away."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zxingcpp
from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, expect
from support import NOW_MS, Running

from diemcau import i18n
from diemcau.domain import door_code

HALL = "Hội trường xã Đại Đồng"
HOUR_MS = 3_600_000
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def words(key: str, **params: str | float) -> str:
    """The Vietnamese words on the screen."""
    return i18n.text("vi", key, **params)


@dataclass(slots=True)
class Hall:
    """A server with one hall and one person invited to it; `context` is the hall's laptop."""

    running: Running
    context: BrowserContext

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """What the organizer asks of the server."""
        return await self.running.admin.ok(method, path, body)

    async def code(self, kind: str = "operator") -> str:
        """A pairing link, as the centre sends it."""
        return str((await self.call("POST", "/api/v1/points/DD/pairings", {"kind": kind}))["url"])

    async def devices(self) -> list[dict[str, Any]]:
        """The hall's devices."""
        items: list[dict[str, Any]] = (await self.call("GET", "/api/v1/points/DD/devices"))["items"]
        return items

    async def paired(self, kind: str = "operator") -> Page:
        """A page of the hall, paired by the one press."""
        page = await self.context.new_page()
        await page.goto(await self.code(kind))
        await page.get_by_role("button", name=words("pair.press")).click()
        await page.wait_for_url("**/display" if kind == "display" else "**/operator")
        return page

    async def check_in(self, path: str) -> None:
        """A phone walks from the scanned code to the receipt."""
        phone, headers = self.running.anonymous, {"Accept": "application/json"}
        claim = (await phone.ok("GET", path, headers=headers))["claim"]
        sent = {"claim": claim, "who": "hhen nie"}
        found = await phone.ok("POST", "/c/check-in", sent, headers=headers)
        await phone.ok("POST", "/c/check-in", sent | {"confirm": found["confirm"]}, headers=headers)


@asynccontextmanager
async def hall(browser: Browser, running: Running, state: str = "open") -> AsyncIterator[Hall]:
    """A hall whose session is in `state`."""
    context = await browser.new_context(locale="vi-VN", viewport={"width": 1366, "height": 768})
    here = Hall(running, context)
    await here.call("POST", "/api/v1/units", {"code": "DD", "name": "Xã Đại Đồng"})
    await here.call("POST", "/api/v1/points", {"code": "DD", "name": HALL, "unit": "DD"})
    person = {"code": "A1", "full_name": "H'Hen Niê", "unit": "DD", "point": "DD"}
    await here.call("POST", "/api/v1/attendees", person)
    times = {"starts_ms": NOW_MS + 3 * HOUR_MS, "ends_ms": NOW_MS + 5 * HOUR_MS}
    await here.call("POST", "/api/v1/sessions", {"code": "S1", "title": "Buổi sáng", **times})
    await here.call("PUT", "/api/v1/sessions/S1/points", {"unit": "DD"})
    await here.call("PUT", "/api/v1/sessions/S1/invitations", {"unit": "DD"})
    if state != "draft":
        await here.call("POST", "/api/v1/sessions/S1/state", {"to": state})
    yield here
    await context.close()


async def scan(display: Page, folder: Path) -> str:
    """What a camera reads off the display: the path of the door's link."""
    await expect(display.get_by_role("img", name=words("display.qr", point=HALL))).to_be_visible()
    await display.screenshot(path=folder / "display.png")
    (found,) = zxingcpp.read_barcodes(Image.open(folder / "display.png"))
    return "/" + found.text.split("/", 3)[3]


async def test_a_link_opened_by_a_chat_preview_uses_up_nothing(
    browser: Browser, running: Running, tmp_path: Path
) -> None:
    """Chat programs open every link that is sent: an operator would find their code used."""
    async with hall(browser, running) as here:
        link = await here.code()
        page = await here.context.new_page()
        await page.goto(link)
        await expect(page.get_by_text(re.compile(r"^\w{4}-\w{4}-\w{4}$"))).to_be_visible()
        assert await here.devices() == []
        await page.get_by_role("button", name=words("pair.press")).click()
        await expect(page.get_by_text(words("link.online")).first).to_be_visible()
        assert [device["name"] for device in await here.devices()] == [words("pair.name_computer")]
        await page.goto(link)
        await page.get_by_role("button", name=words("pair.press")).click()
        await expect(page.get_by_role("alert")).to_have_text(words("error.pairing_used"))


async def test_operator_and_display_share_one_line(browser: Browser, running: Running, tmp_path: Path) -> None:
    """The display that the operator opens must not push the operator's own page off the line."""
    async with hall(browser, running) as here:
        operator = await here.paired()
        await expect(operator.get_by_text(words("link.online")).first).to_be_visible()
        async with here.context.expect_page() as opened:
            await operator.get_by_role("link", name=words("operator.door")).click()
        display = await opened.value
        await here.check_in(await scan(display, tmp_path))
        await expect(display.get_by_text("1", exact=True)).to_be_visible()
        await expect(operator.get_by_text("1", exact=True)).to_be_visible()
        await expect(operator.get_by_text(words("link.online")).first).to_be_visible()


async def test_display_goes_on_without_the_server(browser: Browser, running: Running, tmp_path: Path) -> None:
    """People stand at the door while the line is down: right codes go on, and the screen says that they work (I8)."""
    async with hall(browser, running) as here:
        display = await here.paired("display")
        before = await scan(display, tmp_path)
        door = await here.call("GET", "/api/v1/sessions/S1/points/DD/door")
        drawn = display.get_by_role("img", name=words("display.qr", point=HALL)).locator("path")
        dark = str(await drawn.get_attribute("d"))
        await running.server.__aexit__()
        still_works = words("display.lost_endless", duration="").partition(". ")[2]
        await expect(display.get_by_text(still_works)).to_be_visible()
        await expect(drawn).not_to_have_attribute("d", dark, timeout=20_000)
        after = await scan(display, tmp_path)
        step = door_code.step_of(NOW_MS)
        codes = [door_code.encode(door["door_id"], b64decode(door["key"]), step + later) for later in range(-1, 4)]
        shown = [codes.index(path.removeprefix("/C/")) for path in (before, after)]
        assert shown[0] < shown[1]


async def test_display_follows_its_session(browser: Browser, running: Running, tmp_path: Path) -> None:
    """Nobody walks to the hall to press reload when the organizer opens the door."""
    async with hall(browser, running, "draft") as here:
        display = await here.paired("display")
        await expect(display.get_by_role("heading", name=words("display.draft"))).to_be_visible()
        await here.call("POST", "/api/v1/sessions/S1/state", {"to": "open"})
        await scan(display, tmp_path)


async def test_a_revoked_device_is_told_and_asked_to_pair(browser: Browser, running: Running, tmp_path: Path) -> None:
    """A laptop that was taken away must stop showing the door, and say why to whoever holds it."""
    async with hall(browser, running) as here:
        display = await here.paired("display")
        await scan(display, tmp_path)
        (device,) = await here.devices()
        await here.call("DELETE", f"/api/v1/points/DD/devices/{device['id']}")
        await expect(display.get_by_text(words("pair.revoked"))).to_be_visible()
        await expect(display.get_by_role("img")).to_have_count(0)


async def test_everybody_can_use_the_pages(browser: Browser, running: Running, tmp_path: Path) -> None:
    """Contrast, names and roles hold on each page, by day and by night."""
    async with hall(browser, running) as here:
        page = await here.context.new_page()
        await page.goto(await here.code())
        await expect(page.get_by_role("button", name=words("pair.press"))).to_be_visible()
        assert await violations(page) == []
        await page.get_by_role("button", name=words("pair.press")).click()
        await expect(page.get_by_text(words("link.online")).first).to_be_visible()
        assert await violations(page) == []
        await page.goto(f"{running.context.settings.origin}/display")
        await scan(page, tmp_path)
        assert await violations(page) == []


async def violations(page: Page) -> list[str]:
    """What axe finds wrong on the page, in either colour scheme."""
    wrong = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        found = await Axe().run(page, options=AXE)
        assert found.response["passes"], "axe looked at nothing"
        wrong += [f"{rule['id']}: {node['target']}" for rule in found.response["violations"] for node in rule["nodes"]]
    return wrong
