"""Reports as CSV: UTF-8 with a mark that Excel needs, CRLF, every text quoted, nothing that runs as a formula."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from datetime import datetime
from io import TextIOWrapper
from typing import BinaryIO

from diemcau.reports.columns import HALL, NUMBERED, Cell, Words, cells, columns_of, headers
from diemcau.reports.rows import Heading, Row, SummaryRow, What
from diemcau.reports.totals import Tally

RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins so is a formula, or part of one, to one spreadsheet or another."""

INSIDE = re.compile(r"([;|\r\n] *)(?=[=+\-@＝＋－＠])")
"""A spreadsheet that parts cells at semicolons (Excel in Vietnamese) would begin a cell here, quotes or not."""

MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
REREAD = re.compile(
    r"0[\d ]+|\d{12,}|\d+[-/.,: eE]\d[\d\-/.,: eE]*|true|false"
    rf"|{MONTH}[-/. ]?\d+|\d+[-/. ]?{MONTH}",
    re.IGNORECASE,
)
"""Texts that a spreadsheet would read as another number, a date or a truth (0912…, 1-2, 3E5, MAR-01, TRUE): a tab in
front, which no reader shows, keeps them as they are. Reading back, white space at the ends is dropped anyway."""


def write(out: BinaryIO, heading: Heading, rows: Iterable[Row]) -> None:
    """Write the report to `out`, which stays open. Header first, no title lines: programs read this too.

    Raises:
        TotalsDifferError: the rows do not add up.
    """
    words = Words.of(heading)
    halls = HALL if heading.what is What.ROSTER else ()
    columns = (*halls, *columns_of(heading))
    numbered = heading.what in NUMBERED
    text = TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([*(words.word(f"column.{column.key}") for column in halls), *headers(heading, words)])
    for number, row in enumerate(Tally(heading).counted(rows), 1):
        line = [_plain(cell) for cell in cells(row, columns, words)]
        if isinstance(row, SummaryRow) and row.depth:
            line[0] = "  " * row.depth + str(line[0])
        writer.writerow([number, *line] if numbered else line)
    text.flush()
    text.detach()


def _plain(cell: Cell) -> str | int | float:
    """A cell as CSV knows it. Times as ISO, because 03/02 is two different days in two countries' Excel."""
    if isinstance(cell, str):
        return kept(cell)
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return "" if cell is None else cell


def kept(text: str) -> str:
    """The text so that every spreadsheet shows it as it is: a number stays text, a formula does not run."""
    return f"\t{text}" if REREAD.fullmatch(text) else defused(text)


def defused(text: str) -> str:
    """The text with an apostrophe in front of what a spreadsheet would run, at its beginning or after a semicolon."""
    quoted = f"'{text}" if text.lstrip(" ").startswith(RUNS) else text
    return INSIDE.sub(r"\1'", quoted)
