"""Changes of link in the database: each kept once, in order, whoever else writes."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sample import Sample, fill
from support import NOW_MS

from diemcau.domain.link_state import Transition
from diemcau.domain.models import LinkState
from diemcau.store import links, session_points
from diemcau.store.engine import Connection, Engines
from diemcau.store.links import Standing
from diemcau.store.schema import session, session_point
from diemcau.store.writer import Writer

EXPECTED, ONLINE, SUSPECT = LinkState.EXPECTED, LinkState.ONLINE, LinkState.SUSPECT
LOST, LEFT, UNKNOWN = LinkState.LOST, LinkState.LEFT, LinkState.UNKNOWN


@pytest.fixture
async def sample(engines: Engines) -> Sample:
    """The small conference."""
    return await fill(engines)


def change(sample: Sample, point: str, before: LinkState, after: LinkState, version: int) -> Transition:
    """A change `version` seconds after the start."""
    at_ms = NOW_MS + version * 1000
    return Transition(
        sample.session_id, sample.points[point], None, before, after, at_ms, at_ms + 7, "silence", version
    )


async def append(writer: Writer, *rows: Transition) -> tuple[int, dict[tuple[int, int], Standing | None]]:
    """Store them: how many were, and what stands where one was refused."""
    stored, refused = await writer.write(lambda c: links.append(c, rows))
    return len(stored), refused


async def standing(engines: Engines, sample: Sample, point: str) -> tuple[LinkState, int, int]:
    """What the database holds of a point: link, seconds since the start, version."""
    async with engines.read() as connection:
        rows = await links.live_points(connection, sample.session_id)
    (row,) = [row for row in rows if row.code == point]
    return row.link, (row.since_ms - NOW_MS) // 1000, row.version


async def test_a_batch_of_changes_is_kept_in_order(engines: Engines, writer: Writer, sample: Sample) -> None:
    """A storm of several changes at several points leaves each point's story whole and its last state standing."""
    rows = [
        change(sample, "HN-0002", EXPECTED, ONLINE, 1),
        change(sample, "HN-0003", EXPECTED, ONLINE, 1),
        change(sample, "HN-0002", ONLINE, SUSPECT, 2),
        change(sample, "HN-0002", SUSPECT, LOST, 3),
    ]
    assert await append(writer, *rows) == (4, {})
    assert await standing(engines, sample, "HN-0002") == (LOST, 3, 3)
    assert await standing(engines, sample, "HN-0003") == (ONLINE, 1, 1)
    assert await standing(engines, sample, "HN-0004") == (EXPECTED, 0, 0)
    async with engines.read() as connection:
        kept = await links.transitions(connection, sample.session_id, sample.points["HN-0002"])
    assert kept == [row for row in rows if row.point_id == sample.points["HN-0002"]]


async def test_a_change_from_a_state_that_is_no_more_is_refused(
    engines: Engines, writer: Writer, sample: Sample
) -> None:
    """Of two servers that watch one point, the later does not overwrite what the first recorded."""
    await append(writer, change(sample, "HN-0002", EXPECTED, ONLINE, 1))
    late = [change(sample, "HN-0002", EXPECTED, LEFT, 1), change(sample, "HN-0002", LEFT, ONLINE, 2)]
    kept, refused = await append(writer, *late, change(sample, "HN-0003", EXPECTED, ONLINE, 1))
    key = (sample.session_id, sample.points["HN-0002"])
    assert (kept, refused) == (1, {key: Standing(ONLINE, NOW_MS + 1000, 1)})
    assert await standing(engines, sample, "HN-0002") == (ONLINE, 1, 1)


async def test_a_point_that_is_no_longer_chosen_takes_no_changes(
    engines: Engines, writer: Writer, sample: Sample
) -> None:
    """A hall taken out of the session while it connects breaks nothing."""
    ghost = change(sample, "HN-0002", EXPECTED, ONLINE, 1)._replace(point_id=999)
    assert await append(writer, ghost) == (0, {(sample.session_id, 999): None})


