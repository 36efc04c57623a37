"""The organizer prepares, the unit's clerk hands in a list from a phone without script, and both see it."""

from __future__ import annotations

import re
from typing import Any

from axe_playwright_python.async_playwright import Axe
from operator_hall import Centre, words
from playwright.async_api import Browser, BrowserContext, Page, expect
from support import PASSWORD
from tables import csv_bytes

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LIST = [("Họ và tên", "Chức vụ", "SĐT"), ("Phan Thị Hạ Vi", "Bí thư", "0911000001"), ("Đặng Hoà", "Ủy viên", "")]


async def signed_in(browser: Browser, here: Centre) -> Page:
    """The organizer's browser."""
    account = {"name": "chủ", "password": PASSWORD, "grants": [{"role": "admin", "unit": None}]}
    await here.call("POST", "/accounts", account)
    context = await browser.new_context(
        locale="vi-VN", viewport={"width": 1280, "height": 800}, base_url=f"http://localhost:{here.port}"
    )
    context.set_default_timeout(15_000)
    page = await context.new_page()
    await page.goto("/s/login?next=%2Fs%2Fsession%2FS1%2Fpreparation")
    await page.get_by_label(words("console.login.name"), exact=True).fill("chủ")
    await page.get_by_label(words("console.login.password"), exact=True).fill(PASSWORD)
    await page.get_by_role("button", name=words("console.login.button"), exact=True).click()
    return page


async def no_barriers(page: Page) -> None:
    """Nothing on the page shuts anybody out."""
    found: Any = await Axe().run(page, options=AXE)
    assert not found.response["violations"], found.generate_report()


async def test_a_list_comes_by_a_link(browser: Browser, here: Centre, phone: BrowserContext) -> None:
    """Make the link, hand in by it, see it arrive; and the unit that owes nothing leaves the list of those who do."""
    page = await signed_in(browser, here)
    await expect(page.get_by_role("heading", level=1)).to_have_text(words("prepare.page"))
    await page.get_by_role("button", name=words("prepare.links"), exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("combobox").fill("DD")
    await dialog.get_by_role("option").first.click()
    await dialog.get_by_role("button", name=words("prepare.links.make"), exact=True).click()
    text = await dialog.get_by_role("textbox", name=words("prepare.links")).input_value()
    found = re.search(r"/u/[a-z2-7]{26}", text)
    assert found, text
    await no_barriers(page)
    sheet = await phone.new_page()
    await sheet.goto(f"http://localhost:{here.port}{found[0]}")
    await no_barriers_without_script(sheet)
    await sheet.get_by_label(words("upload.file")).set_input_files(
        {"name": "ds.csv", "mimeType": "text/csv", "buffer": csv_bytes(LIST)}
    )
    await sheet.get_by_role("button", name=words("upload.check")).click()
    await expect(sheet.get_by_role("status")).to_contain_text("2 người")
    await sheet.get_by_role("button", name=words("upload.confirm")).click()
    await expect(sheet.get_by_role("status")).to_contain_text(words("upload.received"))
    await dialog.get_by_role("button", name=words("console.close"), exact=True).first.click()
    await page.reload()
    await page.get_by_role("button", name=words("prepare.filter.list"), exact=True).click()
    await expect(page.get_by_text(words("prepare.nothing_missing"))).to_be_visible()
    await page.get_by_role("button", name=words("prepare.filter.any"), exact=True).click()
    await expect(page.get_by_role("table")).to_be_visible()
    await no_barriers(page)
    await page.context.close()


async def no_barriers_without_script(page: Page) -> None:
    """Without script no checker runs: the form says by itself what it is, and fits the phone."""
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.get_by_label(words("upload.file"))).to_be_visible()
    wide: Any = await page.locator("body").bounding_box()
    assert wide["width"] <= 360
