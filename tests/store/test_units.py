"""The tree of units in both databases: its order, its pages, its scopes."""

from __future__ import annotations

import pytest
import sample

from diemcau.domain.authority import Scope
from diemcau.errors import ConflictError
from diemcau.store import units
from diemcau.store.engine import Engines
from diemcau.store.lists import Asked
from diemcau.store.units import UnitRow

EVERYTHING = Scope(("",))


async def page(engines: Engines, asked: Asked) -> list[UnitRow]:
    """A page of units, without their parents' codes."""
    async with engines.read() as connection:
        return [row for row, _ in await units.listed(connection, asked)]


async def test_parents_come_before_children_and_siblings_as_listed(engines: Engines) -> None:
    """The list reads like the paper it came from, whatever the alphabet would say."""
    async with engines.writing.begin() as connection:
        top = await units.insert(connection, "Z", "Tỉnh", None, "")
        second = await units.insert(connection, "Y", "Quận Hai", top, "")
        await units.insert(connection, "X", "Quận Một", top, "")
        await units.insert(connection, "W", "Phường", second, "")
    rows = await page(engines, Asked(EVERYTHING, 10))
    assert [row.code for row in rows] == ["Z", "Y", "W", "X"]
    async with engines.read() as connection:
        assert [(row.code, parent) for row, parent in await units.listed(connection, Asked(EVERYTHING, 2))] == [
            ("Z", None),
            ("Y", "Z"),
        ]
        assert await units.code_of(connection, second.unit_id) == "Y"
        assert await units.code_of(connection, None) is None


async def test_pages_follow_the_tree(engines: Engines) -> None:
    """Asking for what comes after the last row reaches every unit once, on both databases' collations."""
    await sample.fill(engines)
    seen: list[str] = []
    after = None
    while rows := await page(engines, Asked(EVERYTHING, 1, after=after)):
        seen.append(rows[0].code)
        after = (rows[0].path,)
    assert seen == [code for code, *_ in sample.UNITS]


async def test_scope_shows_own_branch_and_the_way(engines: Engines) -> None:
    """Beside one's own units only those above are listed, even when searched for (I5)."""
    conference = await sample.fill(engines)
    scope = Scope((conference.paths["HN-002"],))
    assert [row.code for row in await page(engines, Asked(scope, 10))] == ["HN", "HN-002", "HN-002-01"]
    assert await page(engines, Asked(scope, 10, q="ba dinh")) == []
    assert await page(engines, Asked(Scope(()), 10)) == []


@pytest.mark.parametrize(
    ("code", "by"), [("HN", "unit"), ("HN-001", "point"), ("HN-002", "unit"), ("HN-002-01", "point")]
)
async def test_users_of_a_unit_are_named(engines: Engines, code: str, by: str) -> None:
    """Whoever may not delete a unit learns what is in the way."""
    conference = await sample.fill(engines)
    async with engines.read() as connection:
        assert await units.used_by(connection, conference.units[code]) == by


async def test_codes_are_taken_once(engines: Engines) -> None:
    """Two units of one code would make every list ambiguous."""
    await sample.fill(engines)
    with pytest.raises(ConflictError) as caught:
        async with engines.writing.begin() as connection:
            await units.insert(connection, "HN", "Khác", None, "")
    assert caught.value.params == {"what": "unit", "key": "HN"}


async def test_free_unit_is_changed_and_deleted(engines: Engines) -> None:
    """A corrected name is found under its new spelling; what nobody uses can go."""
    async with engines.writing.begin() as connection:
        made = await units.insert(connection, "X", "Quan Một", None, "")
        await units.update(connection, made.unit_id, {"name": "Quận Một", "level": "quận"})
        await units.update(connection, made.unit_id, {})
    (found,) = await page(engines, Asked(EVERYTHING, 10, q="quan mot"))
    assert (found.name, found.level) == ("Quận Một", "quận")
    async with engines.writing.begin() as connection:
        assert await units.used_by(connection, made.unit_id) is None
        await units.delete(connection, made.unit_id)
    assert await page(engines, Asked(EVERYTHING, 10)) == []
