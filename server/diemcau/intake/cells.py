"""What one cell says under its column's rule: a code, a name, a telephone number as it was typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from diemcau import limits
from diemcau.domain.names import fold, tidy
from diemcau.intake.sheets import Cell, Spoilt
from diemcau.intake.tables import CODE, MODES, Column, Rule

POINT_ZERO = re.compile(r"(\d{8,12})\.0+")
"""What a program that took a telephone number for a measure wrote."""

SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d+")
ZERO_LOST = re.compile(r"[35789]\d{8}|2\d{9}")
"""A mobile number, or one of a landline with its area code, whose leading zero a spreadsheet took for no digit."""

CAPACITY_MAX = 1_000_000
Value = str | int


class BadCellError(Exception):
    """A cell that cannot be taken over; its argument is the reason's key."""


def read_cell(column: Column, cell: Cell) -> Value:
    """The value a cell has under its column's rule.

    Raises:
        BadCellError: it has none; the argument is the reason's key.
    """
    if isinstance(cell, Spoilt):
        raise BadCellError(cell.reason)
    text = tidy(cell)
    if not text:
        if column.required:
            raise BadCellError("reason.empty")
        return EMPTY.get(column.rule, "")
    return READ[column.rule](text)


def _code(text: str) -> str:
    code = text.upper()
    if not CODE.fullmatch(code):
        raise BadCellError("reason.bad_code")
    return code


def _name(text: str) -> str:
    if not (text[0].isalpha() or any(map(str.isalpha, text))):
        raise BadCellError("reason.no_letters")
    return _short(text, limits.NAME_CHARS_MAX)


@lru_cache(8192)
def _place(text: str) -> str:
    """A unit or point by its code, in capitals, or by its name as written."""
    code = text.upper()
    return code if CODE.fullmatch(code) else _short(text, limits.NAME_CHARS_MAX)


def _phone(text: str) -> str:
    """A telephone number as typed, with the leading zero that a spreadsheet took away."""
    if text[0] == "0":  # as lists have nearly all of them
        return _short(text, limits.TEXT_CHARS_MAX)
    if SCIENTIFIC.fullmatch(text):
        raise BadCellError("reason.number_rounded")
    whole = POINT_ZERO.fullmatch(text)
    number = whole[1] if whole else text
    return f"0{number}" if ZERO_LOST.fullmatch(number) else _short(number, limits.TEXT_CHARS_MAX)


def _text(text: str) -> str:
    return _short(text, limits.TEXT_CHARS_MAX)


def _short(text: str, chars_max: int) -> str:
    if len(text) > chars_max:
        raise BadCellError("reason.too_long")
    return text


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= CAPACITY_MAX):
        raise BadCellError("reason.bad_count")
    return int(text)


def _mode(text: str) -> str:
    mode = MODES.get(fold(text))
    if mode is None:
        raise BadCellError("reason.bad_mode")
    return mode


EMPTY: dict[Rule, Value] = {Rule.COUNT: 0, Rule.MODE: "online"}
READ: dict[Rule, Callable[[str], Value]] = {
    Rule.CODE: _code,
    Rule.NAME: _name,
    Rule.TEXT: _text,
    Rule.COUNT: _count,
    Rule.MODE: _mode,
    Rule.PHONE: _phone,
    Rule.PLACE: _place,
}
