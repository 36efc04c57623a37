"""From the database to the board and back: counts shown once committed, changes stored whatever happens."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
import sqlalchemy as sa
from live_support import device, loaded, row, settle, socket, token
from sample import Sample, listed
from support import Running, Start

from diemcau import limits
from diemcau.domain.authority import System
from diemcau.domain.models import LinkState, Role, Source
from diemcau.errors import OverloadedError
from diemcau.services import link
from diemcau.store import links
from diemcau.store.check_ins import CheckIn
from diemcau.store.engine import Connection
from diemcau.store.schema import account_grant, point, session_point
from diemcau.wire import api, live


@pytest.fixture
async def running(start: Start) -> Running:
    """A server that has watched for long."""
    return await start(blind_grace_s=0.0)


def check_in(running: Running, sample: Sample, person: str) -> CheckIn:
    """Somebody at HN-0002's door."""
    now_ms = running.clock.now_ms()
    place, who = sample.points["HN-0002"], listed(sample, person)
    nonce = uuid4().bytes
    return CheckIn(sample.session_id, place, "HN-0002", who, nonce, nonce, Source.DOOR, now_ms, now_ms, now_ms)


async def test_a_check_in_reaches_the_board_once_it_is_durable(running: Running, sample: Sample) -> None:
    """The centre sees a hall fill, by itself, with the figure that the database holds."""
    await loaded(running, sample.session_id)
    async with socket(running, "/ws/v1/board") as watching:
        await watching.say(live.BoardIdentify("S1", token=running.admin.token))
        await watching.hear(live.Snapshot)
        for person in ("DB-0003", "DB-0003", "DB-0004"):
            await running.context.writer.check_in(check_in(running, sample, person))
        delta = await watching.hear(live.Delta)
        while delta.points[0].present < 2:
            delta = await watching.hear(live.Delta)
        assert (delta.points[0].point, delta.totals.present) == ("HN-0002", 2)


async def test_a_check_in_at_a_session_not_yet_watched_makes_it_watched(running: Running, sample: Sample) -> None:
    """No count is lost because the live side learns of a session late."""
    assert not running.context.live.sessions
    await running.context.writer.check_in(check_in(running, sample, "DB-0003"))
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "refresh a board"))
    assert list(running.context.live.sessions) == [sample.session_id]
    assert (await row(running, "HN-0002"))["present"] == 1


async def test_a_reading_that_is_older_than_a_count_does_not_undo_it(running: Running, sample: Sample) -> None:
    """A figure on the board never falls because two answers crossed."""
    await loaded(running, sample.session_id)
    session = running.context.live.sessions[sample.session_id]
    refreshing = asyncio.ensure_future(loaded(running, sample.session_id))
    await asyncio.sleep(0)
    session.set_present(sample.points["HN-0002"], 3)
    await refreshing
    assert session.rows[sample.points["HN-0002"]].present == 3


async def test_a_point_that_moves_to_another_unit_changes_boards(running: Running, sample: Sample) -> None:
    """A hall that now belongs to another district leaves one board and appears on the other."""
    await loaded(running, sample.session_id)
    clerk = await running.account("cán bộ", api.GrantView(Role.CLERK, "HN-002"))
    async with socket(running, "/ws/v1/board") as watching:
        await watching.say(live.BoardIdentify("S1", token=clerk.token))
        await watching.hear(live.Snapshot)

        async def move(connection: Connection) -> None:
            of = sa.update(point).where(point.c.code == "HN-0003")
            await connection.execute(of.values(unit_id=sample.units["HN-001"]))

        await running.context.writer.write(move)
        await loaded(running, sample.session_id)
        delta = await watching.hear(live.Delta)
        assert (delta.gone, delta.totals.points) == (["HN-0003"], 1)


