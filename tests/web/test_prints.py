"""Paper through the API: made in the background, fetched by who asked, given up, and gone after a while."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
import sample as sample_conference
import sqlalchemy as sa
from papers import by_zbar, by_zxing, pictures, words
from sample import NOT_INVITED, PEOPLE
from support import Client, Running, Start

from diemcau import limits
from diemcau.domain import names
from diemcau.domain.models import Role
from diemcau.services import prints
from diemcau.store.engine import Connection
from diemcau.store.schema import account_grant, attendee, invitation, pairing, point, unit
from diemcau.wire import api

URL = "/api/v1/sessions/S1/prints"
LONG_NAME = "Công Tằng Tôn Nữ Thị Ngọc Bảo Quyên Trinh"
LONG_UNIT = "Đảng ủy Trung tâm Phục vụ hành chính công và Chuyển đổi số khối các trường cao đẳng " * 2


@pytest.fixture
async def running(start: Start) -> Running:
    """A server that people know by a name of its own, with names as long as they get."""
    started = await start(public_url="https://diemcau.example")
    conference = await sample_conference.fill(started.context.engines)
    async with started.context.engines.readers.connect() as raw:
        connection = await raw.execution_options(writing=True)
        async with connection.begin():
            long = {"full_name": LONG_NAME, "name_folded": names.fold(LONG_NAME)}
            await connection.execute(sa.update(attendee).where(attendee.c.code == "DB-0003").values(**long))
            for table, key in ((unit, conference.units["HN-001"]), (point, conference.points["HN-0002"])):
                await connection.execute(sa.update(table).where(table.c.id == key).values(name=LONG_UNIT.strip()))
    return started


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the server puts what it prints."""
    made = tmp_path / "prints"
    made.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


def left(folder: Path) -> list[Path]:
    """What lies there now."""
    return list(folder.iterdir())


async def ended(running: Running, client: Client, begun: dict[str, Any]) -> dict[str, Any]:
    """The job once its work is over."""
    await running.context.jobs.known[begun["id"]].over.wait()
    job: dict[str, Any] = await client.ok("GET", f"/api/v1/jobs/{begun['id']}")
    return job


async def printed(running: Running, client: Client, what: str, **more: str) -> dict[str, Any]:
    """A job that must succeed."""
    status, begun = await client.call("POST", URL, {"what": what, **more})
    assert status == 202, begun
    job = await ended(running, client, begun)
    assert (job["state"], job["done"]) == ("done", job["total"]), job
    return job


async def fetched(client: Client, job: dict[str, Any], path: Path, part: int = 1) -> Path:
    """A file of a job."""
    headers = {"Authorization": f"Bearer {client.token}"}
    address = f"{client.origin}/api/v1/jobs/{job['id']}/file.pdf?part={part}"
    async with client.http.get(address, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, "application/pdf")
        assert answer.headers["Cache-Control"] == "no-store"
        body = await answer.read()
    target = path / f"{job['id']}-{part}.pdf"
    target.write_bytes(body)
    return target


@pytest.mark.parametrize("layout", ["a4-10", "card"])
async def test_every_badge_can_be_scanned(running: Running, tmp_path: Path, layout: str) -> None:
    """A code that a scanner cannot read keeps somebody standing at the door."""
    admin = running.admin
    before = await admin.ok("POST", "/api/v1/attendees/DB-0001/badge")  # printed yesterday, in its owner's hands
    job = await printed(running, admin, "badges", layout=layout)
    assert [(one["name"], one["items"]) for one in job["files"]] == [("Thẻ đại biểu - S1.pdf", 11)]
    file = await fetched(admin, job, tmp_path)
    pages = await asyncio.to_thread(pictures, file)
    assert len(pages) == {"a4-10": 2, "card": 11}[layout]
    issued = {one["attendee"]: one["url"] for one in (await admin.ok("GET", "/api/v1/badges"))["items"]}
    assert issued.keys() == {code for code, *_ in PEOPLE} - {NOT_INVITED}
    assert issued["DB-0001"] == before["url"]
    assert await asyncio.to_thread(by_zbar, pages) == sorted(issued.values())
    assert await asyncio.to_thread(by_zxing, pages) == sorted(issued.values())


