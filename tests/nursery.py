"""Servers that are killed by the hundred: each a real process, forked off one that has everything imported."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from support import free_port

START_S = 30
STOP_S = 30


@dataclass(slots=True)
class Forked:
    """A running server."""

    pid: int
    port: int
    setup_token: str = ""

    @property
    def origin(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """As a power cut does it to a process."""
        os.kill(self.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to stop, and wait until it is gone."""
        os.kill(self.pid, signal.SIGTERM)
        await self.gone()

    async def gone(self) -> None:
        """Wait until the process has ended."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(handle, ended.set)
        try:
            async with asyncio.timeout(STOP_S):
                await ended.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)


@dataclass(slots=True)
class Nursery:
    """Starts servers."""

    process: asyncio.subprocess.Process

    async def serve(self, database: str, folder: Path, *options: str) -> Forked:
        """A server on `database`, ready to answer; its secret lives in `folder`."""
        port = free_port()
        words = ["serve", "--port", str(port), "--database", database, "--data-dir", str(folder), *options]
        assert self.process.stdin is not None
        self.process.stdin.write((shlex.join(words) + "\n").encode())
        server = Forked(0, port)
        ready = False
        async with asyncio.timeout(START_S):
            while not (ready and server.pid):  # the two processes print in either order
                line = await self._line()
                ready = ready or line.startswith("Diemcau: ")
                if line.startswith("pid "):
                    server.pid = int(line[4:])
                if "/setup/" in line:
                    server.setup_token = line.rpartition("/")[2]
        return server

    async def _line(self) -> str:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, "the process that forks servers ended"
        return line.decode().strip()


@asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    """A place where servers are forked; whatever still runs at the end is ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("prefork.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield Nursery(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await process.communicate()
        if process.returncode is None:
            process.kill()
            await process.communicate()
