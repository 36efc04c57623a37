"""The holder's own page in a real browser: on the smallest phone, in the dark, with letters twice as large."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
import zxingcpp
from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, expect
from sample import Sample
from support import Running

LETTERS = ["html { font-size: 100% }", "html { font-size: 200% }"]
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
async def link(running: Running, sample: Sample) -> str:
    """The longest name's badge."""
    del sample
    return str((await running.admin.ok("POST", "/api/v1/attendees/DB-0011/badge"))["url"])


@pytest.fixture(params=["light", "dark"])
async def page(request: pytest.FixtureRequest, browser: Browser) -> AsyncIterator[Page]:
    """A phone 320 px wide. Scripts run only for the test's own measuring; the page brings none."""
    context = await browser.new_context(
        viewport={"width": 320, "height": 640}, color_scheme=request.param, locale="vi-VN", bypass_csp=True
    )
    yield await context.new_page()
    await context.close()


def address(running: Running, link: str) -> str:
    """Where the badge's page is on this test's server."""
    return f"{running.admin.origin}/B/{link.rpartition('/')[2]}"


async def test_code_scans_from_the_screen(running: Running, phone: BrowserContext, link: str) -> None:
    """The operator's scanner reads the phone that is held up, without script on it."""
    page = await phone.new_page()
    await page.goto(address(running, link))
    await expect(page.get_by_role("heading", name="Tôn Nữ Thị Ngọc Bảo Quyên")).to_be_visible()
    (read,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(await page.screenshot())))
    assert read.text == link


@pytest.mark.parametrize("letters", LETTERS, ids=["usual", "large"])
async def test_it_can_be_read_and_scanned_by_everybody(running: Running, page: Page, link: str, letters: str) -> None:
    """Old eyes, small phones and screen readers: nothing leaves the screen, and the code still scans."""
    for path in (address(running, link), f"{running.admin.origin}/b/none"):
        await page.goto(path)
        await page.add_style_tag(content=letters)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320, path
        found = await Axe().run(page, options=AXE)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
    await page.goto(address(running, link))
    await page.add_style_tag(content=letters)
    code = page.get_by_role("img", name="Mã QR của thẻ")
    (read,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(await code.screenshot())))
    assert read.text == link
    for summary in await page.locator("summary").all():
        box = await summary.bounding_box()
        assert box
        assert box["height"] >= 44
