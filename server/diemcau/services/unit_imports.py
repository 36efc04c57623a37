"""A file of units against the tree that is there: what is new, what changes, what cannot be. No database here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from diemcau import limits
from diemcau.domain.names import fold
from diemcau.errors import Finding
from diemcau.services.import_reading import told_of
from diemcau.wire.imports import ImportPreview, ImportRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diemcau.domain.authority import Scope
    from diemcau.intake.frames import Ended, Opened
    from diemcau.store.imports import Node


@dataclass(frozen=True, slots=True)
class Table:
    """The file: its rows with their numbers, and the codes of rows that could not be read."""

    opened: Opened
    rows: list[tuple[int, list[str | int]]]
    spoilt: frozenset[str]


@dataclass(slots=True)
class Change:
    """What the file would do.

    inserts: code, name, folded name, level; the levels of the tree one after the other, each in the file's order.
    updates: name, folded name, level, id. `parents`: the units that hang elsewhere now, the new ones among them.
    same: codes of rows that change nothing.
    """

    inserts: list[tuple[str, str, str, str]] = field(default_factory=list)
    updates: list[tuple[str, str, str, int]] = field(default_factory=list)
    parents: dict[str, str | None] = field(default_factory=dict)
    updated: int = 0
    unchanged: int = 0
    same: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    @property
    def worth_writing(self) -> bool:
        """Whether anything would change."""
        return bool(self.inserts or self.updates or self.parents)


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    code: str
    name: str
    folded: str
    parent: str | None
    level: str


def compare(table: Table, nodes: Mapping[str, Node], scope: Scope) -> Change:
    """What a file would do to the tree; its findings tell why it may not."""
    rows = _named_parents({row.code: row for row in _rows(table, nodes)}, nodes, scope)
    above = {code: node.parent for code, node in nodes.items()} | {code: row.parent for code, row in rows.items()}
    depths = _depths(above)
    change = Change()
    for row in rows.values():
        reason = _refusal(row, above, depths, nodes, scope) if row.parent not in table.spoilt else None
        if reason:
            column, value = ("code", row.code) if reason == "reason.forbidden" else ("parent_code", row.parent or "")
            change.findings.append(Finding(row.number, table.opened.headers.get(column, column), reason, value))
    if not change.findings:
        for row in sorted(rows.values(), key=lambda row: (depths.get(row.code, 0), row.number)):
            _sort_in(change, row, nodes.get(row.code))
    return change


def _rows(table: Table, nodes: Mapping[str, Node]) -> list[_Row]:
    """The rows with what the file does not say taken from the tree: an absent column changes nothing."""
    rows: list[_Row] = []
    unsaid = set(table.opened.unsaid)
    for number, cells in table.rows:
        every = zip(table.opened.fields, cells, strict=True)
        named = {name: str(cell) for name, cell in every if name not in unsaid}
        before = nodes.get(named["code"])
        parent = named.get("parent_code", (before.parent or "") if before else "")
        level = named.get("level", before.level if before else "")
        rows.append(_Row(number, named["code"], named["name"], named["name_folded"], parent or None, level))
    return rows


def _named_parents(rows: dict[str, _Row], nodes: Mapping[str, Node], scope: Scope) -> dict[str, _Row]:
    """The rows with the code of a parent that the file names by name, where exactly one unit is called so.

    Where several are, the name stays: it is no unit's code, and the row is a finding.
    """
    if all(row.parent is None or row.parent in nodes or row.parent in rows for row in rows.values()):
        return rows
    called: dict[str, set[str]] = {}
    for code, node in nodes.items():
        if scope.touches(node.path):
            called.setdefault(fold(node.name), set()).add(code)
    for code, row in rows.items():
        called.setdefault(row.folded, set()).add(code)
    found: dict[str, _Row] = {}
    for code, row in rows.items():
        parent = row.parent
        if parent is not None and parent not in nodes and parent not in rows:
            upper, named = parent.upper(), called.get(fold(parent), set())
            if upper in nodes or upper in rows:
                parent = upper
            elif len(named) == 1:
                parent = next(iter(named))
        found[code] = replace(row, parent=parent)
    return found


def _depths(above: Mapping[str, str | None]) -> dict[str, int]:
    """How many units stand above each; units in a circle, or below one that does not exist, have no depth."""
    depths: dict[str, int] = {}
    endless: set[str] = set()
    for start in above:
        way: dict[str, None] = {}
        code: str | None = start
        while code is not None and code in above and code not in depths and code not in endless and code not in way:
            way[code] = None
            code = above[code]
        if code is not None and code not in depths:
            endless.update(way)
            continue
        depth = -1 if code is None else depths[code]
        for step in reversed(way):
            depth += 1
            depths[step] = depth
    return depths


def _refusal(
    row: _Row,
    above: Mapping[str, str | None],
    depths: Mapping[str, int],
    nodes: Mapping[str, Node],
    scope: Scope,
) -> str | None:
    """Why a row cannot be taken over; None when it can."""
    if row.parent is not None and row.parent not in above:
        return "reason.parent_unknown"
    if row.code not in depths:
        return "reason.cycle" if _in_circle(row.code, above) else None
    before = nodes.get(row.code)
    if before is not None and not scope.covers(before.path):
        return "reason.forbidden"
    if (before is None or before.parent != row.parent) and not scope.covers(_path_of(row.parent, above, nodes)):
        return "reason.forbidden"
    return None


def _in_circle(code: str, above: Mapping[str, str | None]) -> bool:
    seen: set[str] = set()
    at = above[code]
    while at is not None and at in above and at not in seen:
        if at == code:
            return True
        seen.add(at)
        at = above[at]
    return False


def _path_of(code: str | None, above: Mapping[str, str | None], nodes: Mapping[str, Node]) -> str:
    """The path of the nearest unit at or above `code` that exists already; "" at the top."""
    while code is not None and code not in nodes:
        code = above[code]
    return nodes[code].path if code is not None else ""


def _sort_in(change: Change, row: _Row, before: Node | None) -> None:
    if before is None:
        change.inserts.append((row.code, row.name, row.folded, row.level))
        change.parents[row.code] = row.parent
        return
    renamed = (row.name, row.level) != (before.name, before.level)
    moved = row.parent != before.parent
    if renamed:
        change.updates.append((row.name, row.folded, row.level, before.unit_id))
    if moved:
        change.parents[row.code] = row.parent
    change.updated += renamed or moved
    change.unchanged += not (renamed or moved)
    if not (renamed or moved):
        change.same.add(row.code)


def preview(ended: Ended, table: Table, change: Change) -> ImportPreview:
    """What a trial tells of a file of units."""
    new = {code for code, *_ in change.inserts}
    bad = {finding.row for finding in change.findings}
    shown = []
    for number, cells in table.rows[: limits.IMPORT_ROWS_SHOWN]:
        named = {name: str(cell) for name, cell in zip(table.opened.fields, cells, strict=True)}
        named.pop("name_folded", None)
        state: Literal["new", "changed", "unchanged"] = "new" if named["code"] in new else "changed"
        if named["code"] in change.same:
            state = "unchanged"
        shown.append(ImportRow(number, "rejected" if number in bad else state, named, table.opened.sheet))
    told = told_of(ended, change.findings, len(change.findings))
    told.fields = [name for name in table.opened.fields if name != "name_folded"]
    told.rows = shown
    return told
