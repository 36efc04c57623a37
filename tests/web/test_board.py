"""The board over a real socket: what a coordinator sees, and only of the units they answer for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from live_support import Speaker, device, loaded, row, settle, socket, token
from sample import Sample
from support import PASSWORD, Client, Running, Start

from diemcau import limits
from diemcau.domain.models import LinkState, Role
from diemcau.live.rows import Row
from diemcau.wire import api, live

LIVE = "/api/v1/sessions/S1/live"


@pytest.fixture
async def running(start: Start) -> Running:
    """A server that has watched for long."""
    return await start(blind_grace_s=0.0)


@pytest.fixture(autouse=True)
async def conference(running: Running, sample: Sample) -> Sample:
    """The small conference, known to the live side."""
    await loaded(running, sample.session_id)
    return sample


@asynccontextmanager
async def board(running: Running, who: Client, **fields: Any) -> AsyncIterator[Speaker]:
    """A board that said what it wants to see."""
    async with socket(running, "/ws/v1/board") as speaker:
        await speaker.say(live.BoardIdentify("S1", token=who.token, **fields))
        yield speaker


def points(frame: live.Snapshot | live.Delta) -> list[str]:
    """The points a frame tells of."""
    return [found.point for found in frame.points]


async def test_a_board_follows_what_a_fresh_look_shows(running: Running, sample: Sample) -> None:
    """Links and counts arrive by themselves, and snapshot plus deltas equal a fresh answer (I7)."""
    hall = await token(running, "HN-0002")
    async with board(running, running.admin) as watching:
        snapshot = await watching.hear(live.Snapshot)
        rows = {found.point: found for found in snapshot.points}
        assert sorted(rows) == ["HN-0001", "HN-0002", "HN-0003", "HN-0004"]
        async with device(running, hall) as (laptop, _):
            await laptop.beat()
            running.context.live.sessions[sample.session_id].set_present(sample.points["HN-0003"], 2)
            await settle(running)
            seq = snapshot.seq
            while rows["HN-0002"].link is not LinkState.ONLINE or rows["HN-0003"].present != 2:
                delta = await watching.hear(live.Delta)
                rows.update({found.point: found for found in delta.points})
                seq = delta.seq
            fresh = await running.admin.ok("GET", LIVE)
            assert (seq, snapshot.epoch) == (fresh["seq"], fresh["epoch"])
    assert {found["point"]: found for found in fresh["points"]} == {
        point: live_row(found) for point, found in rows.items()
    }
    assert fresh["totals"]["links"] == {"online": 1, "expected": 3}
    assert (fresh["totals"]["present"], fresh["totals"]["invited"], fresh["state"]) == (2, 11, "open")


def live_row(found: live.LiveRow) -> dict[str, Any]:
    """A row as JSON has it."""
    return {name: getattr(found, name) for name in found.__struct_fields__}


async def test_a_board_sees_its_units_and_no_others(running: Running) -> None:
    """A district's clerk sees the district's halls, by socket and by API; asking for more is refused (I5)."""
    clerk = await running.account("cán bộ", api.GrantView(Role.CLERK, "HN-002"))
    async with board(running, clerk) as watching:
        assert points(await watching.hear(live.Snapshot)) == ["HN-0003", "HN-0004"]
    async with board(running, clerk, unit="hn-002-01") as watching:
        snapshot = await watching.hear(live.Snapshot)
        assert (points(snapshot), snapshot.totals.points, snapshot.totals.invited) == (["HN-0004"], 1, 1)
    for unit, code in (("HN", 403), ("HN-001", 403), ("NOWHERE", 404)):
        status, _ = await clerk.call("GET", f"{LIVE}?unit={unit}")
        assert status == code
        async with board(running, clerk, unit=unit) as watching:
            assert await watching.closed() == 4100 + code
    answer = await clerk.ok("GET", f"{LIVE}?unit=HN-002-01")
    assert [found["point"] for found in answer["points"]] == ["HN-0004"]


async def test_who_may_not_watch_is_told_so_for_good(running: Running) -> None:
    """Nobody, a hall's device and a session that does not exist each get the code that ends their attempts."""
    hall = running.anonymous.signed_in(await token(running, "HN-0002"))
    for who, code in ((hall, live.CloseCode.FORBIDDEN), (running.anonymous, live.CloseCode.NOT_SIGNED_IN)):
        async with board(running, who) as watching:
            assert await watching.closed() == code
    async with socket(running, "/ws/v1/board") as watching:
        await watching.say(live.BoardIdentify("NOWHERE", token=running.admin.token))
        assert await watching.closed() == live.CloseCode.NOT_FOUND
    async with socket(running, "/ws/v1/board") as watching:
        await watching.socket.send("{}")
        assert await watching.closed() == live.CloseCode.MALFORMED
    assert (await hall.call("GET", LIVE))[0] == 403


