"""Fetches what the server says of the day, each account by a way of its own: exports, summary, live, the database."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from python_calamine import CalamineWorkbook

from diemcau import i18n
from diemcau.config import Settings
from diemcau.demo.errors import DemoError
from diemcau.demo.ledger import Move
from diemcau.demo.organizer import SESSION
from diemcau.demo.reconcile import Records, Watched
from diemcau.domain.models import AttendanceStatus, LinkState
from diemcau.store.engine import Engines
from diemcau.wire import api, live

if TYPE_CHECKING:
    from diemcau.demo.play import Play
    from diemcau.i18n import Language

COUNTED = """
SELECT attendee.code AS person, point.code AS hall
FROM attendance
JOIN attendee ON attendee.id = attendance.attendee_id
JOIN point ON point.id = attendance.point_id
JOIN session ON session.id = attendance.session_id
WHERE session.code = 'HN-DEMO'
"""
"""Our own words, not the store's: what the server's queries overlook must show here."""


async def counted(database: str) -> dict[str, str]:
    """Who is counted, and where, read from the database itself once the server has let go of it."""
    engines = Engines(database)
    try:
        async with engines.read() as connection:
            rows = (await connection.exec_driver_sql(COUNTED)).mappings()
            return {row["person"]: row["hall"] for row in rows}
    finally:
        await engines.close()


def csv_rows(content: bytes) -> Iterator[list[str]]:
    """The rows of a CSV file as Excel would read it (UTF-8 with or without its mark, comma or semicolon)."""
    text = content.decode("utf-8-sig")
    semicolons = text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",")
    yield from csv.reader(io.StringIO(text), delimiter=";" if semicolons else ",")


def xlsx_rows(content: bytes) -> Iterator[list[str]]:
    """The rows of a workbook's first sheet."""
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    yield from ([str(cell) for cell in row] for row in sheet.iter_rows())


def table(rows: Iterable[Sequence[str]], columns: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The rows below the header, each as a map from our keys to its cells; `columns` are the headers of the keys.

    Raises:
        DemoError: `demo_report` when no row holds these headers.
    """
    below = iter(rows)
    for header in below:
        if set(columns.values()) <= set(header):
            places = {key: header.index(title) for key, title in columns.items()}
            break
    else:
        raise DemoError("demo_report", columns=", ".join(columns.values()))
    for row in below:
        yield {key: row[place] for key, place in places.items()}


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the exports as a person does: by their headers and words, in the language they came in."""

    language: Language
    zone: ZoneInfo

    def present(self, rows: Iterable[Sequence[str]]) -> dict[str, str]:
        """Who is present or late in an attendance list, and in which hall (its name: the list has no code of it)."""
        counted = {self._word(f"status.{status}") for status in (AttendanceStatus.PRESENT, AttendanceStatus.LATE)}
        columns = {key: self._word(f"column.{key}") for key in ("code", "point", "status")}
        return {row["code"]: row["point"] for row in table(rows, columns) if row["status"] in counted}

    def moves(self, rows: Iterable[Sequence[str]]) -> dict[str, list[Move]]:
        """The connection log by point, in the order of time. The log tells seconds: their middle is taken."""
        states = {i18n.text(self.language, f"link.{state}"): state for state in LinkState}
        columns = {key: self._word(f"column.{key}") for key in ("point_code", "to", "changed_at")}
        found: dict[str, list[Move]] = {}
        for row in table(rows, columns):
            at = datetime.strptime(row["changed_at"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=self.zone)
            move = Move(states[row["to"]], round(at.timestamp() * 1000) + 500)
            found.setdefault(row["point_code"], []).append(move)
        return {point: sorted(moves, key=lambda move: move.at_ms) for point, moves in found.items()}

    def _word(self, key: str) -> str:
        return i18n.text(self.language, f"report.{key}")


async def collect(play: Play) -> Records:
    """Everything but the database, from the running server."""
    client, board, measured = play.organizer.client, play.board, play.measured
    base = f"/sessions/{SESSION}"
    reader = Reader(client.language, ZoneInfo(Settings().timezone))
    fresh = await client.call("GET", f"{base}/live", live.Live)
    csv_file, measured.export_csv_s = await _timed(play, f"{base}/exports/attendance.csv")
    xlsx_file, measured.export_xlsx_s = await _timed(play, f"{base}/exports/attendance.xlsx")
    connections = await client.fetch("GET", f"{base}/exports/connections.csv")
    summary = (await client.call("GET", f"{base}/summary", api.Summary)).rows[0]
    assert board.totals is not None  # noqa: S101 it has had its snapshot
    return Records(
        database={},
        csv=reader.present(csv_rows(csv_file)),
        xlsx=reader.present(xlsx_rows(xlsx_file)),
        summary_present=summary.present + summary.guests,
        summary_summoned=summary.summoned,
        live=Watched({row.point: row for row in fresh.points}, fresh.totals),
        board=Watched(dict(board.rows), board.totals),
        connections=reader.moves(csv_rows(connections)),
    )


async def _timed(play: Play, path: str) -> tuple[bytes, float]:
    """A file, and how many seconds it took to come."""
    began_s = play.clock.monotonic_s()
    content = await play.organizer.client.fetch("GET", path)
    return content, play.clock.monotonic_s() - began_s
