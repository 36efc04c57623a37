"""The quick report: a numbered snapshot, never changed, whose totals equal its rows in every format."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any

import pytest
import sqlalchemy as sa
from arrivals import arrive
from openpyxl import load_workbook
from sample import Sample, fill
from support import NOW_MS, Client, Running

from diemcau import limits
from diemcau.domain.models import Role
from diemcau.store.schema import session
from diemcau.wire import api

REPORTS = "/api/v1/sessions/s1/quick-reports"
SAY = "/api/v1/sessions/s1/headcounts"
FIGURES = ("points", "reported", "checked_in", "unlisted", "headcount", "delegates")
TIMES = {"starts_ms": NOW_MS, "ends_ms": NOW_MS + 3_600_000}


@pytest.fixture
async def running(database: str, start: Any) -> Running:
    """A server on each kind of database."""
    started: Running = await start(database)
    return started


@pytest.fixture
async def sample(running: Running) -> Sample:
    """Two people checked in at Ba Đình where sixty were counted; the centre hall counted; two halls said nothing."""
    filled = await fill(running.context.engines)
    await arrive(running.context.writer, filled, "DB-0003", "HN-0002")
    await arrive(running.context.writer, filled, "DB-0004", "HN-0002")
    await running.admin.ok("POST", SAY, {"point": "HN-0002", "number": 60})
    await running.admin.ok("POST", SAY, {"point": "HN-0001", "number": 327})
    return filled


async def content(client: Client, path: str, language: str = "vi") -> bytes:
    """The bytes of a file."""
    headers = {"Authorization": f"Bearer {client.token}", "Accept-Language": language}
    async with client.http.get(client.origin + path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


def figures(row: dict[str, Any]) -> list[int]:
    """A row's figures in the order of the columns."""
    return [row[name] for name in FIGURES]


async def test_level_by_points_by_delegates(running: Running, sample: Sample) -> None:
    """What the office copies into its message: the centre first, then each level as the units themselves name it."""
    report = await running.admin.ok("POST", REPORTS, {"number": 1})
    assert (report["number"], report["at_ms"], report["made_by"], report["session"]) == (1, NOW_MS, "root", "S1")
    assert [(row["center"], row["level"], *figures(row)) for row in report["rows"]] == [
        (True, "", 1, 1, 0, 0, 327, 327),
        (False, "quận", 2, 1, 2, 0, 60, 60),
        (False, "phường", 1, 0, 0, 0, 0, 0),
    ]
    assert figures(report["total"]) == [4, 2, 2, 0, 387, 387]
    assert [point["point"] for point in report["points"] if not point["reported"]] == ["HN-0003", "HN-0004"]


async def test_before_it_is_frozen(running: Running, sample: Sample) -> None:
    """What the office sees on the screen is what the button freezes, and looking keeps nothing."""
    seen = await running.admin.ok("GET", "/api/v1/sessions/s1/quick-report")
    assert (await running.admin.ok("GET", REPORTS))["items"] == []
    assert await running.admin.ok("POST", REPORTS, {"number": seen["number"]}) == seen
    assert (await running.admin.ok("GET", "/api/v1/sessions/s1/quick-report"))["number"] == 2


async def test_a_report_never_changes(running: Running, sample: Sample) -> None:
    """Printed again tomorrow it is the same paper, to the byte, whatever the halls said and were renamed since."""
    await running.admin.ok("PATCH", "/api/v1/organization", {"name": "BAN TỔ CHỨC"})
    made = await running.admin.ok("POST", REPORTS, {})
    formats = ("csv", "xlsx", "pdf")
    before = {form: await content(running.admin, f"{REPORTS}/1.{form}") for form in formats}
    running.clock.advance(3600)
    await running.admin.ok("POST", SAY, {"point": "HN-0004", "number": 45})
    await running.admin.ok("PATCH", "/api/v1/points/HN-0004", {"name": "Nhà văn hóa mới"})
    await running.admin.ok("PATCH", "/api/v1/organization", {"name": "VĂN PHÒNG"})
    assert await running.admin.ok("GET", f"{REPORTS}/1") == made
    assert {form: await content(running.admin, f"{REPORTS}/1.{form}") for form in formats} == before
    later = await running.admin.ok("POST", REPORTS, {})
    assert (later["number"], later["at_ms"], later["total"]["delegates"]) == (2, NOW_MS + 3_600_000, 432)
    items = (await running.admin.ok("GET", REPORTS))["items"]
    assert [(item["number"], item["total"]) for item in items] == [(1, made["total"]), (2, later["total"])]


