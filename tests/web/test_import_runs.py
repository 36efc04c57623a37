"""Imports on record: replacing a list, taking an import back, and what is left when the power goes in the middle."""

from __future__ import annotations

import asyncio
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sample
from nursery import nursery
from support import NOW_MS, PASSWORD, Client, Running, Start
from tables import PEOPLE, csv_bytes

from diemcau import limits
from diemcau.app import open_context
from diemcau.config import Settings
from diemcau.domain.authority import System
from diemcau.domain.models import Role
from diemcau.services import import_runs
from diemcau.services.accounts import add, issue_token
from diemcau.services.import_runs import How, Plan
from diemcau.services.jobs import Job
from diemcau.store.import_runs import StaleError
from diemcau.store.imports import Takeover, unit_places
from diemcau.wire import api

CHANGED = ["DB-0011", "Tôn Nữ Thị Ngọc Bảo Quyên", "Bí thư", "HN-002-01", "HN-0003", "0900000011"]
NEW = ["M-1", "Nguyễn Thị Mới", "Ủy viên", "HN-002-01", "HN-0003", "0912000001"]
MANY = 20_000


async def sent(client: Client, *rows: list[str], **query: str) -> Any:
    """A list of people imported: its job once it is over."""
    data = csv_bytes([PEOPLE, *rows])
    answer = await client.call("POST", "/api/v1/imports", params={"what": "attendees", **query}, data=data)
    assert answer[0] == 202, answer
    return await finished(client, answer[1])


async def finished(client: Client, job: Any) -> Any:
    """The job once it is over."""
    async with asyncio.timeout(30):
        while job["state"] in {"queued", "running"}:
            job = await client.ok("GET", f"/api/v1/jobs/{job['id']}")
    return job


async def everybody(client: Client) -> list[Any]:
    """All people as the list shows them."""
    items: list[Any] = (await client.ok("GET", "/api/v1/attendees?limit=1000"))["items"]
    return items


async def runs(client: Client) -> list[Any]:
    """The imports on record that this client sees."""
    items: list[Any] = (await client.ok("GET", "/api/v1/import-runs"))["items"]
    return items


async def test_a_list_is_replaced_and_comes_back(start: Start, database: str) -> None:
    """Who is no longer named goes unless they are summoned; one request brings the old list back, on record."""
    running = await start(database)
    admin = running.admin
    await sample.fill(running.context.engines)
    before = await everybody(admin)
    how = {"mode": "replace", "unit": "hn-002", "file": "Hoàn Kiếm.csv"}
    foreseen = (await sent(admin, CHANGED, NEW, dry_run="1", **how))["result"]
    result = (await sent(admin, CHANGED, NEW, **how))["result"]
    kept = ["DB-0007", "DB-0008", "DB-0009", "DB-0010"]
    for told in (foreseen, result):
        assert [told[name] for name in ("created", "updated", "removed", "kept_total", "kept")] == [1, 1, 1, 4, kept]
    assert (foreseen["run"], len(await everybody(admin))) == (None, len(before))
    assert (await admin.call("GET", "/api/v1/attendees/DB-0012"))[0] == 404
    (run,) = await runs(admin)
    assert run == {
        "id": result["run"],
        "what": "attendees",
        "mode": "replace",
        "file": "Hoàn Kiếm.csv",
        "unit": "HN-002",
        "made_ms": NOW_MS,
        "made_by": "root",
        "state": "done",
        "undone_ms": None,
        "undone_by": "",
        "added": 1,
        "changed": 1,
        "unchanged": 0,
        "removed": 1,
    }
    undone = await admin.ok("POST", f"/api/v1/import-runs/{run['id']}/undo")
    assert undone == {"undone": 3, "kept_total": 0, "kept": []}
    assert await everybody(admin) == before
    (run,) = await runs(admin)
    assert (run["state"], run["undone_by"], run["undone_ms"]) == ("undone", "root", NOW_MS)
    status, problem = await admin.call("POST", f"/api/v1/import-runs/{run['id']}/undo")
    assert (status, problem["code"]) == (409, "import_not_undoable")


