"""Lists as offices really send them: each shape read cell by cell."""

from __future__ import annotations

import datetime as dt
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from messy import AN, BINH, book, fill, read
from openpyxl.worksheet.worksheet import Worksheet
from tables import csv_bytes

from diemcau.errors import ImportFileError
from diemcau.intake.frames import SheetChoice

TITLES = [
    ["ĐẢNG BỘ HUYỆN VŨ THƯ", "", "", "ĐẢNG CỘNG SẢN VIỆT NAM"],
    ["VĂN PHÒNG", "", "", "Vũ Thư, ngày 12 tháng 02 năm 2026"],
    [],
    ["DANH SÁCH ĐẠI BIỂU DỰ HỘI NGHỊ"],
    ["(Kèm theo Công văn số 15-CV/HU)"],
    [],
]
FOOT = [
    ["", "Tổng cộng: 2 đại biểu"],
    [],
    ["Danh sách gồm 02 đại biểu./."],
    ["Nơi nhận:", "", "", "TM. BAN THƯỜNG VỤ"],
    ["- Như trên;", "", "", "PHÓ BÍ THƯ"],
    ["- Lưu VP.", "", "", ""],
    ["", "", "", "Nguyễn Văn Khánh"],
]


def test_titles_above_and_signatures_below(tmp_path: Path) -> None:
    """The usual form: titles, a header in row 7, a total, who receives it, who signs."""
    rows: list[list[Any]] = [*TITLES, ["STT", "HỌ VÀ TÊN", "Chức vụ", "Đơn vị", "SĐT"]]
    rows += [[1, AN[0], AN[1], "Xã Tân Lập", AN[2]], [2, BINH[0], BINH[1], "Xã Hòa Bình", BINH[2]], *FOOT]
    got = read(book(tmp_path / "a.xlsx", rows, ["A4:E4", "A1:C1", "A5:E5"]))
    assert got.rows == [
        (8, ["", "Lê Văn An", "Bí thư", "Xã Tân Lập", "", "0912000001"]),
        (9, ["", "Trần Thị Bình", "Chủ tịch", "Xã Hòa Bình", "", "0912000002"]),
    ]
    assert got.ended.sheets[0].header_row == 7
    assert [column.field for column in got.ended.sheets[0].columns] == ["", "full_name", "title", "unit_code", "phone"]
    assert got.ended.sheets[0].columns[1].samples == ["Lê Văn An", "Trần Thị Bình"]
    assert got.ended.skipped == {"totals": 1, "foot": 5}
    assert got.ended.findings == []
    assert got.opened[0].ignored == ["STT"]


def test_units_as_merged_headings(tmp_path: Path) -> None:
    """Roman numerals and merged rows between the people say whose they are; the counts behind them do not."""
    rows: list[list[Any]] = [["TT", "Họ và tên", "Chức vụ", "Điện thoại"], ["I. Xã Cẩm Giàng"], [1, *AN], [2, *BINH]]
    rows += [["II. PHƯỜNG TRẦN PHÚ (02 đại biểu)"], [1, "Vũ Cường", "", ""], ["", "Cộng", "", 1]]
    got = read(book(tmp_path / "a.xlsx", rows, ["A2:D2", "A5:D5"]))
    assert got.people == [
        ["Lê Văn An", "Bí thư", "Xã Cẩm Giàng", "0912000001"],
        ["Trần Thị Bình", "Chủ tịch", "Xã Cẩm Giàng", "0912000002"],
        ["Vũ Cường", "", "PHƯỜNG TRẦN PHÚ", ""],
    ]
    assert got.ended.skipped == {"headings": 2, "totals": 1}


