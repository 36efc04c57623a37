"""Sessions, their doors and invitations in the database, on both kinds."""

from __future__ import annotations

from typing import Any

import pytest
import sample
import sqlalchemy as sa
from support import NOW_MS

from diemcau import limits
from diemcau.domain.authority import Scope
from diemcau.domain.models import SessionState
from diemcau.errors import NotFoundError
from diemcau.store import session_points, sessions
from diemcau.store.engine import Connection, Engines
from diemcau.store.schema import invitation, session_point
from diemcau.store.session_points import Figures

EVERYTHING = Scope(("",))


async def made(connection: Connection, code: str, unit_id: int | None = None, starts_ms: int = NOW_MS) -> int:
    """A session in draft."""
    values: dict[str, Any] = {"code": code, "title": code, "state_ms": NOW_MS, "unit_id": unit_id}
    return await sessions.insert(connection, {**values, "starts_ms": starts_ms, "ends_ms": starts_ms + 3_600_000})


async def doors(connection: Connection) -> dict[tuple[int, int], tuple[int, bytes]]:
    """Door id and key by session and point."""
    return {
        (row.session_id, row.point_id): (row.door_id, row.door_key)
        for row in await connection.execute(sa.select(session_point))
    }


async def test_every_door_is_its_own(engines: Engines) -> None:
    """Two halls, or two sessions, that shared a door would let people in at the wrong one."""
    conference = await sample.fill(engines)
    async with engines.writing.begin() as connection:
        for code in ("A", "B"):
            session_id = await made(connection, code)
            await session_points.add_points(connection, session_id, conference.points.values(), NOW_MS)
        found = await doors(connection)
    assert len(found) == 12
    assert len({door_id for door_id, _ in found.values()}) == 12
    assert len({key for _, key in found.values()}) == 12
    assert {len(key) for _, key in found.values()} == {32}


async def test_door_ids_never_come_back(engines: Engines) -> None:
    """A receipt or a photograph of a hall that was taken out must never lead to another hall."""
    conference = await sample.fill(engines)
    seen: list[int] = []
    async with engines.writing.begin() as connection:
        session_id = await made(connection, "A")
        for hall in ("HN-0001", "HN-0002", "HN-0001", "HN-0003"):
            await session_points.add_points(connection, session_id, [conference.points[hall]], NOW_MS)
            (door_id,) = [door[0] for place, door in (await doors(connection)).items() if place[0] == session_id]
            seen.append(door_id)
            await session_points.remove_points(connection, session_id, [conference.points[hall]])
    assert seen == [5, 6, 7, 8]


async def test_a_point_that_comes_back_has_a_new_key(engines: Engines) -> None:
    """Codes photographed before the hall was taken out must not work after it returned."""
    conference = await sample.fill(engines)
    hall = conference.points["HN-0004"]
    async with engines.writing.begin() as connection:
        before = (await doors(connection))[conference.session_id, hall]
        await session_points.remove_points(connection, conference.session_id, [hall])
        await session_points.add_points(connection, conference.session_id, [hall], NOW_MS)
        after = (await doors(connection))[conference.session_id, hall]
    assert before[1] != after[1]


async def test_invitations_add_up(engines: Engines) -> None:
    """Inviting twice invites once; a hall's count is the number of its invitations, with or without halls."""
    conference = await sample.fill(engines)
    district = Scope((conference.paths["HN-002"],))
    async with engines.writing.begin() as connection:
        session_id = await made(connection, "A")
        assert await session_points.invite_below(connection, session_id, district) == 6
        assert await session_points.invite_below(connection, session_id, EVERYTHING) == 6
        assert await session_points.invite(connection, session_id, conference.attendees.values()) == 0
        await session_points.recount_invited(connection, session_id)
        assert await session_points.figures(connection, [session_id], EVERYTHING) == {session_id: Figures(0, 12, 0)}
        await session_points.add_points(connection, session_id, [conference.points["HN-0003"]], NOW_MS)
        assert await session_points.figures(connection, [session_id], EVERYTHING) == {session_id: Figures(1, 12, 0)}
        assert await seated(connection, session_id) == {conference.points["HN-0003"]: 4, None: 8}
        (hall,) = await session_points.points(connection, session_id, EVERYTHING)
        assert (hall.code, hall.invited, hall.unit_name) == ("HN-0003", 4, "Quận Hoàn Kiếm")
        await session_points.remove_points(connection, session_id, conference.points.values())
        assert await seated(connection, session_id) == {None: 12}


