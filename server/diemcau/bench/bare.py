"""The limits of the stack, as servers: what aiohttp and a group commit cost without anything of ours between them.

`python -m diemcau.bench.bare echo|durable FILE` prints its port and serves until told to stop. `echo` parses a check-in
and answers; `durable` also puts one row through a bare group commit (time-ordered key, `synchronous=FULL`) first.
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from aiohttp import web

from diemcau import limits
from diemcau.wire.check_ins import CheckInBatch, CheckInItem, CheckInResult, CheckInResults

BATCH = msgspec.json.Decoder(CheckInBatch)
ITEM = msgspec.json.Decoder(CheckInItem)
ROW = "INSERT INTO echo (nonce, body) VALUES (?, ?)"


class GroupCommit:
    """Rows that wait share one commit: the least that a durable answer takes."""

    def __init__(self, file: str) -> None:
        self._connection = opened(file)
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[tuple[tuple[bytes, bytes], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()

    async def put(self, rows: list[tuple[bytes, bytes]]) -> None:
        """Returns once the rows are on disk."""
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in rows]
        self._waiting += zip(rows, futures, strict=True)
        self._wake.set()
        for future in futures:
            await future

    async def run(self) -> None:
        """Write what waits, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch = self._waiting[: limits.WRITE_BATCH_ITEMS_MAX]
                del self._waiting[: len(batch)]
                await loop.run_in_executor(self._thread, self._write, [row for row, _ in batch])
                for _, future in batch:
                    if not future.done():
                        future.set_result(None)

    def _write(self, rows: list[tuple[bytes, bytes]]) -> None:
        write(self._connection, rows)


def opened(file: str) -> sqlite3.Connection:
    """A database with the one table of the echo."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -32768"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE IF NOT EXISTS echo (nonce BLOB PRIMARY KEY, body BLOB) WITHOUT ROWID")
    return connection


def write(connection: sqlite3.Connection, rows: list[tuple[bytes, bytes]]) -> None:
    """One durable transaction."""
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(ROW, rows)
    connection.execute("COMMIT")


def insert_all(file: str, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows into a table that is there, in one durable transaction."""
    connection = sqlite3.connect(file, isolation_level=None, timeout=limits.DATABASE_LOCK_WAIT_MS / 1000)
    try:
        for pragma in ("synchronous = FULL", "cache_size = -32768"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")
        marks = ", ".join("?" for _ in columns)
        connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608 our own names
        connection.execute("COMMIT")
    finally:
        connection.close()


async def _read(request: web.Request) -> tuple[list[CheckInItem], bytes]:
    raw = await request.read()
    return [ITEM.decode(item) for item in BATCH.decode(raw).items], raw


def _answer(items: list[CheckInItem]) -> web.Response:
    results = [CheckInResult(item.nonce, "accepted", counted=True) for item in items]
    body = msgspec.json.encode(CheckInResults(0, 0, results))
    return web.Response(body=body, content_type="application/json")


async def echo(request: web.Request) -> web.Response:
    """Parse and answer."""
    items, _ = await _read(request)
    return _answer(items)


def durable(commit: GroupCommit) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Parse, commit, answer."""

    async def handle(request: web.Request) -> web.Response:
        items, raw = await _read(request)
        await commit.put([(bytes.fromhex(item.nonce.replace("-", "")), raw[:200]) for item in items])
        return _answer(items)

    return handle


async def main(kind: str, file: str) -> None:
    """Serve on a free port of loopback until SIGTERM."""
    app = web.Application(client_max_size=limits.BODY_BYTES_MAX)
    writing: asyncio.Task[None] | None = None
    if kind == "durable":
        commit = GroupCommit(file)
        writing = asyncio.create_task(commit.run())
        app.router.add_post("/", durable(commit))
    else:
        app.router.add_post("/", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=limits.LISTEN_BACKLOG)
    await site.start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201 whoever started us reads it
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await runner.cleanup()
    if writing:
        writing.cancel()


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(main(sys.argv[1], sys.argv[2]))
    else:
        uvloop.run(main(sys.argv[1], sys.argv[2]))
