"""Files as an office's spreadsheet opens them: LibreOffice without a window, cell by cell."""

from __future__ import annotations

import csv
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.cell import Cell

from diemcau.domain.models import AttendanceStatus
from diemcau.reports import as_csv, as_xlsx
from diemcau.reports.rows import AttendanceRow, Format, Heading, Row, SummaryRow, What

NOW_MS = 1_770_000_000_000
TEXTS = [
    "Nguyễn Thị Hồng Đào",
    "H'Hen Niê",
    "0912345678",
    "+84912345678",
    "007",
    "1-2",
    "3/2",
    "12:30",
    "3E5",
    "1,5",
    "TRUE",
    "MAR-01",
    "3 May",
    "=1+1",
    "-2+3",
    "@SUM(A1)",
    '=HYPERLINK("http://127.0.0.1";"x")',
    "Bí thư;=1+1",
    'tên "gọi", và dấu phẩy',
    "123456789012345678",
    "2026-02-02",
    "Y Thông Ê-ban",
]
"""Names, codes and telephones as lists have them, and as somebody might write them to do harm."""

PEOPLE: list[Row] = [
    AttendanceRow(
        f"DB-{number}", text, text, "Hà Nội", "Hội trường", text, status, NOW_MS + number * 1000, True, "", None, text
    )
    for number, (text, status) in enumerate(zip(TEXTS, list(AttendanceStatus) * 5, strict=False))
]
UNITS: list[Row] = [
    SummaryRow("Thành phố Hà Nội", "HN", 0, 3, 1300, 1204, 12, 96, 7, 92.6, 0, 4, 92.6),
    SummaryRow("Quận Ba Đình", "HN-001", 1, 1, 300, 204, 2, 96, 7, 68.0, 0, 1, 68.0),
    SummaryRow("=Quận Hoàn Kiếm", "HN-002", 1, 2, 1000, 1000, 10, 0, 0, 100.0, 0, 3, 100.0),
    SummaryRow("", "", None, 3, 1300, 1204, 12, 96, 7, 92.6, 0, 4, 92.6),
]


def heading(what: What, form: Format) -> Heading:
    """What stands above a table."""
    return Heading(what, form, "vi", "Asia/Ho_Chi_Minh", "Buổi 1", "", "", NOW_MS, closed=False, target_rate=90)


def converted(office: str, folder: Path, files: list[Path], *options: str) -> list[Path]:
    """The files as LibreOffice saves them anew, as XLSX."""
    out = folder / f"saved-{files[0].suffix[1:]}"
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [office, profile, "--headless", "--norestore", *options, "--convert-to", "xlsx", "--outdir", str(out)]
    subprocess.run([*command, *map(str, files)], check=True, capture_output=True, timeout=120)
    return [out / f"{file.stem}.xlsx" for file in files]


def cells(path: Path, sheet: int = 0) -> list[list[tuple[str, Any]]]:
    """Kind and value of every cell: s a text, n a number, d a time, f a formula; without empty ones at the ends."""
    rows = []
    for row in load_workbook(path).worksheets[sheet].iter_rows():
        told = [(cell.data_type, _value(cell)) for cell in row]
        while told and told[-1][1] is None:
            told.pop()
        rows.append(told)
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _value(cell: Any) -> Any:
    assert isinstance(cell, Cell)
    if isinstance(cell.value, datetime):
        return f"{cell.value:%Y-%m-%d %H:%M:%S}"
    return round(cell.value, 6) if isinstance(cell.value, float) else cell.value


@pytest.fixture(scope="module")
def saved(office: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Each report as we wrote it and as LibreOffice saved it; two runs of it for all tests."""
    folder = tmp_path_factory.mktemp("office")
    workbooks, tables = [], []
    for what, rows in ((What.ATTENDANCE, PEOPLE), (What.SUMMARY, UNITS)):
        workbooks.append(folder / f"{what}.xlsx")
        as_xlsx.write(workbooks[-1], heading(what, Format.XLSX), rows)
        tables.append(folder / f"{what}.csv")
        with tables[-1].open("wb") as out:
            as_csv.write(out, heading(what, Format.CSV), rows)
    read = "--infilter=Text - txt - csv (StarCalc):44,34,76,1,,0,false,true"
    again = [*converted(office, folder, workbooks), *converted(office, folder, tables, read)]
    return {file.name: (file, copy) for file, copy in zip([*workbooks, *tables], again, strict=True)}


@pytest.mark.parametrize(("name", "sheet"), [("attendance.xlsx", 0), ("summary.xlsx", 0), ("summary.xlsx", 1)])
def test_a_workbook_comes_back_cell_by_cell(saved: dict[str, tuple[Path, Path]], name: str, sheet: int) -> None:
    """Opened and saved by an office, no telephone loses its zero, no name runs, no total changes, no time moves."""
    ours, theirs = saved[name]
    written = cells(ours, sheet)
    assert cells(theirs, sheet) == written
    assert {kind for row in written for kind, _ in row} <= {"s", "n", "d"}


def test_what_prints_well_still_does(saved: dict[str, tuple[Path, Path]]) -> None:
    """Header on every page, one page wide, lying: as the office's own program understands it."""
    _, theirs = saved["attendance.xlsx"]
    sheet = load_workbook(theirs).worksheets[0]
    assert sheet.print_title_rows == "$5:$5"
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.sheet_properties.pageSetUpPr is not None
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)


@pytest.mark.parametrize("name", ["attendance.csv", "summary.csv"])
def test_a_table_opens_as_it_was_written(saved: dict[str, tuple[Path, Path]], name: str) -> None:
    """A CSV opened with a double click: what was written is seen, nothing runs, numbers and times alone are numbers."""
    ours, theirs = saved[name]
    with ours.open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.reader(file))
    seen = [["" if value is None else value for _, value in row] for row in cells(theirs)]
    assert len(seen) == len(written)
    for ours_row, theirs_row in zip(written, seen, strict=True):
        full = [*theirs_row, *[""] * (len(ours_row) - len(theirs_row))]
        assert [_same(*pair) for pair in zip(ours_row, full, strict=True)] == [None] * len(ours_row)
    assert "f" not in {kind for row in cells(theirs) for kind, _ in row}


def _same(ours: str, theirs: Any) -> tuple[str, Any] | None:
    """None where both say the same; a number may lose its zeros behind the point."""
    if isinstance(theirs, int | float) and not isinstance(theirs, bool):
        zeros = ours.startswith("0") and ours not in {"0", "0.0"}
        return None if float(ours) == theirs and not zeros else (ours, theirs)
    return None if ours.strip() == str(theirs).strip() else (ours, theirs)
