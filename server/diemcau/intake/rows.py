"""From cells to rows for the database, and to findings about what is wrong with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from diemcau import limits
from diemcau.domain import phones
from diemcau.domain.names import fold, sort_key, tidy
from diemcau.errors import Finding, ImportFileError
from diemcau.intake.cells import EMPTY, BadCellError, Value, read_cell
from diemcau.intake.frames import DERIVED, SheetChoice
from diemcau.intake.headers import Found, Header, find_header, read_header
from diemcau.intake.row_kinds import Kind, Rows
from diemcau.intake.sheets import Cell, Sheet, Spoilt
from diemcau.intake.tables import Column, Rule
from diemcau.wire.imports import ImportColumn, ImportSheet

TITLE_UNIT = re.compile(r"(?:đơn vị|tên đơn vị|unit)\s*:\s*(.*)", re.IGNORECASE)
SAMPLES = 3
TOP_ROWS = 12
SHOWN_CHARS_MAX = 80


@dataclass(frozen=True, slots=True)
class Row:
    """A row read: its values in the order of `Reading.fields`; not fit when there are findings about it."""

    number: int
    values: list[Value]
    fit: bool


@dataclass(slots=True)
class Findings:
    """The first `IMPORT_FINDINGS_MAX` things wrong, and how many there are."""

    kept: list[Finding] = field(default_factory=list)
    total: int = 0

    def add(self, row: int, column: str, reason: str, value: str = "", sheet: str = "") -> None:
        """Note one."""
        self.total += 1
        if len(self.kept) < limits.IMPORT_FINDINGS_MAX:
            self.kept.append(Finding(row, _shown(column), reason, _shown(value), sheet))


@dataclass(slots=True)
class Told:
    """What reading a file tells beside its rows; one for all of its sheets.

    spoilt: codes of rows with findings: they stand in the file, so that others may refer to them.
    skipped: rows that are no entries, by kind. notes: how often something was put right, by the key of its sentence.
    """

    findings: Findings = field(default_factory=Findings)
    spoilt: set[str] = field(default_factory=set)
    read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    codes: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Reading:
    """One sheet being read. After `rows()` the rest is known.

    alone: whether the file has no other sheet; otherwise findings name this one.
    unit: what the rows belong to by the sheet's title or name, where neither a column nor a heading says it.
    """

    sheet: Sheet
    columns: tuple[Column, ...]
    choice: SheetChoice = field(default_factory=SheetChoice)
    told: Told = field(default_factory=Told)
    alone: bool = True
    header: Header = field(default_factory=Header)
    header_row: int = 0
    unit: str = ""
    read: int = 0
    top: list[tuple[int, list[Cell]]] = field(default_factory=list)
    samples: dict[int, list[str]] = field(default_factory=dict)
    _waiting: list[tuple[int, list[Cell]]] = field(default_factory=list)
    _plan: list[tuple[Column, int | None, str]] = field(default_factory=list)
    _name_span: tuple[int, ...] = ()

    @property
    def findings(self) -> Findings:
        """What is wrong with the file so far."""
        return self.told.findings

    @property
    def spoilt(self) -> set[str]:
        """Codes of rows with findings."""
        return self.told.spoilt

    @property
    def fields(self) -> list[str]:
        """The names of a row's values, the same for every sheet of such a list."""
        names = [column.field for column in self.columns if not column.part]
        return [*names, *(extra for name in names for extra in DERIVED.get(name, ()))]

    @property
    def headers(self) -> dict[str, str]:
        """By field, the header as written, of the columns that stand in this sheet."""
        found = {column.field: header for column, (_, header) in self.header.places.items() if not column.part}
        halves = [header for column, (_, header) in self.header.places.items() if column.part]
        if halves and "full_name" not in found:
            found["full_name"] = " + ".join(halves)
        return found

    def open(self) -> bool:
        """Find the header; False when columns are missing, and no row can be read.

        Raises:
            ImportFileError: there is no row at all, or too many columns.
        """
        texts: list[list[str]] = []
        for number, cells in self.sheet.rows:
            self.top.append((number, cells))
            if _broken(cells):
                break
            texts.append(["" if isinstance(cell, Spoilt) else tidy(cell) for cell in cells])
            if len(cells) > limits.IMPORT_COLUMNS_MAX:
                raise ImportFileError("import_too_large")
            if len(texts) >= limits.IMPORT_HEADER_ROWS_MAX:
                break
        if not any(map(any, texts)):
            if self.top and _broken(self.top[-1][1]):
                self._find(self.top[-1][0], "", "reason.quotes")
                return False
            raise ImportFileError("import_empty")
        found = find_header(texts, self.columns, self.choice)
        if found is None:
            at = next(at for at, row in enumerate(texts) if any(row))
            found = Found(read_header(texts[at], self.columns, self.choice.columns), at)
        self.header = found.header
        self.header_row = self.top[found.last][0] if found.last >= 0 else 0
        self._complain()
        self._waiting = self.top[found.last + 1 :]
        self.unit = _title_unit(texts[: found.last + 1]) or self.unit
        self._lay_out(texts[found.last + 1 :])
        return self.header.complete

    def rows(self) -> Iterator[Row]:
        """Each entry.

        Raises:
            ImportFileError: too many rows, or none in the only sheet.
        """
        places = {column: index for column, (index, _) in self.header.places.items()}
        sort = Rows(self.columns, places, self.header.number, self._takes_headings, self.sheet.merges)
        width = max((index for index in places.values()), default=0) + 1
        for number, cells in chain(self._waiting, self.sheet.rows):
            if not any(cells):
                continue
            if _broken(cells):
                self.read += 1
                self.told.read += 1
                self._find(number, "", "reason.quotes")
                return
            whole = sort.filled(number, cells + [""] * (width - len(cells)))
            kind = sort.kind(number, whole)
            if kind is not Kind.ENTRY:
                self.told.skipped[kind.value] += 1
                continue
            self.read += 1
            self.told.read += 1
            if self.told.read > limits.IMPORT_ROWS_MAX:
                raise ImportFileError("import_too_large")
            if self.read <= SAMPLES:
                self._sample(whole)
            yield self._row(number, whole, sort.heading or self.unit)
        if not self.read and self.alone:
            raise ImportFileError("import_empty")

    def view(self) -> ImportSheet:
        """The sheet as it was understood, for whoever corrects that."""
        understood = self.header.complete
        fields = {index: column.field for column, (index, _) in self.header.places.items()}
        width = max([len(self.header.cells), *(len(cells) for _, cells in self.top[:TOP_ROWS])], default=0)
        columns = [
            ImportColumn(
                index + 1,
                _shown(self.header.cells[index]) if index < len(self.header.cells) else "",
                fields.get(index, ""),
                self.samples.get(index, []),
            )
            for index in range(width)
        ]
        top = [[_shown(_told(cell)) for cell in cells] for _, cells in self.top[:TOP_ROWS]]
        shown_row = self.header_row if self.header.places else 0
        return ImportSheet(self.sheet.name, shown_row, self.read, columns, [] if understood else top)

    @property
    def _takes_headings(self) -> bool:
        return any(column.field == "unit_code" for column in self.columns)

    def _complain(self) -> None:
        row = self.header_row
        for column in self.header.missing:
            self._find(row, column.label, "reason.column_missing")
        for name in self.header.doubled:
            self._find(row, name, "reason.column_doubled")
        for name in self.header.unknown:
            self._find(row, name, "reason.column_unknown")

    def _lay_out(self, below: list[list[str]]) -> None:
        """Which cell each value comes from, and where a name is in several cells."""
        places = {column.field: place for column, place in self.header.places.items()}
        self._plan = [(column, *places.get(column.field, (None, ""))) for column in self.columns if not column.part]
        halves = [places[name][0] for name in ("family_name", "given_name") if name in places]
        full = places.get("full_name")
        if halves:
            self._name_span = tuple(halves)
        elif full:
            self._name_span = self._span(full[0], below)

    def _span(self, index: int, below: list[list[str]]) -> tuple[int, ...]:
        """The cells of a name whose header is merged over two columns, or has one for the given name to its right."""
        used = {place for place, _ in self.header.places.values()}
        beside = index + 1
        if beside in used:
            return ()
        merged = any(
            left == index and right == beside and top < self.header_row <= bottom + 1
            for top, left, bottom, right in self.sheet.merges
        )
        header = self.header.cells[beside] if beside < len(self.header.cells) else ""
        if not merged and fold(header) != "ten":
            return ()
        pairs = [(row[index], row[beside]) for row in below if len(row) > beside and row[index] and row[beside]]
        if not merged and any(fold(name).split()[-1:] == fold(given).split()[-1:] for name, given in pairs):
            return ()  # the given name is told twice, for sorting
        return (index, beside) if pairs else ()

    def _row(self, number: int, cells: list[Cell], belongs: str) -> Row:
        before = self.findings.total
        if self.sheet.ragged and any(cells[len(self.header.cells) :]):
            self._find(number, "", "reason.too_many_cells", _told(cells[-1]))
        values: list[Value] = []
        name = ""
        phone = ""
        for column, index, header in self._plan:
            value = self._value(number, column, index, header, cells, belongs)
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
            values.append(phones.digits(phone))
        fit = self.findings.total == before
        if not fit and code:
            self.spoilt.add(code)
        return Row(number, values, fit)

    def _value(  # noqa: PLR0913 of the innermost loop: a place of its own for each would be slower
        self, number: int, column: Column, index: int | None, header: str, cells: list[Cell], belongs: str
    ) -> Value:
        if column.rule is Rule.NAME and self._name_span:
            halves = [cells[at] if at < len(cells) else "" for at in self._name_span]
            cell: Cell = next((half for half in halves if isinstance(half, Spoilt)), " ".join(map(_told, halves)))
        elif index is None:
            return belongs if column.field == "unit_code" else EMPTY.get(column.rule, "")
        else:
            cell = cells[index]
            if column.field == "unit_code" and belongs and not cell:
                return belongs
        try:
            value = read_cell(column, cell)
        except BadCellError as bad:
            self._find(number, header or self.headers.get(column.field, ""), str(bad), _told(cell))
            return ""
        if value != cell and column.rule is Rule.PHONE and str(value).startswith("0") and str(cell)[0] != "0":
            self.told.notes["import.note.zeros"] += 1
        return value

    def _note_code(self, number: int, code: str) -> None:
        if not code:
            return
        if code in self.told.codes:
            self._find(number, self.headers.get("code", "code"), "reason.duplicate", code)
        self.told.codes.add(code)

    def _find(self, row: int, column: str, reason: str, value: str = "") -> None:
        self.findings.add(row, column, reason, value, "" if self.alone else self.sheet.name)

    def _sample(self, cells: list[Cell]) -> None:
        for index, cell in enumerate(cells):
            if cell and len(texts := self.samples.setdefault(index, [])) < SAMPLES:
                texts.append(_shown(_told(cell)))


def _title_unit(rows: list[list[str]]) -> str:
    """The unit that a sheet's title names: "Đơn vị: Xã Cẩm Giàng"; "" when none does."""
    for row in rows:
        for at, cell in enumerate(row):
            found = TITLE_UNIT.fullmatch(cell)
            if found:
                return tidy(found[1] or next((text for text in row[at + 1 :] if text), "")).strip(" .…")
    return ""


def _told(cell: Cell) -> str:
    return cell.text if isinstance(cell, Spoilt) else cell


def _broken(cells: list[Cell]) -> bool:
    return bool(cells) and isinstance(cells[0], Spoilt) and cells[0].reason == "reason.quotes"


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS_MAX else text[: SHOWN_CHARS_MAX - 1] + "…"
