"""The link of a hall, through a real socket: what the coordinator sees when a hall speaks, falters and goes."""

from __future__ import annotations

import asyncio

import pytest
from live_support import device, loaded, pass_time, row, settle, socket, token
from sample import POINTS, Sample, fill
from support import Running, Start

from diemcau import limits
from diemcau.app import Server
from diemcau.domain.link_state import Transition
from diemcau.store import links
from diemcau.store.engine import Connection
from diemcau.wire import live


@pytest.fixture
async def running(start: Start) -> Running:
    """A server that has watched for long: no grace holds its judgement back."""
    return await start(blind_grace_s=0.0)


@pytest.fixture
async def hall(running: Running, sample: Sample) -> str:
    """A device token of HN-0002, whose session S1 is open."""
    await loaded(running, sample.session_id)
    return await token(running, "HN-0002")


async def story(running: Running, point: str) -> list[Transition]:
    """Every change of a point's link in S1, as stored."""
    await settle(running)
    number = [code for code, *_ in POINTS].index(point) + 1
    async with running.context.read() as connection:
        return await links.transitions(connection, 1, number)


async def test_a_hall_connects_falls_silent_and_comes_back(running: Running, hall: str) -> None:
    """The coordinator sees expected, online, suspect, lost and online again, each since when it was true."""
    assert (await row(running, "HN-0002"))["link"] == "expected"
    async with device(running, hall) as (laptop, welcome):
        assert (welcome.point, welcome.session and welcome.session.code) == ("HN-0002", "S1")
        assert (welcome.point_name, welcome.invited) == ("Hội trường Quận ủy Ba Đình", 4)
        await laptop.beat()
        heard_ms = running.clock.now_ms()
        assert (await row(running, "HN-0002"))["link"] == "online"
        await pass_time(running, 16)
        found = await row(running, "HN-0002")
        assert (found["link"], found["since_ms"]) == ("suspect", heard_ms + 15_000)
        await pass_time(running, 16)
        found = await row(running, "HN-0002")
        assert (found["link"], found["since_ms"]) == ("lost", heard_ms + 30_000)
        assert await laptop.closed() == live.CloseCode.SILENT
    async with device(running, hall) as (laptop, _):
        assert (await row(running, "HN-0002"))["link"] == "lost"
        await laptop.beat()
        assert (await row(running, "HN-0002"))["link"] == "lost"
        await laptop.beat()
        assert (await row(running, "HN-0002"))["link"] == "online"


async def test_a_slow_line_shows_before_it_breaks(running: Running, hall: str) -> None:
    """The board tells a faltering line from a good one, and how slow it is."""
    async with device(running, hall) as (laptop, _):
        await laptop.beat(rtt_ms=1500.0)
        found = await row(running, "HN-0002")
        assert (found["link"], found["rtt_band"]) == ("degraded", 4)
        for _ in range(3):
            await pass_time(running, 10)
            await laptop.beat(rtt_ms=120.0)
        found = await row(running, "HN-0002")
        assert (found["link"], found["rtt_band"]) == ("online", 2)


async def test_a_clean_goodbye_is_no_loss(running: Running, hall: str) -> None:
    """A hall that closed properly has left; the server answers the goodbye by closing."""
    async with device(running, hall) as (laptop, _):
        await laptop.say(live.Leave())
        assert await laptop.closed() == 1000
    await pass_time(running, 100)
    assert (await row(running, "HN-0002"))["link"] == "left"
    assert [(change.after, change.cause) for change in await story(running, "HN-0002")] == [
        ("online", "connected"),
        ("left", "leave"),
    ]


async def test_a_locked_phone_is_away_not_lost(running: Running, hall: str) -> None:
    """Silence that was announced alarms nobody."""
    async with device(running, hall) as (phone, _):
        await phone.say(live.Away())
        await phone.beat(hidden=True)
        await pass_time(running, 600)
        assert (await row(running, "HN-0002"))["link"] == "away"
        await phone.beat()
        assert (await row(running, "HN-0002"))["link"] == "online"


