"""A newcomer's own conference, from an empty database, in the browser alone (and a phone at the door)."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect
from process import serving

from diemcau import i18n

HALLS = ("Hội trường Ủy ban", "Nhà văn hóa thôn Đông", "Nhà văn hóa thôn Đoài")
PEOPLE = (
    "Nguyễn Thị Hồng Đào",
    "Trần Văn Ánh",
    "H'Hen Niê",
    "Lê Hoà",
    "Y Thông Ê-ban",
    "Điểu K'Ré",
    "Phạm Thị Ngọc Ánh",
    "Đỗ Đức Ước",
    "Vũ Thị An",
    "Bùi Văn Ân",
)
COMES = "H'Hen Niê"
SCREEN: dict[str, Any] = {"locale": "vi-VN", "viewport": {"width": 1366, "height": 768}}


def words(key: str, **params: str) -> str:
    """The Vietnamese words on the screen."""
    return i18n.text("vi", key, **params)


def button(page: Page | Locator, key: str) -> Locator:
    """The button that says this."""
    return page.get_by_role("button", name=words(key), exact=True)


async def pick(page: Page, key: str, name: str) -> None:
    """Choose `name` in a field that searches as one types."""
    field = page.get_by_role("combobox", name=words(key), exact=True)
    await field.click()
    await field.fill(name)
    await page.get_by_role("option", name=name).first.click()


async def set_up(page: Page, url: str) -> None:
    """Become the first administrator."""
    await page.goto(url)
    await page.get_by_label(words("console.setup.name"), exact=True).fill("quản trị")
    await page.get_by_label(words("console.setup.password"), exact=True).fill("một câu ngắn dễ nhớ")
    await page.get_by_label(words("console.setup.repeat"), exact=True).fill("một câu ngắn dễ nhớ")
    await button(page, "console.setup.button").click()
    await expect(page.get_by_role("link", name=words("console.units.title")).first).to_be_visible()


async def add_unit(page: Page) -> None:
    """One commune."""
    await page.goto("/s/units")
    await button(page, "console.units.new").first.click()
    await page.get_by_label(words("console.units.name"), exact=True).fill("Xã Đại Đồng")
    await button(page, "console.save").click()
    await expect(page.get_by_text("Xã Đại Đồng").first).to_be_visible()


async def add_many(page: Page, area: str, field: str, names: tuple[str, ...]) -> None:
    """Type in a list, one form after the other."""
    await page.goto(f"/s/{area}")
    for name in names:
        await button(page, f"console.{area}.new").first.click()
        await page.get_by_label(words(f"console.{area}.{field}"), exact=True).fill(name)
        await pick(page, f"console.{area}.unit", "Xã Đại Đồng")
        if area == "people":
            await pick(page, "console.people.point", HALLS[0])
        await button(page, "console.save").click()
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.get_by_text(name).first).to_be_visible()


async def make_session(page: Page) -> None:
    """A session in three hours (at 90 minutes it opens itself) with every hall and everybody, open."""
    await page.goto("/")
    await (
        page.get_by_role("button", name=words("console.session.new"))
        .or_(page.get_by_role("link", name=words("console.session.new")))
        .first.click()
    )
    await page.get_by_label(words("console.session.title"), exact=True).fill("Buổi sáng")
    now = await page.evaluate("Date.now() - new Date().getTimezoneOffset() * 60000")
    for key, hours in (("starts", 3), ("ends", 5)):
        at = await page.evaluate("ms => new Date(ms).toISOString().slice(0, 16)", now + hours * 3_600_000)
        await page.get_by_label(words(f"console.session.{key}"), exact=True).fill(at)
    await button(page, "console.save").click()
    await page.wait_for_url("**/s/session/**")
    for what in ("choose", "invite"):
        await button(page, f"console.session.{what}").first.click()
        dialog = page.get_by_role("dialog")
        await button(dialog, f"console.session.{what}").click()
        await expect(dialog.get_by_role("status")).to_be_visible()
        await button(dialog, "console.close").last.click()
        await expect(dialog).to_have_count(0)
    await button(page, "console.session.move.open").click()
    await expect(page.get_by_text(words("state.open")).first).to_be_visible()


async def pairing_link(page: Page) -> str:
    """A pairing code for the first hall's operator, as the link to hand over."""
    await page.get_by_role("button", name=f"{words('console.session.pair')}: {HALLS[0]}").click()
    dialog = page.get_by_role("dialog")
    await button(dialog, "console.pair.make").click()
    link = dialog.get_by_role("link").first
    await expect(link).to_be_visible()
    return str(await link.get_attribute("href"))


async def pair(hall: BrowserContext, link: str) -> Page:
    """Pair the hall's laptop and open its door display."""
    page = await hall.new_page()
    await page.goto(link)
    await button(page, "pair.press").click()
    await page.wait_for_url("**/operator")
    await expect(page.get_by_text(words("link.online")).first).to_be_visible()
    await page.goto("/display")
    await expect(page.get_by_text(HALLS[0]).first).to_be_visible()
    return page


async def scan(display: Page, folder: Path) -> str:
    """What a phone's camera reads off the display: the path of the door's link."""
    await expect(display.get_by_role("img", name=words("display.qr", point=HALLS[0]))).to_be_visible()
    shot = folder / "display.png"
    await display.screenshot(path=shot)
    (found,) = zxingcpp.read_barcodes(Image.open(shot))
    return "/" + found.text.split("/", 3)[3]


async def check_in(phone: BrowserContext, path: str, name: str) -> Page:
    """Scan, type the name without diacritics, confirm; a phone without JavaScript."""
    page = await phone.new_page()
    await page.goto(path)
    await page.get_by_role("textbox").fill(name)
    await page.locator("button[type=submit], button:not([type])").first.click()
    await expect(page.get_by_text("H'•••").or_(page.get_by_text("•••")).first).to_be_visible()
    await page.get_by_role("button", name=words("door.check_in"), exact=True).click()
    await expect(page.get_by_text(words("door.done")).first).to_be_visible()
    return page


async def export(page: Page) -> list[list[str]]:
    """The attendance list as a file, read back."""
    await page.goto("/s/session/" + page.url.split("/s/session/")[1].split("?")[0].split("/")[0])
    async with page.expect_download() as download:
        await page.locator('a[href*="exports/attendance.csv"]').first.click()
    file = await (await download.value).path()
    return list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"))))


async def test_own_conference(browser: Browser, phone: BrowserContext, tmp_path: Path) -> None:
    """Three halls, ten people, one session: made, paired, checked in at the door, exported, without a command line."""
    async with serving(tmp_path) as server:
        assert server.setup_url is not None
        laptop = await browser.new_context(**SCREEN, base_url=server.origin)
        hall = await browser.new_context(**SCREEN, base_url=server.origin)
        page = await laptop.new_page()
        page.set_default_timeout(10_000)
        await set_up(page, server.setup_url)
        await add_unit(page)
        await add_many(page, "points", "name", HALLS)
        await add_many(page, "people", "full_name", PEOPLE)
        await make_session(page)
        display = await pair(hall, await pairing_link(page))
        await check_in(phone, server.origin + await scan(display, tmp_path), "hhen nie")
        await expect(display.get_by_text("1", exact=True).first).to_be_visible()
        rows = await export(page)
        (line,) = [row for row in rows if COMES in row]
        assert words("report.status.present") in line
        assert sum(words("report.status.present") in row for row in rows) == 1
        assert sum(name in row for row in rows for name in PEOPLE) == len(PEOPLE)
        await hall.close()
        await laptop.close()
