"""The organizer's browser: paper from a session's page, to the file in hand."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from axe_playwright_python.async_playwright import Axe
from operator_hall import PEOPLE, Centre, words
from papers import by_zxing, pictures
from playwright.async_api import Browser, expect
from support import PASSWORD

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


async def test_badges_come_out_of_the_page(here: Centre, browser: Browser, tmp_path: Path) -> None:
    """Whoever cannot find where badges are printed writes name tags by hand."""
    account = {"name": "ban tổ chức", "password": PASSWORD, "grants": [{"role": "organizer", "unit": None}]}
    await here.call("POST", "/accounts", account)
    size = {"width": 360, "height": 740}
    context = await browser.new_context(locale="vi-VN", viewport=size, base_url=f"http://localhost:{here.port}")  # type: ignore[arg-type]
    try:
        page = await context.new_page()
        await page.goto("/s/login?next=/s/session/S1")
        await page.get_by_label(words("console.login.name"), exact=True).fill(account["name"])  # type: ignore[arg-type]
        await page.get_by_label(words("console.login.password"), exact=True).fill(PASSWORD)
        await page.get_by_role("button", name=words("console.login.button"), exact=True).click()
        await page.get_by_role("button", name=words("print.open"), exact=True).click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_label(words("print.what"))).to_have_value("badges")
        found = await Axe().run(page, options=AXE)
        assert found.violations_count == 0, found.generate_report()
        await dialog.get_by_role("button", name=words("print.start"), exact=True).click()
        link = dialog.get_by_role("link", name=re.compile(r"Thẻ đại biểu - S1\.pdf"))
        async with page.expect_download() as download:
            await link.click()
        assert (await download.value).suggested_filename == "Thẻ đại biểu - S1.pdf"
        file = tmp_path / "badges.pdf"
        await (await download.value).save_as(file)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    finally:
        await context.close()
    codes = by_zxing(await asyncio.to_thread(pictures, file))
    issued = (await here.call("GET", "/badges"))["items"]
    assert len(codes) == len(PEOPLE)
    assert codes == sorted(one["url"] for one in issued)
