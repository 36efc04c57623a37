"""Lists in through the API: a file becomes a job, and a job ends with counts or with findings."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sample
from support import Client, Running, Start
from tables import PEOPLE, csv_bytes, write_xlsx

from diemcau import limits
from diemcau.domain.authority import System
from diemcau.domain.models import Role
from diemcau.errors import OverloadedError
from diemcau.services import imports
from diemcau.wire import api

NEW = ["M-1", "Nguyễn Thị Mới", "Ủy viên", "HN-002", "HN-0003", "0912000001"]


@pytest.fixture
async def admin(running: Running) -> Client:
    """The administrator, over the sample conference."""
    await sample.fill(running.context.engines)
    return running.admin


async def ended(client: Client, answer: Any) -> Any:
    """The job once it is over."""
    async with asyncio.timeout(30):
        while answer["state"] in {"queued", "running"}:
            answer = await client.ok("GET", f"/api/v1/jobs/{answer['id']}")
    return answer


async def sent(client: Client, what: str, data: bytes, **query: str) -> Any:
    """A file imported: its job once it is over."""
    answer = await client.call("POST", "/api/v1/imports", params={"what": what, **query}, data=data)
    assert answer[0] == 202, answer
    return await ended(client, answer[1])


async def test_people_come_in_from_a_workbook(admin: Client, tmp_path: Path) -> None:
    """New, changed and unchanged people are counted apart, and columns that were left out are named."""
    known = ["DB-0001", "Nguyễn Thị Hồng Đào", "Bí thư", "HN", "HN-0001", "0912345678"]
    changed = ["DB-0002", "Trần Văn Anh", "Phó Bí thư", "HN", "", "0987000111"]
    path = write_xlsx(tmp_path / "list.xlsx", [[*PEOPLE, "Ngày sinh"], known, changed, NEW])
    job = await sent(admin, "attendees", path.read_bytes(), file="list.xlsx")
    assert (job["kind"], job["state"], job["done"], job["total"]) == ("import attendees", "done", 3, 3)
    told = {"rows": 3, "created": 1, "updated": 1, "unchanged": 1, "dry_run": False, "ignored": ["Ngày sinh"]}
    assert told.items() <= job["result"].items()
    person = await admin.ok("GET", "/api/v1/attendees/M-1")
    assert list(person.values()) == NEW
    assert (await admin.ok("GET", "/api/v1/attendees/DB-0002"))["point"] is None
    assert (await admin.ok("GET", "/api/v1/attendees?q=tran van anh"))["items"]


async def test_a_whole_conference_comes_in(running: Running) -> None:
    """Units with children before their parents, then halls, then people: what a newcomer has in three files."""
    units = [["Mã", "Tên", "Đơn vị cấp trên", "Cấp"], ["B-1", "Phường Một", "B", ""], ["A", "Quận A", "", "quận"]]
    units += [["B", "Quận B", "", "quận"], ["A-1", "Phường Hai", "A", ""]]
    assert (await sent(running.admin, "units", csv_bytes(units)))["result"]["created"] == 4
    listed = await running.admin.ok("GET", "/api/v1/units")
    assert [(unit["code"], unit["parent"]) for unit in listed["items"]] == [
        ("A", None),
        ("A-1", "A"),
        ("B", None),
        ("B-1", "B"),
    ]
    points = [["code", "name", "unit_code", "capacity", "mode"], ["P-1", "Hội trường", "B-1", "60", "Trung tâm"]]
    assert (await sent(running.admin, "points", csv_bytes(points)))["result"]["created"] == 1
    point = await running.admin.ok("GET", "/api/v1/points/P-1")
    assert (point["unit"], point["capacity"], point["mode"]) == ("B-1", 60, "center")
    people = [list(PEOPLE), ["M-1", "H'Hen Niê", "", "A-1", "P-1", "0900000001"]]
    assert (await sent(running.admin, "attendees", csv_bytes(people)))["result"]["created"] == 1


async def test_nothing_is_taken_over_when_anything_is_wrong(admin: Client) -> None:
    """All mistakes at once, in the order of the rows, in the reader's language, and the list as it was."""
    rows = [["Mã", "Họ và tên", "", "Đơn vị", "Điểm cầu"], [NEW[0], *NEW[1:5]], ["M-2", "Lê An", "", "NO", "P-NO"]]
    rows += [["m-1", "", "", "HN-9", ""]]
    data = csv_bytes(rows)
    answer = await admin.ok("POST", "/api/v1/imports?what=attendees", data=data, headers={"Accept-Language": "en"})
    async with asyncio.timeout(30):
        while answer["state"] in {"queued", "running"}:
            answer = await admin.ok("GET", f"/api/v1/jobs/{answer['id']}", headers={"Accept-Language": "en"})
    assert (answer["state"], answer["problem"]["code"]) == ("failed", "import_rejected")
    assert answer["problem"]["findings"] == [
        {"row": 3, "column": "Đơn vị", "reason": "there is no such unit", "value": "NO", "sheet": ""},
        {"row": 3, "column": "Điểm cầu", "reason": "there is no such point", "value": "P-NO", "sheet": ""},
        {"row": 4, "column": "Họ và tên", "reason": "empty", "value": "", "sheet": ""},
        {"row": 4, "column": "Mã", "reason": "this code stands in a row above already", "value": "M-1", "sheet": ""},
        {"row": 4, "column": "Đơn vị", "reason": "there is no such unit", "value": "HN-9", "sheet": ""},
    ]
    again = await admin.ok("GET", f"/api/v1/jobs/{answer['id']}", headers={"Accept-Language": "vi"})
    assert again["problem"]["findings"][0]["reason"] == "không có đơn vị này"
    assert (await admin.call("GET", "/api/v1/attendees/M-1"))[0] == 404


