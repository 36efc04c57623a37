"""A hall with its operator's page in a real browser, before a server process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import qrcode
from PIL import Image
from playwright.async_api import BrowserContext, Page, Playwright
from process import Process, serving
from support import PASSWORD, Client, free_port

from diemcau import i18n
from diemcau.app import Server
from diemcau.clock import SystemClock
from diemcau.config import Settings
from diemcau.domain.authority import System
from diemcau.domain.models import Role
from diemcau.services.accounts import add, issue_token
from diemcau.wire import api

HALL = "Hội trường xã Đại Đồng"
PEOPLE = (
    "Nguyễn Thị Hiền",
    "H'Hen Niê",
    "Trần Văn Ánh",
    "Y Thông Ê-ban",
    "Lê Hoà",
    "Phạm Thị Ngọc Ánh",
    "Đỗ Đức Ước",
    "Điểu K'Ré",
)
"""Everybody who is summoned; `A1` to `A8`, all with a badge."""

MINUTE_MS = 60_000
PATIENCE_S = 60


def words(key: str, **params: str | float) -> str:
    """The Vietnamese words on the screen."""
    return i18n.text("vi", key, **params)


@dataclass(slots=True)
class Centre:
    """The server process of one conference, which may be killed and started again in its place."""

    folder: Path
    port: int
    client: Client
    badges: dict[str, str] = field(default_factory=dict)
    _process: Process | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """Serve what lies in the folder."""
        self._process = await self._stack.enter_async_context(serving(self.folder, port=self.port))

    async def kill(self) -> None:
        """Die as in a power cut."""
        assert self._process is not None
        self._process.process.kill()
        await self._process.process.wait()

    async def close(self) -> None:
        """End whatever runs."""
        await self._stack.aclose()

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """What the organizer asks of the server."""
        return await self.client.ok(method, f"/api/v1{path}", body)

    async def events(self) -> list[dict[str, Any]]:
        """The attendance log, the oldest first."""
        return list(reversed((await self.call("GET", "/sessions/S1/events?limit=1000"))["items"]))

    async def present(self) -> set[str]:
        """Names that count as present."""
        rows = (await self.call("GET", "/sessions/S1/attendance"))["items"]
        return {row["full_name"] for row in rows if row["status"] in {"present", "late"}}

    async def pairing_link(self) -> str:
        """As the centre sends it to the hall."""
        return str((await self.call("POST", "/points/DD/pairings", {"kind": "operator"}))["url"])

    async def fill(self, *, readable_roster: bool) -> None:
        """The hall, its people, their badges, and the open session."""
        await self.call("POST", "/units", {"code": "DD", "name": "Xã Đại Đồng"})
        await self.call("POST", "/points", {"code": "DD", "name": HALL, "unit": "DD"})
        for number, name in enumerate(PEOPLE, 1):
            person = {"code": f"A{number}", "full_name": name, "title": "Chi ủy viên", "unit": "DD", "point": "DD"}
            await self.call("POST", "/attendees", person)
        now_ms = SystemClock().now_ms()
        session = {"code": "S1", "title": "Hội nghị quán triệt Nghị quyết", "readable_roster": readable_roster}
        times = {"starts_ms": now_ms + 30 * MINUTE_MS, "ends_ms": now_ms + 150 * MINUTE_MS}
        await self.call("POST", "/sessions", session | times)
        await self.call("PUT", "/sessions/S1/points", {"unit": "DD"})
        await self.call("PUT", "/sessions/S1/invitations", {"unit": "DD"})
        if (await self.call("GET", "/sessions/S1"))["state"] == "draft":
            await self.call("POST", "/sessions/S1/state", {"to": "open"})
        await self.call("POST", "/badges", {"unit": "DD"})
        badges = (await self.call("GET", "/badges?unit=DD"))["items"]
        self.badges = {badge["full_name"]: badge["url"] for badge in badges}


@asynccontextmanager
async def centre(folder: Path, *, readable_roster: bool = False) -> AsyncIterator[Centre]:
    """A server process with one hall and its people."""
    async with Server(Settings(f"sqlite:///{folder}/diemcau.db", port=free_port(), data_dir=folder)) as server:
        await add(System(), server.context, api.AccountNew("root", PASSWORD, [api.GrantView(Role.ADMIN)]))
        token = await issue_token(System(), server.context, "root")
    port = free_port()
    async with aiohttp.ClientSession() as http:
        here = Centre(folder, port, Client(http, f"http://localhost:{port}", token))
        try:
            await here.start()
            await here.fill(readable_roster=readable_roster)
            yield here
        finally:
            await here.close()


@dataclass(slots=True)
class Device:
    """The hall's own phone or laptop: a browser whose storage lies in a folder, and outlives its process."""

    playwright: Playwright
    executable: str
    arguments: tuple[str, ...]
    folder: Path
    context: BrowserContext | None = None

    async def open(self, film: Path | None = None, *, camera: bool = True) -> BrowserContext:
        """Switch it on; its camera sees `film`, and without a film nobody lets the page use it."""
        arguments = [*self.arguments]
        if camera:
            arguments.append("--use-fake-device-for-media-stream")
            arguments.append("--use-fake-ui-for-media-stream" if film else "--deny-permission-prompts")
        if film is not None:
            arguments.append(f"--use-file-for-fake-video-capture={film}")
        self.context = await self.playwright.chromium.launch_persistent_context(
            self.folder,
            executable_path=self.executable,
            args=arguments,
            locale="vi-VN",
            viewport={"width": 360, "height": 740},
            has_touch=True,
            is_mobile=True,
        )
        self.context.set_default_timeout(15_000)
        return self.context

    def kill(self) -> None:
        """Its battery dies: the browser's own process and with it all others, at once."""
        mark = f"--user-data-dir={self.folder}"
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue  # ended meanwhile
            if mark in command and not any(word.startswith("--type=") for word in command):
                os.kill(int(entry.name), signal.SIGKILL)

    async def close(self) -> None:
        """Switch it off."""
        if self.context is not None:
            await self.context.close()
            self.context = None


