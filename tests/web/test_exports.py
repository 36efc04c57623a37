"""Exports as people get them: downloaded, opened in a spreadsheet, added up, printed."""

from __future__ import annotations

import csv
import io
import itertools
import zipfile
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import pytest
import python_calamine
import sample
import sqlalchemy as sa
from arrivals import arrive
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from support import NOW_MS, Client, Running

from diemcau.domain.models import Flag, Role
from diemcau.domain.names import fold, sort_key
from diemcau.store.schema import attendee, invitation, link_transition
from diemcau.wire import api

ATTENDANCE = "/api/v1/sessions/S1/exports/attendance"
SUMMARY = "/api/v1/sessions/S1/exports/summary"
VI = {"Accept-Language": "vi"}
EN = {"Accept-Language": "en"}


@pytest.fixture
async def conference(running: Running) -> sample.Sample:
    """The sample conference with three people in, one late, one uninvited."""
    conference = await sample.fill(running.context.engines)
    writer = running.context.writer
    await arrive(writer, conference, "DB-0001", "HN-0001")
    await arrive(writer, conference, "DB-0003", "HN-0003", Flag.WRONG_POINT, Flag.LATE, at_ms=NOW_MS + 61_000)
    await arrive(writer, conference, sample.NOT_INVITED, "HN-0004", Flag.NOT_INVITED)
    return conference


async def download(client: Client, path: str, headers: dict[str, str] | None = None) -> tuple[bytes, Any]:
    """The bytes and the headers of a file."""
    sent = {"Authorization": f"Bearer {client.token}"} | (headers or VI)
    async with client.http.get(client.origin + path, headers=sent) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read(), answer.headers


async def csv_rows(client: Client, path: str, headers: dict[str, str] | None = None) -> list[list[str]]:
    """A CSV export as a program reads it."""
    content, _ = await download(client, path, headers)
    return rows_of(content)


def rows_of(content: bytes) -> list[list[str]]:
    """A CSV file as a program reads it: the tab that keeps a number a text is white space to it."""
    return [[cell.strip("\t") for cell in row] for row in csv.reader(io.StringIO(content.decode("utf-8-sig")))]


async def sheet_of(client: Client, path: str) -> Worksheet:
    """An XLSX export as openpyxl reads it."""
    content, _ = await download(client, path)
    sheet = load_workbook(io.BytesIO(content)).active
    assert isinstance(sheet, Worksheet)
    return sheet


def table_of(rows: Sequence[Sequence[Any]], first: str) -> list[Sequence[Any]]:
    """The table below the titles: from the header row on, whose first cell is `first`, to the blank row."""
    start = next(index for index, row in enumerate(rows) if row and _value(row[0]) == _value(first))
    return list(itertools.takewhile(lambda row: any(_value(cell) not in {None, ""} for cell in row), rows[start:]))


def _value(cell: Any) -> Any:
    """What stands in a cell, whatever read it."""
    return cell.value if hasattr(cell, "value") else cell


async def add_person(running: Running, conference: sample.Sample, code: str, name: str, **columns: Any) -> None:
    """Someone invited, of HN."""
    row = {"code": code, "full_name": name, "name_folded": fold(name), "sort_key": sort_key(name), **columns}
    async with running.context.engines.writing.begin() as connection:
        added = sa.insert(attendee).values(unit_id=conference.units["HN"], **row).returning(attendee.c.id)
        person = (await connection.execute(added)).scalar_one()
        place = {"session_id": conference.session_id, "attendee_id": person, "name_folded": fold(name)}
        await connection.execute(sa.insert(invitation).values(**place))


