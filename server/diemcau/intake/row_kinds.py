"""What a row of a list is: an entry, a heading that names the unit of those below, a subtotal, a line at the foot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from diemcau.domain.names import fold, tidy
from diemcau.intake.headers import recognized
from diemcau.intake.sheets import Cell, Merge, Spoilt
from diemcau.intake.tables import CODE, NUMBERING, Column

NUMERAL = re.compile(r"(?:[IVXLC]{1,7}|[A-HK])\s*[.)]?")
"""A running numeral of headings, alone in its cell."""

PREFIX = re.compile(r"(?:[IVXLC]{1,7}|[A-HK]|\d{1,3}(?:\.\d{1,3})*)\s*[.)\-–/:]\s*(?=\D)|[IVX]{1,5}\s+(?=\D)")
"""A numeral in front of a heading's text: "II. ", "A/ ", "3) "."""

SUFFIX = re.compile(
    r"\s*[:(\-–]?\s*\(?\s*(?:gồm|có)?\s*\d{1,5}\s*"
    r"(?:đại biểu|đ/c|đồng chí|người|đb|điểm cầu|delegates|people)\.?\s*\)?$|\s*:$",
    re.IGNORECASE,
)
"""How many there are, behind a heading's text."""

TOTAL = re.compile(r"(?:tổng cộng|tổng số|tổng|cộng|subtotal|grand total|total)(?=$|[\s:.,;(/])", re.IGNORECASE)
PLAIN_TOTALS = frozenset({"tong cong", "cong", "tong", "tong so"})
FOOT = re.compile(
    r"(?:noi nhan|nguoi (?:lap|tong hop)|can bo (?:lap|tong hop)|thu truong|xac nhan cua|ky ghi ro|ky ten"
    r"|danh sach (?:nay )?(?:gom|co) |an dinh danh sach|(?:kt|tm|tl|tuq|t m|k t|t l) \w|(?:pho )?chu tich$"
    r"|.{0,60}\bngay .{0,8}\bthang .{0,8}\bnam\b)"
)
"""Lines below a list, folded: who gets it, who signs, where and when."""

FOOTNOTE = re.compile(r"(?:ghi chú|lưu ý|note)\s*:", re.IGNORECASE)
COUNTER = re.compile(r"\(?\d{1,2}\)?")
LETTER = re.compile(r"[A-Z]")
FILLED = frozenset({"unit_code", "point_code", "title", "parent_code", "level", "cluster", "carrier", "note"})
"""Columns whose merged cells speak for every row they span."""


class Kind(Enum):
    """What becomes of a row."""

    ENTRY = "entry"
    HEADING = "headings"
    TOTAL = "totals"
    FOOT = "foot"
    BLANK = "blank"
    HEADER = "headers"


