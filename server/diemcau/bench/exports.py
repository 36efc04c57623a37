"""`diemcau bench export`: the attendance list as XLSX and CSV beside the bare writers, and check-ins meanwhile.

Ours is everything between the request and the last byte: the database is read, the rows go to a process of their own,
their sums are checked, the file is sent. Bare is the library alone, given the same cells in its memory. Both at the
same niceness on the server's core.
"""

from __future__ import annotations

import asyncio
import csv
import http.client
import io
import itertools
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from diemcau.app import open_context
from diemcau.bench import servers
from diemcau.bench.crowd import PEOPLE_PER_HALL, Crowd
from diemcau.bench.figures import Figure, Report, alone, beside, machine, quantile, versions
from diemcau.bench.load import Load, Result
from diemcau.bench.visitors import SINGLE_HALLS, Visitors
from diemcau.config import Settings
from diemcau.domain.authority import System
from diemcau.domain.models import Role
from diemcau.errors import StartError
from diemcau.services import accounts
from diemcau.store import bulk, schema
from diemcau.store.engine import Engines
from diemcau.wire import api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from diemcau.bench.load import Script
    from diemcau.bench.servers import Measured

ADMINISTRATOR, PASSWORD = "bench", "a bench on loopback"
"""Of a database that lives for minutes and listens on loopback only."""

COUNTED = 0.94
"""Of the summoned, those who came; the list of a day on which nobody did would be an easy one."""

TIMEOUT_S = 600
BESIDE_S_MAX = 10.0
"""Check-ins beside an export last no longer than this: everybody of the other sessions comes once only."""

WATCH_S = 0.01
WARM_UP_S = 1.0
CHUNK_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Options:
    """people: rows of the list. rate: check-ins a second beside the export."""

    people: int = 52_000
    rounds: int = 5
    rate: float = 300.0
    folder: Path | None = None