async def test_what_was_changed_since_is_told(running: Running) -> None:
    """A telephone number corrected after the import is not lost by undoing it, and the clerk learns why."""
    await sample.fill(running.context.engines)
    run = (await sent(running.admin, CHANGED, NEW))["result"]["run"]
    await running.admin.ok("PATCH", "/api/v1/attendees/M-1", {"phone": "0911"})
    undone = await running.admin.ok("POST", f"/api/v1/import-runs/{run}/undo")
    assert undone == {"undone": 1, "kept_total": 1, "kept": [{"code": "M-1", "reason": "changed"}]}
    assert (await running.admin.ok("GET", "/api/v1/attendees/M-1"))["phone"] == "0911"
    assert (await running.admin.ok("GET", "/api/v1/attendees/DB-0011"))["point"] == "HN-0004"


async def test_imports_are_seen_and_undone_by_unit(running: Running) -> None:
    """A clerk takes their own import back; a neighbour neither sees it nor touches it (I5)."""
    await sample.fill(running.context.engines)
    mine = await running.account("can-bo", api.GrantView(Role.CLERK, "HN-002"))
    theirs = await running.account("khac", api.GrantView(Role.CLERK, "HN-001"))
    run = (await sent(mine, NEW))["result"]["run"]
    wide = (await sent(running.admin, ["M-2", "Lê An", "", "HN", "", ""]))["result"]["run"]
    assert [[one["id"] for one in await runs(client)] for client in (running.admin, mine, theirs)] == [
        [wide, run],
        [run],
        [],
    ]
    page = await running.admin.ok("GET", "/api/v1/import-runs?limit=1")
    assert [
        one["id"] for one in (await running.admin.ok("GET", f"/api/v1/import-runs?after={page['next']}"))["items"]
    ] == [run]
    assert (await theirs.call("POST", f"/api/v1/import-runs/{run}/undo"))[0] == 403
    assert (await mine.call("POST", f"/api/v1/import-runs/{wide}/undo"))[0] == 403
    assert (await mine.call("POST", "/api/v1/import-runs/999/undo"))[0] == 404
    assert (await mine.call("POST", "/api/v1/import-runs/x/undo"))[0] == 404
    assert (await mine.call("GET", "/api/v1/import-runs?after=x"))[0] == 400
    assert (await mine.ok("POST", f"/api/v1/import-runs/{run}/undo"))["undone"] == 1
    assert (await mine.call("GET", "/api/v1/attendees/M-1"))[0] == 404


async def tree(client: Client) -> list[Any]:
    """Every unit as the list shows it."""
    items: list[Any] = (await client.ok("GET", "/api/v1/units?limit=1000"))["items"]
    return items


async def test_a_tree_comes_back(start: Start, database: str) -> None:
    """Units that were renamed, moved and added by a file are as before, but for one that people stand in by now."""
    running = await start(database)
    await sample.fill(running.context.engines)
    organizer = await running.account("to-chuc", api.GrantView(Role.ORGANIZER, "HN-002"))
    before = await tree(running.admin)
    rows = [["code", "name", "parent_code"], ["HN-002", "Hoàn Kiếm", "HN"], ["HN-002-01", "Hàng Bạc", "HN-002-03"]]
    rows += [["HN-002-02", "Mới", "HN-002"], ["HN-002-03", "Cụm", "HN-002"], ["HN-002-04", "Xa", "HN-002-03"]]
    data = csv_bytes(rows)
    job = await finished(organizer, await organizer.ok("POST", "/api/v1/imports?what=units", data=data))
    run = job["result"]["run"]
    during = await tree(running.admin)
    assert {unit["code"]: unit["parent"] for unit in during}["HN-002-01"] == "HN-002-03"
    assert (await runs(organizer))[0] | {"unit": "HN-002", "added": 3, "changed": 2} == (await runs(organizer))[0]
    await sent(running.admin, ["M-2", "Lê An", "", "HN-002-04", "", ""])
    undone = await organizer.ok("POST", f"/api/v1/import-runs/{run}/undo")
    kept = [{"code": "HN-002-04", "reason": "in_use"}, {"code": "HN-002-03", "reason": "in_use"}]
    assert (undone["kept"], undone["undone"]) == (kept, 3)
    left = [unit for unit in await tree(running.admin) if unit["code"] not in {"HN-002-03", "HN-002-04"}]
    assert left == before


