"""Where a sheet names its columns, and which is which: below titles, in one row or two, as people write it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from diemcau.domain.names import fold, tidy
from diemcau.intake.frames import SheetChoice
from diemcau.intake.tables import NUMBERING, Column

ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]|\*")
"""What stands in brackets in a header, and the star of a required column, name nothing."""


@dataclass(frozen=True, slots=True)
class Header:
    """Column names read: which column stands where.

    places: by column, its index and the header as written. `ignored`: headers that mean nothing here.
    missing, doubled, unknown: columns that must be there and are not, headers that stand there twice, and headers that
    somebody named and that are not there.
    number: the index of the running numbers. cells: the headers, one a column.
    """

    places: dict[Column, tuple[int, str]] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    missing: list[Column] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    number: int | None = None
    cells: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether rows can be read by it."""
        return not (self.missing or self.doubled or self.unknown)


@dataclass(frozen=True, slots=True)
class Found:
    """A header and where it ends: the place, from 0, of its last row among those looked at."""

    header: Header
    last: int


def read_header(
    cells: Sequence[str], columns: tuple[Column, ...], chosen: Mapping[str, str | int | None] | None = None
) -> Header:
    """Find each column by what somebody chose, else by the best of its names that stands in the header row."""
    header = Header(cells=list(cells))
    where = _where(header, columns)
    taken: set[int] = set()
    chosen = chosen or {}
    for column in columns:
        if column.field in chosen:
            index = _chosen(header, where, chosen[column.field])
            if index is not None:
                header.places[column] = (index, _shown(cells, index))
                taken.add(index)
    for column in columns:
        if column.field in chosen:
            continue
        found = [where[name] for name in _names(column) if name in where and where[name] not in taken]
        if found:
            header.places[column] = (found[0], cells[found[0]])
            taken.add(found[0])
    header = _with_names_joined(header, columns)
    there = {column.field for column in header.places}
    if {"family_name", "given_name"} <= there:
        there.add("full_name")
    header.missing.extend(c for c in columns if c.required and not c.asked and c.field not in there)
    used = {index for index, _ in header.places.values()}
    header.ignored.extend(cell for index, cell in enumerate(cells) if cell and index not in used)
    numbers = (where[name] for name in NUMBERING if name in where and where[name] not in used)
    return Header(
        header.places, header.ignored, header.missing, header.doubled, header.unknown, next(numbers, None), list(cells)
    )


def find_header(rows: Sequence[Sequence[str]], columns: tuple[Column, ...], choice: SheetChoice) -> Found | None:
    """The header among the first rows of a sheet: the row, or two rows one above the other, that name the most.

    None when no row names anything.
    """
    if choice.header_row is not None:
        return _at(rows, columns, choice)
    best: tuple[tuple[bool, int, int], Found] | None = None
    for at, cells in enumerate(rows):
        if not any(cells):
            continue
        header = read_header(cells, columns, choice.columns)
        found, last = header, at
        if at + 1 < len(rows) and any(rows[at + 1]):
            both = read_header(stacked(cells, rows[at + 1], columns), columns, choice.columns)
            if (both.complete, len(both.places)) > (header.complete, len(header.places)):
                found, last = both, at + 1
        # Columns chosen by number fit every row: what is known by name tells the header from a title.
        worth = (found.complete, recognized(found.cells, columns), len(found.places))
        if found.places and (best is None or worth > best[0]):
            best = (worth, Found(found, last))
    return best[1] if best else None


def _at(rows: Sequence[Sequence[str]], columns: tuple[Column, ...], choice: SheetChoice) -> Found | None:
    last = (choice.header_row or 0) - 1
    if last >= len(rows):
        return None
    if last < 0:
        width = max((len(row) for row in rows), default=0)
        return Found(read_header([""] * width, columns, choice.columns), -1)
    header = read_header(rows[last], columns, choice.columns)
    if last > 0:
        both = read_header(stacked(rows[last - 1], rows[last], columns), columns, choice.columns)
        if (both.complete, len(both.places)) > (header.complete, len(header.places)):
            header = both
    return Found(header, last)


def stacked(top: Sequence[str], bottom: Sequence[str], columns: tuple[Column, ...]) -> list[str]:
    """Two header rows as one: of each column what is known here, the lower before the upper before both joined."""
    known = known_names(columns) | NUMBERING
    width = max(len(top), len(bottom))
    cells: list[str] = []
    for above, below in zip(_padded(top, width), _padded(bottom, width), strict=True):
        joined = " ".join(filter(None, (above, below)))
        cells.append(next((text for text in (joined, below, above) if _key(text, known) in known), below or above))
    return cells


def recognized(cells: Sequence[str], columns: tuple[Column, ...]) -> int:
    """How many of the cells are headers known here: tells a header row, and the right separator."""
    known = known_names(columns)
    return len(known & {_key(cell, known) for cell in cells})


def known_names(columns: tuple[Column, ...]) -> set[str]:
    """Every header that means something here, folded."""
    return {name for column in columns for name in _names(column)}


def _where(header: Header, columns: tuple[Column, ...]) -> dict[str, int]:
    """Where each header stands; those of columns known here that stand there twice are noted."""
    known = known_names(columns)
    where: dict[str, int] = {}
    for index, cell in enumerate(header.cells):
        name = _key(cell, known)
        if name in where and name in known:
            header.doubled.append(cell)
        if name:
            where.setdefault(name, index)
    return where


def _chosen(header: Header, where: Mapping[str, int], choice: str | int | None) -> int | None:
    if choice is None or choice == "":
        return None
    if isinstance(choice, int):
        if 1 <= choice <= max(len(header.cells), 1):
            return choice - 1
    elif fold(choice) in where:
        return where[fold(choice)]
    else:
        for index, cell in enumerate(header.cells):
            if tidy(cell) == tidy(choice) and cell:
                return index
    header.unknown.append(str(choice))
    return None


def _with_names_joined(header: Header, columns: tuple[Column, ...]) -> Header:
    """A full name wins over its halves; "Tên" alone is all of a name."""
    by_field = {column.field: column for column in header.places}
    full = next((column for column in columns if column.field == "full_name"), None)
    given = by_field.get("given_name")
    if full is None or (given is None and "family_name" not in by_field):
        return header
    if full not in header.places and given and "family_name" not in by_field:
        header.places[full] = header.places.pop(given)
    if full in header.places:
        for name in ("family_name", "given_name"):
            if name in by_field:
                header.places.pop(by_field[name], None)
    return header


def _shown(cells: Sequence[str], index: int) -> str:
    return (cells[index] if index < len(cells) else "") or column_letters(index)


def column_letters(index: int) -> str:
    """How a spreadsheet calls a column, from 0: A, B, …, Z, AA."""
    letters = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


def _key(cell: str, known: set[str]) -> str:
    """The header folded, without what stands in brackets where it is not known with it."""
    name = fold(cell)
    if name in known or not ASIDE.search(cell):
        return name
    return fold(ASIDE.sub(" ", cell)) or name


def _names(column: Column) -> list[str]:
    return [fold(name) for name in (column.field, *column.names)]


def _padded(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *([""] * (width - len(cells)))]
