"""Imported lists in the database: what is there already, and how rows of a list are written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.store import bulk
from diemcau.store.bulk import StaleError
from diemcau.store.schema import attendee, invitation, point, unit
from diemcau.store.units import path_step

if TYPE_CHECKING:
    from diemcau.store.engine import Connection

__all__ = ["Known", "Node", "StaleError", "Takeover"]

TABLES = {"points": point, "attendees": attendee}
CODES_A_QUERY = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """A point or attendee that is there already; `values` in the order of the columns asked for."""

    row_id: int
    unit_id: int
    unit_path: str
    values: tuple[Any, ...]


async def known(connection: Connection, what: str, codes: Collection[str], columns: Sequence[str]) -> dict[str, Known]:
    """The rows of `codes` that exist among the points or attendees."""
    table = TABLES[what]
    wanted = list(codes)
    found: dict[str, Known] = {}
    for start in range(0, len(wanted), CODES_A_QUERY):
        query = (
            sa.select(table.c.code, table.c.id, table.c.unit_id, unit.c.path, *(table.c[name] for name in columns))
            .join(unit, unit.c.id == table.c.unit_id)
            .where(table.c.code.in_(wanted[start : start + CODES_A_QUERY]))
        )
        for code, row_id, unit_id, path, *values in await connection.execute(query):
            found[code] = Known(row_id, unit_id, path, tuple(values))
    return found


async def unit_places(connection: Connection) -> dict[str, tuple[int, str]]:
    """Every unit's id and path by its code."""
    rows = await connection.execute(sa.select(unit.c.code, unit.c.id, unit.c.path))
    return {code: (unit_id, path) for code, unit_id, path in rows}


async def point_ids(connection: Connection) -> dict[str, int]:
    """Every point's id by its code."""
    rows = await connection.execute(sa.select(point.c.code, point.c.id))
    return dict(rows.all())


@dataclass(slots=True)
class Takeover:
    """A list made ready for the database.

    inserts: code, then the values of `columns`; `updates`: these values, then id, code and the unit as it was.
    befores: for each update the values of `columns` as they were.
    renamed: (folded name, attendee id) of the people whose name changes.
    """

    what: str
    columns: list[str]
    inserts: list[tuple[Any, ...]] = field(default_factory=list)
    updates: list[tuple[Any, ...]] = field(default_factory=list)
    befores: list[tuple[Any, ...]] = field(default_factory=list)
    renamed: list[tuple[str, int]] = field(default_factory=list)

    def parts(self, rows: int) -> Iterator[Takeover]:
        """The same list in parts of at most `rows` changes: first what changes, then what is new."""
        id_place = len(self.columns)
        renamed = {attendee_id: name for name, attendee_id in self.renamed}
        for start in range(0, len(self.updates), rows):
            updates = self.updates[start : start + rows]
            names = [(renamed[row[id_place]], row[id_place]) for row in updates if row[id_place] in renamed]
            befores = self.befores[start : start + rows]
            yield Takeover(self.what, self.columns, updates=updates, befores=befores, renamed=names)
        for start in range(0, len(self.inserts), rows):
            yield Takeover(self.what, self.columns, inserts=self.inserts[start : start + rows])


async def take_over(connection: Connection, ready: Takeover) -> None:
    """Write the list, all of it.

    Raises:
        StaleError: someone wrote the same rows, or moved one to another unit, since the list was made ready.
    """
    table = TABLES[ready.what]
    # A deleted row's id may belong to another by now (SQLite): the code says who is meant.
    changed = await bulk.update(connection, table, ["id", "code", "unit_id"], ready.columns, ready.updates)
    if changed != len(ready.updates):
        raise StaleError
    await bulk.update(connection, invitation, ["attendee_id"], ["name_folded"], ready.renamed)
    await bulk.insert(connection, table, ["code", *ready.columns], ready.inserts)


# --- units -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Node:
    """A unit in the tree: what an import compares and changes."""

    unit_id: int
    code: str
    name: str
    parent: str | None
    level: str
    path: str


async def nodes(connection: Connection) -> dict[str, Node]:
    """Every unit by its code, parents before children."""
    parents = unit.alias("parents")
    query = (
        sa.select(unit.c.id, unit.c.code, unit.c.name, parents.c.code, unit.c.level, unit.c.path)
        .outerjoin(parents, parents.c.id == unit.c.parent_id)
        .order_by(unit.c.path)
    )
    return {row[1]: Node(*row) for row in await connection.execute(query)}


async def take_over_units(
    connection: Connection, inserts: Iterable[tuple[str, str, str, str]], updates: Sequence[tuple[Any, ...]]
) -> None:
    """Write units: `inserts` hold code, name, folded name and level, `updates` name, folded name, level and id.

    Their place in the tree comes with `place_units`.
    """
    rows = [(*values, f"new {values[0]}") for values in inserts]
    await bulk.insert(connection, unit, ["code", "name", "name_folded", "level", "path"], rows)
    await bulk.update(connection, unit, ["id"], ["name", "name_folded", "level"], updates)


async def place_units(connection: Connection, parents: Mapping[str, str | None]) -> None:
    """Hang each unit of `parents` below its parent, by codes, and carry everything below along."""
    ids: dict[str, int] = {}
    above: dict[str, str | None] = {}
    paths: dict[str, str] = {}
    for node in (await nodes(connection)).values():
        ids[node.code], above[node.code], paths[node.code] = node.unit_id, node.parent, node.path
    above.update(parents)
    children: dict[str | None, list[str]] = {}
    for code, parent in above.items():
        children.setdefault(parent, []).append(code)
    moved: list[tuple[Any, ...]] = []
    waiting = [(code, "") for code in children.get(None, [])]
    while waiting:
        code, prefix = waiting.pop()
        path = prefix + path_step(ids[code])
        if path != paths[code]:
            parent = above[code]
            moved.append((ids[parent] if parent else None, path, ids[code]))
        waiting.extend((child, path) for child in children.get(code, []))
    await bulk.update(connection, unit, ["id"], ["parent_id", "path"], moved)
