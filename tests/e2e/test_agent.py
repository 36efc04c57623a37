"""`diemcau agent` beside a real server process: paired once, there again after every kind of break."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
from process import serving
from sample import fill
from support import Client, free_port
from websockets.asyncio.client import connect

from diemcau.agent.point import Line, PointAgent
from diemcau.app import Server
from diemcau.config import Settings
from diemcau.domain.authority import System
from diemcau.domain.models import Role
from diemcau.services.accounts import add, issue_token
from diemcau.wire import api, live

PATIENCE_S = 30


class Programs:
    """Processes of one test; each is ended with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[Process] = []

    async def start(self, *arguments: str) -> Process:
        """`diemcau …` in the test's folder, speaking English."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "diemcau", *arguments, cwd=self.folder, stdout=PIPE, stderr=STDOUT,
            env={**os.environ, "DIEMCAU_LANGUAGE": "en", "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self._running.append(process)
        return process

    async def end(self) -> None:
        """End whatever still runs."""
        for process in self._running:
            if process.returncode is None:
                process.kill()
            await process.communicate()


@pytest.fixture
async def programs(tmp_path: Path) -> AsyncIterator[Programs]:
    """Real processes."""
    started = Programs(tmp_path)
    yield started
    await started.end()


async def line(process: Process, words: str) -> str:
    """The next line of output that contains `words`."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        while text := (await process.stdout.readline()).decode():
            if words in text:
                return text
    pytest.fail(f"{words!r} was never said")


async def shows(centre: Client, link: str, point: str = "HN-0002") -> None:
    """Follow the board until it shows the point so."""
    url = centre.origin.replace("http", "ws", 1) + "/ws/v1/board"
    async with asyncio.timeout(PATIENCE_S), connect(url, close_timeout=1) as board:
        await board.send(msgspec.json.encode(live.BoardIdentify("S1", token=centre.token)).decode())
        while True:
            frame = msgspec.json.decode(await board.recv(), type=live.ServerBoardFrame)
            if isinstance(frame, live.Hello):
                continue
            if any(row.point == point and row.link == link for row in frame.points):
                return


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Client]:
    """The administrator of a small conference on a server process of its own."""
    async with Server(Settings(f"sqlite:///{tmp_path}/diemcau.db", port=free_port(), data_dir=tmp_path)) as server:
        await fill(server.context.engines)
        await add(System(), server.context, api.AccountNew("root", "correct horse", [api.GrantView(Role.ADMIN)]))
        token = await issue_token(System(), server.context, "root")
    async with serving(tmp_path) as process, aiohttp.ClientSession() as http:
        yield Client(http, process.origin, token)


async def code_for(centre: Client, point: str = "HN-0002") -> str:
    """A pairing code."""
    return str((await centre.ok("POST", f"/api/v1/points/{point}/pairings", {}))["code"])


async def test_an_agent_pairs_once_and_says_goodbye(centre: Client, programs: Programs) -> None:
    """A service unit that starts again and again with the same used code holds the hall's line each time."""
    code = await code_for(centre)
    for _ in range(2):
        process = await programs.start("agent", "--url", centre.origin, "--pair", code, "--name", "codec")
        assert "HN-0002 Hội trường Quận ủy Ba Đình" in await line(process, "Connected")
        await shows(centre, "online")
        process.send_signal(signal.SIGTERM)
        await line(process, "Left")
        assert await process.wait() == 0
        await shows(centre, "left")
    assert len((await centre.ok("GET", "/api/v1/points/HN-0002/devices"))["items"]) == 1


async def test_a_code_used_elsewhere_is_a_sentence(centre: Client, programs: Programs) -> None:
    """Whoever types a code that somebody else used reads what to do; nothing is left behind."""
    code = await code_for(centre)
    await centre.ok("POST", "/api/v1/pair", {"code": code, "device": "other"})
    process = await programs.start("agent", "--url", centre.origin, "--pair", code)
    output, _ = await process.communicate()
    assert (process.returncode, b"used already" in output, b"Traceback" in output) == (1, True, False)
    assert not (programs.folder / "diemcau-agent.json").exists()


async def test_a_revoked_agent_ends_with_a_sentence(centre: Client, programs: Programs) -> None:
    """A device that the centre revoked stops, and says that it needs a new code."""
    process = await programs.start("agent", "--url", centre.origin, "--pair", await code_for(centre))
    await line(process, "Connected")
    (device,) = (await centre.ok("GET", "/api/v1/points/HN-0002/devices"))["items"]
    await centre.ok("DELETE", f"/api/v1/points/HN-0002/devices/{device['id']}")
    output, _ = await process.communicate()
    assert (process.returncode, b"revoked" in output, b"Traceback" in output) == (1, True, False)


async def test_an_agent_comes_back_by_itself(centre: Client) -> None:
    """A cut line, and a line that went silent, are up again; what the server said was heard."""
    paired = await centre.ok("POST", "/api/v1/pair", {"code": await code_for(centre), "device": "codec"})
    heard: list[str] = []
    lines: asyncio.Queue[Line] = asyncio.Queue()
    agent = PointAgent(
        centre.origin,
        paired["token"],
        on_frame=lambda frame: heard.append(type(frame).__name__),
        on_line=lines.put_nowait,
    )
    running = asyncio.create_task(agent.run())
    async with asyncio.timeout(PATIENCE_S):
        while await lines.get() is not Line.UP:
            pass
        agent.drop()
        while await lines.get() is not Line.WAITING:
            pass
        agent.resume()
        while await lines.get() is not Line.UP:
            pass
        assert agent.welcome is not None
        assert agent.welcome.session is not None
        await agent.away()
        await shows(centre, "away")
        await agent.leave()
        assert await running is None
    await shows(centre, "left")
    assert {"Hello", "Welcome"} <= set(heard)
    assert agent.line is Line.ENDED


async def test_an_agent_that_is_not_wanted_stays_away(centre: Client) -> None:
    """A final close code ends the attempts; an agent without its server keeps trying."""
    stranger = PointAgent(centre.origin, "dcd_nobody")
    async with asyncio.timeout(PATIENCE_S):
        assert await stranger.run() == 4501
    lines: asyncio.Queue[Line] = asyncio.Queue()
    lonely = PointAgent(f"http://127.0.0.1:{free_port()}", "dcd_nobody", on_line=lines.put_nowait)
    running = asyncio.create_task(lonely.run())
    async with asyncio.timeout(PATIENCE_S):
        tried = [await lines.get() for _ in range(4)]
        await lonely.leave()
        assert await running is None
    assert tried == [Line.WAITING, Line.CONNECTING, Line.WAITING, Line.CONNECTING]
