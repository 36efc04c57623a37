"""From cells to rows for the database, and to findings about what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from diemcau import limits
from diemcau.domain import phones
from diemcau.domain.names import fold, sort_key, tidy
from diemcau.errors import Finding, ImportFileError
from diemcau.intake.sheets import Cell, Sheet, Spoilt
from diemcau.intake.tables import MODES, Column, Header, Rule, read_header

CODE = re.compile(r"[A-Z0-9._-]{1,40}")
CAPACITY_MAX = 1_000_000
SHOWN_CHARS_MAX = 80
Value = str | int


@dataclass(frozen=True, slots=True)
class Row:
    """A row read: its values in the order of `Reading.fields`; not fit when there are findings about it."""

    number: int
    values: list[Value]
    fit: bool


class _BadCellError(Exception):
    """A cell that cannot be taken over; its argument is the reason's key."""


@dataclass(slots=True)
class Findings:
    """The first `IMPORT_FINDINGS_MAX` things wrong, and how many there are."""

    kept: list[Finding] = field(default_factory=list)
    total: int = 0

    def add(self, row: int, column: str, reason: str, value: str = "") -> None:
        """Note one."""
        self.total += 1
        if len(self.kept) < limits.IMPORT_FINDINGS_MAX:
            self.kept.append(Finding(row, _shown(column), reason, _shown(value)))


@dataclass(slots=True)
class Reading:
    """One table being read. After `rows()` the rest is known.

    fields: of each row, in order: those of the columns found, then what is derived from name and telephone.
    spoilt: codes of rows with findings: they stand in the file, so that others may refer to them.
    """

    sheet: Sheet
    columns: tuple[Column, ...]
    header: Header = field(default_factory=Header)
    findings: Findings = field(default_factory=Findings)
    spoilt: set[str] = field(default_factory=set)
    read: int = 0
    _width: int = 0
    _first_row: dict[str, int] = field(default_factory=dict)

    @property
    def fields(self) -> list[str]:
        """The names of a row's values."""
        names = [column.field for column in self.header.places]
        derived = {"name": ["name_folded"], "full_name": ["name_folded", "sort_key"], "phone": ["phone_digits"]}
        return [*names, *(extra for name in names for extra in derived.get(name, []))]

    def open(self) -> bool:
        """Read the header; False when columns are missing, and no row can be read.

        Raises:
            ImportFileError: there is no row at all, or too many columns.
        """
        for number, cells in self.sheet.rows:
            if _broken(cells):
                self.findings.add(number, "", "reason.quotes")
                return False
            texts = ["" if isinstance(cell, Spoilt) else tidy(cell) for cell in cells]
            if any(texts):
                if len(texts) > limits.IMPORT_COLUMNS_MAX:
                    raise ImportFileError("import_too_large")
                self._width = len(texts)
                self.header = read_header(texts, self.columns)
                for column in self.header.missing:
                    self.findings.add(number, column.label, "reason.column_missing")
                for name in self.header.doubled:
                    self.findings.add(number, name, "reason.column_doubled")
                return not self.findings.total
        raise ImportFileError("import_empty")

    def rows(self) -> Iterator[Row]:
        """Each row that is not empty.

        Raises:
            ImportFileError: too many rows.
        """
        width = max(index for index, _ in self.header.places.values()) + 1
        for number, cells in self.sheet.rows:
            if not any(cells):
                continue
            self.read += 1
            if self.read > limits.IMPORT_ROWS_MAX:
                raise ImportFileError("import_too_large")
            if _broken(cells):
                self.findings.add(number, "", "reason.quotes")
                return
            yield self._row(number, cells + [""] * (width - len(cells)))
        if not self.read:
            raise ImportFileError("import_empty")

    def _row(self, number: int, cells: list[Cell]) -> Row:
        before = self.findings.total
        if self.sheet.ragged and any(cells[self._width :]):
            self.findings.add(number, "", "reason.too_many_cells", str(cells[-1]))
        values: list[Value] = []
        name, phone = "", None
        for column, (index, header) in self.header.places.items():
            cell = cells[index]
            try:
                value = read_cell(column, cell)
            except _BadCellError as bad:
                self.findings.add(number, header, str(bad), cell.text if isinstance(cell, Spoilt) else cell)
                value = ""
            values.append(value)
            if column.rule is Rule.NAME:
                name = str(value)
            elif column.field == "phone":
                phone = str(value)
        code = str(values[0])
        self._note_code(number, code)
        values.append(fold(name))
        if self.columns[1].field == "full_name":
            values.append(sort_key(name))
        if phone is not None:
            values.append(phones.digits(phone))
        fit = self.findings.total == before
        if not fit:
            self.spoilt.add(code)
        return Row(number, values, fit)

    def _note_code(self, number: int, code: str) -> None:
        if not code:
            return
        first = self._first_row.setdefault(code, number)
        if first != number:
            self.findings.add(number, self.header.places[self.columns[0]][1], "reason.duplicate", code)


def _broken(cells: list[Cell]) -> bool:
    return bool(cells) and isinstance(cells[0], Spoilt) and cells[0].reason == "reason.quotes"


def read_cell(column: Column, cell: Cell) -> Value:
    """The value a cell has under its column's rule.

    Raises:
        _BadCellError: it has none; the argument is the reason's key.
    """
    if isinstance(cell, Spoilt):
        raise _BadCellError(cell.reason)
    text = tidy(cell)
    if not text:
        if column.required:
            raise _BadCellError("reason.empty")
        return EMPTY.get(column.rule, "")
    return READ[column.rule](text)


def _code(text: str) -> str:
    code = text.upper()
    if not CODE.fullmatch(code):
        raise _BadCellError("reason.bad_code")
    return code


def _name(text: str) -> str:
    return _short(text, limits.NAME_CHARS_MAX)


def _text(text: str) -> str:
    return _short(text, limits.TEXT_CHARS_MAX)


def _short(text: str, chars_max: int) -> str:
    if len(text) > chars_max:
        raise _BadCellError("reason.too_long")
    return text


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= CAPACITY_MAX):
        raise _BadCellError("reason.bad_count")
    return int(text)


def _mode(text: str) -> str:
    mode = MODES.get(fold(text))
    if mode is None:
        raise _BadCellError("reason.bad_mode")
    return mode


EMPTY: dict[Rule, Value] = {Rule.COUNT: 0, Rule.MODE: "online"}
READ: dict[Rule, Callable[[str], Value]] = {
    Rule.CODE: _code,
    Rule.NAME: _name,
    Rule.TEXT: _text,
    Rule.COUNT: _count,
    Rule.MODE: _mode,
}


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS_MAX else text[: SHOWN_CHARS_MAX - 1] + "…"