async def test_attendance_as_csv(running: Running, conference: sample.Sample) -> None:
    """Every person, in the order of a Vietnamese list, with words instead of codes."""
    content, headers = await download(running.admin, f"{ATTENDANCE}.csv")
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == content.count(b"\n") == 13
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Content-Disposition"].startswith('attachment; filename="attendance-S1-2026-02-02-0940.csv"')
    assert unquote(headers["Content-Disposition"]).endswith("Điểm danh - S1 - 2026-02-02 0940.csv")
    assert b'"\t0912345678"' in content
    header, *rows = rows_of(content)
    assert header == [
        "STT", "Mã", "Họ và tên", "Chức vụ", "Đơn vị", "Mã điểm cầu", "Điểm cầu", "Số điện thoại",
        "Trạng thái", "Thời gian", "Ra về lúc", "Ghi chú",
    ]  # fmt: skip
    assert [row[0] for row in rows] == [str(number) for number in range(1, 13)]
    by_code = {row[1]: row for row in rows}
    assert by_code["DB-0001"][2:] == [
        "Nguyễn Thị Hồng Đào", "Bí thư", "Thành phố Hà Nội", "HN-0001", "Hội trường Thành ủy", "0912345678",
        "Có mặt", "2026-02-02 09:40:00", "", "",
    ]  # fmt: skip
    assert by_code["DB-0003"][5:] == [
        "HN-0003", "Hội trường Quận ủy Hoàn Kiếm", "0900000003", "Đến muộn", "2026-02-02 09:41:01", "",
        "Khác điểm cầu được triệu tập",
    ]  # fmt: skip
    assert by_code["DB-0012"][8:] == ["Có mặt", "2026-02-02 09:40:00", "", "Khách mời (ngoài triệu tập)"]
    assert by_code["DB-0011"][5:9] == ["HN-0004", "Nhà văn hóa phường Hàng Bạc", "0900000011", "Chưa điểm danh"]
    assert by_code["DB-0011"][9:] == ["", "", ""]


async def test_attendance_as_xlsx(running: Running, conference: sample.Sample) -> None:
    """The workbook says what CSV says, as two independent readers see it; zeros and diacritics are whole."""
    content, headers = await download(running.admin, f"{ATTENDANCE}.xlsx")
    assert "spreadsheetml" in headers["Content-Type"]
    seen = python_calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    sheet = load_workbook(io.BytesIO(content)).active
    assert isinstance(sheet, Worksheet)
    titles = [row[0] for row in sheet.iter_rows(max_row=4, values_only=True)]
    assert titles[0] == "Hội nghị học tập, quán triệt Nghị quyết"
    assert titles[3] == "Tính đến 09:40 02/02/2026 · Phạm vi: toàn bộ"
    header, *rows = table_of(list(sheet.iter_rows(values_only=True)), "STT")
    expected = await csv_rows(running.admin, f"{ATTENDANCE}.csv")
    assert [list(header), *(_as_csv(row) for row in rows)] == expected
    also = table_of(seen, "STT")
    assert [[str(cell) for cell in row[1:9]] for row in also[1:]] == [row[1:9] for row in expected[1:]]


def _as_csv(row: Sequence[Any]) -> list[str]:
    return ["" if cell is None else str(cell) for cell in row]


async def test_a_workbook_is_ready_to_filter_and_print(running: Running, conference: sample.Sample) -> None:
    """The header stays in sight and on every page; 52,000 rows fit a page's width."""
    sheet = await sheet_of(running.admin, f"{ATTENDANCE}.xlsx")
    assert sheet.freeze_panes == "A7"
    assert sheet.auto_filter.ref == "A6:L18"
    assert all(cell.font.bold for cell in sheet[6])
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.print_title_rows == "$6:$6"
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (None, 0)
    assert sheet.sheet_properties.pageSetUpPr is not None
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.column_dimensions["C"].width > 25


DANGEROUS = [
    "=1+1",
    "+84912345678",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    " =1+1",
    '=HYPERLINK("x")',
]


@pytest.mark.parametrize("name", DANGEROUS)
async def test_no_cell_runs(running: Running, conference: sample.Sample, name: str) -> None:
    """A name that is a formula must not run on the computer of whoever opens the list."""
    await add_person(running, conference, "EVIL", name, title=name, phone=name)
    rows = await csv_rows(running.admin, f"{ATTENDANCE}.csv")
    (evil,) = [row for row in rows if row[1] == "EVIL"]
    assert evil[2] == evil[3] == evil[7] == f"'{name}"
    content, _ = await download(running.admin, f"{ATTENDANCE}.xlsx")
    sheet = load_workbook(io.BytesIO(content)).active
    assert isinstance(sheet, Worksheet)
    (row,) = [row for row in sheet.iter_rows() if row[1].value == "EVIL"]
    for index in (2, 3, 7):
        assert (row[index].data_type, row[index].value, row[index].quotePrefix) == ("s", name, True)
    part = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in part


