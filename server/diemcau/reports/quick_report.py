"""The quick report as paper, workbook and CSV: the same figures and words each time, from the snapshot alone.

`python -m diemcau.reports.quick_report` reads a `Paper` as JSON from standard input and writes the file to standard
output: a process of its own, so that typesetting never holds up a check-in.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import sys
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from diemcau import i18n
from diemcau.i18n import Language
from diemcau.reports.as_csv import kept
from diemcau.reports.paper import PaperHead
from diemcau.wire.quick_reports import QuickReport, QuickReportPoint, QuickReportRow

NICENESS = 5
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
FIGURES = ("points", "reported", "checked_in", "unlisted", "headcount", "delegates")
"""The columns, as fields of a row."""


class Kept(msgspec.Struct):
    """What the database keeps: the report, and the heading of its paper in each language."""

    report: QuickReport
    heads: dict[Language, PaperHead]


class Paper(msgspec.Struct):
    """A report to be written. `timezone`: an IANA name; its times are on that clock."""

    report: QuickReport
    head: PaperHead
    format: str
    language: Language
    timezone: str


# --- words ---------------------------------------------------------------------------------------------------
def word(paper: Paper, key: str, /, **params: str | float) -> str:
    """The dictionary's text for `quick.paper.<key>`."""
    return i18n.text(paper.language, f"quick.paper.{key}", **params)


def moment(paper: Paper, at_ms: int) -> datetime:
    """The moment on the paper's clock."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(ZoneInfo(paper.timezone)).replace(tzinfo=None)


def titled(paper: Paper) -> str:
    """The file's name: Báo cáo nhanh số 1 - S1 - 2026-02-02 0805."""
    at = moment(paper, paper.report.at_ms)
    return f"{word(paper, 'title', n=paper.report.number)} - {paper.report.session} - {at:%Y-%m-%d %H%M}"


def as_of(paper: Paper) -> str:
    """Tính đến 08:05 ngày 02/02/2026."""
    at = moment(paper, paper.report.at_ms)
    return word(paper, "as_of", time=f"{at:%H:%M}", date=f"{at:%d/%m/%Y}")


def level(paper: Paper, row: QuickReportRow | QuickReportPoint) -> str:
    """The row's first cell: the centre, or the level as the units say it, with a capital letter."""
    if row.center:
        return word(paper, "center")
    return row.level[:1].upper() + row.level[1:] if row.level else word(paper, "no_level")


def headers(paper: Paper) -> list[str]:
    """The header of the table."""
    return [word(paper, "level"), *(word(paper, name) for name in FIGURES)]


def lines(paper: Paper) -> list[list[str | int]]:
    """The table's rows, the total last."""
    rows = [[level(paper, row), *_figures(row)] for row in paper.report.rows]
    return [*rows, [word(paper, "total"), *_figures(paper.report.total)]]


def notes(paper: Paper) -> list[str]:
    """What a reader must know to read the figures right."""
    said = [word(paper, "rule")]
    if paper.report.total.unlisted:
        said.append(word(paper, "unlisted_note"))
    return said


def point_headers(paper: Paper) -> list[str]:
    """The header of the list of halls."""
    names = ("number", "point", "name", "unit", "level", *FIGURES[2:])
    return [word(paper, name) for name in names]


def point_lines(paper: Paper) -> list[list[str | int | None]]:
    """Every hall behind the table; an empty cell where nobody had counted."""
    return [
        [number, p.point, p.name, p.unit_name, level(paper, p), p.checked_in, p.unlisted, p.headcount, p.delegates]
        for number, p in enumerate(paper.report.points, 1)
    ]


def _figures(row: QuickReportRow) -> list[str | int]:
    return [getattr(row, name) for name in FIGURES]


def number(paper: Paper, value: int) -> str:
    """5.943 in Vietnamese, 5,943 in English."""
    return f"{value:,}".replace(",", "." if paper.language == "vi" else ",")


# --- formats -------------------------------------------------------------------------------------------------
def as_csv(paper: Paper) -> bytes:
    """The table, and below an empty line the halls that had said nothing; UTF-8 with the mark that Excel needs."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(headers(paper))
    for row in lines(paper):
        writer.writerow([kept(cell) if isinstance(cell, str) else cell for cell in row])
    if paper.report.unreported:
        writer.writerow([])
        writer.writerow([word(paper, "unreported"), word(paper, "point"), word(paper, "unit")])
        for point in paper.report.unreported:
            writer.writerow([kept(point.name), kept(point.point), kept(point.unit_name)])
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(paper: Paper) -> bytes:
    """A sheet with the table and the silent halls, and one with every hall; totals are formulas with their values."""
    from diemcau.reports.quick_report_book import write  # noqa: PLC0415 the other formats do not need its library

    return write(paper)


def as_pdf(paper: Paper) -> bytes:
    """One page where few halls are silent."""
    from diemcau.reports.as_pdf import pdf  # noqa: PLC0415 see above

    return pdf("quick_report", content(paper))


def content(paper: Paper) -> dict[str, Any]:
    """What the template reads: finished words and numbers, nothing to compute."""
    report = paper.report
    silent = len(report.unreported)
    return {
        "language": paper.language,
        "head": msgspec.structs.asdict(paper.head)
        | {
            "title": word(paper, "title", n=report.number).upper(),
            "subtitle": " · ".join(part for part in (report.conference, report.title) if part),
            "as_of": as_of(paper),
        },
        "footer": word(paper, "footer", n=report.number, session=report.session, by=report.made_by),
        "headers": headers(paper),
        "rows": [[cell if isinstance(cell, str) else number(paper, cell) for cell in row] for row in lines(paper)],
        "notes": notes(paper),
        "unreported": word(paper, "unreported_of", n=number(paper, silent), all=number(paper, report.total.points)),
        "silent": [[point.name, point.unit_name, point.point] for point in report.unreported],
        "silent_headers": [word(paper, name) for name in ("number", "name", "unit", "point")],
        "all_reported": word(paper, "all_reported"),
    }


def main() -> None:
    """Exit 0 when the whole file was written."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(NICENESS)
    paper = msgspec.json.decode(sys.stdin.buffer.read(), type=Paper)
    made = {"csv": as_csv, "xlsx": as_xlsx, "pdf": as_pdf}[paper.format](paper)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
