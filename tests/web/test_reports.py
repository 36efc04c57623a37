"""Reports as an office takes them away: rosters to sign, the summary against its target, papers that can be read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import sample
import sqlalchemy as sa
from arrivals import arrive
from openpyxl import load_workbook
from support import NOW_MS, Client, Running

from diemcau import limits
from diemcau.domain.models import Flag, Role
from diemcau.store.schema import (
    absence,
    attendee,
    invitation,
    session_point,
    spot_check,
    spot_check_person,
    spot_check_point,
    unlisted,
)
from diemcau.wire import api

EXPORTS = "/api/v1/sessions/S1/exports"
FORMATS = ("csv", "xlsx", "pdf", "json")


@pytest.fixture
async def conference(running: Running) -> sample.Sample:
    """The sample conference: three came, one of them late, one uninvited; somebody on no list sits in Ba Đình."""
    conference = await sample.fill(running.context.engines)
    writer = running.context.writer
    await arrive(writer, conference, "DB-0001", "HN-0001")
    await arrive(writer, conference, "DB-0003", "HN-0003", Flag.WRONG_POINT, Flag.LATE)
    await arrive(writer, conference, sample.NOT_INVITED, "HN-0004", Flag.NOT_INVITED)
    stranger = {"key": bytes(16), "name": "Lê Lạ", "name_folded": "le la", "unit_text": "Công an", "salt": bytes(16)}
    place = {"session_id": conference.session_id, "point_id": conference.points["HN-0002"], "nonce": b"u" * 16}
    await write(running, sa.insert(unlisted).values(at_ms=NOW_MS, flags="unlisted", **stranger, **place))
    return conference


async def write(running: Running, *statements: Any) -> None:
    """Straight into the tables."""
    async with running.context.engines.writing.begin() as connection:
        for statement in statements:
            await connection.execute(statement)


async def taken(client: Client, path: str) -> bytes:
    """A file's bytes."""
    headers = {"Authorization": f"Bearer {client.token}", "Accept-Language": "vi"}
    async with client.http.get(f"{client.origin}{EXPORTS}/{path}", headers=headers) as answer:
        content = await answer.read()
        assert answer.status == 200, content
        return content


