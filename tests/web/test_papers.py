"""Sheets copied from paper: entered once however often they are sent, photographed, and taken back whole."""

from __future__ import annotations

import asyncio
import hashlib
import io
from typing import Any

import live_support
import pytest
import sqlalchemy as sa
from sample import STARTS_MS, Sample, fill
from support import NOW_MS, Client, Running

from diemcau import limits
from diemcau.domain.models import EventKind, Role
from diemcau.services import nonces
from diemcau.store.schema import attendance, attendance_event, session, session_point, unlisted
from diemcau.wire import api

PAPERS = "/api/v1/sessions/s1/papers"
HERE = "HN-0002"
JPEG = b"\xff\xd8\xff\xe0" + b"photo" * 100
MINUTE_S = 60


@pytest.fixture
async def running(database: str, start: Any) -> Running:
    """A server on each kind of database."""
    started: Running = await start(database)
    return started


@pytest.fixture
async def sample(running: Running) -> Sample:
    """The small conference, known to the live side."""
    filled = await fill(running.context.engines)
    await live_support.loaded(running, filled.session_id)
    return filled


@pytest.fixture
async def hall(running: Running, sample: Sample) -> Client:
    """The operator of Ba Đình."""
    return await operator(running)


async def operator(running: Running, point: str = HERE, kind: str = "operator") -> Client:
    """A device of a hall."""
    return running.admin.signed_in(await live_support.token(running, point, kind))


def nonce(number: int) -> str:
    """A sheet's nonce."""
    return nonces.write(nonces.make(NOW_MS, number.to_bytes(10, "big")))


def sheet(*codes: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """A sheet of people by code."""
    people = [{"code": code} for code in codes]
    common = {"nonce": nonce(number), "point": HERE, "reason": "mất điện", "device_ms": NOW_MS, "at_ms": NOW_MS}
    return common | {"people": people} | more


async def figures(running: Running) -> tuple[int, int, int, int]:
    """Counted rows, the counters of all halls (listed, unlisted), and check-ins in the log."""
    e, sp = attendance_event.c, session_point.c
    async with running.context.engines.read() as connection:
        counted = (await connection.execute(sa.select(sa.func.count()).select_from(attendance))).scalar_one()
        both = (await connection.execute(sa.select(sa.func.sum(sp.present), sa.func.sum(sp.unlisted)))).one()
        check_ins = sa.select(sa.func.count()).where(e.kind == EventKind.CHECK_IN)
        return counted, both[0], both[1], (await connection.execute(check_ins)).scalar_one()


async def events(running: Running, kind: EventKind) -> list[Any]:
    """The log's events of a kind."""
    e = attendance_event
    async with running.context.engines.read() as connection:
        return list(await connection.execute(sa.select(e).where(e.c.kind == kind).order_by(e.c.id)))


async def close(running: Running) -> None:
    """Freeze the session, straight in the tables."""
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(state="closed"))


async def test_many_people_under_one_reason(running: Running, hall: Client) -> None:
    """Four ticks and a name written by hand become five people present, under the reason that the log keeps."""
    body = sheet("DB-0004", "DB-0003", "db-0006", unlisted=[{"name": "Trần Lạ", "unit": "Phường Phúc Xá"}])
    entered = await hall.ok("POST", PAPERS, body)
    assert [item["result"] for item in entered["items"]] == ["accepted"] * 4
    assert [item["counted"] for item in entered["items"]] == [True] * 4
    assert entered["items"][3]["flags"] == ["unlisted"]
    paper = entered["paper"]
    assert (paper["people"], paper["counted"], paper["reason"], paper["made_by"]) == (4, 4, "mất điện", "máy")
    assert await figures(running) == (3, 3, 1, 4)
    (event,) = await events(running, EventKind.PAPER)
    assert (nonces.write(event.nonce), event.reason, event.counted) == (body["nonce"], "mất điện", False)
    lines = await events(running, EventKind.CHECK_IN)
    assert {line.of_nonce for line in lines} == {event.nonce}
    assert {(line.source, line.reason) for line in lines} == {("paper", "mất điện")}