async def test_every_format_says_the_same(running: Running, sample: Sample) -> None:
    """The message, the workbook and the paper are compared by those who get two of them (I3)."""
    report = await running.admin.ok("POST", REPORTS, {})
    text = (await content(running.admin, f"{REPORTS}/1.csv")).decode("utf-8-sig")
    header, *rows = list(csv.reader(io.StringIO(text)))
    assert header == [
        "Cấp", "Số điểm cầu", "Đã báo", "Điểm danh theo tên", "Ngoài danh sách", "Số người đếm được", "Đại biểu dự",
    ]  # fmt: skip
    assert rows[:4] == [
        ["Điểm cầu trung tâm", "1", "1", "0", "0", "327", "327"],
        ["Quận", "2", "1", "2", "0", "60", "60"],
        ["Phường", "1", "0", "0", "0", "0", "0"],
        ["Tổng số", *map(str, figures(report["total"]))],
    ]
    assert rows[4:] == [
        [],
        ["Điểm cầu chưa báo", "Mã điểm cầu", "Đơn vị"],
        ["Hội trường Quận ủy Hoàn Kiếm", "HN-0003", "Quận Hoàn Kiếm"],
        ["Nhà văn hóa phường Hàng Bạc", "HN-0004", "Phường Hàng Bạc"],
    ]
    book = load_workbook(io.BytesIO(await content(running.admin, f"{REPORTS}/1.xlsx")), data_only=True)
    sheet, halls = book.worksheets
    cells = [list(row) for row in sheet.iter_rows(values_only=True)]
    top = next(index for index, row in enumerate(cells) if row[0] == "Cấp")
    assert [[str(cell) for cell in row] for row in cells[top : top + 5]] == [header, *rows[:4]]
    assert [row[0] for row in cells[-2:]] == ["Hội trường Quận ủy Hoàn Kiếm", "Nhà văn hóa phường Hàng Bạc"]
    people = [str(row[8].value) for row in halls.iter_rows(min_row=2)]
    assert sum(map(int, people)) == report["total"]["delegates"]
    assert (await content(running.admin, f"{REPORTS}/1.pdf")).startswith(b"%PDF")


async def test_totals_in_the_workbook_are_sums(running: Running, sample: Sample) -> None:
    """Whoever corrects a cell in their copy sees the total follow; the stored value is the report's own."""
    await running.admin.ok("POST", REPORTS, {})
    sheet = load_workbook(io.BytesIO(await content(running.admin, f"{REPORTS}/1.xlsx"))).worksheets[0]
    (total,) = [row for row in sheet.iter_rows() if row[0].value == "Tổng số"]
    at = total[0].row or 0
    assert total[6].value == f"=SUM(G{at - 3}:G{at - 1})"


async def test_one_press_one_report(running: Running, sample: Sample) -> None:
    """Two people press the button at once, or one twice: one report, and the other learns that it is there."""
    answers = await asyncio.gather(*(running.admin.call("POST", REPORTS, {"number": 1}) for _ in range(3)))
    assert sorted(status for status, _ in answers) == [201, 409, 409]
    assert {answer["code"] for status, answer in answers if status == 409} == {"already_exists"}
    assert len((await running.admin.ok("GET", REPORTS))["items"]) == 1


