"""Who may stand at a door: found by this hall's list, by code from anywhere, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sample import NOT_INVITED, SESSION, Sample

from diemcau.domain.models import SessionState
from diemcau.store import door
from diemcau.store.engine import Engines
from diemcau.store.schema import invitation


async def test_door_by_id_and_by_codes(engines: Engines, conference: Sample) -> None:
    """The code on the screen and the display's own question lead to the same door."""
    row = await door.by_id(engines, 2)
    assert row is not None
    assert row == await door.by_codes(engines, SESSION, "HN-0002")
    assert (row.session, row.state, row.point, row.invited) == (SESSION, SessionState.OPEN, "HN-0002", 4)
    assert (row.key, row.unit_path) == (conference.door_keys["HN-0002"], conference.paths["HN-001"])
    assert await door.by_id(engines, 4_294_967_295) is None
    assert await door.by_codes(engines, SESSION, "NONE") is None


@pytest.mark.parametrize(
    ("hall", "name", "count"),
    [("HN-0002", "le hoa", 1), ("HN-0002", "nguyen thi hien", 2), ("HN-0003", "le hoa", 0), ("HN-0003", "hien", 1)],
)
async def test_names_within_the_hall(engines: Engines, conference: Sample, hall: str, name: str, count: int) -> None:
    """A name is looked for where its bearer is summoned, and nowhere else."""
    people = await door.named(engines, conference.session_id, conference.points[hall], name)
    assert len(people) == count
    assert all(person.point_id == conference.points[hall] for person in people)


async def test_summoned_without_a_hall(engines: Engines, conference: Sample) -> None:
    """Somebody who is invited and has no hall yet is found by name in any hall."""
    async with engines.writing.begin() as connection:
        mine = invitation.c.attendee_id == conference.attendees["DB-0001"]
        await connection.execute(sa.update(invitation).where(mine).values(point_id=None))
    (person,) = await door.named(engines, conference.session_id, conference.points["HN-0004"], "nguyen thi hong dao")
    assert (person.attendee_id, person.invited, person.point_id) == (conference.attendees["DB-0001"], True, None)


async def test_codes_from_anywhere(engines: Engines, conference: Sample) -> None:
    """A code finds its bearer in every hall, invited or not."""
    summoned = await door.of_code(engines, conference.session_id, "DB-0007")
    assert summoned is not None
    assert (summoned.invited, summoned.point_id) == (True, conference.points["HN-0003"])
    guest = await door.of_code(engines, conference.session_id, NOT_INVITED)
    assert guest is not None
    assert (guest.full_name, guest.invited, guest.point_id) == ("Đỗ Đức Ước", False, None)
    assert await door.of_code(engines, conference.session_id, "DB-9999") is None
