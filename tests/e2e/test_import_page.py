"""The organizer's browser: a messy list dropped in, asked about, corrected and taken over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from operator_hall import Centre, words
from playwright.async_api import Browser, expect
from support import PASSWORD
from tables import write_xlsx

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


async def test_a_messy_list_is_understood_in_the_dialog(here: Centre, browser: Browser, tmp_path: Path) -> None:
    """Whoever gets fifty lists by chat corrects none of them in Excel: columns and units are answered in place."""
    account: dict[str, Any] = {"name": "nạp tệp", "password": PASSWORD, "grants": [{"role": "organizer", "unit": None}]}
    await here.call("POST", "/accounts", account)
    rows: list[list[Any]] = [["DANH SÁCH ĐẠI BIỂU"], ["STT", "Họ và tên", "Vai trò", "SĐT"], ["I. Xã Chưa Có"]]
    rows += [[1, "Lê Thị Rước", "Bí thư", 912000111.0], [2, "Vũ Văn Rước", "", ""], ["", "Tổng cộng", "", 2]]
    unit = (await here.call("GET", "/units"))["items"][0]["code"]
    size: Any = {"width": 360, "height": 740}
    context = await browser.new_context(locale="vi-VN", viewport=size, base_url=f"http://localhost:{here.port}")
    try:
        page = await context.new_page()
        await page.goto("/s/login?next=/s/people")
        await page.get_by_label(words("console.login.name"), exact=True).fill(account["name"])
        await page.get_by_label(words("console.login.password"), exact=True).fill(PASSWORD)
        await page.get_by_role("button", name=words("console.login.button"), exact=True).click()
        await page.get_by_role("button", name=words("console.import.open"), exact=True).click()
        dialog = page.get_by_role("dialog")
        file = write_xlsx(tmp_path / "danh sach.xlsx", rows)
        await dialog.locator("input[type=file]").set_input_files(file)
        await dialog.get_by_role("button", name=words("console.import.check"), exact=True).click()
        await expect(dialog.get_by_text("Xã Chưa Có", exact=False).first).to_be_visible()
        await dialog.get_by_label(re.compile(words("import.ask.code"))).fill(unit)
        await dialog.get_by_text(words("import.map.title"), exact=True).click()
        await dialog.get_by_label(re.compile("Vai trò")).select_option("title")
        found = await Axe().run(page, options=AXE)
        assert found.violations_count == 0, found.generate_report()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        take = dialog.get_by_role("button", name=words("console.import.take"), exact=True)
        await expect(take).to_be_disabled()
        await dialog.get_by_role("button", name=words("import.again"), exact=True).click()
        await take.click()
        done = words("console.import.done", rows=2, created=2, updated=0, unchanged=0)
        await expect(dialog.get_by_text(done)).to_be_visible()
        made = [await here.call("GET", f"/attendees/{unit}.{number:03}") for number in (1, 2)]
        assert [(one["full_name"], one["title"], one["unit"]) for one in made] == [
            ("Lê Thị Rước", "Bí thư", unit),
            ("Vũ Văn Rước", "", unit),
        ]
    finally:
        await context.close()