async def test_a_cookie_opens_a_board_from_our_own_page_only(running: Running) -> None:
    """A foreign page in a signed-in browser sees nothing; ours, and a program with its token, see the board."""
    http, origin = running.admin.http, running.admin.origin
    async with http.post(f"{origin}/api/v1/login", json={"name": "root", "password": PASSWORD}) as answer:
        cookie = {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}
    for page in ("https://evil.example", None):
        async with socket(running, "/ws/v1/board", additional_headers=cookie, origin=page) as watching:
            await watching.say(live.BoardIdentify("S1"))
            assert await watching.closed() == live.CloseCode.FORBIDDEN
    async with socket(running, "/ws/v1/board", additional_headers=cookie, origin=origin) as watching:
        await watching.say(live.BoardIdentify("s1"))
        assert len(points(await watching.hear(live.Snapshot))) == 4
    bearer = {"Authorization": f"Bearer {running.admin.token}"}
    async with socket(running, "/ws/v1/board", additional_headers=bearer) as watching:
        await watching.say(live.BoardIdentify("S1"))
        assert len(points(await watching.hear(live.Snapshot))) == 4


async def test_a_board_resumes_where_it_was(running: Running, sample: Sample) -> None:
    """After a short break a board gets what it missed, and nothing twice."""
    async with board(running, running.admin) as watching:
        snapshot = await watching.hear(live.Snapshot)
    running.context.live.sessions[sample.session_id].set_present(sample.points["HN-0003"], 2)
    async with board(running, running.admin, resume=live.Resume(snapshot.epoch, snapshot.seq)) as watching:
        delta = await watching.hear(live.Delta)
        assert (delta.from_seq, points(delta)) == (snapshot.seq, ["HN-0003"])
    async with board(running, running.admin, resume=live.Resume(snapshot.epoch, delta.seq)) as watching:
        delta = await watching.hear(live.Delta)
        assert points(delta) == [], "an answer comes at once, so that the board knows it is connected"


async def test_a_board_may_look_elsewhere_on_the_same_socket(running: Running) -> None:
    """Choosing a unit is a new identify, not a new connection."""
    async with board(running, running.admin) as watching:
        assert len(points(await watching.hear(live.Snapshot))) == 4
        await watching.say(live.BoardIdentify("S1", "HN-001", running.admin.token))
        assert points(await watching.hear(live.Snapshot)) == ["HN-0002"]
        assert len(running.context.live.watchers()) == 1


async def test_the_session_moves_and_the_board_with_it(running: Running) -> None:
    """A new state and points taken in or out reach the board like any change."""
    async with board(running, running.admin) as watching:
        await watching.hear(live.Snapshot)
        await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": "live"})
        assert (await watching.hear(live.Delta)).state == "live"
        await running.admin.ok("PUT", "/api/v1/sessions/S1/points", {"points": ["HN-0001", "HN-0002", "HN-0003"]})
        delta = await watching.hear(live.Delta)
        assert (delta.gone, delta.totals.points) == (["HN-0004"], 3)


async def test_a_role_that_changes_closes_its_boards(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lost a role does not go on watching: within seconds the board is asked to come back, or to stay away."""
    monkeypatch.setattr(limits, "BOARD_RECHECK_S", 0.05)
    clerk = await running.account("cán bộ", api.GrantView(Role.CLERK, "HN-002"))
    async with board(running, clerk) as watching:
        await watching.hear(live.Snapshot)
        await clerk.ok("POST", "/api/v1/logout")
        assert await watching.closed() == live.CloseCode.NOT_SIGNED_IN


async def test_a_reader_that_is_stuck_is_cut_off_and_nobody_else(
    running: Running, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop that fell asleep with the board open costs the others nothing."""
    monkeypatch.setattr(limits, "BOARD_STUCK_S", 0.2)
    session = running.context.live.sessions[sample.session_id]
    many = 4000
    for number in range(many):
        session.put(Row(10_000 + number, f"X{number}", "", sample.paths["HN"], LinkState.LOST, 0, 0, 1, 1))
    async with board(running, running.admin) as asleep, board(running, running.admin) as awake:
        asleep.socket.transport.pause_reading()
        await awake.hear(live.Snapshot)
        async with asyncio.timeout(20):
            while len(running.context.live.watchers()) == 2:
                for number in range(many):
                    session.set_present(10_000 + number, session.seq)
                running.context.live.flush()
                await awake.hear(live.Delta)
        asleep.socket.transport.abort()


async def test_frozen_figures_are_still_shown(running: Running) -> None:
    """The board of a session that was closed, days or restarts ago, shows how it ended."""
    hall = await token(running, "HN-0002")
    async with device(running, hall):
        assert (await row(running, "HN-0002"))["link"] == "online"
        for state in ("live", "ended", "closed"):
            await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": state})
    before = await running.admin.ok("GET", LIVE)
    running.context.live.drop(1)
    after = await running.admin.ok("GET", LIVE)
    assert (after["state"], after["totals"]) == ("closed", before["totals"])
    assert after["totals"]["links"] == {"online": 1, "expected": 3}
