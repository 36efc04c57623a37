"""The `diemcau` command as a person runs it: a real process, in English unless said otherwise."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path


async def command(*arguments: str | Path, typed: str = "", **environment: str) -> tuple[int, str, str]:
    """`diemcau …` in English: exit status, standard output, standard error."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIEMCAU_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "diemcau", *map(str, arguments)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=kept | {"DIEMCAU_LANGUAGE": "en"} | environment,
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate(typed.encode())
    assert "Traceback" not in errors.decode()
    return process.returncode or 0, output.decode(), errors.decode()
