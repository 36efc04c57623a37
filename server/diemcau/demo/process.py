"""The server that is played: a process of its own, started as anyone would start it, and ended with the demo."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from diemcau import limits
from diemcau.demo.errors import DemoError

if TYPE_CHECKING:
    from diemcau.clock import Clock

START_S = 30.0
"""An empty database is served within a second; a busy machine may take longer."""

STOP_S = 30.0
"""Everything that waits is written by then; a server that still runs afterwards is killed."""

READY = "Diemcau: "
"""The line that `diemcau serve` writes last, once it listens."""

DISK_MIB_MIN = 256
"""The whole conference takes about a quarter of it, and as much again while its log is written."""

LINES_KEPT = 20
LINE_BYTES_MAX = 1_048_576
"""A traceback is one log line."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and how the server runs. `connect` is the origin the players use, `public` the one people see."""

    host: str
    port: int
    public: str
    folder: Path
    database: str

    @property
    def connect(self) -> str:
        """The players run on the same machine."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(slots=True)
class ServerProcess:
    """`async with ServerProcess(listening) as server:`; `server.setup_token` makes the first administrator."""

    listening: Listening
    clock: Clock
    beat_s: float = limits.BEAT_INTERVAL_S
    setup_token: str = ""
    ready_s: float = 0.0
    """When it said that it listens, on the monotonic clock."""
    stopping: bool = False
    _process: asyncio.subprocess.Process | None = None
    _reading: asyncio.Task[None] | None = None
    _said: deque[str] = field(default_factory=lambda: deque(maxlen=LINES_KEPT))

    async def __aenter__(self) -> Self:
        """Start and wait until it says where it listens.

        Raises:
            DemoError: `demo_server`, with the server's own sentence; `demo_database_used` when the database
                is somebody's; `demo_folder` when the folder cannot be made; `demo_disk` when it has no room.
        """
        try:
            self.listening.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DemoError("demo_folder", where=str(self.listening.folder), reason=str(error.strerror)) from error
        free_mib = shutil.disk_usage(self.listening.folder).free // 1_048_576
        if free_mib < DISK_MIB_MIN:
            raise DemoError("demo_disk", where=str(self.listening.folder), free=free_mib, needed=DISK_MIB_MIN)
        try:
            await self._start()
            async with asyncio.timeout(START_S):
                await self._read_until_ready()
            self.ready_s = self.clock.monotonic_s()
        except TimeoutError:
            await self.stop()
            raise DemoError("demo_server", said=self.said) from None
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else 0

    async def ended(self) -> int:
        """Wait until the server ends by itself (it should not)."""
        assert self._process is not None  # noqa: S101 only inside the context
        return await self._process.wait()

    @property
    def said(self) -> str:
        """The last lines it wrote."""
        return "\n".join(self._said)

    async def stop(self) -> None:
        """End it and wait: politely, and by force when it does not listen."""
        process, self.stopping = self._process, True
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._reading is not None:
            await self._reading
            self._reading = None

    async def _start(self) -> None:
        where = self.listening
        # A session of its own: Ctrl-C reaches the demo alone, which then ends its players before its server.
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "diemcau", "serve", "--beat-interval", str(self.beat_s)),
            *("--host", where.host, "--port", str(where.port), "--public-url", where.public),
            *("--database", where.database, "--data-dir", str(where.folder)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LINE_BYTES_MAX,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )

    async def _read_until_ready(self) -> None:
        assert self._process is not None  # noqa: S101 started just before
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 it is a pipe
        ready = False
        while not ready and (line := (await stdout.readline()).decode(errors="replace")):
            self._said.append(line.rstrip())
            before, found, token = line.strip().partition("/setup/")
            if found and before.startswith("http"):
                self.setup_token = token
            ready = line.startswith(READY)
        if not ready:
            raise DemoError("demo_server", said=self.said)
        self._reading = asyncio.create_task(self._keep_log(stdout), name="server log")
        if not self.setup_token:
            raise DemoError("demo_database_used", database=self.listening.database)

    async def _keep_log(self, stdout: asyncio.StreamReader) -> None:
        with (self.listening.folder / "server.log").open("a", encoding="utf-8") as log:
            while line := await stdout.readline():
                text = line.decode(errors="replace")
                self._said.append(text.rstrip())
                log.write(text)
                log.flush()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process used so far; zeros where the system does not tell."""

    cpu_s: float = 0.0
    rss_peak_mib: float = 0.0


def cost_of(pid: int) -> Cost:
    """CPU seconds and peak memory of a process, from /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return Cost()
    ticks = int(stat[11]) + int(stat[12])
    peak_kib = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)
    return Cost(ticks / os.sysconf("SC_CLK_TCK"), peak_kib / 1024)
