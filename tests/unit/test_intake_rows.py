"""Cells become values, or findings with row, column and reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tables import PEOPLE, csv_bytes

from diemcau import limits
from diemcau.errors import Finding, ImportFileError
from diemcau.intake.rows import Reading
from diemcau.intake.sheets import open_book
from diemcau.intake.tables import TABLES

GOOD = ["DB-1", "Nguyễn Thị Hiền", "Bí thư", "HN", "HN-0001", "0912345678"]


def read(tmp_path: Path, rows: list[list[Any]], what: str = "attendees") -> tuple[Reading, list[Any]]:
    """A table read to its end."""
    path = tmp_path / "list.csv"
    path.write_bytes(csv_bytes(rows))
    reading = Reading(next(open_book(path, TABLES[what]).sheets), TABLES[what])
    rows_read = list(reading.rows()) if reading.open() else []
    return reading, [(row.number, row.values) for row in rows_read if row.fit]


def test_rows_are_ready_for_the_database(tmp_path: Path) -> None:
    """Codes in capitals, texts tidied, search and sort keys made, the telephone as typed, and as it is found."""
    row = ["  db-1 ", "Nguyễn  Thị Hoà", "", "hn", "", " 0912 345 678 "]
    reading, rows = read(tmp_path, [list(PEOPLE), row])
    assert reading.findings.total == 0
    (number, values), *rest = rows
    assert (number, rest) == (2, [])
    named = dict(zip(reading.fields, values, strict=True))
    assert named | {"sort_key": ""} == {
        "code": "DB-1",
        "full_name": "Nguyễn Thị Hoà",
        "title": "",
        "unit_code": "HN",
        "point_code": "",
        "phone": "0912 345 678",
        "name_folded": "nguyen thi hoa",
        "sort_key": "",
        "phone_digits": "0912345678",
    }


def test_rows_count_as_the_spreadsheet_does(tmp_path: Path) -> None:
    """Whoever looks for row 6 in Excel finds the cell that is meant, past empty rows and line breaks in cells."""
    two_lines = [*GOOD[:2], "Bí thư\nChủ tịch", *GOOD[3:]]
    rows = [["", ""], list(PEOPLE), two_lines, [], ["", "", "", "", "", ""], ["DB-2", "", "", "HN"]]
    reading, _ = read(tmp_path, rows)
    assert reading.read == 2
    assert reading.findings.kept == [Finding(6, "full_name", "reason.empty", "")]


@pytest.mark.parametrize(
    ("place", "cell", "reason"),
    [
        (0, "ĐB-1", "reason.bad_code"),
        (0, "A B", "reason.bad_code"),
        (0, "X" * (limits.CODE_CHARS_MAX + 1), "reason.bad_code"),
        (1, "", "reason.empty"),
        (1, " \u200b ", "reason.empty"),
        (1, "x" * (limits.NAME_CHARS_MAX + 1), "reason.too_long"),
        (2, "x" * (limits.TEXT_CHARS_MAX + 1), "reason.too_long"),
        (3, "", "reason.empty"),
        (1, "12", "reason.no_letters"),
        (3, "x" * (limits.NAME_CHARS_MAX + 1), "reason.too_long"),
        (5, "9.12E+08", "reason.number_rounded"),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, place: int, cell: str, reason: str) -> None:
    """A clerk learns which cell to correct, and why."""
    bad = ["DB-2", *GOOD[1:]]
    bad[place] = cell
    reading, rows = read(tmp_path, [list(PEOPLE), GOOD, bad])
    assert [number for number, _ in rows] == [2]
    (finding,) = reading.findings.kept
    assert (finding.row, finding.column, finding.reason) == (3, PEOPLE[place], reason)
    assert len(finding.value) <= 80


@pytest.mark.parametrize(
    ("capacity", "mode", "found"),
    [
        ("120", "Trung tâm", []),
        ("", "", []),
        ("12,5", "online", ["reason.bad_count"]),
        ("-1", "tv", ["reason.bad_count"]),
        ("²", "tv", ["reason.bad_count"]),
        ("9999999", "radio", ["reason.bad_count", "reason.bad_mode"]),
    ],
)
def test_points_have_numbers_and_modes(tmp_path: Path, capacity: str, mode: str, found: list[str]) -> None:
    """A capacity is a whole number; a mode is one of three, in either language."""
    rows = [["code", "name", "unit_code", "Sức chứa", "Hình thức"], ["P-1", "Hội trường", "HN", capacity, mode]]
    reading, _ = read(tmp_path, rows, "points")
    assert [finding.reason for finding in reading.findings.kept] == found


def test_second_row_of_a_code_is_found(tmp_path: Path) -> None:
    """One code twice, in whatever case: nobody can say which row is right."""
    reading, rows = read(tmp_path, [list(PEOPLE), GOOD, ["db-1", *GOOD[1:]]])
    assert len(rows) == 1
    assert reading.findings.kept == [Finding(3, "code", "reason.duplicate", "DB-1")]


def test_unquoted_separator_is_found(tmp_path: Path) -> None:
    """A comma inside a name would shift the telephone into the wrong column."""
    reading, _ = read(tmp_path, [list(PEOPLE), [*GOOD, "0912"]])
    assert reading.findings.kept == [Finding(2, "", "reason.too_many_cells", "0912")]


def test_broken_quotes_end_the_reading(tmp_path: Path) -> None:
    """Whatever stands behind an open quotation mark is not guessed at."""
    path = tmp_path / "list.csv"
    path.write_bytes(csv_bytes([list(PEOPLE), GOOD]) + b'DB-2,"Tr\xe1\xba\xa7n,x\r\nDB-3,y\r\n')
    reading = Reading(next(open_book(path, TABLES["attendees"]).sheets), TABLES["attendees"])
    assert reading.open()
    assert len(list(reading.rows())) == 1
    assert reading.findings.kept == [Finding(3, "", "reason.quotes")]


def test_findings_are_bounded(tmp_path: Path) -> None:
    """A file with a mistake in every row is told its number, not sent back whole."""
    rows = [list(PEOPLE)] + [[f"DB-{n}", "", "", "HN"] for n in range(limits.IMPORT_FINDINGS_MAX + 5)]
    reading, _ = read(tmp_path, rows)
    assert len(reading.findings.kept) == limits.IMPORT_FINDINGS_MAX
    assert reading.findings.total == limits.IMPORT_FINDINGS_MAX + 5


def test_columns_without_rows_are_empty(tmp_path: Path) -> None:
    """A list of nobody is a mistake, not a success."""
    with pytest.raises(ImportFileError) as caught:
        read(tmp_path, [list(PEOPLE), ["", ""]])
    assert caught.value.code == "import_empty"


def test_missing_columns_stop_the_reading(tmp_path: Path) -> None:
    """A list without names gets one finding, not one for each row."""
    reading, rows = read(tmp_path, [["Mã", "Đơn vị"], ["DB-1", "HN"], ["DB-2", "HN"]])
    assert rows == []
    assert reading.findings.kept == [Finding(1, "full_name / Họ và tên", "reason.column_missing")]
