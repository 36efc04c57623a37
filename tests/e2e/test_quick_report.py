"""The quick report in real browsers: a hall counts, without a network too; the centre telephones, freezes, prints."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect
from support import NOW_MS, Running

from diemcau import i18n

HALL, SILENT = "Hội trường xã Đại Đồng", "Nhà văn hóa xã Đồng Tâm"
HOUR_MS = 3_600_000
PICTURES = os.environ.get("DIEMCAU_TEST_PICTURES")


def words(key: str, **params: str | float) -> str:
    """The Vietnamese words on the screen."""
    return i18n.text("vi", key, **params)


async def conference(running: Running) -> None:
    """A centre and two communes, one of them with a contact; the doors are open."""
    call = running.admin.ok
    for code, level, parent in (("T", "tỉnh", None), ("DD", "xã", "T"), ("DT", "xã", "T")):
        await call("POST", "/api/v1/units", {"code": code, "name": code, "level": level, "parent": parent})
    points: list[dict[str, Any]] = [
        {"code": "TT", "name": "Hội trường Tỉnh ủy", "unit": "T", "mode": "center"},
        {"code": "DD", "name": HALL, "unit": "DD"},
        {"code": "DT", "name": SILENT, "unit": "DT", "mode": "tv"},
    ]
    contact = {"contact_name": "Vũ Thị Trực", "contact_phone": "0904000002"}
    for point in points:
        await call("POST", "/api/v1/points", point | contact)
    times = {"starts_ms": NOW_MS + HOUR_MS, "ends_ms": NOW_MS + 3 * HOUR_MS}
    await call("POST", "/api/v1/sessions", {"code": "S1", "title": "Hội nghị trực tuyến toàn tỉnh", **times})
    await call("PUT", "/api/v1/sessions/S1/points", {"unit": "T"})
    await call("POST", "/api/v1/sessions/S1/state", {"to": "open"})
    await call("POST", "/api/v1/sessions/S1/headcounts", {"point": "TT", "number": 327})


async def new_page(browser: Browser, width: int) -> Page:
    """A new browser's page."""
    context = await browser.new_context(viewport={"width": width, "height": 800}, locale="vi-VN")
    return await context.new_page()


async def operator_page(browser: Browser, running: Running) -> Page:
    """The hall's page, paired."""
    page = await new_page(browser, 360)
    await page.goto((await running.admin.ok("POST", "/api/v1/points/DD/pairings", {"kind": "operator"}))["url"])
    await page.get_by_role("button", name=words("pair.press")).click()
    await page.wait_for_url("**/operator")
    await expect(page.get_by_text(words("link.online")).first).to_be_visible()
    return page


async def console_page(browser: Browser, running: Running, width: int) -> Page:
    """The organizer's page of quick reports."""
    page = await new_page(browser, width)
    origin = running.context.settings.origin
    cookie = {"name": "diemcau_session", "value": str(running.admin.token), "url": origin}
    await page.context.add_cookies([cookie])  # type: ignore[list-item]
    await page.goto(f"{origin}/s/session/S1/quick-report")
    return page


async def seen_well(page: Page, name: str) -> None:
    """No fault that axe finds in either colour scheme, nothing wider than the screen; pictures where asked for."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        found = await Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        assert [rule["id"] for rule in found.response["violations"]] == [], found.response["violations"]
        if PICTURES:
            await page.screenshot(path=Path(PICTURES) / f"{name}-{scheme}.png", full_page=True)
    await page.emulate_media(color_scheme="light")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_hall_counts_without_a_network(browser: Browser, running: Running) -> None:
    """The number is kept through a reload, arrives by itself when the line is back, and is one number."""
    await conference(running)
    page = await operator_page(browser, running)
    await page.get_by_role("textbox", name=words("quick.number")).fill("một trăm")
    await page.get_by_role("button", name=words("quick.send")).click()
    await expect(page.get_by_text(words("quick.bad"))).to_be_visible()
    await page.route("**/headcounts", lambda route: route.abort())
    await page.get_by_role("textbox", name=words("quick.number")).fill("61")
    await page.get_by_role("button", name=words("quick.send")).click()
    await expect(page.get_by_text("Chưa gửi được: 61 người")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("Chưa gửi được: 61 người")).to_be_visible()
    await seen_well(page, "headcount-waiting")
    await page.unroute("**/headcounts")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(page.get_by_text("✓ Đã gửi: 61 người")).to_be_visible()
    await seen_well(page, "headcount-sent")
    items = (await running.admin.ok("GET", "/api/v1/sessions/S1/headcounts"))["items"]
    assert [item["headcount"]["number"] for item in items if item["point"] == "DD"] == [61]


async def test_the_centre_telephones_and_freezes(browser: Browser, running: Running) -> None:
    """Two halls are silent; one is told by telephone on this very page; the report is frozen, and printed as it was."""
    await conference(running)
    page, phone = await asyncio.gather(console_page(browser, running, 1280), console_page(browser, running, 360))
    await expect(page.get_by_role("heading", name=words("quick.unreported", n=2))).to_be_visible()
    assert await page.get_by_role("link", name="0904000002").first.get_attribute("href") == "tel:0904000002"
    await page.get_by_label(words("quick.people_at", point=SILENT)).fill("45")
    await page.get_by_label(words("quick.teller_at", point=SILENT)).fill("chị Trực")
    await page.get_by_role("button", name=f"{words('quick.save')}: {SILENT}").click()
    await expect(page.get_by_text(words("quick.saved", n=45, point=SILENT))).to_be_visible()
    await expect(page.get_by_text(words("quick.headline", delegates=372, reported=2, points=3)).first).to_be_visible()
    await seen_well(page, "quick-report-now")
    await seen_well(phone, "quick-report-phone")
    await page.get_by_role("button", name="Chốt báo cáo số 1").click()
    await expect(page.get_by_role("heading", level=1, name=words("quick.paper.title", n=1))).to_be_visible()
    await seen_well(page, "quick-report-frozen")
    await running.admin.ok("POST", "/api/v1/sessions/S1/headcounts", {"point": "DD", "number": 61})
    await page.reload()
    await expect(page.get_by_text(words("quick.headline", delegates=372, reported=2, points=3)).first).to_be_visible()
    await page.get_by_role("button", name=words("quick.back_to_now")).click()
    await expect(page.get_by_role("button", name="Chốt báo cáo số 2")).to_be_visible()
    await expect(page.get_by_text(words("quick.all_reported"))).to_be_visible()
    await page.get_by_text(words("quick.reported_points", n=3)).click()
    await expect(page.get_by_text("chị Trực")).to_be_visible()