async def test_a_broken_line_that_is_back_in_time_was_never_lost(running: Running, hall: str) -> None:
    """A short break of the network leaves no trace in the record."""
    async with device(running, hall) as (laptop, _):
        laptop.socket.transport.abort()
    await pass_time(running, 10)
    async with device(running, hall):
        await pass_time(running, 10)
        assert [change.after for change in await story(running, "HN-0002")] == ["online"]


async def test_the_newest_page_of_a_device_wins(running: Running, hall: str) -> None:
    """A page opened twice speaks once: the older one learns it, and does not come back to fight."""
    async with device(running, hall) as (old, _), device(running, hall) as (new, _):
        assert await old.closed() == live.CloseCode.REPLACED
        await new.beat()
        assert (await row(running, "HN-0002"))["link"] == "online"
        assert len(running.context.live.lines) == 1


async def test_a_revoked_device_is_cut_off_and_not_missed(running: Running, hall: str) -> None:
    """The moment the centre revokes a laptop its socket closes for good, and its hall is not called lost."""
    async with device(running, hall) as (laptop, _):
        (found,) = (await running.admin.ok("GET", "/api/v1/points/HN-0002/devices"))["items"]
        await running.admin.ok("DELETE", f"/api/v1/points/HN-0002/devices/{found['id']}")
        assert await laptop.closed() == live.CloseCode.REVOKED
    await pass_time(running, 100)
    assert (await row(running, "HN-0002"))["link"] == "expected"
    async with socket(running, "/ws/v1/point") as again:
        await again.say(live.Identify(live.PROTOCOL_VERSION, hall, "boot"))
        assert await again.closed() == live.CloseCode.NOT_SIGNED_IN


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"type":"identify","v":1,"token":"dcd_nobody","boot":"b"}', live.CloseCode.NOT_SIGNED_IN),
        ('{"type":"identify","v":2,"token":"dcd_nobody","boot":"b"}', live.CloseCode.MALFORMED),
        ('{"type":"beat","seq":1,"sent_ms":0}', live.CloseCode.MALFORMED),
        ('{"type":"identify","v":1}', live.CloseCode.MALFORMED),
        ('{"type":"dance"}', live.CloseCode.MALFORMED),
        ("hello", live.CloseCode.MALFORMED),
        (b"\x00\x01", live.CloseCode.MALFORMED),
    ],
)
async def test_what_is_not_understood_is_closed_for_good(
    running: Running, frame: str | bytes, code: live.CloseCode
) -> None:
    """A broken client is told once, by a code that keeps it from coming back every second."""
    async with socket(running, "/ws/v1/point") as stranger:
        await stranger.socket.send(frame)
        assert await stranger.closed() == code


async def test_a_broken_frame_later_closes_too(running: Running, hall: str) -> None:
    """The rule holds after the welcome as well; the hall is not lost by it, only silent."""
    async with device(running, hall) as (laptop, _):
        await laptop.socket.send('{"type":"beat"}')
        assert await laptop.closed() == live.CloseCode.MALFORMED
    assert (await row(running, "HN-0002"))["link"] == "online"


