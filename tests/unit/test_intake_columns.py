"""Which header stands for which column."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diemcau.intake.headers import read_header
from diemcau.intake.tables import ATTENDEES, POINTS, TABLES, UNITS, Column


def places(cells: list[str], columns: tuple[Column, ...]) -> dict[str, int]:
    """Where each column was found."""
    return {column.field: index for column, (index, _) in read_header(cells, columns).places.items()}


@pytest.mark.parametrize("what", TABLES)
def test_canonical_names_are_found_in_any_order(what: str) -> None:
    """The file that our own documentation describes is read, however its columns are arranged."""
    names = [column.field for column in TABLES[what] if not column.part]
    assert places(names, TABLES[what]) == {name: index for index, name in enumerate(names)}
    assert places(names[::-1], TABLES[what]) == {name: index for index, name in enumerate(names[::-1])}


@pytest.mark.parametrize("what", TABLES)
def test_headers_of_the_browsers_template_are_known(what: str) -> None:
    """Whoever fills in the file that the import dialog hands out would be told that its columns are missing."""
    file = Path(__file__).parents[1] / "contract" / "import_headers.json"
    headers = json.loads(file.read_text(encoding="utf-8"))[what]
    for language in ("vi", "en"):
        assert list(places(headers[language], TABLES[what])) == headers["en"]
    assert headers["required"] == [column.field for column in TABLES[what] if column.required]


@pytest.mark.parametrize(
    "cells",
    [
        ["Mã", "Họ và tên", "Chức vụ", "Đơn vị", "Điểm cầu", "SĐT"],
        ["MÃ ĐẠI BIỂU", "họ tên", "chuc danh", "Ma don vi", "Mã điểm cầu", "Số điện thoại:"],
        ["Mã", "HO VA TEN", "Chức vụ", "unit_code", "Point Code", "điện thoại"],
    ],
)
def test_vietnamese_names_are_found(cells: list[str]) -> None:
    """An office's own headers are understood, with or without diacritics, composed or not."""
    assert list(places(cells, ATTENDEES)) == ["code", "full_name", "title", "unit_code", "point_code", "phone"]


def test_code_of_a_unit_is_preferred_to_its_name() -> None:
    """A list with both "Đơn vị" and "Mã đơn vị" is read by the code; the other is reported as left out."""
    header = read_header(["Mã", "Họ và tên", "Đơn vị", "Mã đơn vị", "Ngày sinh"], ATTENDEES)
    assert {column.field: index for column, (index, _) in header.places.items()}["unit_code"] == 3
    assert header.ignored == ["Đơn vị", "Ngày sinh"]


def test_units_and_points_read_their_own_words() -> None:
    """The header "Đơn vị" names a unit in one list and the unit of a hall in another."""
    assert places(["Mã đơn vị", "Đơn vị", "Đơn vị cấp trên", "Cấp"], UNITS) == {
        "code": 0,
        "name": 1,
        "parent_code": 2,
        "level": 3,
    }
    assert places(["Mã", "Tên điểm cầu", "Đơn vị", "Sức chứa", "Đầu mối", "SĐT", "Cụm", "Nhà mạng"], POINTS) == {
        "code": 0,
        "name": 1,
        "unit_code": 2,
        "capacity": 3,
        "contact_name": 4,
        "contact_phone": 5,
        "cluster": 6,
        "carrier": 7,
    }


def test_missing_and_doubled_columns_are_named() -> None:
    """Without names nobody is listed; with two columns of codes, nobody knows which one is meant."""
    header = read_header(["code", "Code", "Đơn vị"], ATTENDEES)
    assert [column.label for column in header.missing] == ["full_name / Họ và tên"]
    assert header.doubled == ["Code"]


@pytest.mark.parametrize("what", TABLES)
def test_every_column_is_documented(what: str) -> None:
    """A header that only the source knows is one nobody will write."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "lists.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("|")]
    starts = [number for number, cells in enumerate(rows) if cells[1].strip()]
    begin = next(number for number in starts if rows[number][1].strip() == what)
    end = next((number for number in starts if number > begin), len(rows))
    documented = {cells[2].strip(" `"): cells[3].strip() for cells in rows[begin:end]}
    assert documented == {column.field: ", ".join(column.names) for column in TABLES[what]}