async def test_dry_run_changes_nothing(admin: Client) -> None:
    """Someone unsure of a file learns what it would do."""
    job = await sent(admin, "attendees", csv_bytes([PEOPLE, NEW]), dry_run="1")
    assert (job["result"]["created"], job["result"]["dry_run"]) == (1, True)
    assert (await admin.call("GET", "/api/v1/attendees/M-1"))[0] == 404
    units = [["code", "name"], ["X", "Mới"]]
    assert (await sent(admin, "units", csv_bytes(units), dry_run="1"))["result"]["created"] == 1
    assert (await admin.call("GET", "/api/v1/units/X"))[0] == 404


async def test_foreign_file_fails_with_a_sentence(admin: Client) -> None:
    """A picture sent by mistake is a failed job that says what to do."""
    job = await sent(admin, "attendees", b"\x89PNG\r\n\x1a\n\0\0")
    assert (job["state"], job["problem"]["code"]) == ("failed", "import_foreign")
    assert "Excel" in job["problem"]["title"]


async def test_clerk_brings_in_own_people_only(running: Running, admin: Client) -> None:
    """Rows of other units, and people whom another unit lists, are findings and not changes (I5)."""
    clerk = await running.account("can-bo", api.GrantView(Role.CLERK, "HN-002"))
    assert (await sent(clerk, "attendees", csv_bytes([PEOPLE, NEW])))["result"]["created"] == 1
    foreign = ["M-2", "Lê An", "", "HN-001", "", ""]
    taken = ["DB-0001", "Lê An", "", "HN-002", "", ""]
    job = await sent(clerk, "attendees", csv_bytes([PEOPLE, foreign, taken]))
    assert [(found["row"], found["column"]) for found in job["problem"]["findings"]] == [(2, "unit_code"), (3, "code")]
    for what in ("points", "units"):
        status, problem = await clerk.call("POST", "/api/v1/imports", params={"what": what}, data=b"x")
        assert (status, problem["code"]) == (403, "forbidden")
    inspector = await running.account("giam-sat", api.GrantView(Role.INSPECTOR))
    assert (await inspector.call("POST", "/api/v1/imports?what=attendees", data=b"x"))[0] == 403
    assert (await running.anonymous.call("POST", "/api/v1/imports?what=attendees", data=b"x"))[0] == 401
    assert (await admin.call("POST", "/api/v1/imports?what=halls", data=b"x"))[0] == 400


async def test_organizer_rearranges_own_branch_only(running: Running, admin: Client) -> None:
    """A district's organizer adds and moves units below their own, and touches nothing beside or above it (I5)."""
    organizer = await running.account("quan", api.GrantView(Role.ORGANIZER, "HN-002"))
    own = [["code", "name", "parent_code"], ["HN-002", "Quận Hoàn Kiếm", "HN"], ["X", "Mới", "HN-002"]]
    own += [["HN-002-01", "Phường Hàng Bạc", "X"]]
    result = (await sent(organizer, "units", csv_bytes(own)))["result"]
    assert (result["created"], result["updated"], result["unchanged"]) == (1, 1, 1)
    listed = await organizer.ok("GET", "/api/v1/points?unit=X")
    assert [point["code"] for point in listed["items"]] == ["HN-0004"]
    for row in (["HN-001", "Của tôi", "HN"], ["Y", "Mới", "HN"], ["Y", "Mới", ""], ["X", "Mới", "HN-001"]):
        job = await sent(organizer, "units", csv_bytes([["code", "name", "parent_code"], row]))
        assert [found["row"] for found in job["problem"]["findings"]] == [2], row