async def test_a_long_name_stands_on_its_badge_whole(running: Running, tmp_path: Path) -> None:
    """A name that is cut off is somebody else's name."""
    job = await printed(running, running.admin, "badges", unit="hn-001")
    text = words(await fetched(running.admin, job, tmp_path))
    assert text.count(LONG_NAME) == 1
    assert text.count(names.tidy(LONG_UNIT)) == 8  # four people: their unit, and their hall
    assert "Hội nghị học tập, quán triệt Nghị quyết" in text
    assert re.findall(r"Số (\d)", text) == ["1", "2", "3", "4"]


async def test_long_papers_come_in_parts(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """52,000 badges in one file would be more than a printer, or the server's memory, takes."""
    monkeypatch.setattr(limits, "PRINT_BADGES_A_FILE", 6)
    admin = running.admin
    job = await printed(running, admin, "badges")
    assert [one["items"] for one in job["files"]] == [6, 5]
    assert job["files"][1]["name"] == "Thẻ đại biểu - S1 - 02.pdf"
    files = [await fetched(admin, job, tmp_path, part) for part in (1, 2)]
    codes = [code for file in files for code in by_zbar(await asyncio.to_thread(pictures, file))]
    assert sorted(codes) == sorted(one["url"] for one in (await admin.ok("GET", "/api/v1/badges"))["items"])
    assert (await admin.call("GET", f"/api/v1/jobs/{job['id']}/file.pdf?part=3"))[0] == 404
    assert (await admin.call("GET", f"/api/v1/jobs/{job['id']}/file.pdf?part=x"))[0] == 404


async def test_a_poster_tells_the_way_and_shows_no_code(running: Running, tmp_path: Path) -> None:
    """A code on a door can be photographed and sent to who is not there."""
    file = await fetched(running.admin, await printed(running, running.admin, "posters"), tmp_path)
    text = words(file)
    assert text.count("Quét mã") == text.count("0904000001") == 4  # the telephone of the centre
    assert names.tidy(LONG_UNIT) in text
    pages = await asyncio.to_thread(pictures, file)
    assert len(pages) == 4
    assert by_zbar(pages) == by_zxing(pages) == []


async def test_a_pairing_sheet_pairs_its_hall_once(running: Running, tmp_path: Path) -> None:
    """A sheet that pairs another hall's device would count its people there."""
    file = await fetched(running.admin, await printed(running, running.admin, "pairing", kind="display"), tmp_path)
    pages = await asyncio.to_thread(pictures, file)
    text = words(file)
    assert len(pages) == 4
    assert text.count("chỉ dùng được một lần") == text.count("https://diemcau.example/operator") == 4
    shown = re.findall(r"\b[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}\b", text)
    links = [f"https://diemcau.example/pair/{code.replace('-', '')}" for code in shown]
    assert by_zbar(pages) == by_zxing(pages) == sorted(links)
    halls = []
    for code in shown:
        paired = await running.anonymous.ok("POST", "/api/v1/pair", {"code": code, "device": "máy"})
        halls.append((paired["point"], paired["kind"]))
    assert halls == [(f"HN-000{number}", "display") for number in (1, 2, 3, 4)]
    again = await running.anonymous.call("POST", "/api/v1/pair", {"code": shown[0], "device": "máy"})
    assert again[1]["code"] == "pairing_used"


async def test_a_hall_list_goes_by_its_numbers(running: Running, tmp_path: Path) -> None:
    """Who copies the signatures finds each line by its number; a second print must not number anew."""
    admin = running.admin
    file = await fetched(admin, await printed(running, admin, "hall_lists"), tmp_path)
    roster = (await admin.ok("GET", "/api/v1/sessions/S1/points/HN-0002/roster"))["items"]
    text = words(file)
    text = text[text.index("(HN-0002)") : text.index("(HN-0003)")]
    places = [text.index(f"{one['number']} {one['full_name']}") for one in roster]
    assert [one["number"] for one in roster] == [1, 2, 3, 4]
    assert places == sorted(places)
    assert "Ký tên" in text
    assert words(file).count("Trang 1 / 1") == 4  # a page a hall


async def test_a_clerk_prints_their_own_people_only(running: Running, tmp_path: Path) -> None:
    """Somebody else's badge in one's hand is somebody else's name at the door (I5)."""
    clerk = await running.account("cán bộ", api.GrantView(Role.CLERK, "HN-002"))
    job = await printed(running, clerk, "badges")
    assert job["total"] == 5
    text = words(await fetched(clerk, job, tmp_path))
    assert LONG_NAME not in text
    assert "Điểu K'Ré" in text
    assert (await clerk.call("POST", URL, {"what": "badges", "unit": "HN"}))[0] == 403
    assert (await clerk.call("POST", URL, {"what": "pairing"}))[0] == 403
    status, problem = await clerk.call("POST", URL, {"what": "badges", "point": "HN-0002"})
    assert (status, problem["code"]) == (409, "nothing_to_print")
    inspector = await running.account("thanh tra", api.GrantView(Role.INSPECTOR))
    assert (await inspector.call("POST", URL, {"what": "badges"}))[0] == 403


async def test_only_who_printed_fetches(running: Running) -> None:
    """A file of badges is a bunch of keys: an administrator who did not ask for it does not get it either."""
    clerk = await running.account("cán bộ", api.GrantView(Role.CLERK, "HN-002"))
    job = await printed(running, clerk, "badges")
    address = f"/api/v1/jobs/{job['id']}/file.pdf"
    assert (await clerk.call("GET", address))[0] == 200
    for other in (running.admin, await running.account("khác", api.GrantView(Role.CLERK, "HN-002"))):
        assert (await other.call("GET", address))[0] == 403
    assert (await running.anonymous.call("GET", address))[0] == 401
    elsewhere = sa.update(account_grant).values(
        unit_id=sa.select(unit.c.id).where(unit.c.code == "HN-001").scalar_subquery()
    )
    await running.context.writer.write(lambda c: c.execute(elsewhere.where(account_grant.c.unit_id.is_not(None))))
    running.context.identities.forget()
    assert (await clerk.call("GET", address))[0] == 403  # whose people they no longer answer for


@pytest.mark.parametrize("body", [{"what": "badges"}, {"what": "posters"}, {"what": "hall_lists"}])
async def test_nothing_to_print_is_said(running: Running, body: dict[str, str]) -> None:
    """An empty file would go to the printer before somebody notices."""
    session = {"code": "S9", "title": "Buổi trống", "starts_ms": 1_780_000_000_000, "ends_ms": 1_780_010_000_000}
    await running.admin.ok("POST", "/api/v1/sessions", session)
    status, problem = await running.admin.call("POST", "/api/v1/sessions/S9/prints", body)
    assert (status, problem["code"]) == (409, "nothing_to_print")


async def test_too_many_are_refused_before_anything_is_made(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two million badges by one press would fill the disk."""
    monkeypatch.setattr(limits, "PRINT_ITEMS_MAX", 10)
    status, problem = await running.admin.call("POST", URL, {"what": "badges"})
    assert (status, problem["code"]) == (400, "malformed")
    assert (await running.admin.ok("GET", "/api/v1/badges"))["items"] == []


async def test_a_file_goes_when_it_is_let_go(running: Running, folder: Path) -> None:
    """What is printed must not lie about on the server's disk."""
    job = await printed(running, running.admin, "badges")
    (made,) = left(folder)
    assert [path.name for path in left(made)] == ["1.pdf"]
    assert made.stat().st_mode & 0o777 == 0o700
    await running.admin.ok("DELETE", f"/api/v1/jobs/{job['id']}")
    assert left(folder) == []
    assert (await running.admin.call("GET", f"/api/v1/jobs/{job['id']}/file.pdf"))[0] == 404
    after = await running.admin.ok("GET", f"/api/v1/jobs/{job['id']}")
    assert (after["state"], after["files"]) == ("done", [])


async def test_a_file_goes_by_itself(running: Running, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody comes back to tidy up."""
    monkeypatch.setattr(limits, "JOB_FILES_KEPT_S", 0)
    begun = await running.admin.ok("POST", URL, {"what": "posters"})
    assert (await ended(running, running.admin, begun))["state"] == "done"
    (task,) = [job.task for job in running.context.jobs.known.values() if job.task]
    await task
    assert left(folder) == []


async def test_older_files_make_room(running: Running, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever prints all day does not fill the disk."""
    monkeypatch.setattr(limits, "JOBS_WITH_FILES_MAX", 1)
    jobs = [await printed(running, running.admin, "posters") for _ in range(2)]
    tasks = [running.context.jobs.known[job["id"]].task for job in jobs[:1]]
    await asyncio.gather(*(task for task in tasks if task))
    assert len(left(folder)) == 1
    kept = [await running.admin.ok("GET", f"/api/v1/jobs/{job['id']}") for job in jobs]
    assert [len(job["files"]) for job in kept] == [0, 1]


async def test_stopping_the_server_leaves_no_paper(running: Running, folder: Path) -> None:
    """Badges on the disk of a server that was switched off are badges in strange hands."""
    await printed(running, running.admin, "badges")
    await running.server._end_tasks()
    assert left(folder) == []


async def test_a_job_can_be_given_up(running: Running, folder: Path) -> None:
    """Somebody pressed the wrong button, and 52,000 badges are under way."""
    await summon(running, 2500)
    begun = await running.admin.ok("POST", URL, {"what": "badges", "layout": "card"})
    while not 0 < (job := await running.admin.ok("GET", f"/api/v1/jobs/{begun['id']}"))["done"] < job["total"]:
        assert job["state"] in {"queued", "running"}, job
    assert len(left(folder)) == 1
    assert setting(folder)
    other = await running.account("khác", api.GrantView(Role.ORGANIZER, "HN-002"))
    assert (await other.call("DELETE", f"/api/v1/jobs/{begun['id']}"))[0] == 403
    await running.admin.ok("DELETE", f"/api/v1/jobs/{begun['id']}")
    job = await running.admin.ok("GET", f"/api/v1/jobs/{begun['id']}")
    assert (job["state"], job["files"]) == ("cancelled", [])
    assert left(folder) == []
    assert not setting(folder)
    assert (await printed(running, running.admin, "posters"))["files"]


async def summon(running: Running, count: int) -> None:
    """Invite so many more people, who have no badge yet."""
    rows = [
        {"code": f"X-{n}", "full_name": "Lê Thị An", "name_folded": "le thi an", "sort_key": "an"} for n in range(count)
    ]

    async def work(connection: Connection) -> None:
        home = (await connection.execute(sa.select(unit.c.id).where(unit.c.code == "HN"))).scalar_one()
        await connection.execute(sa.insert(attendee), [{**row, "unit_id": home} for row in rows])
        fresh = sa.select(sa.literal(1), attendee.c.id, attendee.c.name_folded).where(attendee.c.code.startswith("X-"))
        await connection.execute(sa.insert(invitation).from_select(["session_id", "attendee_id", "name_folded"], fresh))

    await running.context.writer.write(work)


def setting(folder: Path) -> bool:
    """Whether a process sets paper into this folder."""
    return any(str(folder).encode() in path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline"))


async def test_a_failure_is_told(running: Running, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that no longer compiles must not leave half a file, nor a job that never ends."""
    monkeypatch.setitem(prints.TEMPLATES, "posters", "no_such_template")
    job = await ended(running, running.admin, await running.admin.ok("POST", URL, {"what": "posters"}))
    assert (job["state"], job["problem"]["code"]) == ("failed", "export_failed")
    assert left(folder) == []


async def test_codes_that_were_never_handed_out_expire(running: Running) -> None:
    """Printed and thrown away: the database holds a hash that ends with its day."""
    assert (await printed(running, running.admin, "pairing", unit="HN-002"))["total"] == 2
    async with running.context.read() as connection:
        ends = (await connection.execute(sa.select(pairing.c.expires_ms))).scalars().all()
    assert ends == [running.clock.now_ms() + limits.PAIRING_VALID_S * 1000] * 2