async def test_who_says_nothing_is_not_kept(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that never says who it is does not stay open."""
    monkeypatch.setattr(limits, "IDENTIFY_DEADLINE_S", 0.05)
    async with socket(running, "/ws/v1/point") as mute:
        assert await mute.closed() == live.CloseCode.IDENTIFY_LATE


async def test_a_fault_of_the_server_asks_to_come_back(running: Running, hall: str) -> None:
    """While the database fails, halls and boards are told to try again later, in words that a socket has."""

    async def lose_tables(connection: Connection) -> None:
        for table in ("device", "unit"):
            await connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO lost_{table}")

    await running.context.writer.write(lose_tables)
    async with socket(running, "/ws/v1/point") as laptop:
        await laptop.say(live.Identify(live.PROTOCOL_VERSION, hall, "boot"))
        assert await laptop.closed() == live.CloseCode.RESTART
    async with socket(running, "/ws/v1/board") as board:
        await board.say(live.BoardIdentify("S1", "HN", running.admin.token))
        assert await board.closed() == live.CloseCode.RESTART


async def test_an_account_is_no_device(running: Running) -> None:
    """A coordinator's token does not make a hall."""
    async with socket(running, "/ws/v1/point") as person:
        await person.say(live.Identify(live.PROTOCOL_VERSION, running.admin.token or "", "boot"))
        assert await person.closed() == live.CloseCode.FORBIDDEN


async def test_a_hall_may_name_its_session(running: Running, hall: str) -> None:
    """A device that asks for a session its hall is not part of learns that, once."""
    async with device(running, hall, session="s1") as (_, welcome):
        assert welcome.session is not None
    async with socket(running, "/ws/v1/point") as lost:
        await lost.say(live.Identify(live.PROTOCOL_VERSION, hall, "boot", "NOWHERE"))
        assert await lost.closed() == live.CloseCode.NOT_FOUND


async def test_a_hall_follows_its_session_and_then_the_next(running: Running, hall: str) -> None:
    """The page hears every move; when the session is frozen it is bound anew, to the next one that includes it."""
    async with device(running, hall) as (laptop, _):
        await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": "live"})
        assert (await laptop.hear(live.SessionEvent)).session.state == "live"
        await running.admin.ok("PATCH", "/api/v1/sessions/S1", {"title": "Tên mới"})
        assert (await laptop.hear(live.SessionEvent)).session.title == "Tên mới"
        later = {"code": "S2", "title": "Buổi chiều", "starts_ms": 1_771_000_000_000, "ends_ms": 1_771_010_000_000}
        await running.admin.ok("POST", "/api/v1/sessions", later)
        await running.admin.ok("PUT", "/api/v1/sessions/S2/points", {"points": ["HN-0002"]})
        await laptop.beat()
        for state in ("ended", "closed"):
            await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": state})
        assert await laptop.closed() == live.CloseCode.REBIND
    async with device(running, hall) as (_, welcome):
        assert welcome.session is not None
        assert (welcome.session.code, welcome.session.state) == ("S2", "draft")
        assert (await row(running, "HN-0002"))["link"] == "online", "S1 is frozen as it was"
        assert (await row(running, "HN-0002", "S2"))["link"] == "online"


async def test_a_hall_waits_for_its_first_session(running: Running, sample: Sample) -> None:
    """A newcomer may pair first and make the session later: the page comes to it by itself."""
    await running.admin.ok("POST", "/api/v1/points", {"code": "NEW", "name": "Hội trường mới", "unit": "HN"})
    of = await token(running, "NEW")
    async with device(running, of) as (laptop, welcome):
        assert welcome.session is None
        await laptop.beat()
        first = {"code": "S9", "title": "Buổi một", "starts_ms": 1_771_000_000_000, "ends_ms": 1_771_010_000_000}
        await running.admin.ok("POST", "/api/v1/sessions", first)
        await running.admin.ok("PUT", "/api/v1/sessions/S9/points", {"points": ["NEW"]})
        assert await laptop.closed() == live.CloseCode.REBIND
    async with device(running, of) as (_, welcome):
        assert welcome.session is not None
        assert welcome.session.code == "S9"


async def test_what_runs_is_nearer_than_what_ended(running: Running, sample: Sample) -> None:
    """The afternoon's session takes its halls over from the morning's, which nobody closed; it misses none."""
    await loaded(running, sample.session_id)
    of = await token(running, "HN-0002")
    for state in ("live", "ended"):
        await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": state})
    async with device(running, of) as (laptop, welcome):
        assert welcome.session is not None
        assert welcome.session.code == "S1"
        later = {"code": "S2", "title": "Buổi chiều", "starts_ms": 1_770_020_000_000, "ends_ms": 1_770_030_000_000}
        await running.admin.ok("POST", "/api/v1/sessions", later)
        await running.admin.ok("PUT", "/api/v1/sessions/S2/points", {"points": ["HN-0002"]})
        await running.admin.ok("POST", "/api/v1/sessions/S2/state", {"to": "open"})
        assert await laptop.closed() == live.CloseCode.REBIND
    async with device(running, of):
        await pass_time(running, 5)
        assert (await row(running, "HN-0002", "S2"))["link"] == "online"
        assert (await row(running, "HN-0002", "S1"))["link"] == "expected"


async def test_a_hall_hears_its_counts(running: Running, hall: str, sample: Sample) -> None:
    """The display's figure follows the door, a few times a second at most."""
    async with device(running, hall) as (display, welcome):
        assert (welcome.present, welcome.invited) == (0, 4)
        session = running.context.live.sessions[sample.session_id]
        for present in (1, 2, 3):
            session.set_present(sample.points["HN-0002"], present)
        running.context.live.flush()
        counts = await display.hear(live.CountEvent)
        assert (counts.present, counts.invited) == (3, 4)


async def test_after_a_restart_the_server_admits_that_it_does_not_know(start: Start) -> None:
    """Halls are unknown until they speak; who does not within the grace is lost since its end (I6)."""
    before = await start()
    sample = await fill(before.context.engines)
    await loaded(before, sample.session_id)
    tokens = [await token(before, point) for point in ("HN-0001", "HN-0002", "HN-0003")]
    async with (
        device(before, tokens[0]) as (one, _),
        device(before, tokens[1]),
        device(before, tokens[2]) as (three, _),
    ):
        await three.say(live.Leave())
        await three.closed()
        await row(before, "HN-0001")
        stopping = asyncio.create_task(before.server.__aexit__(None, None, None))
        assert await one.closed() == live.CloseCode.RESTART
    await stopping
    async with Server(before.server.settings, before.clock) as server:
        await _judged_after_the_grace(Running(server, server.context, before.admin, before.clock), tokens[0])


async def _judged_after_the_grace(after: Running, first: str) -> None:
    known = {point: (await row(after, point))["link"] for point in ("HN-0001", "HN-0002", "HN-0003", "HN-0004")}
    assert known == {"HN-0001": "unknown", "HN-0002": "unknown", "HN-0003": "left", "HN-0004": "expected"}
    began_ms = after.clock.now_ms()
    await pass_time(after, 40)
    async with device(after, first) as (one, _):
        await one.beat()
        assert (await row(after, "HN-0001"))["link"] == "online"
        await pass_time(after, 14)
        assert (await row(after, "HN-0002"))["link"] == "unknown"
        await one.beat()
        await pass_time(after, 10)
        found = await row(after, "HN-0002")
        assert (found["link"], found["since_ms"]) == ("lost", began_ms + 60_000)
        assert (await row(after, "HN-0001"))["link"] == "online"


async def test_the_link_holds_on_both_databases(start: Start, database: str) -> None:
    """Pairing, welcome, silence and goodbye are recorded alike on the embedded database and on PostgreSQL."""
    running = await start(database, blind_grace_s=0.0)
    sample = await fill(running.context.engines)
    await loaded(running, sample.session_id)
    async with device(running, await token(running, "HN-0002")) as (laptop, welcome):
        assert (welcome.point, welcome.point_name) == ("HN-0002", "Hội trường Quận ủy Ba Đình")
        await laptop.beat()
        await pass_time(running, 16)
        await laptop.say(live.Leave())
        await laptop.closed()
    changes = await story(running, "HN-0002")
    assert [(change.after, change.version) for change in changes] == [
        ("online", 1),
        ("suspect", 2),
        ("left", 3),
    ]
    assert changes[1].at_ms - changes[0].at_ms == 15_000
