"""The quick report as a workbook: the table as it is printed, and behind it every hall."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import xlsxwriter

from diemcau.reports import quick_report as words

if TYPE_CHECKING:
    from diemcau.reports.quick_report import Paper

A4 = 9
TEXT = {"quote_prefix": True, "valign": "top", "text_wrap": True}
NUMBER = {"num_format": "#,##0", "valign": "top"}
HEADER = {"bold": True, "border": 1, "bg_color": "#E7EFEA", "text_wrap": True}


def write(paper: Paper) -> bytes:
    """The workbook; made of the same report it has the same bytes."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"created": words.moment(paper, paper.report.at_ms)})
        looks = _Looks(book)
        _table(paper, book.add_worksheet(words.word(paper, "sheet")), looks)
        _halls(paper, book.add_worksheet(words.word(paper, "sheet_points")), looks)
    return out.getvalue()


class _Looks:
    """The formats of one workbook."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.plain = book.add_format({"quote_prefix": True})
        self.header = book.add_format(HEADER)
        self.text = book.add_format({**TEXT, "border": 1})
        self.number = book.add_format({**NUMBER, "border": 1})
        self.total_text = book.add_format({**TEXT, "bold": True, "border": 1})
        self.total_number = book.add_format({**NUMBER, "bold": True, "border": 1})


def _table(paper: Paper, sheet: Any, looks: _Looks) -> None:  # noqa: ANN401 XlsxWriter has no types
    report = paper.report
    titles = [words.word(paper, "title", n=report.number), report.title, report.conference, words.as_of(paper)]
    above = [line for line in (paper.head.organization, paper.head.number, *titles) if line]
    for at, line in enumerate(above):
        sheet.write_string(at, 0, line, looks.title if line == titles[0] else looks.plain)
    top = len(above) + 1
    for column, header in enumerate(words.headers(paper)):
        sheet.write_string(top, column, header, looks.header)
    *rows, total = words.lines(paper)
    for at, row in enumerate(rows, top + 1):
        _row(sheet, at, row, (looks.text, looks.number))
    last = top + len(rows)
    sheet.write_string(last + 1, 0, str(total[0]), looks.total_text)
    for column, figure in enumerate(total[1:], 1):
        letter = chr(ord("A") + column)
        sheet.write_formula(last + 1, column, f"=SUM({letter}{top + 2}:{letter}{last + 1})", looks.total_number, figure)
    below = [*words.notes(paper), words.word(paper, "unreported") if report.unreported else ""]
    for at, line in enumerate(below, last + 3):
        sheet.write_string(at, 0, line, looks.plain)
    for at, point in enumerate(report.unreported, last + 3 + len(below)):
        _row(sheet, at, [point.name, point.unit_name, point.point], (looks.plain, looks.number))
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, len(total) - 1, 13)
    sheet.freeze_panes(top + 1, 0)
    _print_setup(sheet, top)


def _halls(paper: Paper, sheet: Any, looks: _Looks) -> None:  # noqa: ANN401 see above
    for column, (header, width) in enumerate(
        zip(words.point_headers(paper), (6, 14, 36, 30, 16, 12, 12, 12, 12), strict=True)
    ):
        sheet.write_string(0, column, header, looks.header)
        sheet.set_column(column, column, width)
    for at, row in enumerate(words.point_lines(paper), 1):
        _row(sheet, at, row, (looks.text, looks.number))
    sheet.autofilter(0, 0, max(len(paper.report.points), 1), 8)
    sheet.freeze_panes(1, 0)
    _print_setup(sheet, 0)


def _row(sheet: Any, at: int, row: list[Any], looks: tuple[Any, Any]) -> None:  # noqa: ANN401 see above
    for column, cell in enumerate(row):
        if isinstance(cell, str):
            sheet.write_string(at, column, cell, looks[0])
        elif cell is None:
            sheet.write_blank(at, column, None, looks[1])
        else:
            sheet.write_number(at, column, cell, looks[1])


def _print_setup(sheet: Any, top: int) -> None:  # noqa: ANN401 see above
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(top)
