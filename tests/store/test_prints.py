"""What paper is made of, on both databases: in scope, in order, and with what badges and numbers there are."""

from __future__ import annotations

import sample
import sqlalchemy as sa
from sample import Sample

from diemcau.domain.authority import Scope
from diemcau.store import prints, rosters
from diemcau.store.engine import Engines
from diemcau.store.schema import badge, point
from diemcau.store.writer import Writer

EVERYTHING = Scope(("",))


def ids(conference: Sample, *codes: str) -> list[int]:
    """Internal ids of these people."""
    return [conference.attendees[code] for code in codes]


async def test_people_go_by_unit_and_given_name(engines: Engines, conference: Sample) -> None:
    """Cards are handed out unit by unit; whoever is on no list gets none, and no one is printed for another's unit."""
    async with engines.read() as connection:
        everybody = await prints.people(connection, conference.session_id, EVERYTHING, None, 100)
        below = Scope((conference.paths["HN-002"],))
        theirs = await prints.people(connection, conference.session_id, below, None, 100)
        first = await prints.people(connection, conference.session_id, EVERYTHING, None, 3)
        hall = await prints.people(connection, conference.session_id, EVERYTHING, "HN-0003", 100)
    assert len(everybody) == len(sample.PEOPLE) - 1
    assert conference.attendees[sample.NOT_INVITED] not in everybody
    assert everybody[:2] == ids(conference, "DB-0002", "DB-0001")  # Ánh before Đào
    assert first == everybody[:3]
    assert hall == theirs[:4]
    assert theirs == [one for one in everybody if one in theirs]
    assert theirs[4:] == ids(conference, "DB-0011")


async def test_a_card_shows_the_badge_that_is_good(engines: Engines, writer: Writer, conference: Sample) -> None:
    """A card with a badge that was taken back turns its holder away."""
    wanted = ids(conference, "DB-0004", "DB-0003")
    rows = [
        {"attendee_id": wanted[0], "issue": issue, "token_hash": bytes([issue]) * 32, "made_ms": 1, "revoked_ms": gone}
        for issue, gone in ((1, 5), (2, None))
    ]
    await writer.write(lambda c: c.execute(sa.insert(badge), rows))
    async with engines.read() as connection:
        without = await prints.unnumbered(connection, conference.session_id, wanted)
    assert without == [conference.points["HN-0002"]]
    await writer.write(lambda c: rosters.ensure_numbers(c, conference.session_id, without[0]))
    async with engines.read() as connection:
        people = await prints.summoned(connection, conference.session_id, [*wanted, 999])
        assert await prints.unnumbered(connection, conference.session_id, wanted) == []
    assert [(one.code, one.issue, one.number) for one in people] == [("DB-0004", 2, 2), ("DB-0003", None, 1)]
    assert {one.hall for one in people} == {"Hội trường Quận ủy Ba Đình"}


async def test_halls_and_the_centre(engines: Engines, writer: Writer, conference: Sample) -> None:
    """A poster with another hall's name sends people to the wrong door."""
    async with engines.read() as connection:
        every = await prints.halls(connection, conference.session_id, EVERYTHING, None)
        own = await prints.halls(connection, conference.session_id, Scope((conference.paths["HN-002"],)), None)
        none = await prints.halls(connection, conference.session_id, Scope((conference.paths["HN-002"],)), "HN-0002")
        assert await prints.center_phone(connection, conference.session_id) == "0904000001"
    assert [(hall.code, hall.invited) for hall in every] == [
        ("HN-0001", 2),
        ("HN-0002", 4),
        ("HN-0003", 4),
        ("HN-0004", 1),
    ]
    assert own == every[2:]
    assert none == []
    await writer.write(lambda c: c.execute(sa.update(point).values(mode="online")))
    async with engines.read() as connection:
        assert await prints.center_phone(connection, conference.session_id) == ""