def test_numerals_in_a_cell_of_their_own(tmp_path: Path) -> None:
    """The numeral stands where the people have 1, 2, 3, and the unit where they have their names."""
    rows: list[list[Any]] = [
        ["STT", "Họ và tên", "Chức vụ"],
        ["A", "KHỐI XÃ", ""],
        ["I", "Xã Cẩm Giàng", ""],
        [1, *AN[:2]],
    ]
    rows += [["II", "Xã Hòa Bình", ""], [1, *BINH[:2]], ["", "Văn phòng Huyện ủy", ""], [1, "Vũ Cường", ""]]
    got = read(book(tmp_path / "a.xlsx", rows))
    assert [(name, unit) for name, _, unit, _ in got.people] == [
        ("Lê Văn An", "Xã Cẩm Giàng"),
        ("Trần Thị Bình", "Xã Hòa Bình"),
        ("Vũ Cường", "Văn phòng Huyện ủy"),
    ]


def test_header_over_two_rows(tmp_path: Path) -> None:
    """A name stands over "Họ đệm" and "Tên", "Liên hệ" over the telephone; below it the columns are numbered."""
    rows: list[list[Any]] = [
        ["STT", "Họ và tên", "", "Chức vụ", "Liên hệ", ""],
        ["", "Họ đệm", "Tên", "", "SĐT", "Email"],
    ]
    rows += [["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"], [1, "Lê Văn", "An", "Bí thư", "0912000001", "a@b.vn"]]
    got = read(book(tmp_path / "a.xlsx", rows, ["B1:C1", "A1:A2", "D1:D2", "E1:F1"]))
    assert got.rows == [(4, ["", "Lê Văn An", "Bí thư", "", "", "0912000001"])]
    assert (got.ended.sheets[0].header_row, got.ended.skipped) == (2, {"headers": 1})
    assert got.opened[0].headers["full_name"] == "Họ đệm + Tên"


def test_name_below_one_header_in_two_cells(tmp_path: Path) -> None:
    """The header is merged over two columns, so that Excel sorts by the given name."""
    rows: list[list[Any]] = [
        ["STT", "Họ và tên", "", "Chức vụ"],
        [1, "Lê Văn", "An", "Bí thư"],
        [2, "H'Hen", "Niê", ""],
    ]
    got = read(book(tmp_path / "a.xlsx", rows, ["B1:C1"]))
    assert [name for name, *_ in got.people] == ["Lê Văn An", "H'Hen Niê"]
    beside = [["Họ và tên", "Tên", "Chức vụ"], ["Lê Văn", "An", "Bí thư"], ["Trần Thị", "Bình", ""]]
    assert [name for name, *_ in read(book(tmp_path / "b.xlsx", beside)).people] == ["Lê Văn An", "Trần Thị Bình"]
    twice = [["Họ và tên", "Tên", "Chức vụ"], ["Lê Văn An", "An", "Bí thư"]]
    assert [name for name, *_ in read(book(tmp_path / "c.xlsx", twice)).people] == ["Lê Văn An"]


def test_several_sheets(tmp_path: Path) -> None:
    """A sheet a unit, with other columns in another order; a sheet without a list is left out and named."""
    made = openpyxl.Workbook()
    first = made.active
    assert isinstance(first, Worksheet)
    first.title = "Xã Tân Lập"
    fill(first, [["Họ và tên", "Chức vụ", "SĐT"], AN])
    fill(made.create_sheet("Xã Hòa Bình"), [["DANH SÁCH"], ["Chức vụ", "Họ tên"], ["Chủ tịch", "Trần Thị Bình"]])
    fill(made.create_sheet("Biểu đồ"), [["Quý", "Số"], ["I", 3]])
    made.create_sheet("Trống")
    made.save(tmp_path / "a.xlsx")
    got = read(tmp_path / "a.xlsx")
    assert got.people == [
        ["Lê Văn An", "Bí thư", "Xã Tân Lập", "0912000001"],
        ["Trần Thị Bình", "Chủ tịch", "Xã Hòa Bình", ""],
    ]
    assert [(opened.sheet, "phone" in opened.unsaid) for opened in got.opened] == [
        ("Xã Tân Lập", False),
        ("Xã Hòa Bình", True),
    ]
    assert [(sheet.name, sheet.header_row, sheet.rows) for sheet in got.ended.sheets] == [
        ("Xã Tân Lập", 1, 1),
        ("Xã Hòa Bình", 2, 1),
        ("Biểu đồ", 0, 0),
    ]
    assert got.ended.sheets[2].top == [["Quý", "Số"], ["I", "3"]]
    assert got.ended.notes["import.note.sheets_left"] == 1
    only = read(tmp_path / "a.xlsx", {"": SheetChoice(read=False), "2": SheetChoice()})
    assert [name for name, *_ in only.people] == ["Trần Thị Bình"]


