"""Whole lists written at once, in both databases; nothing written over what changed meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
import sample
import sqlalchemy as sa

from diemcau import limits
from diemcau.domain.names import fold, sort_key
from diemcau.store import imports, people, units
from diemcau.store.engine import Engines
from diemcau.store.imports import StaleError, Takeover
from diemcau.store.schema import attendee, invitation, unit

COLUMNS = ["full_name", "title", "unit_id", "point_id", "phone", "name_folded", "sort_key"]


def person(name: str, unit_id: int, point_id: int | None, phone: str = "") -> tuple[Any, ...]:
    """A person's values in the order of COLUMNS."""
    return (name, "", unit_id, point_id, phone, fold(name), sort_key(name))


async def test_more_than_a_chunk_is_taken_over(engines: Engines) -> None:
    """A list longer than one statement arrives whole, with people who have no home point."""
    conference = await sample.fill(engines)
    count = limits.IMPORT_CHUNK_ROWS + 7
    ready = Takeover("attendees", COLUMNS)
    for number in range(count):
        home = conference.points["HN-0001"] if number % 2 else None
        ready.inserts.append((f"N-{number}", *person("Nguyễn Văn Ước", conference.units["HN"], home, "0912")))
    async with engines.writing.begin() as connection:
        await imports.take_over(connection, ready)
    async with engines.read() as connection:
        query = sa.select(sa.func.count()).where(attendee.c.code.like("N-%"))
        assert await connection.scalar(query) == count
        made = [await people.get(connection, code) for code in ("N-0", "N-1")]
        assert [(row.point_code, row.phone) for row in made] == [(None, "0912"), ("HN-0001", "0912")]


async def test_known_rows_are_compared_and_changed(engines: Engines) -> None:
    """A changed person changes in the list and at the door; an unchanged one compares equal."""
    conference = await sample.fill(engines)
    unit_id, home = conference.units["HN-001"], conference.points["HN-0002"]
    async with engines.read() as connection:
        known = await imports.known(connection, "attendees", ["DB-0003", "DB-0004", "NO"], COLUMNS)
    assert sorted(known) == ["DB-0003", "DB-0004"]
    before = known["DB-0003"]
    assert before.unit_path == conference.paths["HN-001"]
    assert before.values == (
        "Nguyễn Thị Hiền",
        "Chủ tịch",
        unit_id,
        home,
        "0900000003",
        "nguyen thi hien",
        sort_key("Nguyễn Thị Hiền"),
    )
    ready = Takeover("attendees", COLUMNS)
    ready.updates.append((*person("Lê An", conference.units["HN"], None), before.row_id, "DB-0003", before.unit_id))
    ready.renamed.append(("le an", before.row_id))
    async with engines.writing.begin() as connection:
        await imports.take_over(connection, ready)
    async with engines.read() as connection:
        changed = await people.get(connection, "DB-0003")
        query = sa.select(invitation.c.name_folded).where(invitation.c.attendee_id == before.row_id)
        assert (await connection.scalars(query)).all() == ["le an"]
    assert (changed.full_name, changed.unit_code, changed.point_code) == ("Lê An", "HN", None)


@pytest.mark.parametrize("meanwhile", ["made", "moved", "deleted", "unit gone"])
async def test_stale_lists_are_not_written(engines: Engines, meanwhile: str) -> None:
    """What someone else wrote in between is neither overwritten nor half of the list kept (I5)."""
    conference = await sample.fill(engines)
    person_id, unit_id = conference.attendees["DB-0012"], conference.units["HN-002-01"]
    ready = Takeover("attendees", COLUMNS)
    ready.inserts.append(("N-1", *person("Lê An", unit_id, None)))
    if meanwhile == "made":
        ready.inserts.append(("DB-0001", *person("Lê An", unit_id, None)))
    elif meanwhile == "unit gone":
        ready.inserts.append(("N-2", *person("Lê An", 999_999, None)))
    else:
        ready.updates.append((*person("Lê An", unit_id, None), person_id, "DB-0012", unit_id))
        async with engines.writing.begin() as connection:
            if meanwhile == "moved":
                await people.update(connection, person_id, {"unit_id": conference.units["HN-001"]})
            else:
                await people.delete(connection, person_id)
    with pytest.raises(StaleError):
        async with engines.writing.begin() as connection:
            await imports.take_over(connection, ready)
    async with engines.read() as connection:
        query = sa.select(attendee.c.code).where(attendee.c.code.in_(["N-1", "N-2"]))
        assert (await connection.scalars(query)).all() == []


async def test_units_take_their_places(engines: Engines) -> None:
    """New units stand in the file's order; a moved one carries everything below it along."""
    conference = await sample.fill(engines)
    async with engines.writing.begin() as connection:
        new = [("B", "Quận B", "quan b", "quận"), ("A", "Quận A", "quan a", ""), ("C", "Phường C", "phuong c", "")]
        renamed = [("Hà Nội", "ha noi", "thành phố", conference.units["HN"])]
        await imports.take_over_units(connection, new, renamed)
        await imports.place_units(connection, {"B": "HN", "A": None, "C": "B", "HN-002": "B"})
    async with engines.read() as connection:
        nodes = await imports.nodes(connection)
        paths = {code: node.path for code, node in nodes.items()}
        stored = (await connection.execute(sa.select(unit.c.id, unit.c.path))).all()
    assert [(node.code, node.parent) for node in nodes.values()] == [
        ("HN", None),
        ("HN-001", "HN"),
        ("B", "HN"),
        ("HN-002", "B"),
        ("HN-002-01", "HN-002"),
        ("C", "B"),
        ("A", None),
    ]
    assert nodes["HN"].name == "Hà Nội"
    assert paths["HN-002-01"].startswith(paths["HN-002"])
    assert paths["HN-002"].startswith(paths["B"])
    assert all(path.endswith(units.path_step(unit_id)) for unit_id, path in stored)
