"""The reading process, seen from the server: started, listened to, and ended with whoever wanted it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from diemcau.errors import ImportFileError
from diemcau.intake.frames import LENGTH_BYTES, Ended, Frame, Mapping, Unreadable, decode

PIPE_BYTES = 1_048_576
"""How much may wait in the pipe's reader; a frame of 500 people is about 60 KB."""


async def read_file(what: str, path: Path, mapping: Mapping | None = None) -> AsyncGenerator[Frame]:
    """The frames of a file: for each sheet `Opened` and its `Rows`, unless columns are missing; then `Ended`.

    Raises:
        ImportFileError: the file as a whole cannot be read, or reading it went beyond memory or time.
    """
    command = (
        sys.executable,
        "-P",
        "-m",
        "diemcau.intake",
        what,
        str(path),
        msgspec.json.encode(mapping or {}).decode(),
    )
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=PIPE_BYTES,
    )
    stream = process.stdout
    assert stream is not None  # noqa: S101 asked for above
    over = False
    try:
        while not over:
            frame = await _next(stream)
            over = frame is None or isinstance(frame, Ended | Unreadable)
            if frame is None:  # it died without a word: killed at a bound, or by what it read
                raise ImportFileError("import_damaged")
            if isinstance(frame, Unreadable):
                raise ImportFileError(frame.code)
            yield frame
    finally:
        if not over:  # whoever wanted the file went away
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


async def _next(stream: asyncio.StreamReader) -> Frame | None:
    try:
        length = int.from_bytes(await stream.readexactly(LENGTH_BYTES))
        return decode(await stream.readexactly(length))
    except asyncio.IncompleteReadError:
        return None