async def test_who_may_make_and_read(running: Running, sample: Sample) -> None:
    """A report tells of every hall of a session: who answers for a part reads their own halls elsewhere (I5)."""
    organizer = await running.account("organizer", api.GrantView(Role.ORGANIZER, "HN-001"))
    inspector = await running.account("inspector", api.GrantView(Role.INSPECTOR))
    assert (await organizer.call("POST", REPORTS, {}))[0] == 403
    assert (await inspector.call("POST", REPORTS, {}))[0] == 403
    await running.admin.ok("POST", REPORTS, {})
    for path in (REPORTS, f"{REPORTS}/1", f"{REPORTS}/1.csv"):
        assert (await organizer.call("GET", path))[0] == 403
        assert (await inspector.call("GET", path))[0] == 200
        assert (await running.anonymous.call("GET", path))[0] == 401


async def test_halls_of_other_units(running: Running, sample: Sample) -> None:
    """A district's session borrows a hall of its neighbour: its organizer does not learn that hall's figures (I5)."""
    body = {"code": "S2", "title": "Buổi của quận", "unit": "HN-001", **TIMES}
    await running.admin.ok("POST", "/api/v1/sessions", body)
    await running.admin.ok("PUT", "/api/v1/sessions/S2/points", {"points": ["HN-0002", "HN-0003"]})
    await running.admin.ok("POST", "/api/v1/sessions/S2/state", {"to": "open"})
    organizer = await running.account("organizer", api.GrantView(Role.ORGANIZER, "HN-001"))
    path = "/api/v1/sessions/S2/quick-reports"
    assert (await organizer.call("POST", path, {}))[0] == 403
    assert (await running.admin.ok("POST", path, {}))["beyond"] == ["HN-002"]
    assert (await organizer.ok("GET", path))["items"] == []
    assert (await organizer.call("GET", f"{path}/1"))[0] == 403
    both = await running.account(
        "both", api.GrantView(Role.ORGANIZER, "HN-001"), api.GrantView(Role.INSPECTOR, "HN-002")
    )
    assert len((await both.ok("GET", path))["items"]) == 1
    await both.ok("GET", f"{path}/1")


@pytest.mark.parametrize(("state", "code"), [("draft", "not_open"), ("closed", "session_closed")])
async def test_not_before_nor_after(running: Running, sample: Sample, state: str, code: str) -> None:
    """A draft has nothing to report; after closing the minutes tell the figures, and old reports still print."""
    await running.admin.ok("POST", REPORTS, {})
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(state=state))
    status, problem = await running.admin.call("POST", REPORTS, {})
    assert (status, problem["code"]) == (409, code)
    assert await content(running.admin, f"{REPORTS}/1.csv")


async def test_no_halls_no_report(running: Running, sample: Sample) -> None:
    """An empty table with a number would be taken for a report."""
    await running.admin.ok("POST", "/api/v1/sessions", {"code": "S9", "title": "Trống", **TIMES})
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).where(session.c.code == "S9").values(state="open"))
    status, problem = await running.admin.call("POST", "/api/v1/sessions/S9/quick-reports", {})
    assert (status, problem["code"]) == (409, "no_points")


async def test_reports_have_an_end(running: Running, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is kept with all its halls: a program gone wrong must not fill the disk."""
    monkeypatch.setattr(limits, "QUICK_REPORTS_MAX", 1)
    await running.admin.ok("POST", REPORTS, {})
    status, problem = await running.admin.call("POST", REPORTS, {})
    assert (status, problem["code"]) == (409, "too_many_kept")


@pytest.mark.parametrize("name", ["2", "0", "x", "1.docx", "x.pdf", "99999999999999999999"])
async def test_what_is_not_there(running: Running, sample: Sample, name: str) -> None:
    """A number nobody made, or an ending that is no format, is not found."""
    await running.admin.ok("POST", REPORTS, {})
    assert (await running.admin.call("GET", f"{REPORTS}/{name}"))[0] == 404


async def test_in_english(running: Running, sample: Sample) -> None:
    """The words follow the reader, the figures do not."""
    await running.admin.ok("POST", REPORTS, {})
    text = (await content(running.admin, f"{REPORTS}/1.csv", "en")).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert (rows[0][0], rows[0][-1], rows[1]) == (
        "Level",
        "Attending",
        ["Centre point", "1", "1", "0", "0", "327", "327"],
    )