async def seated(connection: Connection, session_id: int) -> dict[int | None, int]:
    """Invitations by hall."""
    i = invitation.c
    query = sa.select(i.point_id, sa.func.count()).where(i.session_id == session_id).group_by(i.point_id)
    return {row[0]: row[1] for row in await connection.execute(query)}


async def test_scope_decides_what_is_seen(engines: Engines) -> None:
    """Whoever answers for a part of a session's unit, for it, or for one above it, sees the session (I5)."""
    conference = await sample.fill(engines)
    async with engines.writing.begin() as connection:
        await made(connection, "WHOLE", None, NOW_MS + 4)
        await made(connection, "CITY", conference.units["HN"], NOW_MS + 3)
        await made(connection, "DISTRICT", conference.units["HN-002"], NOW_MS + 2)
        await made(connection, "WARD", conference.units["HN-002-01"], NOW_MS + 1)
    async with engines.read() as connection:
        for unit, codes in {
            "HN": ["S1", "WHOLE", "CITY", "DISTRICT", "WARD"],
            "HN-001": ["S1", "WHOLE", "CITY"],
            "HN-002": ["S1", "WHOLE", "CITY", "DISTRICT", "WARD"],
            "HN-002-01": ["S1", "WHOLE", "CITY", "DISTRICT", "WARD"],
        }.items():
            rows = await sessions.page(connection, Scope((conference.paths[unit],)), None, 10)
            assert [row.code for row in rows] == codes
            for row in rows:
                assert Scope((conference.paths[unit],)).touches(row.unit_path)


async def test_only_one_of_two_moves_wins(engines: Engines) -> None:
    """Two organizers who press at once make one move, and one entry in the record."""
    conference = await sample.fill(engines)
    async with engines.writing.begin() as connection:
        seen = await sessions.get(connection, "S1")
        assert await sessions.move(connection, seen, SessionState.LIVE, NOW_MS + 1, "an")
        assert not await sessions.move(connection, seen, SessionState.DRAFT, NOW_MS + 2, "bình")
        assert await sessions.moves(connection, conference.session_id) == [("open", "live", NOW_MS + 1, "an")]
        now = await sessions.get(connection, "S1")
    assert (now.state, now.state_ms, now.held) == (SessionState.LIVE, NOW_MS + 1, False)


@pytest.mark.parametrize(
    ("starts_ms", "halls", "held", "due"),
    [
        (NOW_MS + limits.SESSION_OPENS_BEFORE_S * 1000, True, False, True),
        (NOW_MS + limits.SESSION_OPENS_BEFORE_S * 1000 + 1, True, False, False),
        (NOW_MS - 3_599_999, True, False, True),
        (NOW_MS - 3_600_000, True, False, False),
        (NOW_MS, False, False, False),
        (NOW_MS, True, True, False),
    ],
)
async def test_what_opens_itself(engines: Engines, starts_ms: int, halls: bool, held: bool, due: bool) -> None:  # noqa: FBT001
    """Near its start, not over, with halls, and not held back by hand."""
    conference = await sample.fill(engines)
    async with engines.writing.begin() as connection:
        session_id = await made(connection, "A", starts_ms=starts_ms)
        if halls:
            await session_points.add_points(connection, session_id, [conference.points["HN-0001"]], NOW_MS)
        await sessions.update(connection, session_id, {"held": held})
        assert [row.code for row in await sessions.due(connection, NOW_MS)] == (["A"] if due else [])


async def test_deleting_leaves_no_trace_but_others_alone(engines: Engines) -> None:
    """A session made by mistake goes with its lists; the other session keeps every one of its own."""
    conference = await sample.fill(engines)
    async with engines.writing.begin() as connection:
        session_id = await made(connection, "A")
        await session_points.add_points(connection, session_id, conference.points.values(), NOW_MS)
        await session_points.invite_below(connection, session_id, EVERYTHING)
        assert not await sessions.recorded(connection, session_id)
        await sessions.delete(connection, session_id)
        with pytest.raises(NotFoundError):
            await sessions.get(connection, "A")
        assert await seated(connection, session_id) == {}
        assert await session_points.invited(connection, conference.session_id) == 11
        assert await session_points.count(connection, conference.session_id) == 4