@dataclass(slots=True)
class Rows:
    """Tells the rows of one sheet apart, in their order.

    places: the index of each column; `number`: of the running numbers. headings: whether such rows may stand here.
    """

    columns: tuple[Column, ...]
    places: dict[Column, int]
    number: int | None
    headings: bool
    merges: Sequence[Merge] = ()
    heading: str = ""
    _at_foot: bool = False
    _first: bool = True
    _wide: set[tuple[int, int]] = field(default_factory=set)
    _tall: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    _filled: dict[int, tuple[int, Cell]] = field(default_factory=dict)
    _names: tuple[int, ...] = ()
    _code: int | None = None
    _unit: int | None = None
    _mapped: frozenset[int] = frozenset()
    _telling: bool = False

    def __post_init__(self) -> None:
        self._mapped = frozenset(self.places.values())
        by_field = {column.field: index for column, index in self.places.items()}
        names = (by_field.get(name) for name in ("full_name", "name", "family_name", "given_name"))
        self._names = tuple(index for index in names if index is not None)
        self._code, self._unit = by_field.get("code"), by_field.get("unit_code")
        self._telling = self.number is not None or len(self._mapped) > len(self._names)
        spread = {by_field[name] for name in FILLED if name in by_field}
        for top, left, bottom, right in self.merges:
            if right > left:
                self._wide.add((top, left))
            elif left in spread and bottom > top:
                self._tall.setdefault(top, []).append((left, bottom))

    def filled(self, row: int, cells: list[Cell]) -> list[Cell]:
        """The cells, with what cells merged downwards say further up; `row` counts from 1."""
        at = row - 1
        for column, bottom in self._tall.pop(at, ()):
            self._filled[column] = (bottom, cells[column])
        if not self._filled:
            return cells
        return self._poured(at, cells)

    def kind(self, row: int, cells: list[Cell]) -> Kind:
        """What a row is; a heading's text is in `heading` afterwards."""
        first, self._first = self._first, False
        if self._person(cells):
            self._at_foot = False
            return Kind.ENTRY
        texts = {index: _text(cell) for index, cell in enumerate(cells) if cell}
        texts = {index: text for index, text in texts.items() if text}
        named = any(index in texts for index in self._names)
        if first and _counts(texts):
            self._first = True
            return Kind.HEADER
        if len(texts) > 1 and self._header_again(texts):
            self._at_foot = False
            return Kind.HEADER
        return self._unlike_entry(row, cells, texts, named=named)

    def _unlike_entry(self, row: int, cells: list[Cell], texts: dict[int, str], *, named: bool) -> Kind:
        if self._is_total(texts):
            return Kind.TOTAL
        if self._is_foot(texts):
            self._at_foot = True
        if self._at_foot and not self._resumes(texts):
            return Kind.FOOT
        self._at_foot = False
        heading = self._heading(row, texts) if self.headings else ""
        if heading:
            self.heading = heading
            return Kind.HEADING
        if not named and not any(cells[index] for index in self._mapped if index < len(cells)):
            return Kind.BLANK
        return Kind.ENTRY

    def _poured(self, at: int, cells: list[Cell]) -> list[Cell]:
        if not any(cells):
            return cells
        for column, (bottom, value) in list(self._filled.items()):
            if at > bottom:
                del self._filled[column]
            elif column < len(cells) and not cells[column]:
                cells[column] = value
        return cells

    def _person(self, cells: list[Cell]) -> bool:
        """Whether something besides the name says that this is an entry: a running number, or a code."""
        if not any(index < len(cells) and cells[index] for index in self._names):
            return False
        if _cell(cells, self.number).rstrip(".").isdigit():
            return True
        code = _cell(cells, self._code)
        return bool(code) and CODE.fullmatch(code.upper()) is not None

    def _resumes(self, texts: dict[int, str]) -> bool:
        """Whether a row below a line of the foot is an entry again, though nothing numbers it."""
        if self._is_foot(texts) or self.number is not None:
            return False
        return any(index in texts for index in self._names) and len(self._mapped & set(texts)) > 2

    def _header_again(self, texts: dict[int, str]) -> bool:
        cells = [*texts.values()]
        found = recognized(cells, self.columns) + sum(fold(cell) in NUMBERING for cell in cells)
        return found >= max(2, len(self._mapped) - 1) or found == len(cells) > 1

    def _is_total(self, texts: dict[int, str]) -> bool:
        words = [text for text in texts.values() if not _numeric(text)]
        if not words or len(words) > 2:
            return False
        return bool(TOTAL.match(words[0])) or fold(words[0]) in PLAIN_TOTALS

    def _is_foot(self, texts: dict[int, str]) -> bool:
        if not texts:
            return False
        names = [texts[index] for index in self._names if index in texts]
        if names and not any(FOOT.match(fold(name)) for name in names) and len(self._mapped & set(texts)) > 1:
            return False
        first = texts[min(texts)]
        return bool(FOOTNOTE.match(first)) or any(FOOT.match(fold(text)) for text in texts.values())

    def _heading(self, row: int, texts: dict[int, str]) -> str:
        number = texts.get(self.number, "") if self.number is not None else ""
        others = {index: text for index, text in texts.items() if index != self.number and not _numeric(text)}
        if number and NUMERAL.fullmatch(number) and len(others) == 1:
            return _bare(next(iter(others.values())))
        if number and not others and not _numeric(number):
            return _bare(number)
        if number or len(others) != 1:
            return ""
        ((index, text),) = others.items()
        return _bare(text) if self._stands_alone(row, index, text) else ""

    def _stands_alone(self, row: int, index: int, text: str) -> bool:
        """Whether the only text of a row is a heading."""
        if (row - 1, index) in self._wide or PREFIX.match(text):
            return True
        if index in self._names:
            return self._unit is None and self._telling
        if index == self._code and CODE.fullmatch(text.upper()):
            return False
        return index not in self._mapped or index == min(self._mapped)


def _cell(cells: list[Cell], index: int | None) -> str:
    cell = cells[index] if index is not None and index < len(cells) else ""
    return "" if isinstance(cell, Spoilt) else cell.strip()


def _bare(text: str) -> str:
    """A heading without its numeral and its count; "" when no word is left."""
    bare = SUFFIX.sub("", PREFIX.sub("", text, count=1) if PREFIX.match(text) else text).strip(" .-–")
    return bare if any(char.isalpha() for char in bare) else ""


def _text(cell: Cell) -> str:
    return cell.text or "?" if isinstance(cell, Spoilt) else tidy(cell)


def _numeric(text: str) -> bool:
    return text.replace(".", "").replace(",", "").replace("%", "").strip().isdigit()


def _counts(texts: dict[int, str]) -> bool:
    """Whether a row below the header only numbers the columns: (1) (2) (3), or A B 1 2."""
    cells = list(texts.values())
    if len(cells) < 2 or not all(COUNTER.fullmatch(cell) or LETTER.fullmatch(cell) for cell in cells):
        return False
    numbers = [int(cell.strip("()")) for cell in cells if not LETTER.fullmatch(cell)]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else False
