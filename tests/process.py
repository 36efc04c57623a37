"""A real server process, for tests that need one."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from support import free_port

START_S = 20


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