async def test_sending_a_sheet_again_repeats_nothing(running: Running, hall: Client) -> None:
    """The answer was lost on the way: the operator presses save again, with one more person, and all is well."""
    first = await hall.ok("POST", PAPERS, sheet("DB-0003", "DB-0004", unlisted=[{"name": "Trần Lạ"}]))
    again = await hall.ok(
        "POST", PAPERS, sheet("DB-0005", "DB-0004", "DB-0003", unlisted=[{"name": "tran la"}], device_ms=NOW_MS + 9)
    )
    assert [item.get("replayed", False) for item in again["items"]] == [False, True, True, True]
    assert {item["nonce"] for item in first["items"]} <= {item["nonce"] for item in again["items"]}
    assert await figures(running) == (3, 3, 1, 4)
    assert len(await events(running, EventKind.PAPER)) == 1
    assert again["paper"]["people"] == 4


async def test_a_nonce_stands_for_one_sheet(running: Running, hall: Client) -> None:
    """Another sheet under the same nonce would be lost in the first one: it is refused whole."""
    await hall.ok("POST", PAPERS, sheet("DB-0003"))
    status, problem = await hall.call("POST", PAPERS, sheet("DB-0004", reason="mưa"))
    assert (status, problem["code"]) == (409, "conflict_nonce")
    assert await figures(running) == (1, 1, 0, 1)


async def test_a_bad_line_stalls_nothing(running: Running, hall: Client) -> None:
    """A code that nobody has, a name of nothing, a line of nonsense: the others are in all the same."""
    body = sheet("DB-0003", "NOBODY", "DB-0003", unlisted=[{"name": " "}, {"name": "A\0B"}, 7, {"name": "Trần Lạ"}])
    body["people"].append({"code": "%%"})
    results = (await hall.ok("POST", PAPERS, body))["items"]
    told = [(item["result"], item.get("reason", "")) for item in results]
    assert told[0] == ("accepted", "")
    assert told[1] == ("refused", "unknown_attendee")
    assert results[2]["replayed"]
    assert told[3:7] == [("refused", "malformed")] * 4
    assert told[7] == ("accepted", "")
    assert await figures(running) == (1, 1, 1, 2)


async def test_who_was_there_before_counts_once(running: Running, hall: Client) -> None:
    """Somebody scanned at the door, then was ticked on paper: counted once, and the operator is told (I2)."""
    await hall.ok("POST", PAPERS, sheet("DB-0003"))
    elsewhere = await operator(running, "HN-0003")
    answer = await elsewhere.ok("POST", PAPERS, sheet("DB-0003", "DB-0007", number=2, point="HN-0003"))
    first, second = answer["items"]
    assert (first["result"], first["reason"], first["check_in"]["point"]) == ("duplicate", "already_elsewhere", HERE)
    assert first["flags"] == ["wrong_point"]
    assert second["result"] == "accepted"
    assert (answer["paper"]["people"], answer["paper"]["counted"]) == (2, 1)
    assert await figures(running) == (2, 2, 0, 3)


async def test_late_by_when_they_came(running: Running, hall: Client) -> None:
    """Typed in an hour after the start, of people who came before it: nobody is called late for our typing."""
    running.clock.advance((STARTS_MS - NOW_MS) / 1000 + 3600)
    now_ms = running.clock.now_ms()
    on_time = await hall.ok("POST", PAPERS, sheet("DB-0003", device_ms=now_ms, at_ms=STARTS_MS - 1000))
    late = await hall.ok("POST", PAPERS, sheet("DB-0004", number=2, device_ms=now_ms, at_ms=STARTS_MS + 60_000))
    assert on_time["items"][0].get("flags", []) == []
    assert late["items"][0]["flags"] == ["late"]
    # A clock that is a year off says nothing about lateness.
    wrong = await hall.ok("POST", PAPERS, sheet("DB-0005", number=3, device_ms=NOW_MS * 2, at_ms=NOW_MS * 2))
    assert wrong["items"][0]["flags"] == ["clock_skew"]


async def test_substitutes_on_paper(running: Running, hall: Client) -> None:
    """The list says "dự thay": the place of who was summoned is taken."""
    body = sheet(unlisted=[{"name": "Trần Thay", "stands_for": "H'Hen Niê"}])
    body["people"] = [{"code": "DB-0012", "stands_for": "DB-0003"}, {"code": "DB-0004", "stands_for": "NOBODY"}]
    results = (await hall.ok("POST", PAPERS, body))["items"]
    assert results[0]["flags"] == ["not_invited", "substitute"]
    assert results[1]["reason"] == "unknown_attendee"
    assert results[2]["flags"] == ["unlisted", "substitute"]


