"""Frozen figures: signed at closing, unmoved by what comes later, revised with a trace."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
import sample
import sqlalchemy as sa
from sample import NOT_INVITED, Sample
from support import NOW_MS, Client, Running, Start

from diemcau.domain import minutes_file, signed
from diemcau.domain.minutes_file import Minutes
from diemcau.domain.models import Flag, Role
from diemcau.errors import FileFlawError
from diemcau.store.check_ins import CheckIn, Outcome, Unlisted
from diemcau.store.engine import Engines
from diemcau.store.schema import minutes, session
from diemcau.store.writer import Writer
from diemcau.wire import api

ONE = "/api/v1/sessions/S1"
FILE = f"{ONE}/exports/minutes.json"
STRANGER = Unlisted(b"k" * 16, "Đỗ Thị Khách", "do thi khach", "Sở Y tế", b"s" * 16)


@pytest.fixture
async def running(database: str, start: Start) -> Running:
    """A server on each kind of database."""
    return await start(database)


@pytest.fixture
async def conference(running: Running) -> Sample:
    """Three summoned people, one of them late, a guest, and a stranger in the place of DB-0008 are in."""
    conference = await sample.fill(running.context.engines)
    await come(running, conference, "DB-0001", "HN-0001")
    await come(running, conference, "DB-0003", "HN-0002", Flag.LATE)
    await come(running, conference, "DB-0007", "HN-0002", Flag.WRONG_POINT)
    await come(running, conference, NOT_INVITED, "HN-0004", Flag.NOT_INVITED)
    stranger = msgspec.structs.replace(
        sample.check_in(conference, "DB-0001", "HN-0003"), who=STRANGER, stands_for=sample.listed(conference, "DB-0008")
    )
    assert (await running.context.writer.check_in(stranger)).counted
    return conference


async def come(running: Running, conference: Sample, person: str, hall: str, *flags: Flag) -> Outcome:
    """Somebody is checked in while the line is up."""
    return await running.context.writer.check_in(sample.check_in(conference, person, hall, *flags))


async def come_late(running: Running, conference: Sample, person: str, hall: str) -> Outcome:
    """A hall's queue brings somebody in who was there while its line was down."""
    item = sample.check_in(conference, person, hall)
    return await running.context.writer.check_in(msgspec.structs.replace(item, offline=True))


async def close(running: Running) -> None:
    """The organizer closes the session."""
    for state in ("live", "ended", "closed"):
        await running.admin.ok("POST", f"{ONE}/state", {"to": state})