def test_findings_name_their_sheet(tmp_path: Path) -> None:
    """Row 2 of which sheet? A code that stands on two sheets is found too."""
    made = openpyxl.Workbook()
    assert isinstance(made.active, Worksheet)
    made.active.title = "Một"
    fill(made.active, [["Số thẻ", "Họ tên", "Đơn vị"], ["DB-1", "Lê An", "HN"]])
    fill(made.create_sheet("Hai"), [["Số thẻ", "Họ tên", "Đơn vị"], ["db-1", "Vũ Bình", "HN"], ["DB-3", "", "HN"]])
    made.save(tmp_path / "a.xlsx")
    found = read(tmp_path / "a.xlsx").ended.findings
    assert [(one.sheet, one.row, one.reason) for one in found] == [
        ("Hai", 2, "reason.duplicate"),
        ("Hai", 3, "reason.empty"),
    ]


def test_merged_units_speak_for_all_their_rows(tmp_path: Path) -> None:
    """The unit stands once, in a cell merged downwards; a name never spreads so."""
    rows: list[list[Any]] = [
        ["Đơn vị", "Họ và tên", "Chức vụ"],
        ["Xã Tân Lập", *AN[:2]],
        ["", *BINH[:2]],
        ["Xã Hòa Bình", "Vũ Cường"],
    ]
    rows += [["", "Đỗ Dung", ""], ["", "", "Khách mời"]]
    got = read(book(tmp_path / "a.xlsx", rows, ["A2:A3", "A4:A6", "B5:B6"]))
    assert [(name, unit) for name, _, unit, _ in got.people] == [
        ("Lê Văn An", "Xã Tân Lập"),
        ("Trần Thị Bình", "Xã Tân Lập"),
        ("Vũ Cường", "Xã Hòa Bình"),
        ("Đỗ Dung", "Xã Hòa Bình"),
    ]
    assert [(one.row, one.reason) for one in got.ended.findings] == [(6, "reason.empty")]


def test_what_excel_did_to_numbers(tmp_path: Path) -> None:
    """Telephones that became numbers get their zero back and are counted; a date in place of a unit is a finding."""
    rows: list[list[Any]] = [["Số thẻ", "Họ và tên", "Đơn vị", "Số ĐT"], [7.0, "Lê An", "HN", 912345678.0]]
    rows += [[8, "Vũ Bình", "HN", 2438250000], [9, "Đỗ Dung", "HN", "0912 345 679"]]
    rows += [[10, "Hà Em", dt.date(2026, 2, 1), "912345670.0"]]
    got = read(book(tmp_path / "a.xlsx", rows))
    assert [(cells[0], cells[5]) for _, cells in got.rows] == [
        ("7", "0912345678"),
        ("8", "02438250000"),
        ("9", "0912 345 679"),
    ]
    assert got.ended.notes["import.note.zeros"] >= 2
    assert [(one.row, one.column, one.reason) for one in got.ended.findings] == [(5, "Đơn vị", "reason.date")]


