"""Copying a printed list in a real browser: by number, by name, through a reload and a lost line, and back again."""

from __future__ import annotations

import io
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import Browser, BrowserContext, FilePayload, Page, expect
from support import NOW_MS, Running

from diemcau import i18n

HALL = "Hội trường xã Đại Đồng"
HOUR_MS = 3_600_000
PEOPLE = ("Nguyễn Thị Hồng Đào", "Trần Văn Ánh", "H'Hen Niê", "Lê Hoà", "Y Thông Ê-ban", "Điểu K'Ré")
PICTURES = os.environ.get("DIEMCAU_TEST_PICTURES")


def words(key: str, **params: str | float) -> str:
    """The Vietnamese words on the screen."""
    return i18n.text("vi", key, **params)


@dataclass(slots=True)
class Hall:
    """A server with one hall of six people; `page` is its operator's phone."""

    running: Running
    context: BrowserContext
    page: Page

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """What the organizer asks of the server."""
        return await self.running.admin.ok(method, path, body)

    async def row(self, name: str) -> Any:
        """The person's row on the list."""
        return self.page.get_by_role("listitem").filter(has_text=name)

    async def type_in(self, text: str) -> None:
        """Type into the field and press Enter."""
        field = self.page.get_by_label(words("paper.jump"), exact=True)
        await field.fill(text)
        await field.press("Enter")

    async def save(self, count: int) -> None:
        """Say why, press save, and confirm the summary."""
        await self.page.get_by_label(words("paper.reason"), exact=True).fill("mất điện từ 7 giờ")
        key, params = ("paper.save_one", {}) if count == 1 else ("paper.save", {"n": count})
        await self.page.get_by_role("button", name=words(key, **params)).click()
        await self.page.get_by_role("dialog").get_by_role("button", name=words(key, **params)).click()

    async def present(self) -> int:
        """People counted, as the centre sees them."""
        return int((await self.call("GET", "/api/v1/sessions/S1"))["present"])


@asynccontextmanager
async def hall(browser: Browser, running: Running, width: int = 360) -> AsyncIterator[Hall]:
    """A hall on paper entry, its doors open."""
    context = await browser.new_context(locale="vi-VN", viewport={"width": width, "height": 780}, has_touch=True)
    await context.clock.install(time=NOW_MS / 1000)
    here = Hall(running, context, await context.new_page())
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
    link = (await here.call("POST", "/api/v1/points/DD/pairings", {"kind": "operator"}))["url"]
    await here.page.goto(link)
    await here.page.get_by_role("button", name=words("pair.press")).click()
    await here.page.wait_for_url("**/operator")
    await here.page.get_by_role("link", name=words("paper.open")).click()
    yield here
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


