"""An absence from the phone on which it is asked for to the clerk who decides it, in real browsers."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from operator_hall import Centre, words
from playwright.async_api import Browser, BrowserContext, Page, expect
from support import PASSWORD

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PICTURES = os.environ.get("DIEMCAU_TEST_PICTURES")
"""A folder for pictures of the pages, for whoever changes them."""


@pytest.fixture(params=["light", "dark"])
async def clerk(request: pytest.FixtureRequest, browser: Browser, here: Centre) -> AsyncIterator[Page]:
    """A clerk's browser, signed in."""
    account: dict[str, Any] = {"name": "cán bộ", "password": PASSWORD, "grants": [{"role": "organizer", "unit": None}]}
    await here.call("POST", "/accounts", account)
    context = await browser.new_context(
        locale="vi-VN",
        viewport={"width": 1280, "height": 800},
        color_scheme=request.param,
        base_url=f"http://localhost:{here.port}",
    )
    page = await context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    await page.goto("/s/login?next=/s/session/S1")
    await page.get_by_label(words("console.login.name"), exact=True).fill("cán bộ")
    await page.get_by_label(words("console.login.password"), exact=True).fill(PASSWORD)
    await page.get_by_role("button", name=words("console.login.button"), exact=True).click()
    await expect(page.get_by_role("link", name=words("absence.page"), exact=True)).to_be_visible()
    yield page
    await context.close()
    assert broken == []


async def clean(page: Page, name: str = "") -> None:
    """Nothing that keeps anybody out, and nothing beside the screen, on a desk and on a phone."""
    found = await Axe().run(page, options=AXE)
    assert found.violations_count == 0, found.generate_report()
    for width in (360, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        await picture(page, f"{name}-{width}")


async def picture(page: Page, name: str) -> None:
    """Keep what the page looks like, where somebody asked for it."""
    if PICTURES:
        dark = await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        await page.screenshot(path=Path(PICTURES) / f"{name}{'-dark' if dark else ''}.png", full_page=True)


async def ask(here: Centre, phone: BrowserContext) -> Page:
    """A1 asks on their badge's page, on a phone that runs no script."""
    page = await phone.new_page()
    await page.goto(f"http://localhost:{here.port}/b/{here.badges['Nguyễn Thị Hiền'].rpartition('/')[2]}")
    await page.get_by_text(words("absence.own.title"), exact=True).click()
    await page.get_by_label(words("absence.own.reason")).select_option(label="Việc gia đình")
    await page.get_by_label(words("absence.own.text")).fill("Con ốm")
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / "badge-asking.png", full_page=True)
    await page.get_by_role("button", name=words("absence.own.send")).click()
    await expect(page.get_by_text(words("absence.own.requested"))).to_be_visible()
    return page


async def test_from_the_phone_to_the_figures(here: Centre, phone: BrowserContext, clerk: Page) -> None:
    """The attendee asks, the clerk reads why and approves, the attendee reads that, and the summary counts it."""
    asked = await ask(here, phone)
    await clerk.get_by_role("link", name=words("absence.page"), exact=True).click()
    item = clerk.get_by_role("listitem").filter(has_text="Nguyễn Thị Hiền")
    await expect(item).to_contain_text("Việc gia đình: Con ốm")
    await clean(clerk, "absences-asked")
    await item.get_by_role("button", name=f"{words('absence.approve')}: Nguyễn Thị Hiền", exact=True).click()
    dialog = clerk.get_by_role("dialog")
    await dialog.get_by_label(words("absence.note_label")).fill("Nhớ nộp giấy")
    await clean(clerk, "absences-deciding")
    await dialog.get_by_role("button", name=words("absence.approve"), exact=True).click()
    await expect(item).to_contain_text(words("absence.state.approved"))
    await add(clerk)
    await clean(clerk, "absences-both")
    await asked.reload()
    await expect(asked.get_by_text(words("absence.own.approved"))).to_be_visible()
    await expect(asked.get_by_text(words("absence.own.note", note="Nhớ nộp giấy"))).to_be_visible()
    if PICTURES:
        await asked.screenshot(path=Path(PICTURES) / "badge-approved.png", full_page=True)
    await clerk.get_by_role("link", name=words("console.attendance.page"), exact=True).click()
    await clerk.get_by_role("button", name=words("console.attendance.excused"), exact=True).click()
    table = clerk.get_by_role("region", name=words("console.attendance.title"))
    await expect(table.get_by_role("row")).to_have_count(3)
    await clean(clerk, "attendance-excused")
    row = (await here.call("GET", "/sessions/S1/summary"))["rows"][0]
    assert (row["excused"], row["unexcused"]) == (2, 0)


async def add(clerk: Page) -> None:
    """The clerk enters an absence that was told on the telephone, with a reason that the list did not have."""
    await clerk.get_by_role("button", name=words("absence.reasons"), exact=True).click()
    dialog = clerk.get_by_role("dialog")
    await dialog.get_by_role("button", name=words("absence.reasons.add")).click()
    await dialog.get_by_label(f"{words('absence.reasons.name')} 6").fill("Đi học")
    await picture(clerk, "absences-reasons")
    await dialog.get_by_role("button", name=words("console.save"), exact=True).click()
    await expect(dialog).to_be_hidden()
    await clerk.get_by_role("button", name=words("absence.add"), exact=True).click()
    await dialog.get_by_label(words("absence.add.person")).fill("le hoa")
    await clerk.get_by_role("option", name="Lê Hoà").click()
    await dialog.get_by_label(words("absence.add.reason"), exact=True).select_option(label="Đi học")
    await picture(clerk, "absences-adding")
    await dialog.get_by_role("button", name=words("console.save"), exact=True).click()
    await expect(clerk.get_by_role("status").filter(has_text="Lê Hoà")).to_be_visible()
