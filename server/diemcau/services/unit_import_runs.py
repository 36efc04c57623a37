"""Imports of units on record: the tree is small, so that a list of them is written, and taken back, in one step."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.domain.authority import Account, Actor, Scope, System
from diemcau.services import board
from diemcau.store import import_runs, import_units
from diemcau.wire import import_runs as wire

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.services.unit_imports import Change
    from diemcau.store.engine import Connection
    from diemcau.store.import_runs import Run
    from diemcau.store.imports import Node


def unit_above(paths: Collection[str], by_id: Mapping[int, str]) -> int | None:
    """The lowest unit with all of these at or below it; None when there is none but the whole tree."""
    low, high = min(paths, default=""), max(paths, default="")
    common = next((at for at, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), len(low))
    path = low[: low.rfind(".", 0, common) + 1]
    return next((unit_id for unit_id, its in by_id.items() if its == path), None) if path else None


def maker(actor: Actor) -> str:
    """Who did it, as kept on record."""
    return actor.name if isinstance(actor, Account | System) else ""


async def record(  # noqa: PLR0913 what was, what is, and what a run is
    actor: Actor,
    context: Context,
    connection: Connection,
    file_name: str,
    change: Change,
    trees: tuple[Mapping[str, Node], Mapping[str, Node]],
) -> int:
    """Put a change of the tree on record, in the transaction that makes it; its number.

    trees: before and after.
    """
    before, after = trees
    codes = {row[0] for row in change.inserts} | set(change.parents)
    ids = {row[-1] for row in change.updates}
    codes |= {code for code, node in before.items() if node.unit_id in ids}
    paths = {path for code in codes for path in _places(before.get(code), after[code], trees)}
    values = {
        "what": "units",
        "mode": "add",
        "file_name": file_name,
        "made_ms": context.clock.now_ms(),
        "made_by": maker(actor),
        "unit_id": unit_above(paths, {node.unit_id: node.path for node in after.values()}),
    }
    run_id = await import_units.record(connection, values, before, after, codes)
    figures = {"added": len(change.inserts), "changed": change.updated, "unchanged": change.unchanged}
    await import_runs.set_state(connection, run_id, "done", ["staging"], figures)
    return run_id


def _places(old: Node | None, new: Node, trees: tuple[Mapping[str, Node], Mapping[str, Node]]) -> Iterator[str]:
    """The paths over which somebody must answer to make this change: one's own, or of the parents where it moves."""
    if old is not None and old.parent == new.parent:
        yield new.path
        return
    for tree, node in zip(trees, (old, new), strict=True):
        if node is not None:
            yield tree[node.parent].path if node.parent else ""


async def take_back(actor: Actor, context: Context, run: Run, scope: Scope) -> wire.ImportUndone:
    """Undo an import of units; `scope`: where the actor may change any."""
    del actor
    page = await context.writer.write(partial(import_units.take_back, run=run, scope=scope))
    context.identities.forget()  # grants hold paths, and paths may have changed
    await board.refresh_all(System(), context)
    kept = [wire.KeptRow(code, reason) for code, reason in page.kept[: limits.IMPORT_KEPT_SHOWN_MAX]]
    return wire.ImportUndone(page.done, len(page.kept), kept)
