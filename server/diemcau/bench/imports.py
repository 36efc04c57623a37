"""`diemcau bench import`: a list taken over beside reading and inserting it bare, and check-ins meanwhile.

Ours and bare write in turn into the same table of the same database, so that both meet the same indexes at the same
size. Bare is what any import must do: calamine reads the sheet, one transaction inserts the rows. It folds no names,
checks nothing, keeps nothing to undo, and holds the database's only writer all the time.
"""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import python_calamine
import xlsxwriter

from diemcau.app import open_context
from diemcau.bench import servers
from diemcau.bench.bare import insert_all
from diemcau.bench.crowd import HALLS_PER_UNIT, PEOPLE_PER_HALL, Crowd, name_of
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

HEADER = ("Mã", "Họ và tên", "Chức vụ", "Mã đơn vị", "Mã điểm cầu", "Số điện thoại")
COLUMNS = ("code", "full_name", "name_folded", "sort_key", "title", "unit_id", "point_id", "phone", "phone_digits")
TITLES = ("Bí thư", "Phó Bí thư", "Ủy viên", "Chánh Văn phòng", "Đảng viên")
ADMINISTRATOR, PASSWORD = "bench", "a bench on loopback"
"""Of a database that lives for minutes and listens on loopback only."""

POLL_S = 0.02
TIMEOUT_S = 600
WARM_UP_S = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """rows: of the workbook, and people there are before. rate: check-ins a second beside the import."""

    rows: int = 52_000
    rounds: int = 5
    rate: float = 300.0
    folder: Path | None = None
    database: str | None = None


@dataclass(slots=True)
class Rounds:
    """Seconds of each round, and check-ins without an import and beside one."""

    mine: list[float] = field(default_factory=list)
    its: list[float] = field(default_factory=list)
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
        each = int(options.rows * SINGLE_HALLS)
        crowd = Crowd(folder, options.rows, 2 + int(options.rounds * options.rate * 10 / each), options.database)
        asyncio.run(crowd.fill(int(time.time() * 1000)))
        token = asyncio.run(_administrator(crowd, folder))
        say(f"  {options.rows:,} people are there")
        rounds = _measured(options, crowd, token, say)
    return Report(_figures(options, rounds), where, versions() | {"database": crowd.database.partition(":")[0]})


def _measured(options: Options, crowd: Crowd, token: str, say: Callable[[str], None]) -> Rounds:
    rounds = Rounds()
    with servers.pinned_client(), servers.ours(crowd.database, crowd.folder) as server:
        guests = Visitors(crowd).singles()
        Load(server.port).flat_out(itertools.islice(guests, int(options.rate * WARM_UP_S)), 8, WARM_UP_S)
        for number in range(1, options.rounds + 1):
            book = workbook(crowd.folder / f"{number}.xlsx", f"M{number}-", options.rows)
            rounds.mine.append(imported(server, token, book))
            rounds.its.append(bare(crowd, workbook(book, f"B{number}-", options.rows)))
            rounds.alone.append(_checked_in(server, guests, options.rate, rounds.mine[-1]))
            workbook(book, f"D{number}-", options.rows)
            rounds.during.append(_during(server, token, book, guests, options.rate, rounds.mine[-1]))
            book.unlink()
            say(f"  round {number} of {options.rounds}: {rounds.mine[-1]:.2f} s, bare {rounds.its[-1]:.2f} s")
    return rounds


async def _administrator(crowd: Crowd, folder: Path) -> str:
    async with open_context(Settings(database=crowd.database, data_dir=folder)) as context:
        account = api.AccountNew(ADMINISTRATOR, PASSWORD, [api.GrantView(Role.ADMIN)])
        await accounts.add(System(), context, account)
        return await accounts.issue_token(System(), context, ADMINISTRATOR)