async def test_names_stand_in_vietnamese_order(running: Running, conference: sample.Sample) -> None:
    """Within a unit: by given name, then middle names, then family name; Â after A and Ă."""
    for number, name in enumerate(["Trần Văn Ân", "Nguyễn Thị Ánh", "Nguyễn Văn An", "Lê Ăn", "Vũ Văn An"]):
        await add_person(running, conference, f"ORDER-{number}", name)
    content, _ = await download(running.admin, f"{ATTENDANCE}.xlsx")
    rows = python_calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    names = [row[2] for row in rows if row[4] == "Thành phố Hà Nội"]
    assert names == [
        "Nguyễn Văn An", "Vũ Văn An", "Nguyễn Thị Ánh", "Trần Văn Ánh", "Lê Ăn", "Trần Văn Ân", "Nguyễn Thị Hồng Đào",
    ]  # fmt: skip


async def test_the_summary_adds_up(running: Running, conference: sample.Sample) -> None:
    """Each row holds all below it; the last row is the total; the numbers are numbers (I3)."""
    rows = await csv_rows(running.admin, f"{SUMMARY}.csv")
    assert rows == [
        ["Đơn vị", "Mã đơn vị", "Số điểm cầu", "Triệu tập", "Có mặt", "Trong đó đến muộn", "Dự thay",
         "Vắng có lý do", "Chưa điểm danh",
         "Tỷ lệ %", "Tỷ lệ % tính cả dự thay", "Ngoài triệu tập (khách mời, người dự thay)", "Ngoài danh sách"],
        ["Thành phố Hà Nội", "HN", "4", "11", "2", "1", "0", "0", "9", "18.2", "18.2", "1", "0"],
        ["  Quận Ba Đình", "HN-001", "1", "4", "1", "1", "0", "0", "3", "25.0", "25.0", "0", "0"],
        ["  Quận Hoàn Kiếm", "HN-002", "2", "5", "0", "0", "0", "0", "5", "0.0", "0.0", "1", "0"],
        ["    Phường Hàng Bạc", "HN-002-01", "1", "1", "0", "0", "0", "0", "1", "0.0", "0.0", "1", "0"],
        ["Tổng số", "", "4", "11", "2", "1", "0", "0", "9", "18.2", "18.2", "1", "0"],
    ]  # fmt: skip
    sheet = await sheet_of(running.admin, f"{SUMMARY}.xlsx")
    header, *table = table_of(list(sheet.iter_rows()), _first_cell(sheet, "Đơn vị"))
    assert [cell.value for cell in header] == rows[0]
    assert [[cell.value for cell in row][2:] for row in table] == [
        [_number(cell) for cell in row[2:]] for row in rows[1:]
    ]
    assert [row[0].alignment.indent for row in table] == [0, 1, 1, 2, 0]
    assert [row[0].font.bold for row in table] == [False, False, False, False, True]


def _first_cell(sheet: Worksheet, text: str) -> Any:
    return next(row[0] for row in sheet.iter_rows() if row[0].value == text)


def _number(text: str) -> float:
    return float(text)


async def test_frozen_figures_call_the_missing_unexcused(running: Running, conference: sample.Sample) -> None:
    """Before closing nobody is called absent; afterwards nobody is left open."""
    for to in ("live", "ended", "closed"):
        await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": to})
    header, total, *_ = await csv_rows(running.admin, f"{SUMMARY}.csv")
    assert (header[8], total[8]) == ("Vắng không lý do", "9")
    rows = await csv_rows(running.admin, f"{ATTENDANCE}.csv")
    assert {row[8] for row in rows[1:]} == {"Có mặt", "Đến muộn", "Vắng không lý do"}
    sheet = await sheet_of(running.admin, f"{SUMMARY}.xlsx")
    assert str(sheet["A4"].value).endswith("số liệu đã chốt")


async def test_english_readers_get_english(running: Running, conference: sample.Sample) -> None:
    """Headers and words follow the reader; names do not."""
    header, first, *_ = await csv_rows(running.admin, f"{ATTENDANCE}.csv", EN)
    assert header[:3] == ["No.", "Code", "Full name"]
    assert (first[2], first[8]) == ("Trần Văn Ánh", "Unmarked")