async def table(client: Client, path: str) -> list[list[str]]:
    """A CSV as a program reads it."""
    text = (await taken(client, path)).decode("utf-8-sig")
    return [[cell.strip("\t") for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]


async def sheet(client: Client, path: str) -> list[list[Any]]:
    """The rows of a workbook's first sheet."""
    book = load_workbook(io.BytesIO(await taken(client, path)))
    return [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]


# --- rosters -----------------------------------------------------------------------------------------------
async def test_a_roster_is_signed_hall_by_hall(running: Running, conference: sample.Sample) -> None:
    """A hall's people by their list number, which they keep; the office reads whose list it is."""
    header, *rows = await table(running.admin, "roster.csv")
    assert header == [
        "Mã điểm cầu", "Điểm cầu", "STT", "Họ và tên", "Chức vụ", "Đơn vị", "Số điện thoại", "Ký tên", "Ghi chú",
    ]  # fmt: skip
    assert [row[0] for row in rows] == [
        "HN-0001", "HN-0001", *["HN-0002"] * 4, *["HN-0003"] * 4, "HN-0004",
    ]  # fmt: skip
    assert [(row[2], row[3]) for row in rows[:2]] == [("1", "Trần Văn Ánh"), ("2", "Nguyễn Thị Hồng Đào")]
    late = sa.insert(invitation).values(
        session_id=conference.session_id,
        attendee_id=conference.attendees[sample.NOT_INVITED],
        point_id=conference.points["HN-0001"],
        name_folded="do duc uoc",
    )
    await write(running, late)
    again = await table(running.admin, "roster.csv?point=hn-0001")
    assert [(row[2], row[3]) for row in again[1:]] == [
        ("1", "Trần Văn Ánh"), ("2", "Nguyễn Thị Hồng Đào"), ("3", "Đỗ Đức Ước"),
    ]  # fmt: skip
    status, problem = await running.admin.call("GET", f"{EXPORTS}/roster.pdf?point=NO")
    assert (status, problem["params"]["key"]) == (404, "NO")


async def test_a_rosters_sums_are_values(running: Running, conference: sample.Sample) -> None:
    """Each hall on its own page, its people counted, and all of them at the end (I3)."""
    content = await taken(running.admin, "roster.xlsx")
    page = load_workbook(io.BytesIO(content)).worksheets[0]
    sums = [row[2] for row in page.iter_rows(values_only=True) if row[1] == "Số người trong danh sách"]
    assert sums == [2, 4, 4, 1, 11]
    breaks = [mark.id for mark in page.row_breaks.brk]
    assert [str(page.cell(at + 1, 1).value) for at in breaks] == [
        "Điểm cầu: Hội trường Quận ủy Ba Đình (HN-0002)",
        "Điểm cầu: Hội trường Quận ủy Hoàn Kiếm (HN-0003)",
        "Điểm cầu: Nhà văn hóa phường Hàng Bạc (HN-0004)",
    ]


async def test_a_roster_on_paper(running: Running, conference: sample.Sample, pdf_text: Callable[[bytes], str]) -> None:
    """A page a hall, Vietnamese as written, the office's heading above, the number of the page below."""
    await running.admin.ok("PATCH", "/api/v1/organization", {"name": "BAN TUYÊN GIÁO", "place": "Hà Nội"})
    await running.admin.ok("PATCH", "/api/v1/sessions/S1/heading", {"document_number": "23-CT/TU"})
    pages = pdf_text(await taken(running.admin, "roster.pdf")).split("\f")
    assert len([page for page in pages if page.strip()]) == 4
    for words in ("BAN TUYÊN GIÁO", "Số: 23-CT/TU", "DANH SÁCH ĐẠI BIỂU", "Nguyễn Thị Hồng Đào", "0912345678", "1/4"):
        assert words in pages[0]
    assert "Điểm cầu: Nhà văn hóa phường Hàng Bạc (HN-0004)" in pages[3]
    assert "Cộng: 1 người" in pages[3]


# --- who came ----------------------------------------------------------------------------------------------
async def test_the_list_names_who_is_on_no_list(running: Running, conference: sample.Sample) -> None:
    """Whoever sat in a hall is in the list of that day, with the unit that they wrote, apart from the summoned."""
    last = (await table(running.admin, "attendance.csv"))[-1]
    assert last[1:10] == [
        "", "Lê Lạ", "", "Công an", "HN-0002", "Hội trường Quận ủy Ba Đình", "", "Ngoài danh sách",
        "2026-02-02 09:40:00",
    ]  # fmt: skip
    told = json.loads(await taken(running.admin, "attendance.json"))
    assert (told["rows"][-1]["status"], told["rows"][-1]["full_name"]) == ("unlisted", "Lê Lạ")
    assert told["totals"] == {
        "summoned": 11, "present": 2, "late": 1, "substituted": 0, "excused": 0, "unmarked": 9,
        "guests": 1, "unlisted": 1,
    }  # fmt: skip


async def test_a_table_too_long_for_paper_says_so(running: Running, conference: sample.Sample) -> None:
    """Fifty thousand rows as a PDF would take the server's memory: the reader learns what to take instead."""
    many = range(limits.PDF_ROWS_MAX)
    people = [
        {"code": f"X{n}", "full_name": "A", "name_folded": "a", "sort_key": "a", "unit_id": conference.units["HN"]}
        for n in many
    ]
    first = max(conference.attendees.values()) + 1
    places = [
        {"session_id": conference.session_id, "attendee_id": first + n, "point_id": None, "name_folded": "a"}
        for n in many
    ]
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.insert(attendee), people)
        await connection.execute(sa.insert(invitation), places)
    status, problem = await running.admin.call("GET", f"{EXPORTS}/attendance.pdf")
    assert (status, problem["code"], problem["params"]["rows"]) == (422, "report_too_long", limits.PDF_ROWS_MAX)
    assert len(await taken(running.admin, "attendance.xlsx")) > 50_000


# --- the summary -------------------------------------------------------------------------------------------
async def test_units_stand_against_their_target(
    running: Running, conference: sample.Sample, pdf_text: Callable[[bytes], str]
) -> None:
    """Who is below the target is told by a word and a shape; a unit that summons nobody is not judged."""
    await running.admin.ok("PATCH", "/api/v1/sessions/S1/heading", {"target_rate": 25})
    header, *rows = await table(running.admin, "summary.csv")
    assert header[-1] == "So với chỉ tiêu 25%"
    assert [(row[1], row[-1]) for row in rows] == [
        ("HN", "▼ Chưa đạt"), ("HN-001", "● Đạt"), ("HN-002", "▼ Chưa đạt"), ("HN-002-01", "▼ Chưa đạt"),
        ("", "▼ Chưa đạt"),
    ]  # fmt: skip
    assert pdf_text(await taken(running.admin, "summary.pdf")).count("Chưa đạt") == 4


async def test_a_summary_goes_as_deep_as_asked(running: Running, conference: sample.Sample) -> None:
    """A province sends one line a district: what lies deeper is inside, not left out."""
    whole = await table(running.admin, "summary.csv")
    flat = await table(running.admin, "summary.csv?depth=1")
    assert [row[1] for row in flat[1:]] == ["HN", "HN-001", "HN-002", ""]
    assert flat == [row for row in whole if row[1] != "HN-002-01"]
    assert (await running.admin.call("GET", f"{EXPORTS}/summary.csv?depth=x"))[0] == 400


