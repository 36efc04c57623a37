"""A file of units against the tree: what it would change, and why it may not."""

from __future__ import annotations

import pytest

from diemcau.domain.authority import Scope
from diemcau.domain.names import fold
from diemcau.intake.frames import Opened
from diemcau.services.unit_imports import Change, Table, compare
from diemcau.store.imports import Node
from diemcau.store.units import path_step

FIELDS = ["code", "name", "parent_code", "level", "name_folded"]
HEADERS = {"code": "Mã", "name": "Tên", "parent_code": "Cấp trên", "level": "Cấp"}
EVERYTHING = Scope(("",))
TREE = ((1, "HN", None), (2, "HN-1", "HN"), (3, "HN-2", "HN"), (4, "HN-2-1", "HN-2"))


def tree() -> dict[str, Node]:
    """A city, two districts, one ward."""
    nodes: dict[str, Node] = {}
    for unit_id, code, parent in TREE:
        path = (nodes[parent].path if parent else "") + path_step(unit_id)
        nodes[code] = Node(unit_id, code, code, parent, "", path)
    return nodes


def change(*rows: tuple[str, str], scope: Scope = EVERYTHING, spoilt: frozenset[str] = frozenset()) -> Change:
    """What a file of codes and parents would do; names are the codes."""
    numbered: list[tuple[int, list[str | int]]] = [
        (number, [code, code, parent, "", fold(code)]) for number, (code, parent) in enumerate(rows, 2)
    ]
    return compare(Table(Opened(FIELDS, HEADERS, [], 0), numbered, spoilt), tree(), scope)


def refusals(made: Change) -> list[tuple[int, str, str, str]]:
    """Its findings."""
    return [(found.row, found.column, found.reason, found.value) for found in made.findings]


def test_children_may_come_first() -> None:
    """Levels are written one after the other, each in the file's order, whatever order the rows have."""
    made = change(("B-1", "B"), ("A-1", "A"), ("B", "HN"), ("A", "HN"))
    assert [code for code, *_ in made.inserts] == ["B", "A", "B-1", "A-1"]
    assert made.parents == {"B": "HN", "A": "HN", "B-1": "B", "A-1": "A"}
    assert made.worth_writing


def test_same_file_again_changes_nothing() -> None:
    """Importing twice is harmless."""
    made = change(*((code, parent or "") for _, code, parent in TREE))
    assert (made.unchanged, made.updated, made.worth_writing) == (4, 0, False)


def test_moved_unit_is_one_change() -> None:
    """A ward that belongs to another district now is moved, not made anew."""
    made = change(("HN-2-1", "HN-1"))
    assert (made.inserts, made.updated, made.parents) == ([], 1, {"HN-2-1": "HN-1"})


def test_absent_columns_change_nothing() -> None:
    """A file of codes and names leaves every unit where it is."""
    table = Table(Opened(["code", "name", "name_folded"], HEADERS, [], 0), [(2, ["HN-1", "Mới", "moi"])], frozenset())
    made = compare(table, tree(), EVERYTHING)
    assert made.updates == [("Mới", "moi", "", 2)]
    assert made.parents == {}


def test_unknown_parent_is_told_once() -> None:
    """The row that names a parent nobody knows is at fault, not those below it."""
    assert refusals(change(("A", "NO"), ("A-1", "A"))) == [(2, "Cấp trên", "reason.parent_unknown", "NO")]
    assert refusals(change(("A", "X"), spoilt=frozenset({"X"}))) == []


@pytest.mark.parametrize(
    ("rows", "at_fault"),
    [
        ([("A", "A")], [2]),
        ([("A", "B"), ("B", "A"), ("C", "B")], [2, 3]),
        ([("HN", "HN-2-1")], [2]),
        ([("A", "HN"), ("HN-2", "HN-2-1")], [3]),
    ],
)
def test_circles_are_found(rows: list[tuple[str, str]], at_fault: list[int]) -> None:
    """A unit below itself would have no place in the tree; only the rows that close the circle are named."""
    made = change(*rows)
    assert [(found.row, found.reason) for found in made.findings] == [(row, "reason.cycle") for row in at_fault]


@pytest.mark.parametrize(
    ("row", "allowed"),
    [
        (("HN-2", "HN"), True),
        (("NEW", "HN-2"), True),
        (("NEW", "HN-2-1"), True),
        (("HN-2-1", "HN"), False),
        (("HN-2", "HN-1"), False),
        (("HN-2", ""), False),
        (("NEW", "HN"), False),
        (("NEW", ""), False),
        (("HN-1", "HN-2"), False),
        (("HN", ""), False),
    ],
)
def test_scope_holds(row: tuple[str, str], allowed: bool) -> None:  # noqa: FBT001 a parameter of the test
    """A district's organizer rearranges the district and reaches nothing beside or above it (I5)."""
    made = change(row, scope=Scope((tree()["HN-2"].path,)))
    assert [found.reason for found in made.findings] == ([] if allowed else ["reason.forbidden"])


def test_way_out_of_scope_through_new_units_is_closed() -> None:
    """A chain of new units that ends outside is outside, however long."""
    made = change(("A", "B"), ("B", "HN-1"), scope=Scope((tree()["HN-2"].path,)))
    assert [found.reason for found in made.findings] == ["reason.forbidden"] * 2