async def test_undo_takes_back_every_entry(running: Running, hall: Client) -> None:
    """The wrong sheet was typed in: one press, nobody of it counts, and the log still says what happened (I4)."""
    await hall.ok("POST", PAPERS, sheet("DB-0003", "DB-0004", unlisted=[{"name": "Trần Lạ"}]))
    undone = await hall.ok("POST", f"{PAPERS}/{nonce(1)}/undo", {"reason": "nhầm tờ"})
    assert (undone["people"], undone["counted"], undone["undone_ms"]) == (3, 0, NOW_MS)
    assert await figures(running) == (0, 0, 0, 3)
    again = await hall.ok("POST", f"{PAPERS}/{nonce(1)}/undo", {"reason": "nhầm tờ"})
    assert again == undone
    annuls = await events(running, EventKind.ANNUL)
    assert [(annul.reason, annul.counted) for annul in annuls] == [("nhầm tờ", False)] * 3
    lines = await events(running, EventKind.CHECK_IN)
    assert {annul.of_nonce for annul in annuls} == {line.nonce for line in lines}
    row = await live_support.row(running, HERE)
    assert row["present"] == 0
    status, problem = await hall.call("POST", PAPERS, sheet("DB-0003", "DB-0004"))
    assert (status, problem["code"]) == (409, "paper_undone")