async def test_the_chart_shows_what_the_table_says(running: Running, conference: sample.Sample) -> None:
    """The picture's values are the table's, unit by unit."""
    book = load_workbook(io.BytesIO(await taken(running.admin, "summary.xlsx")))
    chart = [list(row) for row in book["Biểu đồ"].iter_rows(values_only=True)]
    assert chart == [["Đơn vị", "Tỷ lệ %"], ["Quận Ba Đình", 25], ["Quận Hoàn Kiếm", 0]]


# --- spot-checks and absences --------------------------------------------------------------------------------
async def test_spot_checks_stand_side_by_side(running: Running, conference: sample.Sample) -> None:
    """Start, middle, end of each hall: the last check of a phase, heads and names apart, nothing where none was."""
    checks = [(1, "start", "sample"), (2, "start", "sample"), (3, "end", "code")]
    halls = [(1, "HN-0002", 1, 1), (2, "HN-0002", 4, None), (2, "HN-0003", 5, 4), (3, "HN-0002", 4, 3)]
    for number, phase, mode in checks:
        row = {"phase": phase, "mode": mode, "started_ms": NOW_MS, "ends_ms": NOW_MS, "made_by": "root"}
        await write(running, sa.insert(spot_check).values(id=number, session_id=conference.session_id, **row))
    for number, hall, present, heads in halls:
        row = {"spot_check_id": number, "point_id": conference.points[hall], "present": present, "headcount": heads}
        await write(running, sa.insert(spot_check_point).values(**row))
    for number, person, asked, seen in [
        (2, "DB-0003", True, True),
        (2, "DB-0004", True, None),
        (3, "DB-0003", False, True),
    ]:
        row = {"spot_check_id": number, "attendee_id": conference.attendees[person], "asked": asked, "seen": seen}
        await write(running, sa.insert(spot_check_person).values(point_id=conference.points["HN-0002"], **row))
    _, *rows = await table(running.admin, "spot-checks.csv")
    assert [[row[0], *row[3:]] for row in rows] == [
        ["HN-0002", "4", "", "2", "1", "", "", "", "", "4", "3", "4", "1"],
        ["HN-0003", "5", "4", "0", "0", "", "", "", "", "", "", "", ""],
        ["", "9", "4", "2", "1", "", "", "", "", "4", "3", "4", "1"],
    ]
    told = json.loads(await taken(running.admin, "spot-checks.json"))
    assert told["rows"][-1]["start"] == {"present": 9, "headcount": 4, "asked": 2, "confirmed": 1}


async def test_absences_are_a_list(running: Running, conference: sample.Sample) -> None:
    """Who asked, why, whether in time, and who decided."""
    row = {
        "session_id": conference.session_id,
        "attendee_id": conference.attendees["DB-0004"],
        "state": "approved",
        "reason": "NONE",
        "text": "đi công tác",
        "requested_ms": NOW_MS,
        "requested_by": "badge",
        "late": True,
        "substitute": "Lê Hoà",
        "decided_ms": NOW_MS + 60_000,
        "decided_by": "root",
    }
    await write(running, sa.insert(absence).values(**row))
    (told,) = (await table(running.admin, "absences.csv"))[1:]
    assert told[1:3] == ["DB-0004", "Nguyễn Thị Hiền"]
    assert told[6:] == [
        "Đã duyệt", "NONE: đi công tác", "Lê Hoà", "2026-02-02 09:40:00", "Quá hạn", "2026-02-02 09:41:00", "root", "",
    ]  # fmt: skip


# --- every report ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("what", ["attendance", "summary", "connections", "roster", "spot-checks", "absences"])
async def test_every_report_leaves_in_every_form(running: Running, conference: sample.Sample, what: str) -> None:
    """No button of the console leads nowhere, whatever has been recorded; nobody reads other units' people (I5)."""
    await write(running, sa.delete(session_point).where(session_point.c.point_id == conference.points["HN-0004"]))
    begins = {"csv": b"\xef\xbb\xbf", "xlsx": b"PK", "pdf": b"%PDF", "json": b"{"}
    clerk = await running.account("clerk", api.GrantView(Role.CLERK, "HN-001"))
    for form in FORMATS:
        content = await taken(clerk, f"{what}.{form}")
        assert content.startswith(begins[form])
        if form in {"csv", "json"}:
            assert "Hoàn Kiếm" not in content.decode().replace("Hội trường Quận ủy Hoàn Kiếm", "")
            assert "Nguyễn Thị Hồng Đào" not in content.decode()
