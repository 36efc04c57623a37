"""A file as sheets of cells, whatever it is: CSV in its encodings and separators, or a workbook."""

from __future__ import annotations

import csv
import io
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import python_calamine as calamine

from diemcau import limits
from diemcau.errors import ImportFileError
from diemcau.intake.headers import recognized
from diemcau.intake.tables import Column
from diemcau.intake.workbook import Parts, error_cells

SEPARATORS = ",;\t"
VIETNAMESE = frozenset("àáâãèéêìíòóôõùúýăđĩũơư" + "".join(map(chr, range(0x1EA0, 0x1EFA))))
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
FOREIGN = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"Rar!",
    b"7z\xbc\xaf",
    b"<html",
    b"<!DOCTYPE",
    b"<?xml",
    b"{\\rtf",
)
DAMAGE = (zipfile.BadZipFile, calamine.CalamineError, KeyError, EOFError, ValueError, NotImplementedError)
HEADER_CHARS_MAX = 100_000
"""Of a first line that is looked at for its separator; a longer one is no header."""

DIGITS_EXACT_MAX = 10**15
"""Excel keeps 15 digits of a number; what is longer was rounded before it came here."""


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A cell whose content is lost; `reason` is a dictionary key, `text` what can still be shown."""

    reason: str
    text: str = ""


Cell = str | Spoilt
Row = tuple[int, list[Cell]]
"""A row's number as the spreadsheet counts, from 1, and its cells."""


Merge = tuple[int, int, int, int]
"""A merged cell: its first row and column, its last row and column, all counted from 0."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows in order, empty ones included; `total` is about how many there are, for the progress bar.

    ragged: a cell beyond the header's width means that a separator inside a text was not quoted.
    """

    rows: Iterator[Row]
    total: int
    ragged: bool
    name: str = ""
    merges: tuple[Merge, ...] = ()


@dataclass(frozen=True, slots=True)
class Book:
    """A file's sheets, opened one after the other; `names` of all that are shown. macros: there are some."""

    names: tuple[str, ...]
    sheets: Iterator[Sheet]
    macros: bool = False


def open_book(path: Path, columns: tuple[Column, ...], wanted: Callable[[int, str], bool] = lambda *_: True) -> Book:
    """Open a file by what is in it, not by what it is called. `wanted` says which sheets, by number from 1 and name.

    Raises:
        ImportFileError: it is empty, no table, protected, damaged, in an unknown encoding, or too large; the sheets
            raise it too.
    """
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(ZIP):
        return _open_workbook(path, wanted)
    if head.startswith(OLE):
        raise ImportFileError("import_protected" if ENCRYPTED in path.read_bytes() else "import_old_excel")
    if head.lstrip().startswith(FOREIGN):
        raise ImportFileError("import_foreign")
    return Book(("",), iter([_open_text(path.read_bytes(), columns)]))


def _open_text(data: bytes, columns: tuple[Column, ...]) -> Sheet:
    text = _decode(data)
    if not text.strip():
        raise ImportFileError("import_empty")
    return Sheet(_text_rows(text, _separator(text, columns)), text.count("\n") + 1, ragged=True)


def _decode(data: bytes) -> str:
    """UTF-8 and UTF-16 as they say themselves; windows-1258 where every letter comes out Vietnamese."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        if b"\0" in data:
            raise ImportFileError("import_foreign")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        text = unicodedata.normalize("NFC", data.decode("cp1258"))
    except UnicodeDecodeError:
        raise ImportFileError("import_encoding") from None
    odd = {char for char in text.lower() if not char.isascii()} - VIETNAMESE - set("–—“”‘’…•€«»°")
    if odd:
        raise ImportFileError("import_encoding")
    return text


def _separator(text: str, columns: tuple[Column, ...]) -> str:
    """The separator that makes the most known headers of one of the first lines, and the most cells."""
    lines = [line[:HEADER_CHARS_MAX] for line in text.splitlines() if line.strip()]

    def worth(separator: str) -> tuple[int, int]:
        rows = [next(csv.reader([line], delimiter=separator), []) for line in lines[: limits.IMPORT_HEADER_ROWS_MAX]]
        return max((recognized(cells, columns), len(cells)) for cells in rows)

    return max(SEPARATORS, key=worth)


def _text_rows(text: str, separator: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    try:
        for cells in reader:
            number += 1
            yield number, list(cells)
    except csv.Error:
        # What follows a broken quotation mark cannot be told apart: the rows end here.
        yield number + 1, [Spoilt("reason.quotes")]


def _open_workbook(path: Path, wanted: Callable[[int, str], bool]) -> Book:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = Parts.of(archive)
        parts.check()
        book = calamine.CalamineWorkbook.from_path(path)
    except calamine.PasswordError:
        raise ImportFileError("import_protected") from None
    except DAMAGE:
        raise ImportFileError("import_damaged") from None
    return Book(tuple(name for name, _ in parts.sheets), _sheets(path, book, parts, wanted), parts.macros)


def _sheets(
    path: Path, book: calamine.CalamineWorkbook, parts: Parts, wanted: Callable[[int, str], bool]
) -> Iterator[Sheet]:
    """The sheets that are shown and wanted, each read when its turn comes; empty ones are passed over."""
    found = False
    with book:
        for number, (name, part) in enumerate(parts.sheets, 1):
            if not wanted(number, name):
                continue
            try:
                sheet = book.get_sheet_by_name(name)
                if sheet.end is None:
                    continue
                if sheet.end[1] >= limits.IMPORT_COLUMNS_MAX:
                    raise ImportFileError("import_too_large")
                errors = error_cells(path, part)
            except DAMAGE:
                raise ImportFileError("import_damaged") from None
            found = True
            merges = tuple(
                (*first, *last) for first, last in (sheet.merged_cell_ranges or [])[: limits.IMPORT_MERGES_MAX]
            )
            yield Sheet(_sheet_rows(sheet, errors), sheet.end[0] + 1, ragged=False, name=name, merges=merges)
    if not found:
        raise ImportFileError("import_empty")


def _sheet_rows(sheet: calamine.CalamineSheet, errors: dict[tuple[int, int], str]) -> Iterator[Row]:
    spoilt_rows = {row for row, _ in errors}
    left = sheet.start[1] if sheet.start else 0
    for number, values in enumerate(sheet.iter_rows(), 1):
        cells: list[Cell] = [""] * left
        cells.extend(map(_cell, values))
        if number in spoilt_rows:
            for column in range(len(cells)):
                if error := errors.get((number, column + 1)):
                    cells[column] = Spoilt("reason.formula_error", error)
        yield number, cells


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        if abs(value) >= DIGITS_EXACT_MAX:
            return Spoilt("reason.number_rounded", str(value))
        return str(int(value)) if value == int(value) else repr(value)
    if isinstance(value, date | datetime | time | timedelta):
        return Spoilt("reason.date", str(value))
    return str(value)
