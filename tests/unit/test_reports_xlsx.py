"""Workbooks: texts stay texts whatever they look like, for two independent readers."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import python_calamine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from diemcau.domain.models import AttendanceStatus
from diemcau.reports import as_xlsx
from diemcau.reports.rows import AttendanceRow, Format, Heading, Row, SummaryRow, What

NOW_MS = 1_770_000_000_000
CELLS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=20)
NUMBER_LIKE = [
    "0912345678",
    "1e5",
    "007",
    "12:30",
    "2026-02-02",
    "TRUE",
    "#N/A",
    "1,5",
    "  x  ",
    "https://a.vn",
]


def heading(what: What = What.ATTENDANCE) -> Heading:
    """What stands above a table."""
    return Heading(what, Format.XLSX, "vi", "Asia/Ho_Chi_Minh", "Buổi 1", "Hội nghị", "Hà Nội", NOW_MS, closed=False)


def person(name: str) -> AttendanceRow:
    """A row of the attendance list, all of whose texts are `name`."""
    return AttendanceRow(name, name, name, name, name, name, AttendanceStatus.LATE, NOW_MS, True, "late offline")


HEADER_ROW = 6
"""Below four lines of titles and a blank one."""


def written(path: Path, *rows: Row, what: What = What.ATTENDANCE) -> Worksheet:
    """The sheet as openpyxl reads it."""
    as_xlsx.write(path, heading(what), rows)
    sheet = load_workbook(path).active
    assert isinstance(sheet, Worksheet)
    return sheet


@pytest.mark.parametrize("text", NUMBER_LIKE)
def test_what_looks_like_a_number_stays_text(tmp_path: Path, text: str) -> None:
    """A code 007 or a telephone number must come back from Excel as it was."""
    sheet = written(tmp_path / "x.xlsx", person(text))
    row = sheet[HEADER_ROW + 1]
    assert [(cell.data_type, cell.value) for cell in (*row[1:5], *row[6:8])] == [("s", text)] * 6
    seen = python_calamine.load_workbook(io.BytesIO((tmp_path / "x.xlsx").read_bytes()))
    assert seen.get_sheet_by_index(0).to_python(skip_empty_area=False)[HEADER_ROW][1:5] == [text] * 4


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=5))
def test_any_text_survives(tmp_path: Path, texts: list[str]) -> None:
    """Whatever stands in a list, the file opens and says the same."""
    sheet = written(tmp_path / "x.xlsx", *(person(text) for text in texts))
    rows = list(sheet.iter_rows(min_row=HEADER_ROW + 1, max_row=HEADER_ROW + len(texts), values_only=True))
    assert [row[2] or "" for row in rows] == texts


def test_times_are_times(tmp_path: Path) -> None:
    """A column of times can be sorted and filtered by the hour."""
    sheet = written(tmp_path / "x.xlsx", person("x"))
    cell = sheet[HEADER_ROW + 1][9]
    assert (cell.data_type, f"{cell.value:%Y-%m-%d %H:%M:%S}") == ("d", "2026-02-02 09:40:00")
    assert cell.number_format == "hh:mm:ss dd/mm/yyyy"
    assert sheet[HEADER_ROW + 1][11].value == "Ghi khi mất mạng"


def test_the_titles_say_over_what_and_when(tmp_path: Path) -> None:
    """A printed table without its session, scope and time is no evidence."""
    sheet = written(tmp_path / "x.xlsx", person("x"))
    lines = [row[0] for row in sheet.iter_rows(max_row=5, values_only=True)]
    assert lines == ["Buổi 1", "Hội nghị", "Danh sách điểm danh", "Tính đến 09:40 02/02/2026 · Phạm vi: Hà Nội", None]


def test_deep_trees_still_indent(tmp_path: Path) -> None:
    """Excel knows fifteen indents; a deeper tree is shown, not refused."""
    rows = [SummaryRow(f"Cấp {depth}", str(depth), depth, 1, 2, 1, 0, 1, 0, 50.0) for depth in range(20)]
    sheet = written(tmp_path / "x.xlsx", *rows, what=What.SUMMARY)
    indents = [row[0].alignment.indent for row in sheet.iter_rows(min_row=7)]
    assert indents == [min(depth, 15) for depth in range(20)]
