"""The chart of a summary: the rate of each unit of the first level, beside its own small table of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xlsxwriter

    from diemcau.reports.columns import Words
    from diemcau.reports.rows import SummaryRow

UNITS_MAX = 40
"""More bars than this cannot be told apart on a page."""

BAR_PIXELS = 22
FRAME_PIXELS = 120


def add(book: xlsxwriter.Workbook, words: Words, rows: Sequence[SummaryRow]) -> None:
    """A second sheet with a bar for each of these units, as they stand in the table; none for fewer than two."""
    rated = [row for row in rows if row.rate is not None]
    if len(rated) < 2:
        return
    shown = rated[:UNITS_MAX]
    name = words.word("file.chart")
    sheet: Any = book.add_worksheet(name)
    text = book.add_format({"quote_prefix": True})
    bold, rate = book.add_format({"bold": True}), book.add_format({"num_format": "0.0"})
    sheet.set_column(0, 0, 40)
    sheet.write_string(0, 0, words.word("column.unit"), bold)
    sheet.write_string(0, 1, words.word("column.rate"), bold)
    for at, row in enumerate(shown, 1):
        sheet.write_string(at, 0, row.unit, text)
        sheet.write_number(at, 1, row.rate, rate)
    if len(shown) < len(rated):
        title = words.word("chart_first", shown=len(shown), count=len(rated))
    else:
        title = words.word("chart")
    sheet.insert_chart(0, 3, _bars(book, name, title, len(shown)))
    sheet.set_landscape()
    sheet.fit_to_pages(1, 1)


def _bars(book: xlsxwriter.Workbook, sheet: str, title: str, count: int) -> Any:  # noqa: ANN401 XlsxWriter has no types
    chart: Any = book.add_chart({"type": "bar"})
    chart.add_series(
        {
            "name": title,
            "categories": [sheet, 1, 0, count, 0],
            "values": [sheet, 1, 1, count, 1],
            "fill": {"color": "#0F5C4A"},
            "data_labels": {"value": True, "num_format": "0.0"},
            "gap": 40,
        }
    )
    chart.set_title({"name": title, "name_font": {"size": 12}})
    chart.set_legend({"none": True})
    chart.set_x_axis({"min": 0, "max": 100, "major_gridlines": {"visible": True, "line": {"color": "#DFE2DD"}}})
    chart.set_y_axis({"reverse": True})
    chart.set_size({"width": 760, "height": FRAME_PIXELS + BAR_PIXELS * count})
    return chart
