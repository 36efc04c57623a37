"""Queues that halls have not sent: told with every beat, kept, and listed before somebody closes (I6, I8)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import sample
import sqlalchemy as sa
from live_support import Speaker, device, loaded, pass_time, settle, token
from support import Running, Start

from diemcau.domain import minutes_file, signed
from diemcau.domain.models import Role
from diemcau.store.schema import device_queue
from diemcau.wire import api, live

ONE = "/api/v1/sessions/S1"
OLDEST_MS = 1_769_999_000_000


@pytest.fixture
async def running(database: str, start: Start) -> Running:
    """A server on each kind of database, with the sample conference; no grace holds its judgement back."""
    started = await start(database, blind_grace_s=0.0)
    conference = await sample.fill(started.context.engines)
    await loaded(started, conference.session_id)
    return started


async def tell(laptop: Speaker, queued: int | None, oldest_ms: int | None = None) -> None:
    """A beat that says how many entries wait on this device."""
    laptop.beats += 1
    await laptop.say(live.Beat(laptop.beats, 0, 20.0, queued=queued, queued_oldest_ms=oldest_ms))
    await laptop.hear(live.BeatAck)


async def unsent(running: Running) -> Any:
    """What whoever is about to close reads."""
    await settle(running)
    return await running.admin.ok("GET", f"{ONE}/unsent")


async def test_a_queue_is_known_while_its_hall_is_heard(running: Running) -> None:
    """Who closes reads whom to telephone: the hall, its contact, how many wait, and how old that knowledge is."""
    async with device(running, await token(running, "HN-0002")) as (laptop, _):
        await tell(laptop, 12, OLDEST_MS)
        told = await unsent(running)
        assert (told["points"], told["waiting"], told["unknown"]) == (1, 12, 0)
        (item,) = told["items"]
        assert (item["point"], item["known"], item["waiting"]) == ("HN-0002", True, 12)
        assert (item["contact_name"], item["contact_phone"]) == ("Vũ Thị Trực", "0904000002")
        assert (item["oldest_ms"], item["told_ms"]) == (OLDEST_MS, running.clock.now_ms())
        clerk = await running.account("lan", api.GrantView(Role.CLERK, "HN-002"))
        assert (await clerk.ok("GET", f"{ONE}/unsent"))["items"] == []
        await tell(laptop, 0)
        assert (await unsent(running))["items"] == []


async def test_a_silent_hall_is_unknown_whatever_it_said(running: Running) -> None:
    """A hall that said "nothing waits" and lost its line may have gone on scanning: that is never "0"."""
    empty, full = await token(running, "HN-0002"), await token(running, "HN-0003")
    async with device(running, empty) as (one, _), device(running, full) as (other, _):
        await tell(one, 0)
        await tell(other, 7, OLDEST_MS)
        told_ms = running.clock.now_ms()
        await pass_time(running, 40)
    found = await unsent(running)
    assert (found["points"], found["waiting"], found["unknown"]) == (0, 0, 2)
    seen = {item["point"]: (item["known"], item["waiting"], item["told_ms"]) for item in found["items"]}
    assert seen == {"HN-0002": (False, 0, told_ms), "HN-0003": (False, 7, told_ms)}
    async with running.context.read() as connection:  # stored: a server that starts anew says the same
        kept = await connection.execute(sa.select(device_queue.c.waiting).order_by(device_queue.c.device_id))
    assert kept.scalars().all() == [0, 7]


async def test_what_was_not_sent_stands_in_the_minutes(running: Running) -> None:
    """Whoever reads the figures later sees that three halls were still owing entries when they were frozen."""
    async with device(running, await token(running, "HN-0002")) as (laptop, _):
        await tell(laptop, 5, OLDEST_MS)
        await settle(running)
        for state in ("live", "ended", "closed"):
            await running.admin.ok("POST", f"{ONE}/state", {"to": state})
        heard = await laptop.hear(live.SessionEvent)
        while heard.session.state != "closed":  # a display says "closed" then, not "no session"
            heard = await laptop.hear(live.SessionEvent)
        assert await laptop.closed() == live.CloseCode.REBIND
    (item,) = (await running.admin.ok("GET", f"{ONE}/minutes"))["items"]
    assert item["unsent"] == [{"point": "HN-0002", "known": True, "waiting": 5, "told_ms": running.clock.now_ms()}]
    key = await running.anonymous.ok("GET", "/api/v1/signing-key")
    _, content = await running.admin.call("GET", f"{ONE}/exports/minutes.json")
    file = content if isinstance(content, bytes) else msgspec.json.encode(content) + b"\n"
    read = minutes_file.verify(file, signed.read_fingerprint(key["fingerprint"]) or b"")
    assert read.unsent == [minutes_file.Unsent("HN-0002", True, 5, running.clock.now_ms())]


async def test_a_device_that_cannot_tell_is_unknown(running: Running) -> None:
    """An older page says nothing of its queue: that is not an empty one."""
    async with device(running, await token(running, "HN-0002")) as (laptop, _):
        await tell(laptop, None)
        (item,) = (await unsent(running))["items"]
        assert (item["known"], item["waiting"], item["told_ms"]) == (False, None, None)
