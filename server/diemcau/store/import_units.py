"""Imported units on record, and taking them back: a tree of a few thousand rows, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from diemcau import limits
from diemcau.domain.names import fold
from diemcau.store import bulk, import_runs, imports
from diemcau.store.import_undo import Page
from diemcau.store.imports import Node
from diemcau.store.schema import account_grant, attendee, point, session, unit, unit_contact, upload_link

if TYPE_CHECKING:
    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection
    from diemcau.store.import_runs import Noted, Run

HOLDS = (
    point.c.unit_id,
    attendee.c.unit_id,
    session.c.unit_id,
    account_grant.c.unit_id,
    unit_contact.c.unit_id,
    upload_link.c.unit_id,
    unit.c.predecessor_id,
)
Nodes = Mapping[str, Node]


async def record(
    connection: Connection, values: Mapping[str, Any], before: Nodes, after: Nodes, codes: Collection[str]
) -> int:
    """Put an import of units on record once it is written; `codes` are those that it added or changed."""
    run_id = await import_runs.insert(connection, values)
    journal: list[tuple[Any, ...]] = []
    encode = msgspec.msgpack.encode
    for code in codes:
        if code in before:
            old = encode(import_runs.Before(_values(before[code])))
            journal.append((code, "changed", old, encode(_values(after[code]))))
        else:
            journal.append((code, "added", None, encode(_added(after[code]))))
    await import_runs.note(connection, run_id, 1, journal)
    return run_id


def _values(node: Node) -> dict[str, Any]:
    return {"name": node.name, "level": node.level, "parent": node.parent}


def _added(node: Node) -> tuple[list[str], list[list[Any]]]:
    values = _values(node)
    return list(values), [[node.code, *values.values()]]


async def take_back(connection: Connection, run: Run, scope: Scope) -> Page:
    """Undo all that an import of units did and that still is as it left it: first what changed, then what is new."""
    page = Page()
    rows = await import_runs.everything(connection, run.run_id)
    await _restore(connection, [row for row in rows if row.change == "changed"], scope, page)
    await _remove(connection, [row for row in rows if row.change == "added"], scope, page)
    await import_runs.strike(connection, run.run_id, {row.number for row in rows} - page.open)
    return page


async def _restore(connection: Connection, rows: list[Noted], scope: Scope, page: Page) -> None:
    nodes = await imports.nodes(connection)
    parents = {code: node.parent for code, node in nodes.items()}
    updates: list[tuple[Any, ...]] = []
    moved: dict[str, str | None] = {}
    for row in rows:
        now, before = nodes.get(row.code), row.before.values if row.before else {}
        above = before.get("parent")
        if now is None or (above is not None and above not in nodes):
            page.keep(row, "gone")
        elif _values(now) != row.after or _below(row.code, above, parents):
            page.keep(row, "changed")
        elif not (scope.covers(now.path) and (above == now.parent or scope.covers(nodes[above].path if above else ""))):
            page.keep(row, "forbidden")
        else:
            updates.append((before["name"], fold(before["name"]), before["level"], now.unit_id))
            if above != now.parent:
                moved[row.code] = parents[row.code] = above
            page.done += 1
    await bulk.update(connection, unit, ["id"], ["name", "name_folded", "level"], updates)
    if moved:
        await imports.place_units(connection, moved)


def _below(code: str, at: str | None, parents: Mapping[str, str | None]) -> bool:
    """Whether the unit `at` is `code` or stands below it: there it cannot hang."""
    while at is not None:
        if at == code:
            return True
        at = parents.get(at)
    return False


async def _remove(connection: Connection, rows: list[Noted], scope: Scope, page: Page) -> None:
    """The new units, children before their parents; one that something stands in or below stays."""
    nodes = await imports.nodes(connection)
    held = await _in_use(connection, [nodes[row.code].unit_id for row in rows if row.code in nodes])
    children: dict[str | None, int] = {}
    for node in nodes.values():
        children[node.parent] = children.get(node.parent, 0) + 1
    gone: list[Node] = []
    by_depth = sorted(rows, key=lambda row: nodes[row.code].path if row.code in nodes else "", reverse=True)
    for row in by_depth:
        now = nodes.get(row.code)
        if now is None:
            page.done += 1
        elif _values(now) != row.after:
            page.keep(row, "changed")
        elif not scope.covers(now.path):
            page.keep(row, "forbidden")
        elif now.unit_id in held or children.get(row.code):
            page.keep(row, "in_use")
        else:
            gone.append(now)
            children[now.parent] -= 1
            page.done += 1
    # One by one, the deepest first: each names its parent until it is gone.
    for node in gone:
        await connection.execute(sa.delete(unit).where(unit.c.id == node.unit_id))


async def _in_use(connection: Connection, ids: Sequence[int]) -> set[int]:
    held: set[int] = set()
    for some in (
        ids[start : start + limits.IMPORT_CHUNK_ROWS] for start in range(0, len(ids), limits.IMPORT_CHUNK_ROWS)
    ):
        for column in HOLDS:
            held.update((await connection.execute(sa.select(column).where(column.in_(some)).distinct())).scalars())
    return held