def test_letters_and_spaces_of_every_kind(tmp_path: Path) -> None:
    """Text in NFD, hard and zero-width spaces, line breaks in headers: what people see is what is read."""
    rows: list[list[Any]] = [["Họ\u00a0và tên\n(chữ in hoa)", unicodedata.normalize("NFD", "CHỨC VỤ"), "Đơn vị (*)"]]
    rows += [[unicodedata.normalize("NFD", " Nguyễn\u00a0Thị\u200b  Hoà "), "Bí thư\n", "  Xã\u00a0Tân Lập "]]
    got = read(book(tmp_path / "a.xlsx", rows))
    assert got.people == [["Nguyễn Thị Hoà", "Bí thư", "Xã Tân Lập", ""]]


def test_unit_in_the_title(tmp_path: Path) -> None:
    """A unit's own list names it once, above the header."""
    rows: list[list[Any]] = [["Đơn vị: Xã Cẩm Giàng"], ["STT", "Họ và tên", "Chức vụ"], [1, *AN[:2]]]
    assert read(book(tmp_path / "a.xlsx", rows, ["A1:C1"])).people[0][2] == "Xã Cẩm Giàng"
    rows[0] = ["Đơn vị:", "Xã Hòa Bình"]
    assert read(book(tmp_path / "b.xlsx", rows)).people[0][2] == "Xã Hòa Bình"


def test_headers_again_on_every_page(tmp_path: Path) -> None:
    """Copied page by page: the header stands there again, numbered rows are prepared and empty."""
    head = ["STT", "Họ và tên", "Chức vụ", "Đơn vị"]
    rows: list[list[Any]] = [head, [1, *AN[:2], "HN"], head, [2, *BINH[:2], "HN"], [3], [4, "", "", ""]]
    got = read(book(tmp_path / "a.xlsx", rows))
    assert [name for name, *_ in got.people] == ["Lê Văn An", "Trần Thị Bình"]
    assert got.ended.skipped == {"headers": 1, "blank": 2}


def test_two_tables_one_below_the_other(tmp_path: Path) -> None:
    """Behind the first signatures comes another list; nobody in it is taken for a signature."""
    head = ["STT", "Họ và tên", "Chức vụ"]
    rows: list[list[Any]] = [
        head,
        ["I. Xã A"],
        [1, *AN[:2]],
        ["NGƯỜI LẬP BIỂU", "", "KT. CHỦ TỊCH"],
        ["Hà Lập", "", "Vũ Ký"],
    ]
    rows += [["II. Xã B"], head, [1, *BINH[:2]], ["", "", "XÁC NHẬN CỦA ĐƠN VỊ"]]
    got = read(book(tmp_path / "a.xlsx", rows))
    assert [name for name, *_ in got.people] == ["Lê Văn An", "Trần Thị Bình"]
    assert got.ended.skipped["foot"] >= 3


def test_names_that_look_like_something_else(tmp_path: Path) -> None:
    """Tống Cộng, Cộng Hòa and a chairman whose title is signed "KT." are people."""
    rows: list[list[Any]] = [["STT", "Họ và tên", "Chức vụ", "Đơn vị"], [1, "Tống Cộng", "Tổng thư ký", "HN"]]
    rows += [[2, "Y Thông Ê-ban", "KT. Chủ tịch", "HN"], ["", "Tống Công Hòa", "TM. Ban Thường vụ", "HN"]]
    got = read(book(tmp_path / "a.xlsx", rows))
    assert [name for name, *_ in got.people] == ["Tống Cộng", "Y Thông Ê-ban", "Tống Công Hòa"]
    assert got.ended.skipped == {}


def test_csv_with_titles(tmp_path: Path) -> None:
    """The same list saved as CSV with semicolons: the first lines have other separators than the table."""
    rows: list[list[Any]] = [
        ["DANH SÁCH, kèm theo Công văn"],
        [],
        ["STT", "Họ và tên", "Chức vụ", "Đơn vị"],
        ["1", *AN[:2], "Xã A"],
    ]
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes([*rows, ["", "Tổng cộng", "", "1"]], ";"))
    got = read(path)
    assert got.rows == [(4, ["", "Lê Văn An", "Bí thư", "Xã A", "", ""])]


