"""A real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import skip_or_fail
from operator_hall import Centre, Device, centre
from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """The browser to drive; the test is skipped, or fails where one was promised, when there is none."""
    path = os.environ.get("DIEMCAU_TEST_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        skip_or_fail("browser", "no Chromium found; set DIEMCAU_TEST_CHROMIUM to one")
        raise AssertionError
    return path


@pytest.fixture
async def playwright() -> AsyncIterator[Playwright]:
    """What drives browsers."""
    async with async_playwright() as started:
        yield started


@pytest.fixture
async def browser(playwright: Playwright) -> AsyncIterator[Browser]:
    """Headless Chromium."""
    opened = await playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
    yield opened
    await opened.close()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Centre]:
    """A server process with one hall, its people and their badges."""
    folder = tmp_path / "server"
    folder.mkdir()
    async with centre(folder) as started:
        yield started


@pytest.fixture
async def device(playwright: Playwright, tmp_path: Path) -> AsyncIterator[Device]:
    """The hall's phone, switched off."""
    owned = Device(playwright, chromium(), ARGUMENTS, tmp_path / "device")
    yield owned
    await owned.close()


@pytest.fixture
async def phone(browser: Browser) -> AsyncIterator[BrowserContext]:
    """An attendee's phone without JavaScript, in Vietnamese."""
    context = await browser.new_context(
        locale="vi-VN",
        viewport={"width": 360, "height": 740},
        is_mobile=True,
        has_touch=True,
        java_script_enabled=False,
    )
    yield context
    await context.close()
