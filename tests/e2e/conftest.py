"""A real server process and a real browser."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import skip_or_fail
from playwright.async_api import Browser, BrowserContext, async_playwright
from support import free_port

START_S = 20
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


@dataclass(slots=True)
class Process:
    """A running `diemcau serve`; `setup_url` as it printed it, None when there was an administrator."""

    origin: str
    setup_url: str | None
    folder: Path
    process: asyncio.subprocess.Process

    async def stop(self) -> int:
        """Ask it to stop; its exit status."""
        if self.process.returncode is None:
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), START_S)


@asynccontextmanager
async def serving(folder: Path, *options: str, port: int | None = None) -> AsyncIterator[Process]:
    """A server process on the embedded database in `folder`, ready to answer; ended with the block."""
    port = port or free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "diemcau", "serve", "--port", str(port)),
        *("--database", f"sqlite:///{folder}/diemcau.db", *options),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    printed = ""
    try:
        async with asyncio.timeout(START_S):
            while "Diemcau:" not in printed:
                line = await process.stdout.readline()
                assert line, f"the server ended at once: {printed}"
                printed += line.decode()
        found = re.search(r"\S+/setup/\S+", printed)
        running = Process(f"http://localhost:{port}", found.group(0) if found else None, folder, process)
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), START_S)


def chromium() -> str:
    """The browser to drive; the test is skipped, or fails where one was promised, when there is none."""
    path = os.environ.get("DIEMCAU_TEST_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        skip_or_fail("browser", "no Chromium found; set DIEMCAU_TEST_CHROMIUM to one")
        raise AssertionError
    return path


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium."""
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        yield opened
        await opened.close()


@pytest.fixture
async def laptop(browser: Browser) -> AsyncIterator[BrowserContext]:
    """The organizer's browser, in Vietnamese."""
    context = await browser.new_context(locale="vi-VN", viewport={"width": 1366, "height": 768})
    yield context
    await context.close()


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
