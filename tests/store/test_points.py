"""Bridge points in both databases."""

from __future__ import annotations

import sample
import sqlalchemy as sa

from diemcau.domain.authority import Scope
from diemcau.domain.models import PointMode
from diemcau.store import points
from diemcau.store.engine import Engines
from diemcau.store.lists import Asked
from diemcau.store.schema import pairing, point

EVERYTHING = Scope(("",))


async def test_points_come_by_unit_and_code(engines: Engines) -> None:
    """Pages reach every hall once, in the order of the tree, whatever the database's collation."""
    conference = await sample.fill(engines)
    async with engines.writing.begin() as connection:
        for code in ("A_1", "A-1", "Z.1", "10"):
            await points.insert(connection, code, conference.units["HN-001"], {"name": "Sảnh"})
    seen: list[str] = []
    after = None
    async with engines.read() as connection:
        while rows := await points.listed(connection, Asked(EVERYTHING, 3, after=after)):
            seen += [row.code for row in rows]
            after = (rows[-1].unit_path, rows[-1].code)
    assert seen == ["HN-0001", "10", "A-1", "A_1", "HN-0002", "Z.1", "HN-0003", "HN-0004"]


async def test_search_and_scope_narrow_the_list(engines: Engines) -> None:
    """A hall is found by part of its name or the beginning of its code, inside one's own units only."""
    conference = await sample.fill(engines)
    own = Scope((conference.paths["HN-002"],))
    async with engines.read() as connection:
        for scope, q, expected in (
            (EVERYTHING, "hoi truong quan uy", ["HN-0002", "HN-0003"]),
            (EVERYTHING, "hn-0004", ["HN-0004"]),
            (own, "hoi truong", ["HN-0003"]),
            (own, "", ["HN-0003", "HN-0004"]),
        ):
            rows = await points.listed(connection, Asked(scope, 10, q))
            assert [row.code for row in rows] == expected, q


async def test_point_is_read_whole(engines: Engines) -> None:
    """What a coordinator needs to call a hall is in its row."""
    conference = await sample.fill(engines)
    async with engines.writing.begin() as connection:
        values = {"name": "Nhà văn hoá", "mode": PointMode.TV, "contact_phone": "0904", "note": "cửa sau"}
        await points.insert(connection, "P", conference.units["HN-001"], values)
        found = await points.get(connection, "P")
        await points.update(connection, found.point_id, {"name": "Hội trường"})
        changed = await points.get(connection, "P")
    assert (found.unit_code, found.unit_path) == ("HN-001", conference.paths["HN-001"])
    assert (found.mode, found.capacity, found.contact_phone, found.note) == (PointMode.TV, 0, "0904", "cửa sau")
    assert changed.name == "Hội trường"


async def test_unused_point_goes_with_its_pairing_codes(engines: Engines) -> None:
    """A code that was never used must not keep a hall, made by mistake, for ever."""
    conference = await sample.fill(engines)
    async with engines.writing.begin() as connection:
        await points.insert(connection, "P", conference.units["HN-001"], {"name": "Tạm"})
        made = await points.get(connection, "P")
        await connection.execute(
            sa.insert(pairing).values(
                code_hash=b"x" * 32, point_id=made.point_id, kind="operator", made_by="root", expires_ms=1
            )
        )
        assert await points.used_by(connection, made.point_id) is None
        assert await points.used_by(connection, conference.points["HN-0001"]) == "session"
        await points.delete(connection, made.point_id)
        assert (await connection.execute(sa.select(point.c.id).where(point.c.code == "P"))).first() is None