@dataclass(slots=True)
class Side:
    """Seconds, seconds of CPU, and the most memory above idle (MiB) of each round."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    rss: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Rounds:
    """Both sides by format, and check-ins without an export and beside one."""

    ours: dict[str, Side] = field(default_factory=lambda: {"xlsx": Side(), "csv": Side()})
    bare: dict[str, Side] = field(default_factory=lambda: {"xlsx": Side(), "csv": Side()})
    alone: list[Result] = field(default_factory=list)
    during: list[Result] = field(default_factory=list)


def run(options: Options, say: Callable[[str], None]) -> Report:
    """Measure everything; `say` gets a line whenever something is done.

    Raises:
        StartError: a server did not start, or refused what was sent.
    """
    where = machine()
    with tempfile.TemporaryDirectory(prefix="diemcau-bench-", dir=options.folder) as name:
        folder = Path(name)
        each = int(options.people * SINGLE_HALLS)
        guests = int(options.rate * (options.rounds * 2 * BESIDE_S_MAX + WARM_UP_S))
        crowd = Crowd(folder, options.people, 2 + guests // each)
        asyncio.run(_filled(crowd))
        token = asyncio.run(_administrator(crowd))
        say(f"  {options.people:,} people are there")
        rounds = _measured(options, crowd, token, say)
    return Report(_figures(options, rounds), where, versions())


async def _filled(crowd: Crowd) -> None:
    """The crowd, most of whom are counted in the last session: the one that is exported."""
    now_ms = int(time.time() * 1000)
    await crowd.fill(now_ms)
    columns = ("session_id", "attendee_id", "nonce", "point_id", "at_ms", "flags")
    session, counted = crowd.sessions, int(crowd.people * COUNTED)
    rows = [
        (session, n + 1, n.to_bytes(16, "big"), n // PEOPLE_PER_HALL + 1, now_ms + n, "" if n % 9 else "late")
        for n in range(counted)
    ]
    engines = Engines(crowd.database)
    try:
        for start in range(0, counted, CHUNK_ROWS):
            async with engines.writing.begin() as connection:
                await bulk.insert(connection, schema.attendance, columns, rows[start : start + CHUNK_ROWS])
    finally:
        await engines.close()


async def _administrator(crowd: Crowd) -> str:
    async with open_context(Settings(database=crowd.database, data_dir=crowd.folder)) as context:
        account = api.AccountNew(ADMINISTRATOR, PASSWORD, [api.GrantView(Role.ADMIN)])
        await accounts.add(System(), context, account)
        return await accounts.issue_token(System(), context, ADMINISTRATOR)


def _measured(options: Options, crowd: Crowd, token: str, say: Callable[[str], None]) -> Rounds:
    rounds = Rounds()
    with servers.pinned_client(), servers.ours(crowd.database, crowd.folder) as server:
        guests = Visitors(crowd).singles()
        Load(server.port).flat_out(itertools.islice(guests, int(options.rate * WARM_UP_S)), 8, WARM_UP_S)
        source = _Source(server, token, f"B{crowd.sessions}")
        cells = _cells(crowd.folder / "cells", source.file("csv"))
        for number in range(1, options.rounds + 1):
            for form in ("xlsx", "csv"):
                _ours(source, form, rounds.ours[form])
                _bare(form, cells, rounds.bare[form])
            seconds = rounds.ours["xlsx"].seconds[-1]
            beside_s = min(seconds, BESIDE_S_MAX)
            rounds.alone.append(_checked_in(server, guests, options.rate, beside_s))
            rounds.during.append(_during(source, guests, options.rate, beside_s))
            say(f"  round {number} of {options.rounds}: {seconds:.2f} s, bare {rounds.bare['xlsx'].seconds[-1]:.2f} s")
    return rounds


# --- both sides --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Source:
    """Where the list comes from."""

    server: Measured
    token: str
    session: str

    def file(self, form: str) -> bytes:
        """The whole attendance list.

        Raises:
            StartError: the server did not give it.
        """
        path = f"/api/v1/sessions/{self.session}/exports/attendance.{form}"
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=TIMEOUT_S)) as connection:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            content = answer.read()
        if answer.status != 200:
            raise StartError("bench_refused", said=content[:600].decode(errors="replace"))
        return content


def _cells(path: Path, table: bytes) -> Path:
    """The list's cells for the bare writers: texts, and the row's number."""
    rows: list[list[str | int]] = [
        [int(cell) if index == 0 and cell.isdigit() else cell.strip("\t") for index, cell in enumerate(row)]
        for row in csv.reader(io.StringIO(table.decode("utf-8-sig"), newline=""))
    ]
    path.write_bytes(msgspec.msgpack.encode(rows))
    return path


def _ours(source: _Source, form: str, side: Side) -> None:
    cpu = source.server.cpu_with_children_s()
    with _Watch(source.server) as watch:
        begun = time.perf_counter()
        source.file(form)
        side.seconds.append(time.perf_counter() - begun)
    side.cpu.append(source.server.cpu_with_children_s() - cpu)
    side.rss.append(watch.peak_mib)


def _bare(form: str, cells: Path, side: Side) -> None:
    command = [sys.executable, "-m", "diemcau.bench.bare_export", form, str(cells), str(cells.with_suffix(f".{form}"))]
    told = servers.on_the_servers_core(command)
    seconds, cpu = map(float, told.split())
    side.seconds.append(seconds)
    side.cpu.append(cpu)


class _Watch:
    """How much memory the server and the processes it starts take at most, above what the server took before."""

    def __init__(self, server: Measured) -> None:
        self._server = server
        self._idle = server.memory_kib()
        self._most = self._idle
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory")

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """No more looking."""
        self._done.set()
        self._thread.join()

    @property
    def peak_mib(self) -> float:
        """The most that was seen."""
        return (self._most - self._idle) / 1024

    def _look(self) -> None:
        while not self._done.wait(WATCH_S):
            with suppress(OSError, ValueError):
                self._most = max(self._most, self._server.memory_kib())


# --- check-ins beside it -----------------------------------------------------------------------------------
def _checked_in(server: Measured, guests: Iterator[Script], rate: float, seconds: float) -> Result:
    result = Load(server.port).paced(list(itertools.islice(guests, max(1, int(rate * seconds)))), rate)
    if result.failed or not result.done:
        raise StartError("bench_refused", said=f"{result.failed} {result.bad[:1]}")
    return result


def _during(source: _Source, guests: Iterator[Script], rate: float, seconds: float) -> Result:
    """Check-ins for as long as an export takes alone; beside them it takes longer, so all of them meet it."""
    exporting = threading.Thread(target=source.file, args=("xlsx",), name="export")
    exporting.start()
    try:
        return _checked_in(source.server, guests, rate, seconds)
    finally:
        exporting.join()


def _figures(options: Options, rounds: Rounds) -> list[Figure]:
    note = f"{options.people:,} rows, 12 columns; beside the library alone with the same cells in memory"
    figures: list[Figure] = []
    for form in ("xlsx", "csv"):
        ours, bare = rounds.ours[form], rounds.bare[form]
        figures.append(beside(f"export {form}", "s", ours.seconds, bare.seconds, note))
        figures.append(beside(f"export {form}-cpu", "s", ours.cpu, bare.cpu, "CPU of the server and its process"))
    figures.append(alone("export rss", "MiB", rounds.ours["xlsx"].rss, "XLSX: server and its process above idle"))
    for part, name in ((0.99, "p99"), (0.5, "p50")):
        during = [quantile(result.latencies, part) * 1000 for result in rounds.during]
        without = [quantile(result.latencies, part) * 1000 for result in rounds.alone]
        figures.append(
            beside(f"export check-in-{name}", "ms", during, without, f"{options.rate:g}/s; bare: without an export")
        )
    return figures
