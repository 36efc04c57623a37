"""Attendees in both databases."""

from __future__ import annotations

import pytest
import sample
import sqlalchemy as sa

from diemcau.domain.authority import Scope
from diemcau.errors import NotFoundError
from diemcau.store import people
from diemcau.store.engine import Engines
from diemcau.store.lists import Asked
from diemcau.store.schema import invitation

EVERYTHING = Scope(("",))


async def test_people_come_by_unit_and_given_name(engines: Engines) -> None:
    """A Vietnamese list reads Ánh before Đào before Hiền, and pages keep namesakes apart by their codes."""
    await sample.fill(engines)
    seen: list[str] = []
    after = None
    async with engines.read() as connection:
        while rows := await people.listed(connection, Asked(EVERYTHING, 1, after=after)):
            seen.append(rows[0].code)
            after = (rows[0].unit_path, rows[0].sort_key, rows[0].code)
    assert seen[:6] == ["DB-0002", "DB-0001", "DB-0003", "DB-0004", "DB-0006", "DB-0005"]
    assert sorted(seen) == [code for code, *_ in sample.PEOPLE]


async def test_search_scope_and_hall_narrow_the_list(engines: Engines) -> None:
    """Namesakes are found together; nobody outside one's own units is."""
    conference = await sample.fill(engines)
    own = Scope((conference.paths["HN-002"],))
    async with engines.read() as connection:
        for scope, q, hall, expected in (
            (EVERYTHING, "NGUYEN thi hien", None, ["DB-0003", "DB-0004"]),
            (EVERYTHING, "hhen", None, ["DB-0005"]),
            (EVERYTHING, "db-0012", None, ["DB-0012"]),
            (EVERYTHING, "anh", "HN-0003", ["DB-0010"]),
            (own, "hien", None, ["DB-0009"]),
        ):
            point_id = conference.points[hall] if hall else None
            rows = await people.listed(connection, Asked(scope, 10, q), point_id)
            assert [row.code for row in rows] == expected, q


async def test_name_changes_everywhere_at_once(engines: Engines) -> None:
    """The list sorts, the search finds and the door knows a person by the corrected name."""
    conference = await sample.fill(engines)
    person = conference.attendees["DB-0003"]
    async with engines.writing.begin() as connection:
        await people.update(connection, person, {"full_name": "Lê Thị Ước"})
        await people.update(connection, conference.attendees["DB-0004"], {"title": "Bí thư"})
        await people.update(connection, conference.attendees["DB-0004"], {})
    async with engines.read() as connection:
        listed = await people.listed(connection, Asked(EVERYTHING, 6))
        assert listed[-1].full_name == "Lê Thị Ước"
        query = sa.select(invitation.c.name_folded).where(invitation.c.attendee_id == person)
        assert (await connection.scalars(query)).all() == ["le thi uoc"]


async def test_only_unused_people_can_go(engines: Engines) -> None:
    """Whoever was summoned stays in the figures."""
    conference = await sample.fill(engines)
    async with engines.writing.begin() as connection:
        assert await people.used_by(connection, conference.attendees["DB-0001"]) == "session"
        free = conference.attendees[sample.NOT_INVITED]
        assert await people.used_by(connection, free) is None
        await people.delete(connection, free)
        with pytest.raises(NotFoundError):
            await people.get(connection, sample.NOT_INVITED)
