"""Reports as XLSX: texts stay texts (leading zeros, no formulas), ready to filter and to print."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from diemcau.reports.columns import COLUMNS, NUMBERED, Cell, Column, Words, headers, title_lines
from diemcau.reports.rows import Heading, Row, SummaryRow

A4 = 9
INDENTS_MAX = 15
"""As deep as Excel indents."""

NUMBER_COLUMN = Column("number", "number", 6, lambda _row, _words: None)
FORMATS: dict[str, dict[str, Any]] = {
    "text": {"quote_prefix": True, "valign": "top", "text_wrap": True},
    "number": {"num_format": "#,##0", "valign": "top"},
    "rate": {"num_format": "0.0", "valign": "top"},
    "time": {"num_format": "hh:mm:ss dd/mm/yyyy", "valign": "top"},
}
"""`quote_prefix` keeps a text a text also after someone edits its cell."""


def write(path: Path, heading: Heading, rows: Iterable[Row]) -> None:
    """Write the report to `path`, one row after another: memory does not grow with their number."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "in_memory": False}) as book:
        _Page(book, heading).write(rows)


class _Page:
    """The one sheet of a report."""

    def __init__(self, book: xlsxwriter.Workbook, heading: Heading) -> None:
        self.heading = heading
        self.words = Words.of(heading)
        numbered = heading.what in NUMBERED
        self.columns = (NUMBER_COLUMN, *COLUMNS[heading.what]) if numbered else COLUMNS[heading.what]
        self.sheet = book.add_worksheet(self.words.word(f"file.{heading.what}"))
        self.formats = {kind: book.add_format(look) for kind, look in FORMATS.items()}
        self.total = {kind: book.add_format({**look, "bold": True, "top": 1}) for kind, look in FORMATS.items()}
        self.indented = [book.add_format({**FORMATS["text"], "indent": depth}) for depth in range(INDENTS_MAX + 1)]
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.subtitle = book.add_format({"quote_prefix": True})
        self.header = book.add_format({"bold": True, "border": 1, "bg_color": "#E7EFEA", "text_wrap": True})

    def write(self, rows: Iterable[Row]) -> None:
        """Titles, header, rows, and what Excel needs to show and print them."""
        for index, column in enumerate(self.columns):
            self.sheet.set_column(index, index, column.width)
        top = self._titles()
        for index, header in enumerate(headers(self.heading, self.words)):
            self.sheet.write_string(top, index, header, self.header)
        last = top
        for number, row in enumerate(rows, 1):
            last = top + number
            self._row(last, number, row)
        self.sheet.autofilter(top, 0, max(last, top + 1), len(self.columns) - 1)
        self.sheet.freeze_panes(top + 1, 0)
        self._print_setup(top)

    def _titles(self) -> int:
        lines = title_lines(self.heading, self.words)
        for index, line in enumerate(lines):
            self.sheet.write_string(index, 0, line, self.subtitle if index else self.title)
        return len(lines) + 1

    def _row(self, at: int, number: int, row: Row) -> None:
        formats = self.formats
        depth = row.depth if isinstance(row, SummaryRow) else 0
        if depth is None:
            formats, depth = self.total, 0
        for index, column in enumerate(self.columns):
            cell = number if column is NUMBER_COLUMN else column.value(row, self.words)
            if column.kind == "name":
                look = self.indented[min(depth, INDENTS_MAX)] if formats is self.formats else formats["text"]
                self.sheet.write_string(at, index, str(cell), look)
            else:
                self._cell(at, index, cell, formats[column.kind])

    def _cell(self, at: int, index: int, cell: Cell, look: Any) -> None:  # noqa: ANN401 XlsxWriter has no types
        if cell is None or cell == "":
            return  # an empty cell is none at all: a tenth of the file
        if isinstance(cell, str):
            self.sheet.write_string(at, index, cell, look)
        elif isinstance(cell, datetime):
            self.sheet.write_datetime(at, index, cell, look)
        else:
            self.sheet.write_number(at, index, cell, look)

    def _print_setup(self, top: int) -> None:
        self.sheet.set_landscape()
        self.sheet.set_paper(A4)
        self.sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.repeat_rows(top)
        self.sheet.set_footer("&R" + self.words.word("page"))
