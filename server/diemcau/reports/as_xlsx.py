"""Reports as XLSX: texts stay texts (leading zeros, no formulas), ready to filter and to print."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from diemcau.reports import xlsx_chart
from diemcau.reports.columns import NUMBERED, Cell, Column, Words, columns_of, headers, title_lines
from diemcau.reports.paper import PaperHead
from diemcau.reports.rows import Heading, RosterRow, Row, SpotCheckRow, SummaryRow, What
from diemcau.reports.totals import Tally

A4 = 9
INDENTS_MAX = 15
"""As deep as Excel indents."""

PAGE_BREAKS_MAX = 1023
"""As many as Excel takes; a roster of more halls flows on."""

HEADER_POINTS = 48
"""Three lines; Excel does not measure a row by itself when it opens a file."""

SIGNING_ROW_POINTS = 24
"""Room for a signature."""

NUMBER_COLUMN = Column("number", "number", 6, lambda _row, _words: None)
FORMATS: dict[str, dict[str, Any]] = {
    "text": {"quote_prefix": True, "valign": "top", "text_wrap": True},
    "number": {"num_format": "#,##0", "valign": "top"},
    "rate": {"num_format": "0.0", "valign": "top"},
    "time": {"num_format": "hh:mm:ss dd/mm/yyyy", "valign": "top"},
}
"""`quote_prefix` keeps a text a text also after someone edits its cell."""

BOXED = frozenset({What.ROSTER, What.SUMMARY, What.SPOT_CHECKS})
"""Tables that are read on paper; in the long ones lines would be a fifth of the file."""


def write(path: Path, heading: Heading, rows: Iterable[Row]) -> None:
    """Write the report to `path`, one row after another: memory does not grow with their number.

    Raises:
        TotalsDifferError: the rows do not add up.
    """
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "in_memory": False}) as book:
        page = _Page(book, heading)
        page.write(rows)
        if heading.what is What.SUMMARY:
            xlsx_chart.add(book, page.words, page.charted)


class _Page:
    """The sheet that holds the table."""

    def __init__(self, book: xlsxwriter.Workbook, heading: Heading) -> None:
        self.heading = heading
        self.words = Words.of(heading)
        numbered = heading.what in NUMBERED
        self.columns = (NUMBER_COLUMN, *columns_of(heading)) if numbered else columns_of(heading)
        self.sheet = book.add_worksheet(self.words.word(f"file.{heading.what}"))
        box = {"border": 1, "border_color": "#B8C2BD"} if heading.what in BOXED else {}
        looks = {kind: {**look, **box} for kind, look in FORMATS.items()}
        self.formats = {kind: book.add_format(look) for kind, look in looks.items()}
        self.formats["name"] = self.formats["text"]
        self.total = {kind: book.add_format({**look, "bold": True, "top": 1}) for kind, look in looks.items()}
        self.total["name"] = self.total["text"]
        self.indented = [book.add_format({**looks["text"], "indent": depth}) for depth in range(INDENTS_MAX + 1)]
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.subtitle = book.add_format({"quote_prefix": True})
        self.strong = book.add_format({"quote_prefix": True, "bold": True})
        self.header = book.add_format(
            {
                "bold": True,
                "border": 1,
                "bg_color": "#E7EFEA",
                "text_wrap": True,
                "align": "center",
                "valign": "vcenter",
            }
        )
        self.charted: list[SummaryRow] = []
        self.breaks: list[int] = []
        self.hall: str | None = None
        self.in_hall = 0

    def write(self, rows: Iterable[Row]) -> None:
        """Heading, titles, header, rows, totals, and what Excel needs to show and print them."""
        for index, column in enumerate(self.columns):
            self.sheet.set_column(index, index, column.width)
        if self.heading.what is What.ROSTER:
            self.sheet.set_default_row(SIGNING_ROW_POINTS)
        top = self._titles(self._head(self.heading.head))
        self.sheet.set_row(top, HEADER_POINTS)
        for index, header in enumerate(headers(self.heading, self.words)):
            self.sheet.write_string(top, index, header, self.header)
        tally = Tally(self.heading)
        last = self._rows(top, tally.counted(rows))
        if self.heading.what is not What.ROSTER:
            self.sheet.autofilter(top, 0, max(last, top + 1), len(self.columns) - 1)
        self._ending(max(last, top + 1), tally)
        self.sheet.freeze_panes(top + 1, 0)
        self._print_setup(top)

    def _head(self, head: PaperHead) -> int:
        """The office's lines on the left and on the right; the row below them."""
        left = [line for line in (head.superior, head.organization, head.number) if line]
        right = [line for line in (*head.motto.split("\n"), head.place_and_date) if line]
        beside = len(self.columns) // 2
        for index in range(max(len(left), len(right))):
            for column, lines in ((0, left), (beside, right)):
                if index < len(lines):
                    look = self.strong if lines[index] == head.organization else self.subtitle
                    self.sheet.write_string(index, column, lines[index], look)
        return max(len(left), len(right)) + 1 if left or right else 0

    def _titles(self, at: int) -> int:
        lines = title_lines(self.heading, self.words)
        for index, line in enumerate(lines):
            self.sheet.write_string(at + index, 0, line, self.subtitle if index else self.title)
        return at + len(lines) + 1

    # --- rows ------------------------------------------------------------------------------------------------
    def _rows(self, top: int, rows: Iterable[Row]) -> int:
        """Write all rows below `top`; the last row of the sheet that is used."""
        at = top
        plain = [
            (index, column.value, self.formats[column.kind])
            for index, column in enumerate(self.columns)
            if column is not NUMBER_COLUMN
        ]
        numbered = self.columns[0] is NUMBER_COLUMN
        for number, row in enumerate(rows, 1):
            if isinstance(row, RosterRow):
                at = self._open_hall(at, row)
            at += 1
            if isinstance(row, SummaryRow | SpotCheckRow):
                self._figures(at, row)
                continue
            if numbered:
                self.sheet.write_number(at, 0, number, self.formats["number"])
            for index, value, look in plain:
                self._cell(at, index, value(row, self.words), look)
        return self._close_hall(at)

    def _figures(self, at: int, row: SummaryRow | SpotCheckRow) -> None:
        """A row of figures, the total in bold, units indented by their depth."""
        depth = row.depth if isinstance(row, SummaryRow) else 0
        is_total = depth is None or (isinstance(row, SpotCheckRow) and not row.point_code)
        formats = self.total if is_total else self.formats
        if isinstance(row, SummaryRow) and depth == 1:
            self.charted.append(row)
        for index, column in enumerate(self.columns):
            look = formats[column.kind]
            if column.kind == "name" and depth:
                look = self.indented[min(depth, INDENTS_MAX)]
            self._cell(at, index, column.value(row, self.words), look)

    def _cell(self, at: int, index: int, cell: Cell, look: Any) -> None:  # noqa: ANN401 XlsxWriter has no types
        if cell is None or cell == "":
            if self.heading.what in BOXED:
                self.sheet.write_blank(at, index, None, look)
            return  # in the long tables an empty cell is none at all: a tenth of the file
        if isinstance(cell, str):
            self.sheet.write_string(at, index, cell, look)
        elif isinstance(cell, datetime):
            self.sheet.write_datetime(at, index, cell, look)
        else:
            self.sheet.write_number(at, index, cell, look)

    def _open_hall(self, at: int, row: RosterRow) -> int:
        """The heading of a hall where its first person comes, on a page of its own."""
        if row.point_code == self.hall:
            self.in_hall += 1
            return at
        if self.hall is not None:
            at = self._close_hall(at)
            self.breaks.append(at + 1)
        self.hall, self.in_hall = row.point_code, 1
        name = self.words.word("hall", name=row.point, code=row.point_code) if row.point_code else ""
        self.sheet.write_string(at + 1, 0, name or self.words.word("no_hall"), self.strong)
        return at + 1

    def _close_hall(self, at: int) -> int:
        if self.hall is None:
            return at
        self._sum(at + 1, "people", self.in_hall)
        return at + 1

    # --- the end ---------------------------------------------------------------------------------------------
    def _sum(self, at: int, key: str, count: int) -> None:
        """A total: its word under the names, its value beside it."""
        column = next((index for index, column in enumerate(self.columns) if column.key == "full_name"), 1)
        self.sheet.write_string(at, column, self.words.word(f"sum.{key}"), self.strong)
        self.sheet.write_number(at, column + 1, count, self.total["number"])

    def _ending(self, last: int, tally: Tally) -> None:
        """Totals (a table of figures has its own last row), then room for a signature."""
        at = last + 1
        if self.heading.what not in {What.SUMMARY, What.SPOT_CHECKS}:
            for key, count in tally.sums.items():
                at += 1
                self._sum(at, key, count)
        for line in filter(None, self.heading.head.signer.split("\n")):
            at += 1
            self.sheet.write_string(at + 1, max(len(self.columns) - 3, 0), line, self.strong)

    def _print_setup(self, top: int) -> None:
        if self.heading.what is not What.ROSTER:
            self.sheet.set_landscape()
        self.sheet.set_paper(A4)
        self.sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.repeat_rows(top)
        self.sheet.set_h_pagebreaks(self.breaks[:PAGE_BREAKS_MAX])
        self.sheet.set_footer("&R" + self.words.word("page"))
