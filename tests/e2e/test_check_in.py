"""The attendee's pages in a real browser: for old eyes, small phones and screen readers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from axe_playwright_python.async_playwright import Axe
from phone import Phone
from playwright.async_api import Browser, Page, expect
from sample import Sample
from support import Running

LARGE_LETTERS = "html { font-size: 200% }"
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
Look = Callable[[Page, str], Awaitable[None]]


@pytest.fixture
async def hall(running: Running, sample: Sample) -> Phone:
    """Knows the code on the screen."""
    return Phone(running, sample)


@pytest.fixture(params=["light", "dark"])
async def page(request: pytest.FixtureRequest, browser: Browser) -> AsyncIterator[Page]:
    """A phone 320 px wide. Scripts run only for the test's own measuring; the page brings none."""
    context = await browser.new_context(
        viewport={"width": 320, "height": 640}, color_scheme=request.param, locale="vi-VN", bypass_csp=True
    )
    yield await context.new_page()
    await context.close()


async def through(page: Page, hall: Phone, look: Look) -> None:
    """Walk through every kind of page and `look` at each."""

    async def submit(button: str) -> None:
        async with page.expect_navigation():
            await page.get_by_role("button", name=button, exact=True).click()

    await page.goto(f"{hall.running.admin.origin}/C/{hall.code()}")
    await look(page, "who")
    await page.get_by_label("Họ tên hoặc mã đại biểu").fill("Không Có Ai")
    await submit("Tiếp tục")
    await look(page, "unknown")
    await submit("Tôi không có trong danh sách")
    await look(page, "guest")
    await page.get_by_label("Đơn vị").fill(" ")
    await submit("Điểm danh")
    await look(page, "guest without unit")
    await submit("Tôi có trong danh sách")
    await page.get_by_label("Họ tên hoặc mã đại biểu").fill("nguyen thi hien")
    await submit("Tiếp tục")
    await look(page, "namesakes")
    await page.get_by_label("Họ tên hoặc mã đại biểu").fill("h'hen nie")
    await submit("Tiếp tục")
    await look(page, "confirm")
    await submit("Điểm danh")
    await look(page, "receipt")
    await page.goto(f"{hall.running.admin.origin}/C/{hall.code()}")
    await look(page, "remembered")
    await page.goto(f"{hall.running.admin.origin}/C/{hall.code(age_s=300)}")
    await look(page, "expired")


async def test_accessible(page: Page, hall: Phone) -> None:
    """Screen readers get labels, landmarks and alerts; eyes get contrast, in light and dark."""

    async def look(page: Page, name: str) -> None:
        found = await Axe().run(page, options=AXE)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"

    await through(page, hall, look)


async def test_letters_twice_as_large(page: Page, hall: Phone) -> None:
    """At 200 % on the smallest phone nothing leaves the screen and every target is wide enough for a thumb."""

    async def look(page: Page, name: str) -> None:
        await page.add_style_tag(content=LARGE_LETTERS)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320, name
        for target in await page.get_by_role("button").all():
            box = await target.bounding_box()
            assert box, name
            assert box["height"] >= 44, name

    await through(page, hall, look)


async def test_phone_remembers(page: Page, hall: Phone) -> None:
    """A browser that keeps cookies offers its owner at the next scan: one tap; "not me" makes it forget."""
    await page.goto(f"{hall.running.admin.origin}/C/{hall.code()}")
    await page.get_by_label("Họ tên hoặc mã đại biểu").fill("h'hen nie")
    await page.get_by_role("button", name="Tiếp tục", exact=True).click()
    await page.get_by_role("button", name="Điểm danh", exact=True).click()
    await page.wait_for_url("**/c/r/*")
    await page.goto(f"{hall.running.admin.origin}/C/{hall.code('HN-0003')}")
    await expect(page.get_by_text("H'Hen N•••")).to_be_visible()
    await page.get_by_role("button", name="Không phải tôi", exact=True).click()
    await expect(page.get_by_label("Họ tên hoặc mã đại biểu")).to_be_visible()
    await page.goto(f"{hall.running.admin.origin}/C/{hall.code('HN-0003')}")
    await expect(page.get_by_label("Họ tên hoặc mã đại biểu")).to_be_visible()


async def test_back_leads_to_the_pages_before(page: Page, hall: Phone) -> None:
    """Whoever taps back after the receipt would see the browser's error instead of a page, and come to the desk."""
    await page.goto(f"{hall.running.admin.origin}/C/{hall.code()}")
    await page.get_by_label("Họ tên hoặc mã đại biểu").fill("h'hen nie")
    await page.get_by_role("button", name="Tiếp tục", exact=True).click()
    await page.get_by_role("button", name="Điểm danh", exact=True).click()
    await page.wait_for_url("**/c/r/*")
    await page.go_back()
    await expect(page.get_by_role("button", name="Điểm danh", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Điểm danh", exact=True).click()
    await page.wait_for_url("**/c/r/*")