# --- the workbook ------------------------------------------------------------------------------------------
def workbook(path: Path, prefix: str, rows: int) -> Path:
    """A list of new people as an office sends it; their codes begin with `prefix`."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("Danh sách")
    for number, cells in enumerate(itertools.chain([HEADER], people(prefix, rows))):
        for column, cell in enumerate(cells):
            sheet.write_string(number, column, cell)
    book.close()
    return path


def people(prefix: str, rows: int) -> Iterator[tuple[str, ...]]:
    """Code, name, title, unit, hall and telephone of new people in the halls of a `Crowd`."""
    for number in range(rows):
        hall = number // PEOPLE_PER_HALL
        place = (f"U{hall // HALLS_PER_UNIT + 2}", f"P{hall}")
        yield (f"{prefix}{number}", name_of(number), TITLES[number % len(TITLES)], *place, f"09{number:08d}")


# --- both sides --------------------------------------------------------------------------------------------
def imported(server: Measured, token: str, book: Path) -> float:
    """Seconds from the first byte sent to the job's end.

    Raises:
        StartError: the server did not take the list over.
    """
    head = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    begun = time.perf_counter()
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)) as connection:
        job = _answer(connection, "POST", "/api/v1/imports?what=attendees", head, book.read_bytes())
        while job.get("state") in {"queued", "running"}:
            time.sleep(POLL_S)
            job = _answer(connection, "GET", f"/api/v1/jobs/{job['id']}", head)
    if job.get("state") != "done":
        raise StartError("bench_refused", said=str(job)[:600])
    return time.perf_counter() - begun


def _answer(
    connection: http.client.HTTPConnection, method: str, path: str, head: dict[str, str], body: bytes | None = None
) -> dict[str, Any]:
    connection.request(method, path, body, head)
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    return answer


def bare(crowd: Crowd, book: Path) -> float:
    """Seconds to read the workbook and to insert its rows in one durable transaction."""
    begun = time.perf_counter()
    with book.open("rb") as file:
        cells = python_calamine.CalamineWorkbook.from_object(file).get_sheet_by_index(0).to_python()
    rows = [
        (code, name, name, name, title, int(unit[1:]), int(hall[1:]) + 1, phone, phone)
        for code, name, title, unit, hall, phone in (map(str, row) for row in cells[1:])
    ]
    if crowd.elsewhere:
        asyncio.run(_insert_elsewhere(crowd.elsewhere, rows))
    else:
        insert_all(str(crowd.folder / "diemcau.db"), "attendee", COLUMNS, rows)
    return time.perf_counter() - begun


async def _insert_elsewhere(database: str, rows: list[tuple[Any, ...]]) -> None:
    engines = Engines(database)
    try:
        async with engines.writing.begin() as connection:
            await bulk.insert(connection, schema.attendee, COLUMNS, rows)
    finally:
        await engines.close()


# --- check-ins beside it -----------------------------------------------------------------------------------
def _checked_in(server: Measured, guests: Iterator[Script], rate: float, seconds: float) -> Result:
    result = Load(server.port).paced(list(itertools.islice(guests, max(1, int(rate * seconds)))), rate)
    if result.failed or not result.done:
        raise StartError("bench_refused", said=f"{result.failed} {result.bad[:1]}")
    return result


def _during(  # noqa: PLR0913 both sides of one measurement
    server: Measured, token: str, book: Path, guests: Iterator[Script], rate: float, seconds: float
) -> Result:
    """Check-ins for as long as an import takes alone; beside them it takes longer, so all of them meet it."""
    importing = threading.Thread(target=imported, args=(server, token, book), name="import")
    importing.start()
    try:
        return _checked_in(server, guests, rate, seconds)
    finally:
        importing.join()


def _figures(options: Options, rounds: Rounds) -> list[Figure]:
    note = f"{options.rows:,} new people; beside reading it with calamine and one bare transaction"
    figures = [beside("import xlsx", "s", rounds.mine, rounds.its, note)]
    for part, name in ((0.99, "p99"), (0.5, "p50")):
        during = [quantile(result.latencies, part) * 1000 for result in rounds.during]
        without = [quantile(result.latencies, part) * 1000 for result in rounds.alone]
        figures.append(
            beside(f"import check-in-{name}", "ms", during, without, f"{options.rate:g}/s; bare: without an import")
        )
    longest = [max(result.latencies) * 1000 for result in rounds.during]
    figures.append(alone("import check-in-longest", "ms", longest, "the slowest one while an import runs"))
    return figures