def photograph() -> FilePayload:
    """What a phone's camera takes: large."""
    file = io.BytesIO()
    Image.effect_noise((3000, 2400), 60).convert("RGB").save(file, "JPEG", quality=90)
    return {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


async def test_a_sheet_from_the_first_tick_to_the_undo(browser: Browser, running: Running) -> None:
    """The whole of it: number, name, a stranger, a photograph, the result, and one press to take it back."""
    async with hall(browser, running) as here:
        page = here.page
        await here.type_in("2")
        await expect(page.get_by_text(re.compile(r"^Đã đánh dấu số 2"))).to_be_visible()
        await here.type_in("99")
        await expect(page.get_by_text(words("paper.no_number", number=99))).to_be_visible()
        await here.type_in("hhen")
        await expect(page.get_by_text(re.compile("H'Hen Niê\\.$"))).to_be_visible()
        await page.get_by_role("checkbox").nth(0).check()
        await page.get_by_label(words("paper.jump"), exact=True).fill("Trần Lạ")
        await page.get_by_role("button", name=words("paper.add_typed", q="Trần Lạ")).click()
        await page.get_by_label(words("paper.unlisted_unit")).fill("Xã Bên")
        await page.get_by_role("button", name=words("paper.unlisted_add")).click()
        await page.locator("input[type=file]").set_input_files(photograph())
        await expect(page.get_by_alt_text(words("paper.photo_alt"))).to_be_visible()
        await picture(page, "paper-360")
        assert await violations(page) == []
        await here.save(4)
        await expect(page.get_by_text(words("paper.saved", people=4, counted=4))).to_be_visible()
        await expect(page.get_by_role("listitem").filter(has_text=words("paper.sheet_photo"))).to_be_visible()
        await picture(page, "paper-saved-360")
        assert await here.present() == 3
        (sheet,) = (await here.call("GET", "/api/v1/sessions/S1/papers"))["items"]
        headers = {"Authorization": f"Bearer {running.admin.token}"}
        address = f"{running.admin.origin}/api/v1/sessions/S1/papers/{sheet['nonce']}/photo"
        async with running.admin.http.get(address, headers=headers) as response:
            sent = Image.open(io.BytesIO(await response.read()))
        assert max(sent.size) == 2000
        await page.get_by_role("button", name=words("paper.undo")).click()
        await page.get_by_label(words("paper.undo_reason")).fill("nhầm tờ")
        await page.get_by_role("dialog").get_by_role("button", name=words("paper.undo")).click()
        await expect(page.get_by_text(re.compile(r"^Đã hoàn tác lúc"))).to_be_visible()
        assert await here.present() == 0


async def test_a_half_filled_sheet_survives_everything(browser: Browser, running: Running) -> None:
    """A reload, and a line that is down when they press save: nothing is lost, and nobody is counted twice."""
    async with hall(browser, running) as here:
        page = here.page
        for number in ("1", "3"):
            await here.type_in(number)
        await page.get_by_label(words("paper.reason"), exact=True).fill("mất điện từ 7 giờ")
        await page.reload()
        await expect(page.get_by_role("checkbox", checked=True)).to_have_count(2)
        await here.context.set_offline(True)
        await expect(page.get_by_text(words("paper.offline"))).to_be_visible()
        await here.save(2)
        await expect(page.get_by_text(words("paper.offline_sending"))).to_be_visible()
        await picture(page, "paper-offline-360")
        await here.context.set_offline(False)
        await here.save(2)
        await expect(page.get_by_text(words("paper.saved", people=2, counted=2))).to_be_visible()
        assert await here.present() == 2
        await page.get_by_role("button", name=words("paper.next")).click()
        await expect(page.get_by_text(re.compile(r"^✓ Đã có mặt lúc"))).to_have_count(2)
        await expect(page.get_by_role("checkbox")).to_have_count(4)


async def test_a_listed_substitute_takes_the_place_of_another(browser: Browser, running: Running) -> None:
    """Somebody of the list signed for a colleague: the place is said on the sheet, kept through a reload, and sent."""
    async with hall(browser, running) as here:
        page = here.page
        await here.type_in("1")
        await page.get_by_role("checkbox", checked=True).wait_for()
        chosen = (
            await page.get_by_role("listitem").filter(has=page.get_by_role("checkbox", checked=True)).inner_text()
        ).splitlines()
        name = next(line for line in chosen if line in PEOPLE)
        await page.get_by_role("button", name=words("paper.stands_for_of", name=name)).click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label(words("scan.stands_for")).fill("hhen")
        assert await violations(page) == []
        await dialog.get_by_role("button", name="H'Hen Niê").click()
        await expect(page.get_by_text(words("paper.stands_for_is", name="H'Hen Niê"))).to_be_visible()
        await page.reload()
        await expect(page.get_by_text(words("paper.stands_for_is", name="H'Hen Niê"))).to_be_visible()
        await picture(page, "paper-substitute-360")
        await here.save(1)
        await expect(
            page.get_by_role("status").filter(has_text=words("paper.saved", people=1, counted=1))
        ).to_be_focused()
        rows = (await here.call("GET", "/api/v1/sessions/S1/attendance"))["items"]
        assert {row["full_name"]: row["status"] for row in rows}["H'Hen Niê"] == "substituted"


async def test_nothing_is_sent_without_a_reason(browser: Browser, running: Running) -> None:
    """The log must say why people come from paper; the page says so before anything is sent."""
    async with hall(browser, running, width=1366) as here:
        await here.type_in("1")
        await here.page.get_by_role("button", name=words("paper.save_one")).click()
        await expect(here.page.get_by_text(words("paper.reason_missing"))).to_be_visible()
        assert await here.present() == 0
        await picture(here.page, "paper-1366")