async def test_undo_overtakes_the_lines(running: Running, hall: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody takes the sheet back while its lines still wait for the database: none of them stays behind."""
    begun, going_on = asyncio.Event(), asyncio.Event()
    writing = type(running.context.writer).check_ins

    async def waits(*items: Any) -> Any:
        begun.set()
        await going_on.wait()
        return await writing(*items)

    monkeypatch.setattr(type(running.context.writer), "check_ins", waits)
    entering = asyncio.create_task(hall.call("POST", PAPERS, sheet("DB-0003", "DB-0004")))
    await begun.wait()
    await hall.ok("POST", f"{PAPERS}/{nonce(1)}/undo", {"reason": "nhầm tờ"})
    going_on.set()
    status, problem = await entering
    assert (status, problem["code"]) == (409, "paper_undone")
    assert await figures(running) == (0, 0, 0, 0)


async def test_undo_leaves_other_entries_standing(running: Running, hall: Client) -> None:
    """Somebody was on two sheets: taking back the first makes the second one count, wherever that was."""
    elsewhere = await operator(running, "HN-0003")
    await hall.ok("POST", PAPERS, sheet("DB-0003", "DB-0004"))
    await elsewhere.ok("POST", PAPERS, sheet("DB-0003", number=2, point="HN-0003"))
    await hall.ok("POST", f"{PAPERS}/{nonce(1)}/undo", {"reason": "nhầm tờ"})
    assert await figures(running) == (1, 1, 0, 3)
    page = await running.admin.ok("GET", "/api/v1/sessions/s1/attendance?status=present")
    assert [(row["code"], row["point"]) for row in page["items"]] == [("DB-0003", "HN-0003")]


async def test_who_may_undo_and_until_when(running: Running, hall: Client) -> None:
    """The device that entered it has a quarter of an hour; the organizer always; nobody else."""
    await hall.ok("POST", PAPERS, sheet("DB-0003"))
    await hall.ok("POST", PAPERS, sheet("DB-0004", number=2))
    undo = f"{PAPERS}/{nonce(1)}/undo"
    reason = {"reason": "nhầm tờ"}
    for client in (
        await operator(running),
        await operator(running, "HN-0003"),
        await operator(running, kind="display"),
        await running.account("elsewhere", api.GrantView(Role.ORGANIZER, "HN-002")),
        await running.account("inspector", api.GrantView(Role.INSPECTOR)),
    ):
        assert (await client.call("POST", undo, reason))[0] == 403
    assert (await running.anonymous.call("POST", undo, reason))[0] == 401
    running.clock.advance(15 * MINUTE_S)
    await hall.ok("POST", f"{PAPERS}/{nonce(2)}/undo", reason)
    running.clock.advance(1)
    assert (await hall.call("POST", undo, reason))[0] == 403
    organizer = await running.account("organizer", api.GrantView(Role.ORGANIZER, "HN-001"))
    assert (await organizer.ok("POST", undo, reason))["counted"] == 0
    assert (await hall.call("POST", undo, {"reason": " "}))[0] in {400, 403}


async def test_after_closing_it_waits(running: Running, hall: Client) -> None:
    """A sheet that turns up the next day is kept, changes no frozen figure, and may be taken back all the same."""
    await hall.ok("POST", PAPERS, sheet("DB-0003"))
    await close(running)
    entered = await hall.ok("POST", PAPERS, sheet("DB-0004", number=2))
    assert (entered["items"][0]["held"], entered["items"][0].get("counted", False)) == (True, False)
    assert "after_closing" in entered["items"][0]["flags"]
    await hall.ok("POST", f"{PAPERS}/{nonce(1)}/undo", {"reason": "nhầm tờ"})
    assert (await figures(running))[:3] == (1, 1, 0)
    assert [annul.held for annul in await events(running, EventKind.ANNUL)] == [True]


async def test_a_draft_takes_no_sheets(running: Running, hall: Client) -> None:
    """Nobody was anywhere yet."""
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(state="draft"))
    status, problem = await hall.call("POST", PAPERS, sheet("DB-0003"))
    assert (status, problem["code"]) == (409, "not_open")


async def test_who_may_enter(running: Running, hall: Client) -> None:
    """The hall's own operator, or staff of its unit; a display, a neighbour or an onlooker may not (I5)."""
    clerk = await running.account("clerk", api.GrantView(Role.CLERK, "HN-001"))
    entered = await clerk.ok("POST", PAPERS, sheet("DB-0003"))
    assert entered["paper"]["made_by"] == "clerk"
    refused = [
        await operator(running, "HN-0003"),
        await operator(running, kind="display"),
        await running.account("elsewhere", api.GrantView(Role.CLERK, "HN-002")),
        await running.account("inspector", api.GrantView(Role.INSPECTOR, "HN-001")),
    ]
    for client in refused:
        assert (await client.call("POST", PAPERS, sheet("DB-0004", number=2)))[0] == 403
    assert (await running.anonymous.call("POST", PAPERS, sheet("DB-0004", number=2)))[0] == 401
    assert (await hall.call("POST", PAPERS, sheet("DB-0004", point="NONE")))[0] == 404


# --- photographs -------------------------------------------------------------------------------------------
async def upload(client: Client, content: bytes, number: int = 1) -> tuple[int, Any]:
    """Send a photograph as it is."""
    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/octet-stream"}
    address = f"{client.origin}{PAPERS}/{nonce(number)}/photo"
    async with client.http.put(address, data=io.BytesIO(content), headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def test_a_photograph_is_kept_and_vouched_for(running: Running, hall: Client) -> None:
    """What was photographed is what stands there a year later: its hash is in the log."""
    await hall.ok("POST", PAPERS, sheet("DB-0003"))
    digest = hashlib.sha256(JPEG).hexdigest()
    status, paper = await upload(hall, JPEG)
    assert (status, paper["photo"]) == (200, digest)
    assert await upload(hall, JPEG) == (200, paper)
    _, attached = await events(running, EventKind.PAPER)
    assert digest in attached.body.decode()
    assert nonces.write(attached.of_nonce) == nonce(1)
    status, problem = await upload(hall, JPEG + b"other")
    assert (status, problem["code"]) == (409, "photo_kept")


async def test_a_photograph_is_never_run(running: Running, hall: Client) -> None:
    """Whatever somebody uploads, a browser keeps it as a file and trusts nothing in it."""
    await hall.ok("POST", PAPERS, sheet("DB-0003"))
    await upload(hall, JPEG)
    headers = {"Authorization": f"Bearer {hall.token}"}
    async with hall.http.get(f"{hall.origin}{PAPERS}/{nonce(1)}/photo", headers=headers) as response:
        assert await response.read() == JPEG
        assert response.headers["Content-Type"] == "image/jpeg"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response.headers["Content-Disposition"] == f'attachment; filename="{nonce(1)}.jpg"'


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 400),
        (b"", 400),
        (JPEG + bytes(limits.PHOTO_BYTES_MAX), 413),
        (b"\x89PNG\r\n\x1a\n...", 200),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", 200),
    ],
)
async def test_only_photographs(running: Running, hall: Client, content: bytes, status: int) -> None:
    """A page with a script in it is not a photograph, whatever it calls itself."""
    await hall.ok("POST", PAPERS, sheet("DB-0003"))
    assert (await upload(hall, content))[0] == status