async def paired(context: BrowserContext, here: Centre) -> Page:
    """The operator's page, by the one press, in its hall and on its line."""
    page = await context.new_page()
    await page.goto(await here.pairing_link())
    await page.get_by_role("button", name=words("pair.press")).click()
    await page.wait_for_url("**/operator")
    await page.get_by_text(words("link.online")).first.wait_for()
    return page


async def scan(page: Page, text: str) -> None:
    """A USB scanner: all keys within milliseconds, and Enter, wherever the cursor stands; stored when it returns."""
    before = await entries(page)
    await type_fast(page, text)
    async with asyncio.timeout(10):
        while len(await entries(page)) == len(before):
            pass  # each look is a round trip to the browser


async def type_fast(page: Page, text: str) -> None:
    """Keys without a pause, as no person types."""
    await page.evaluate(
        """(text) => {
            for (const key of [...text, 'Enter'])
                (document.activeElement ?? document.body).dispatchEvent(
                    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
        }""",
        text,
    )


async def entries(page: Page) -> list[dict[str, Any]]:
    """The queue as it lies on the device's disk."""
    found: list[dict[str, Any]] = await page.evaluate(
        """() => new Promise((resolve, reject) => {
            const asked = indexedDB.open('diemcau');
            asked.onerror = () => reject(asked.error);
            asked.onsuccess = () => {
                const all = asked.result.transaction('entries').objectStore('entries').getAll();
                all.onsuccess = () => { asked.result.close(); resolve(all.result); };
            };
        })"""
    )
    return found


async def until(page: Page, holds: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """The queue on the device's disk once it is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds(found := await entries(page)):
            pass  # each look is a round trip to the browser
    return found


def all_sent(found: list[dict[str, Any]]) -> bool:
    """Whether the server answered for everything."""
    return all(entry["state"] == "sent" for entry in found)


async def bundle_kept(page: Page, *, so: bool = True) -> None:
    """Wait until the device holds the hall's list, or holds it no longer."""
    async with asyncio.timeout(PATIENCE_S):
        while ("bundle" in await kept(page)) is not so:
            pass  # each look is a round trip to the browser


async def kept(page: Page) -> list[str]:
    """What the device remembers besides its queue, by name."""
    found: list[str] = await page.evaluate(
        """() => new Promise((resolve) => {
            indexedDB.open('diemcau').onsuccess = (event) => {
                const all = event.target.result.transaction('kept').objectStore('kept').getAllKeys();
                all.onsuccess = () => resolve(all.result);
            };
        })"""
    )
    return found


async def shell_kept(page: Page) -> None:
    """Wait until the page may be opened without a network."""
    await page.evaluate("navigator.serviceWorker.ready")


def film_of(text: str, path: Path) -> Path:
    """What the camera sees: a badge held up, as a film of one picture."""
    made = qrcode.QRCode(border=4, box_size=8)
    made.add_data(text)
    picture = Image.new("RGB", (640, 480), "#8a8a80")
    code = made.make_image().get_image().convert("RGB")
    picture.paste(code, ((640 - code.width) // 2, (480 - code.height) // 2))
    frame = BytesIO()
    picture.save(frame, "JPEG", quality=90)
    path.write_bytes(frame.getvalue() * 30)
    return path