async def test_after_a_restart_whatever_had_a_link_is_unknown(engines: Engines, writer: Writer, sample: Sample) -> None:
    """Halls that were online or lost are unknown, in the log too; who never came or went home stays so (I6)."""
    await append(
        writer,
        change(sample, "HN-0001", EXPECTED, ONLINE, 1),
        change(sample, "HN-0002", EXPECTED, ONLINE, 1),
        change(sample, "HN-0002", ONLINE, LOST, 2),
        change(sample, "HN-0003", EXPECTED, LEFT, 1),
    )
    assert await writer.write(lambda c: links.blind(c, NOW_MS + 9_000)) == 2
    assert await standing(engines, sample, "HN-0001") == (UNKNOWN, 9, 2)
    assert await standing(engines, sample, "HN-0002") == (UNKNOWN, 9, 3)
    assert await standing(engines, sample, "HN-0003") == (LEFT, 1, 1)
    assert await standing(engines, sample, "HN-0004") == (EXPECTED, 0, 0)
    async with engines.read() as connection:
        kept = await links.transitions(connection, sample.session_id, sample.points["HN-0002"])
    assert (kept[-1].before, kept[-1].after, kept[-1].cause, kept[-1].version) == (LOST, UNKNOWN, "restart", 3)
    assert await writer.write(lambda c: links.blind(c, NOW_MS + 20_000)) == 0, "unknown once is enough"


async def test_a_restart_leaves_closed_sessions_alone(engines: Engines, writer: Writer, sample: Sample) -> None:
    """Frozen figures stay frozen."""
    await append(writer, change(sample, "HN-0001", EXPECTED, ONLINE, 1))

    async def close(connection: Connection) -> None:
        await connection.execute(sa.update(session).values(state="closed"))

    await writer.write(close)
    assert await writer.write(lambda c: links.blind(c, NOW_MS + 9_000)) == 0
    assert await standing(engines, sample, "HN-0001") == (ONLINE, 1, 1)
    async with engines.read() as connection:
        assert await links.open_sessions(connection) == []


async def test_a_clock_that_lags_does_not_turn_the_record_back(
    engines: Engines, writer: Writer, sample: Sample
) -> None:
    """A machine whose clock is behind stamps a restart no earlier than what was recorded before it."""

    async def ahead(connection: Connection) -> None:
        await connection.execute(sa.update(session_point).values(link="online", link_since_ms=NOW_MS + 60_000))

    await writer.write(ahead)
    assert await writer.write(lambda c: links.blind(c, NOW_MS)) == 4
    assert await standing(engines, sample, "HN-0001") == (UNKNOWN, 60, 1)


async def test_a_session_is_read_with_its_points_by_code(engines: Engines, sample: Sample) -> None:
    """The board's rows and the session's words come from one reading."""
    async with engines.read() as connection:
        found = await links.live_session(connection, sample.session_id)
        assert found is not None
        assert (found.code, found.state, found.unit_path) == ("S1", "open", "")
        assert await links.live_session(connection, 999) is None
        assert await links.session_id_of(connection, "S1") == sample.session_id
        assert await links.session_id_of(connection, "S9") is None
        rows = await links.live_points(connection, sample.session_id)
    assert [(row.code, row.invited, row.unit_path) for row in rows] == [
        ("HN-0001", 2, sample.paths["HN"]),
        ("HN-0002", 4, sample.paths["HN-001"]),
        ("HN-0003", 4, sample.paths["HN-002"]),
        ("HN-0004", 1, sample.paths["HN-002-01"]),
    ]


async def test_a_point_that_comes_back_goes_on_where_its_log_ended(
    engines: Engines, writer: Writer, sample: Sample
) -> None:
    """A hall taken out by mistake and put back would stop the records of every hall with its second "first" change."""
    point = sample.points["HN-0004"]
    await append(writer, change(sample, "HN-0004", EXPECTED, ONLINE, 1), change(sample, "HN-0004", ONLINE, LEFT, 2))
    await writer.write(lambda c: session_points.remove_points(c, sample.session_id, [point]))
    await writer.write(lambda c: session_points.add_points(c, sample.session_id, [point], NOW_MS))
    assert await standing(engines, sample, "HN-0004") == (EXPECTED, 0, 2)
    assert await append(writer, change(sample, "HN-0004", EXPECTED, ONLINE, 3)) == (1, {})