async def test_boards_follow_halls_that_move(running: Running, admin: Client) -> None:
    """A hall that a list gives to another district is seen there and no longer here (I5); so is a whole district."""

    async def seen(client: Client) -> list[str]:
        return [row["point"] for row in (await client.ok("GET", "/api/v1/sessions/S1/live"))["points"]]

    one = await running.account("quan-1", api.GrantView(Role.INSPECTOR, "HN-001"))
    two = await running.account("quan-2", api.GrantView(Role.INSPECTOR, "HN-002"))
    assert (await seen(one), await seen(two)) == (["HN-0002"], ["HN-0003", "HN-0004"])
    moved = [["code", "name", "unit_code"], ["HN-0003", "Hội trường Quận ủy Hoàn Kiếm", "HN-001"]]
    await sent(admin, "points", csv_bytes(moved))
    assert (await seen(one), await seen(two)) == (["HN-0002", "HN-0003"], ["HN-0004"])
    await sent(admin, "units", csv_bytes([["code", "name", "parent_code"], ["HN-002", "Quận Hoàn Kiếm", "HN-001"]]))
    assert (await seen(one), await seen(two)) == (["HN-0002", "HN-0003", "HN-0004"], ["HN-0004"])


async def test_jobs_are_their_owners(running: Running, admin: Client) -> None:
    """Findings name people: another clerk does not read them, an administrator may."""
    clerk = await running.account("can-bo", api.GrantView(Role.CLERK, "HN-002"))
    other = await running.account("khac", api.GrantView(Role.CLERK, "HN-002"))
    job = await sent(clerk, "attendees", csv_bytes([PEOPLE, NEW]))
    assert (await admin.call("GET", f"/api/v1/jobs/{job['id']}"))[0] == 200
    assert (await other.call("GET", f"/api/v1/jobs/{job['id']}"))[0] == 403
    assert (await running.anonymous.call("GET", f"/api/v1/jobs/{job['id']}"))[0] == 401
    assert (await admin.call("GET", "/api/v1/jobs/unknown"))[0] == 404


async def test_upload_is_bounded(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file over the bound is refused while it comes in, and leaves nothing behind."""
    monkeypatch.setattr(limits, "IMPORT_BYTES_MAX", 1_000_000)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 200_000

    status, problem = await admin.call("POST", "/api/v1/imports?what=attendees", data=endless())
    assert (status, problem["code"]) == (413, "too_large")


async def test_jobs_are_bounded(running: Running, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that has enough to do says so before it takes another file; old jobs are forgotten."""
    monkeypatch.setattr(limits, "JOBS_REMEMBERED_MAX", 2)
    first = await sent(admin, "attendees", b"")
    for _ in range(3):
        await sent(admin, "attendees", b"")
    assert (await admin.call("GET", f"/api/v1/jobs/{first['id']}"))[0] == 404
    monkeypatch.setattr(limits, "JOBS_RUNNING_MAX", 0)
    monkeypatch.setattr(limits, "JOBS_WAITING_MAX", 0)
    status, problem = await admin.call("POST", "/api/v1/imports?what=attendees", data=b"")
    assert (status, problem["code"]) == (503, "overloaded")


async def test_a_file_that_came_too_late_leaves_nothing_behind(
    running: Running, admin: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many who upload at once, the files of those who are told to come later do not fill the disk."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def slow() -> AsyncIterator[bytes]:
        yield b"code"
        monkeypatch.setattr(limits, "JOBS_RUNNING_MAX", 0)
        monkeypatch.setattr(limits, "JOBS_WAITING_MAX", 0)
        yield b",name"

    with pytest.raises(OverloadedError):
        await imports.begin(System(), running.context, imports.Wanted("units"), slow())
    assert not [left for left in tmp_path.iterdir() if left.name.startswith("diemcau-import-")]  # noqa: ASYNC240


async def test_two_imports_of_one_list_count_everybody_once(start: Start, database: str) -> None:
    """People who send the same file at the same moment all succeed, and nobody is listed twice."""
    running = await start(database)
    await sample.fill(running.context.engines)
    rows = [[f"N-{n}", "Lê Thị An", "", "HN", "HN-0001", ""] for n in range(500)]
    data = csv_bytes([PEOPLE, *rows])
    jobs = await asyncio.gather(*(sent(running.admin, "attendees", data) for _ in range(4)))
    assert [job["state"] for job in jobs] == ["done"] * 4
    assert sum(job["result"]["created"] for job in jobs) == 500
    assert sum(job["result"]["unchanged"] for job in jobs) == 1500
    assert len((await running.admin.ok("GET", "/api/v1/attendees?limit=1000&q=le thi an"))["items"]) == 500


async def test_stopping_leaves_no_file_behind(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that stops in the middle of an import keeps no copy of a list of people."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    await sample.fill(running.context.engines)
    data = io.BytesIO(csv_bytes([PEOPLE, *([f"N-{n}", *NEW[1:]] for n in range(30_000))]))
    await running.admin.ok("POST", "/api/v1/imports?what=attendees", data=data)
    assert len(list(folder.iterdir())) == 1
    await running.server._end_tasks()
    assert list(folder.iterdir()) == []