async def test_the_connection_log(running: Running, conference: sample.Sample) -> None:
    """An organizer reads when a hall was out of reach and for how long, in words."""
    async with running.context.engines.writing.begin() as connection:
        for version, (before, after, at_ms, cause) in enumerate(
            [
                ("expected", "online", 0, "connected"),
                ("online", "lost", 30_500, "silence"),
                ("lost", "online", 90_000, "x"),
            ],
            1,
        ):
            row = {"from_link": before, "to_link": after, "at_ms": NOW_MS + at_ms, "noticed_ms": NOW_MS + at_ms + 1000}
            place = {"session_id": conference.session_id, "point_id": conference.points["HN-0002"], "cause": cause}
            await connection.execute(sa.insert(link_transition).values(**row, **place, version=version))
    rows = await csv_rows(running.admin, "/api/v1/sessions/S1/exports/connections.csv")
    assert [row[4:] for row in rows[1:]] == [
        ["Chưa kết nối", "Kết nối ổn định", "2026-02-02 09:40:00", "2026-02-02 09:40:01", "", "Thiết bị kết nối"],
        ["Kết nối ổn định", "Mất liên lạc", "2026-02-02 09:40:30", "2026-02-02 09:40:31", "30.5",
         "Không nhận được tín hiệu từ thiết bị"],
        ["Mất liên lạc", "Kết nối ổn định", "2026-02-02 09:41:30", "2026-02-02 09:41:31", "59.5", "x"],
    ]  # fmt: skip
    sheet = await sheet_of(running.admin, "/api/v1/sessions/S1/exports/connections.xlsx")
    assert len(table_of(list(sheet.iter_rows(values_only=True)), "STT")) == 4


async def test_a_clerk_exports_only_their_own(running: Running, conference: sample.Sample) -> None:
    """The list of another district is none of a clerk's business (I5)."""
    clerk = await running.account("clerk", api.GrantView(Role.CLERK, "HN-002"))
    rows = await csv_rows(clerk, f"{ATTENDANCE}.csv")
    assert {row[4] for row in rows[1:]} == {"Quận Hoàn Kiếm", "Phường Hàng Bạc"}
    total = (await csv_rows(clerk, f"{SUMMARY}.csv"))[-1]
    assert total[2:6] == ["2", "5", "0", "0"]
    sheet = await sheet_of(clerk, f"{ATTENDANCE}.xlsx")
    assert str(sheet["A4"].value).endswith("Phạm vi: Quận Hoàn Kiếm")
    assert (await clerk.call("GET", f"{ATTENDANCE}.csv?unit=HN-001"))[0] == 403
    part = await csv_rows(clerk, f"{ATTENDANCE}.csv?unit=hn-002-01")
    assert [row[1] for row in part[1:]] == ["DB-0011", "DB-0012"]


@pytest.mark.parametrize("name", ["attendance.docx", "people.csv", "log.xlsx"])
async def test_what_cannot_be_exported_is_said(running: Running, conference: sample.Sample, name: str) -> None:
    """Not every ending is a report."""
    status, problem = await running.admin.call("GET", f"/api/v1/sessions/S1/exports/{name}")
    assert (status, problem["code"], problem["params"]["key"]) == (404, "not_found", name)


async def test_an_empty_session_exports_an_empty_table(running: Running) -> None:
    """The button works before anyone is invited."""
    body = {"code": "S9", "title": "Trống", "starts_ms": NOW_MS, "ends_ms": NOW_MS}
    await running.admin.ok("POST", "/api/v1/sessions", body)
    assert len(await csv_rows(running.admin, "/api/v1/sessions/S9/exports/attendance.csv")) == 1
    rows = await csv_rows(running.admin, "/api/v1/sessions/S9/exports/summary.csv")
    assert rows[1:] == [["Tổng số", "", "0", "0", "0", "0", "0", "0", "0", "", "", "0", "0"]]
    for what in ("attendance", "summary", "connections"):
        await sheet_of(running.admin, f"/api/v1/sessions/S9/exports/{what}.xlsx")