def test_points_below_headings(tmp_path: Path) -> None:
    """A list of halls is arranged so too."""
    rows: list[list[Any]] = [
        ["Mã", "Tên điểm cầu", "Sức chứa"],
        ["I. Huyện A"],
        ["P-1", "Hội trường", 120],
        ["P-2", "Nhà văn hóa", 60],
    ]
    got = read(book(tmp_path / "a.xlsx", rows, ["A2:C2"]), what="points")
    assert [cells[:4] for _, cells in got.rows] == [
        ["P-1", "Hội trường", "Huyện A", 120],
        ["P-2", "Nhà văn hóa", "Huyện A", 60],
    ]


# --- what somebody says about the columns ------------------------------------------------------------------
def test_columns_are_chosen(tmp_path: Path) -> None:
    """Headers that nobody knows are mapped by name or number; a column that was recognized wrongly is left out."""
    rows: list[list[Any]] = [["Quý danh", "Vai trò", "Đơn vị", "Chức vụ"], ["Lê Văn An", "Bí thư", "HN", "x"]]
    path = book(tmp_path / "a.xlsx", rows)
    assert [one.reason for one in read(path).ended.findings] == ["reason.column_missing"]
    chosen = {"": SheetChoice({"full_name": "quý danh", "title": 2})}
    assert read(path, chosen).people == [["Lê Văn An", "Bí thư", "HN", ""]]
    without = {"Danh sách": SheetChoice({"full_name": 1, "title": None, "unit_code": "Đơn vị"}, header_row=1)}
    assert read(path, without).people == [["Lê Văn An", "", "HN", ""]]
    unknown = read(path, {"": SheetChoice({"full_name": 1, "phone": "Điện tín"})})
    assert [(one.column, one.reason) for one in unknown.ended.findings] == [("Điện tín", "reason.column_unknown")]


def test_a_column_chosen_by_number_leaves_the_header_where_it_is(tmp_path: Path) -> None:
    """A title above is as wide as the table in a workbook; it must not become the header, nor a person a heading."""
    rows: list[list[Any]] = [["DANH SÁCH"], ["STT", "Họ và tên", "Vai trò"], [1, *AN[:2]], [2, "Vũ Cường", ""]]
    got = read(book(tmp_path / "a.xlsx", rows), {"": SheetChoice({"full_name": 2, "title": 3})})
    assert [name for name, *_ in got.people] == ["Lê Văn An", "Vũ Cường"]
    assert got.ended.sheets[0].header_row == 2


def test_a_table_without_header(tmp_path: Path) -> None:
    """Nothing but people: the columns are numbered, and the first row is read too."""
    path = book(tmp_path / "a.xlsx", [AN, BINH])
    chosen = {"": SheetChoice({"full_name": 1, "title": 2, "phone": 3}, header_row=0)}
    assert read(path, chosen).people == [["Lê Văn An", "Bí thư", "", AN[2]], ["Trần Thị Bình", "Chủ tịch", "", BINH[2]]]


# --- refusals ----------------------------------------------------------------------------------------------
def test_macros_are_left_alone(tmp_path: Path) -> None:
    """The cells of a workbook with macros are read; that nothing was run is said."""
    source = book(tmp_path / "a.xlsx", [["Họ và tên", "Đơn vị"], ["Lê An", "HN"]])
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 not a program")
    got = read(source)
    assert [name for name, *_ in got.people] == ["Lê An"]
    assert got.ended.notes["import.note.macros"] == 1


@pytest.mark.parametrize(
    ("part", "code"),
    [("content.xml", "import_foreign"), ("xl/workbook.bin", "import_old_excel")],
)
def test_other_programs_files_are_refused(tmp_path: Path, part: str, code: str) -> None:
    """OpenDocument and binary workbooks get a sentence that says how to save them."""
    path = tmp_path / "a.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(part, "x")
    with pytest.raises(ImportFileError) as caught:
        read(path)
    assert caught.value.code == code


# --- whatever the order ------------------------------------------------------------------------------------
