"""Photographs the board, the door display and the check-in page of a playing demo into docs/pictures/."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import zxingcpp
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
PLAY_S = float(sys.argv[1]) if len(sys.argv) > 1 else 120
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def found(pattern: str, text: str) -> str:
    """The first group of `pattern` in what the demo printed."""
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"The demo did not print {pattern}:\n{text}")
    return match.group(1)


async def handover(demo: asyncio.subprocess.Process) -> str:
    """What the demo prints until it plays."""
    printed = ""
    if demo.stdout is None:
        raise SystemExit("The demo's output is not readable.")
    while "/pair/" not in printed:
        line = await demo.stdout.readline()
        if not line:
            raise SystemExit(f"The demo ended at once:\n{printed}")
        printed += line.decode()
    return printed


async def page_at(browser: Browser, width: int, height: int, scale: float = 1) -> Page:
    """A page of this size, in Vietnamese."""
    context = await browser.new_context(
        locale="vi-VN",
        timezone_id="Asia/Ho_Chi_Minh",
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
    )
    return await context.new_page()


async def photograph(browser: Browser, printed: str) -> None:
    """The three pictures, once the play is well under way."""
    board_url = found(r"(https?://\S+/board)", printed)
    origin = board_url.split("/s/")[0]
    board = await page_at(browser, 1920, 1080)
    await board.goto(f"{origin}/s/login")
    fields = board.locator("input")
    await fields.nth(0).fill(found(r"(\S+) / \S+", printed))
    await fields.nth(1).fill(found(r"\S+ / (\S+)", printed))
    await board.locator("button[type=submit]").click()
    await board.wait_for_url(lambda url: "login" not in url)
    await board.goto(board_url)
    display = await page_at(browser, 1920, 1080)
    await display.goto(found(r"(https?://\S+/pair/\S+)", printed))
    await display.locator("button[type=submit]").click()
    await display.wait_for_url("**/operator")
    await display.goto(f"{origin}/display")
    await board.wait_for_timeout(PLAY_S * 1000)
    await board.screenshot(path=PICTURES / "board.png")
    await display.screenshot(path=PICTURES / "display.png")
    phone = await page_at(browser, 360, 640, 2)
    (code,) = zxingcpp.read_barcodes(Image.open(PICTURES / "display.png"))
    await phone.goto(f"{origin}/{code.text.split('/', 3)[3]}")
    await phone.get_by_role("textbox").fill("nguyen thi hien")
    await phone.screenshot(path=PICTURES / "check-in.png")


async def main() -> None:
    """Play, photograph, end what was started."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with tempfile.TemporaryDirectory() as folder:
        demo = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "diemcau", "demo", "--speed", "20", "--port", "8123", "--database", f"sqlite:///{folder}/d.db"),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "DIEMCAU_LANGUAGE": "vi"},
        )
        try:
            printed = await handover(demo)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
                await photograph(browser, printed)
                await browser.close()
        finally:
            demo.terminate()
            await demo.wait()


asyncio.run(main())
