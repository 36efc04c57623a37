"""One process at a time on the embedded database: a lock beside the file, gone with the process that holds it.

SQLite itself would let a second process write; but a server keeps counts and links in memory, and a command that
writes beside it would leave boards and displays telling something else than the database.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from diemcau.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def held(database: Path | None) -> Iterator[None]:
    """Hold the lock on an embedded database (`FILE.lock`); None, a database server, needs none.

    Raises:
        StartError: `database_locked` when another process holds it.
        OSError: the lock's file cannot be made.
    """
    if database is None:
        yield
        return
    opened = os.open(f"{database}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        _lock(opened, database)
        yield
    finally:
        os.close(opened)


def _lock(opened: int, database: Path) -> None:
    try:
        import fcntl  # noqa: PLC0415 absent on Windows, where nothing is locked
    except ImportError:
        return
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StartError("database_locked", where=str(database)) from None