async def file_of(running: Running, client: Client) -> bytes:
    """The minutes' file as it is downloaded."""
    headers = {"Authorization": f"Bearer {client.token}"}
    async with client.http.get(running.admin.origin + FILE, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert 'filename="minutes-S1-' in answer.headers["Content-Disposition"]
        return await answer.read()


async def verified(running: Running, content: bytes, *earlier: Minutes) -> Minutes:
    """What the file says, under the key that the server tells."""
    key = await running.anonymous.ok("GET", "/api/v1/signing-key")
    return minutes_file.verify(content, signed.read_fingerprint(key["fingerprint"]) or b"", earlier)


CLOSED = {"points": 4, "summoned": 11, "present": 3, "late": 1, "substituted": 1, "excused": 0, "unexcused": 7,
          "guests": 1, "unlisted": 1, "waiting": 0}  # fmt: skip


async def test_closing_freezes_and_signs(running: Running, conference: Sample) -> None:
    """The figures that leave the house are the ones at closing, signed, with where the log stood."""
    await close(running)
    listed = await running.admin.ok("GET", f"{ONE}/minutes")
    (item,) = listed["items"]
    assert item["figures"] == CLOSED
    assert (item["revision"], item["made_by"], item["at_ms"], listed["waiting"]) == (1, "root", NOW_MS, 0)
    content = await file_of(running, running.admin)
    read = await verified(running, content)
    assert msgspec.to_builtins(read.figures) == CLOSED
    assert (read.session, read.revision, read.previous) == ("S1", 1, "")
    assert [(chain.writer, chain.count) for chain in read.chains] == [(running.context.writer.writer_id.hex(), 5)]
    summary = (await running.admin.ok("GET", f"{ONE}/summary"))["rows"][0]
    assert {name: summary[name] for name in CLOSED if name != "waiting"} | {"waiting": 0} == CLOSED
    by_unit = {row.unit: row.figures for row in read.units}
    assert by_unit["HN-001"] == minutes_file.Frozen(points=1, summoned=4, present=1, late=1, excused=0, unexcused=3)
    assert by_unit["HN-002"] == minutes_file.Frozen(
        points=1, summoned=4, present=1, substituted=1, excused=0, unexcused=2, unlisted=1
    )
    assert b"H\xe1\xbb\x93ng" not in content  # no person's name


async def test_a_session_is_frozen_with_its_state(running: Running, conference: Sample) -> None:
    """Never closed without minutes, never minutes without being closed: one commit for both."""
    for state in ("live", "ended"):
        await running.admin.ok("POST", f"{ONE}/state", {"to": state})
    spoil = sa.insert(minutes).values(
        session_id=conference.session_id, revision=1, at_ms=1, made_by="", reason="", body=b"{}", signature=bytes(64)
    )
    await running.context.writer.write(lambda connection: connection.execute(spoil))
    status, _ = await running.admin.call("POST", f"{ONE}/state", {"to": "closed"})
    assert status >= 400
    assert (await running.admin.ok("GET", ONE))["state"] == "ended"


async def test_what_comes_later_waits(running: Running, conference: Sample) -> None:
    """Frozen figures stay as they are in every view, whatever a hall's queue still brings."""
    await close(running)
    views = [f"{ONE}/summary", f"{ONE}/attendance", ONE, FILE]
    before = [await running.admin.ok("GET", view) for view in views]
    outcome = await come_late(running, conference, "DB-0004", "HN-0002")
    assert (outcome.result, outcome.counted, outcome.held) == ("accepted", False, True)
    assert [await running.admin.ok("GET", view) for view in views] == before
    listed = await running.admin.ok("GET", f"{ONE}/minutes")
    assert (listed["waiting"], len(listed["items"])) == (1, 1)
    assert listed["items"][0]["figures"]["waiting"] == 0


async def test_a_revision_counts_them_with_a_trace(running: Running, conference: Sample) -> None:
    """What came late counts from the next revision on, which says why, what changed, and on what it rests."""
    await close(running)
    first = await verified(running, await file_of(running, running.admin))
    await come_late(running, conference, "DB-0004", "HN-0002")
    await come_late(running, conference, "DB-0001", "HN-0003")  # counted before: a second entry changes nothing
    made = await running.admin.ok("POST", f"{ONE}/revisions", {"reason": "Điểm cầu Ba Đình mất mạng"})
    assert (made["revision"], made["reason"], made["previous"]) == (2, "Điểm cầu Ba Đình mất mạng", CLOSED)
    assert made["figures"] == CLOSED | {"present": 4, "unexcused": 6}
    listed = await running.admin.ok("GET", f"{ONE}/minutes")
    assert ([item["revision"] for item in listed["items"]], listed["waiting"]) == ([2, 1], 0)
    assert listed["items"][1]["figures"] == CLOSED
    second = await verified(running, await file_of(running, running.admin), first)
    assert (second.revision, second.previous) == (2, listed["items"][1]["sha256"])
    assert second.chains[0].count == first.chains[0].count + 2
    summary = await running.admin.ok("GET", f"{ONE}/summary")
    assert summary["rows"][0]["present"] == 4
    assert (await running.admin.ok("GET", ONE))["present"] == 5


async def test_changed_minutes_are_shown_as_such(running: Running, conference: Sample) -> None:
    """Figures that somebody changed in the database must not stand on a screen as what was frozen and signed."""
    await close(running)
    assert "intact" not in (await running.admin.ok("GET", f"{ONE}/minutes"))["items"][0]
    async with running.context.read() as connection:
        body = await connection.scalar(sa.select(minutes.c.body))
    assert body is not None
    changed = sa.update(minutes).values(body=body.replace(b'"present":3', b'"present":9'))
    await running.context.writer.write(lambda connection: connection.execute(changed))
    (item,) = (await running.admin.ok("GET", f"{ONE}/minutes"))["items"]
    assert (item["figures"]["present"], item["intact"]) == (9, False)
    with pytest.raises(FileFlawError):
        await verified(running, await file_of(running, running.admin))


async def test_nothing_is_revised_once_minutes_are_gone(running: Running, conference: Sample) -> None:
    """Who deletes the minutes of closing gets no second ones signed that say nothing of them."""
    await close(running)
    await come_late(running, conference, "DB-0004", "HN-0002")
    await running.context.writer.write(lambda connection: connection.execute(sa.delete(minutes)))
    status, _ = await running.admin.call("POST", f"{ONE}/revisions", {"reason": "mất mạng"})
    assert status == 500
    assert (await running.admin.ok("GET", f"{ONE}/minutes"))["items"] == []


async def test_a_revision_needs_something_that_waits(running: Running, conference: Sample) -> None:
    """A revision without anything new would only raise the question what it is for."""
    reason = {"reason": "thử"}
    status, answer = await running.admin.call("POST", f"{ONE}/revisions", reason)
    assert (status, answer["code"]) == (409, "not_frozen")
    status, answer = await running.admin.call("GET", FILE)
    assert (status, answer["code"]) == (404, "not_found")
    assert (await running.admin.ok("GET", f"{ONE}/minutes"))["items"] == []
    await close(running)
    status, answer = await running.admin.call("POST", f"{ONE}/revisions", reason)
    assert (status, answer["code"]) == (409, "nothing_waiting")
    await come_late(running, conference, "DB-0004", "HN-0002")
    status, answer = await running.admin.call("POST", f"{ONE}/revisions", {"reason": " \0 "})
    assert (status, answer["code"]) == (400, "malformed")
    assert (await running.admin.call("POST", f"{ONE}/revisions", reason))[0] == 201
    status, answer = await running.admin.call("POST", f"{ONE}/revisions", reason)
    assert (status, answer["code"]) == (409, "nothing_waiting")


async def test_two_who_revise_at_once(running: Running, conference: Sample) -> None:
    """Two organizers who press at the same moment make one revision, not two of the same."""
    await close(running)
    await come_late(running, conference, "DB-0004", "HN-0002")
    answers: list[Any] = await asyncio.gather(
        *(running.admin.call("POST", f"{ONE}/revisions", {"reason": "mất mạng"}) for _ in range(3))
    )
    assert sorted(status for status, _ in answers) == [201, 409, 409]
    assert len((await running.admin.ok("GET", f"{ONE}/minutes"))["items"]) == 2


async def test_whose_figures(running: Running, conference: Sample) -> None:
    """The whole session's figures are for those who answer for it; a unit's clerk sees the unit's own (I5)."""
    await close(running)
    await come_late(running, conference, "DB-0004", "HN-0002")
    clerk = await running.account("lan", api.GrantView(Role.CLERK, "HN-002"))
    listed = await clerk.ok("GET", f"{ONE}/minutes")
    assert listed["waiting"] == 0
    assert listed["items"][0]["figures"] == {
        "points": 2, "summoned": 5, "present": 1, "late": 0, "substituted": 1, "excused": 0, "unexcused": 3,
        "guests": 1, "unlisted": 1, "waiting": 0,
    }  # fmt: skip
    status, answer = await clerk.call("GET", FILE)
    assert (status, answer["code"]) == (403, "forbidden")
    organizer = await running.account("hoa", api.GrantView(Role.ORGANIZER, "HN-001"))
    assert (await organizer.ok("GET", f"{ONE}/minutes"))["waiting"] == 1
    status, answer = await organizer.call("POST", f"{ONE}/revisions", {"reason": "mất mạng"})
    assert (status, answer["code"]) == (403, "forbidden")
    assert (await running.anonymous.call("GET", f"{ONE}/minutes"))[0] == 401


async def test_nobody_is_summoned_beside_the_closing(start: Start, postgres_url: str) -> None:
    """While one server closes, another one adds to the summoned: it must wait, and then find the figures frozen."""
    running = await start(postgres_url)
    conference = await sample.fill(running.context.engines)
    beside = Engines(postgres_url)
    async with beside.writing.begin() as closing:
        closed = sa.update(session).where(session.c.id == conference.session_id).values(state="closed")
        await closing.execute(closed)
        body = {"attendees": [NOT_INVITED]}
        inviting = asyncio.create_task(running.admin.call("PUT", f"{ONE}/invitations", body))
        await waits_for_a_lock(beside, inviting)
    status, answer = await inviting
    await beside.close()
    assert (status, answer["code"]) == (409, "session_closed")


async def waits_for_a_lock(engines: Engines, task: asyncio.Task[Any]) -> None:
    """Until another connection waits for us, or the task is done without."""
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(20):
        while not task.done():
            async with engines.read() as connection:
                if await connection.scalar(waiting):
                    return


async def test_nothing_slips_in_beside_the_closing(running: Running, conference: Sample, database: str) -> None:
    """While two servers take people in, closing counts exactly those whose check-in was accepted."""
    engines = Engines(database)
    beside = Writer(engines)
    task = asyncio.create_task(beside.run())
    base = sample.check_in(conference, "DB-0001", "HN-0003")

    def stranger(number: int) -> CheckIn:
        name = number.to_bytes(16, "big")
        return msgspec.structs.replace(
            base, who=Unlisted(name, f"Khách {number}", f"khach {number}", "", name), nonce=b"s" + name[1:]
        )

    for state in ("live", "ended"):
        await running.admin.ok("POST", f"{ONE}/state", {"to": state})
    writers = (running.context.writer, beside)
    arriving = [asyncio.create_task(writers[number % 2].check_in(stranger(number))) for number in range(300)]
    await arriving[0]
    await running.admin.ok("POST", f"{ONE}/state", {"to": "closed"})
    outcomes = await asyncio.gather(*arriving)
    beside.drain()
    await task
    await engines.close()
    accepted = [outcome for outcome in outcomes if outcome.result == "accepted"]
    assert {outcome.result for outcome in outcomes} <= {"accepted", "closed"}
    read = await verified(running, await file_of(running, running.admin))
    assert read.figures.unlisted == len(accepted) + 1
    assert sum(chain.count for chain in read.chains) == len(accepted) + 5
