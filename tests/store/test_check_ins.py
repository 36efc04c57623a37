"""What a batch of check-ins does to the database: everybody counted once, every answer the same as the first (I2)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from sample import Sample, check_in, figures
from support import NOW_MS

from diemcau.domain.models import Flag
from diemcau.errors import NotFoundError
from diemcau.store.check_ins import CheckIn, Outcome, record
from diemcau.store.engine import Engines
from diemcau.store.schema import attendance, attendance_event, session_point

WRITER = bytes(range(16))


async def write(engines: Engines, *items: CheckIn) -> list[Outcome]:
    """One batch, committed."""
    return await engines.transact(lambda connection: record(connection, items, WRITER))


async def test_each_person_gets_the_next_number(engines: Engines, conference: Sample) -> None:
    """The receipt says "number 2": exactly the second at this hall, in the order they tapped."""
    first = await write(engines, check_in(conference, "DB-0003"), check_in(conference, "DB-0007", "HN-0003"))
    second = await write(engines, check_in(conference, "DB-0004"), check_in(conference, "DB-0005"))
    assert [(o.result, o.number, o.present) for o in first] == [("accepted", 1, 1), ("accepted", 1, 1)]
    assert [(o.result, o.number, o.present) for o in second] == [("accepted", 2, 3), ("accepted", 3, 3)]
    assert await figures(engines) == (4, 4, 4, 4)


async def test_second_hall_finds_the_person_counted(engines: Engines, conference: Sample) -> None:
    """Somebody who scans in two halls counts once, where they were first; the second scan stays in the log."""
    first = check_in(conference, "DB-0003")
    await write(engines, first)
    (again,) = await write(engines, check_in(conference, "DB-0003", "HN-0003", Flag.WRONG_POINT))
    assert (again.result, again.point_id, again.at_ms) == ("duplicate", first.point_id, first.at_ms)
    assert (again.number, again.present, again.replayed) == (None, None, False)
    assert await figures(engines) == (1, 1, 2, 1)


async def test_same_person_twice_in_one_batch(engines: Engines, conference: Sample) -> None:
    """Two phones that tap in the same millisecond for one person make one entry."""
    here, there = await write(
        engines, check_in(conference, "DB-0003"), check_in(conference, "DB-0003", "HN-0003", Flag.WRONG_POINT)
    )
    assert (here.result, there.result) == ("accepted", "duplicate")
    assert there.point_id == here.check_in.point_id
    assert await figures(engines) == (1, 1, 2, 1)


async def test_replay_answers_as_the_first_time(engines: Engines, conference: Sample) -> None:
    """A phone that sends again after a lost answer sees the same number and time, however much later."""
    item = check_in(conference, "DB-0003")
    (first,) = await write(engines, item)
    await write(engines, check_in(conference, "DB-0004"))
    later = replace(item, server_ms=NOW_MS + 90_000, at_ms=NOW_MS + 90_000, happened_ms=NOW_MS + 90_000)
    (again,) = await write(engines, later)
    assert (again.result, again.number, again.at_ms) == ("accepted", first.number, first.at_ms)
    assert again.replayed
    assert again.present is None
    assert await figures(engines) == (2, 2, 2, 2)


async def test_replay_inside_one_batch(engines: Engines, conference: Sample) -> None:
    """An impatient double tap that lands in one transaction is one check-in with two equal answers."""
    item = check_in(conference, "DB-0003")
    first, again = await write(engines, item, replace(item))
    assert (first.result, first.number, first.replayed, first.present) == ("accepted", 1, False, 1)
    assert (again.result, again.number, again.replayed, again.present) == ("accepted", 1, True, None)
    assert await figures(engines) == (1, 1, 1, 1)


async def test_replay_of_a_duplicate_stays_a_duplicate(engines: Engines, conference: Sample) -> None:
    """Sending a second scan again never turns it into the counted one."""
    await write(engines, check_in(conference, "DB-0003"))
    second = check_in(conference, "DB-0003", "HN-0003")
    (before,) = await write(engines, second)
    (after,) = await write(engines, second)
    assert (before.result, after.result, after.replayed) == ("duplicate", "duplicate", True)
    assert await figures(engines) == (1, 1, 2, 1)


@pytest.mark.parametrize("together", [True, False])
async def test_nonce_with_another_content_conflicts(engines: Engines, conference: Sample, *, together: bool) -> None:
    """A nonce vouches for one content: another person behind it is refused, and nothing of it is written."""
    item = check_in(conference, "DB-0003")
    other = replace(check_in(conference, "DB-0004"), nonce=item.nonce)
    if together:
        first, conflict = await write(engines, item, other)
    else:
        ((first,), (conflict,)) = await write(engines, item), await write(engines, other)
    assert (first.result, conflict.result) == ("accepted", "conflict")
    assert await figures(engines) == (1, 1, 1, 1)


async def test_point_outside_the_session_writes_nothing(engines: Engines, conference: Sample) -> None:
    """A hall that left the session a moment ago is refused, not half counted."""
    item = replace(
        check_in(conference, "DB-0003"), session_id=conference.session_id, point_id=conference.points["HN-0002"]
    )
    async with engines.writing.begin() as connection:
        await connection.execute(sa.delete(session_point).where(session_point.c.point_id == item.point_id))
    with pytest.raises(NotFoundError):
        await write(engines, item, check_in(conference, "DB-0007", "HN-0003"))
    assert await figures(engines) == (0, 0, 0, 0)


async def test_flags_are_kept(engines: Engines, conference: Sample) -> None:
    """What was odd at the door can be reviewed afterwards."""
    await write(engines, check_in(conference, "DB-0007", "HN-0002", Flag.WRONG_POINT, Flag.LATE))
    e = attendance_event
    async with engines.read() as connection:
        query = sa.select(attendance.c.flags, e.c.flags).join(e, e.c.nonce == attendance.c.nonce)
        kept = (await connection.execute(query)).one()
    assert tuple(kept) == ("wrong_point late", "wrong_point late")