async def test_who_may_see_a_photograph(running: Running, hall: Client) -> None:
    """Names and signatures are on it: staff of the hall and its unit, and nobody else (I5)."""
    await hall.ok("POST", PAPERS, sheet("DB-0003"))
    await upload(hall, JPEG)
    other = await running.account("other", api.GrantView(Role.INSPECTOR, "HN-002"))
    callers = [
        (await running.account("inspector", api.GrantView(Role.INSPECTOR, "HN-001")), 200),
        (other, 403),
        (await operator(running, "HN-0003"), 403),
        (await operator(running, kind="display"), 403),
        (running.anonymous, 401),
    ]
    for client, status in callers:
        assert await asked(client) == status
    assert await asked(hall, number=9) == 404


async def asked(client: Client, number: int = 1) -> int:
    """The status of asking for a photograph."""
    headers = {"Authorization": f"Bearer {client.token}"} if client.token else {}
    async with client.http.get(f"{client.origin}{PAPERS}/{nonce(number)}/photo", headers=headers) as response:
        return response.status


# --- the list of sheets --------------------------------------------------------------------------------------
async def test_sheets_are_listed_by_whom_they_concern(running: Running, hall: Client) -> None:
    """The operator finds their sheets, the newest first; an account those of its own units."""
    for number, code in ((1, "DB-0003"), (2, "DB-0004"), (3, "DB-0005")):
        await hall.ok("POST", PAPERS, sheet(code, number=number))
    elsewhere = await operator(running, "HN-0003")
    await elsewhere.ok("POST", PAPERS, sheet("DB-0007", number=4, point="HN-0003"))
    page = await hall.ok("GET", f"{PAPERS}?limit=2")
    assert [item["nonce"] for item in page["items"]] == [nonce(3), nonce(2)]
    rest = await hall.ok("GET", f"{PAPERS}?limit=2&after={page['next']}")
    assert [item["nonce"] for item in rest["items"]] == [nonce(1)]
    assert rest["next"] is None
    everything = await running.admin.ok("GET", PAPERS)
    assert [item["nonce"] for item in everything["items"]] == [nonce(4), nonce(3), nonce(2), nonce(1)]
    narrowed = await running.admin.ok("GET", f"{PAPERS}?point=hn-0003")
    assert [item["nonce"] for item in narrowed["items"]] == [nonce(4)]
    inspector = await running.account("inspector", api.GrantView(Role.INSPECTOR, "HN-002"))
    assert [item["nonce"] for item in (await inspector.ok("GET", PAPERS))["items"]] == [nonce(4)]
    assert (await inspector.call("GET", f"{PAPERS}?point=HN-0002"))[0] == 404
    assert (await elsewhere.call("GET", f"{PAPERS}?point=HN-0002"))[0] == 403
    assert (await hall.call("GET", f"{PAPERS}?after=x"))[0] == 400


async def test_a_sheet_of_two_thousand(running: Running, sample: Sample, hall: Client) -> None:
    """The longest list goes in by one request, in batches that share their commits, and comes out again whole."""
    people = [{"name": f"Người thứ {number}"} for number in range(limits.PAPER_ROWS_MAX)]
    entered = await hall.ok("POST", PAPERS, sheet(unlisted=people))
    assert {item["result"] for item in entered["items"]} == {"accepted"}
    async with running.context.engines.read() as connection:
        apart = (await connection.execute(sa.select(sa.func.count()).select_from(unlisted))).scalar_one()
    assert (entered["paper"]["people"], entered["paper"]["counted"], apart) == (2000, 2000, 2000)
    undone = await hall.ok("POST", f"{PAPERS}/{nonce(1)}/undo", {"reason": "nhầm"})
    assert undone["counted"] == 0
    assert await figures(running) == (0, 0, 0, 2000)
    too_long = sheet(unlisted=[*people, {"name": "Một người nữa"}], number=2)
    assert (await hall.call("POST", PAPERS, too_long))[0] == 400