async def test_changes_wait_for_a_database_that_is_busy(
    running: Running, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened to a hall while the database took nothing is stored afterwards, with its true time."""
    await loaded(running, sample.session_id)
    hall = await token(running, "HN-0002")
    monkeypatch.setattr(limits, "STORE_RETRY_S", 0.01)
    with monkeypatch.context() as full:
        full.setattr(limits, "WRITE_JOBS_MAX", 0)
        async with device(running, hall):
            with pytest.raises(OverloadedError):
                await link.store(System(), running.context)
        at_ms = running.clock.now_ms()
        assert running.context.live.sessions[sample.session_id].rows[sample.points["HN-0002"]].link == "expected"
    running.clock.advance(1)
    found = await row(running, "HN-0002")
    assert (found["link"], found["since_ms"]) == ("online", at_ms)


async def test_a_point_that_another_server_moved_is_taken_from_there(running: Running, sample: Sample) -> None:
    """Two servers beside one database do not overwrite each other's record."""
    await loaded(running, sample.session_id)

    async def elsewhere(connection: Connection) -> None:
        of = sa.update(session_point).where(session_point.c.point_id == sample.points["HN-0002"])
        await connection.execute(of.values(link="lost", link_version=7))

    await running.context.writer.write(elsewhere)
    async with device(running, await token(running, "HN-0002")):
        assert (await row(running, "HN-0002"))["link"] == "online"
    async with running.context.read() as connection:
        (change,) = await links.transitions(connection, sample.session_id, sample.points["HN-0002"])
    assert (change.before, change.after, change.version, change.cause) == (
        LinkState.LOST,
        LinkState.ONLINE,
        8,
        "conflict",
    )


async def test_a_hall_taken_out_while_it_connects_breaks_nothing(running: Running, sample: Sample) -> None:
    """The record of the others goes on."""
    await loaded(running, sample.session_id)

    async def take_out(connection: Connection) -> None:
        await connection.execute(sa.delete(session_point).where(session_point.c.point_id == sample.points["HN-0003"]))

    await running.context.writer.write(take_out)
    gone, here = await token(running, "HN-0003"), await token(running, "HN-0002")
    async with device(running, gone) as (laptop, _), device(running, here):
        assert (await row(running, "HN-0002"))["link"] == "online"
        await laptop.beat()
        await loaded(running, sample.session_id)
        assert await laptop.closed() == live.CloseCode.REBIND


async def test_a_server_that_stops_lets_nobody_in(running: Running, sample: Sample) -> None:
    """Whoever connects in the last moment is asked to come back, as everybody is."""
    await loaded(running, sample.session_id)
    hall = await token(running, "HN-0002")
    running.context.live.stopping = True
    async with socket(running, "/ws/v1/point") as late:
        assert await late.closed() == live.CloseCode.RESTART
    running.context.live.stopping = False
    async with device(running, hall) as (laptop, _), socket(running, "/ws/v1/board") as watching:
        await watching.say(live.BoardIdentify("S1", token=running.admin.token))
        await watching.hear(live.Snapshot)
        await link.stop(System(), running.context)
        assert await laptop.closed() == live.CloseCode.RESTART
        assert await watching.closed() == live.CloseCode.RESTART
    (found,) = (await running.admin.ok("GET", "/api/v1/points/HN-0002/devices"))["items"]
    assert found["seen_ms"] == running.clock.now_ms()


async def test_a_role_that_narrows_shows_less_at_once(
    running: Running, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A board whose watcher answers for fewer units now is asked to come back, and then sees only those (I5)."""
    monkeypatch.setattr(limits, "BOARD_RECHECK_S", 0.05)
    await loaded(running, sample.session_id)
    clerk = await running.account("cán bộ", api.GrantView(Role.CLERK, "HN"))
    async with socket(running, "/ws/v1/board") as watching:
        await watching.say(live.BoardIdentify("S1", token=clerk.token))
        assert len((await watching.hear(live.Snapshot)).points) == 4

        async def narrow(connection: Connection) -> None:
            of = sa.update(account_grant).where(account_grant.c.role == "clerk")
            await connection.execute(of.values(unit_id=sample.units["HN-001"]))

        await running.context.writer.write(narrow)
        running.context.identities.forget()
        assert await watching.closed() == live.CloseCode.REBIND
    async with socket(running, "/ws/v1/board") as watching:
        await watching.say(live.BoardIdentify("S1", token=clerk.token))
        assert [found.point for found in (await watching.hear(live.Snapshot)).points] == ["HN-0002"]


async def test_frozen_sessions_do_not_pile_up_in_memory(
    running: Running, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking through a year of sessions does not keep a year in memory."""
    monkeypatch.setattr(limits, "CLOSED_SESSIONS_LOADED_MAX", 1)
    await loaded(running, sample.session_id)
    for code in ("S2", "S3", "S4"):
        made = {"code": code, "title": code, "starts_ms": 1_771_000_000_000, "ends_ms": 1_771_010_000_000}
        await running.admin.ok("POST", "/api/v1/sessions", made)
        await running.admin.ok("PUT", f"/api/v1/sessions/{code}/points", {"points": ["HN-0002"]})
        for state in ("open", "live", "ended", "closed"):
            await running.admin.ok("POST", f"/api/v1/sessions/{code}/state", {"to": state})
    for code in ("S2", "S3", "S4"):
        session = running.context.live.session(code)
        assert session is not None
        running.context.live.drop(session.session_id)
    for code in ("S2", "S3", "S4", "S2"):
        assert (await running.admin.ok("GET", f"/api/v1/sessions/{code}/live"))["state"] == "closed"
    closed = [s for s in running.context.live.sessions.values() if s.brief.state == "closed"]
    assert len(closed) == 2, "the one just asked for, and one more"
    await settle(running)