@pytest.mark.parametrize(
    "query",
    [
        {"what": "attendees", "mode": "replace"},
        {"what": "units", "mode": "replace", "unit": "HN"},
        {"what": "attendees", "mode": "merge"},
    ],
)
async def test_senseless_replacements_are_refused(running: Running, query: dict[str, str]) -> None:
    """Whose list is replaced must be said, before anybody is removed."""
    await sample.fill(running.context.engines)
    status, problem = await running.admin.call("POST", "/api/v1/imports", params=query, data=b"x")
    assert (status, problem["code"]) == (400, "malformed")


async def test_nobody_replaces_a_neighbours_list(running: Running) -> None:
    """A clerk names another unit by mistake: nobody of it is removed (I5)."""
    await sample.fill(running.context.engines)
    clerk = await running.account("can-bo", api.GrantView(Role.CLERK, "HN-002"))
    job = await sent(clerk, NEW, mode="replace", unit="HN-001")
    assert (job["state"], job["problem"]["code"]) == ("failed", "forbidden")
    assert len(await everybody(running.admin)) == len(sample.PEOPLE)


async def test_a_list_that_stops_half_way_leaves_nothing(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody adds the same person while a list is written: what was written goes again, and no run remains."""
    monkeypatch.setattr(limits, "IMPORT_PART_ROWS", 1)
    conference = await sample.fill(running.context.engines)
    before = await everybody(running.admin)
    columns = ["full_name", "name_folded", "sort_key", "unit_id"]
    inserts = [(code, "Lê An", "le an", "", conference.units["HN"]) for code in ("N-1", "N-2", "DB-0001")]
    async with running.context.read() as connection:
        places = await unit_places(connection)
    plan = Plan(Takeover("attendees", columns, inserts), places, 0, set(), How())
    job = Job("", "import attendees", System())
    with pytest.raises(StaleError):
        await import_runs.take_over(System(), running.context, plan, job)
    assert (await everybody(running.admin), await runs(running.admin)) == (before, [])
    assert (job.done, job.total) == (2, 3)  # it did get that far


async def prepared(folder: Path) -> str:
    """The small conference in a folder; an administrator's token."""
    async with open_context(Settings(database=f"sqlite:///{folder}/diemcau.db", data_dir=folder)) as context:
        await sample.fill(context.engines)
        await add(System(), context, api.AccountNew("root", PASSWORD, [api.GrantView(Role.ADMIN)]))
        return await issue_token(System(), context, "root")


async def half_written(file: Path) -> int:
    """How many people of the long list are there, once some are and others are not."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        async with asyncio.timeout(30):
            while True:
                await asyncio.sleep(0)
                count: int = connection.execute("SELECT count(*) FROM attendee WHERE code LIKE 'N-%'").fetchone()[0]
                if count:
                    return count


async def test_killed_in_the_middle_of_an_import(tmp_path: Path) -> None:
    """The power goes while a long list is written: after the restart nobody of it is there, and that is on record."""
    token = await prepared(tmp_path)
    data = csv_bytes([PEOPLE, *([f"N-{n}", *NEW[1:]] for n in range(MANY))])
    async with nursery() as servers, aiohttp.ClientSession() as http:
        server = await servers.serve(f"sqlite:///{tmp_path}/diemcau.db", tmp_path)
        await Client(http, server.origin, token).ok("POST", "/api/v1/imports?what=attendees", data=io.BytesIO(data))
        await half_written(tmp_path / "diemcau.db")
        server.kill()
        await server.gone()
        assert 0 < await half_written(tmp_path / "diemcau.db") < MANY, "the list was complete: the test proves nothing"
        server = await servers.serve(f"sqlite:///{tmp_path}/diemcau.db", tmp_path)
        admin = Client(http, server.origin, token)
        assert len(await everybody(admin)) == len(sample.PEOPLE)
        (run,) = await runs(admin)
        assert (run["state"], run["made_by"], run["undone_by"]) == ("undone", "root", "system")
        await server.stop()
