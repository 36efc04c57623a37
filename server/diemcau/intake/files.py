"""A file's sheets, read one after the other, as the frames that tell of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from diemcau import limits
from diemcau.errors import ImportFileError
from diemcau.intake.frames import Ended, Frame, Mapping, Opened, Rows, SheetChoice
from diemcau.intake.rows import Reading, Row, Told
from diemcau.intake.sheets import open_book
from diemcau.intake.tables import TABLES
from diemcau.wire.imports import ImportSheet

DEFAULT_NAME = re.compile(r"(?:sheet|trang tính|trang_tính|bảng|danh sách|ds)\s*\d*", re.IGNORECASE)
"""Names of sheets that tell nothing."""


def frames(what: str, path: Path, mapping: Mapping) -> Iterator[Frame]:
    """`Opened` and its `Rows` for each sheet whose columns are understood, then `Ended`.

    Raises:
        ImportFileError: the file cannot be read at all.
    """
    return _File(what, mapping).frames(path)


def batched(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """Rows, `size` at a time."""
    while chunk := list(islice(rows, size)):
        yield chunk


@dataclass(slots=True)
class _File:
    what: str
    mapping: Mapping
    told: Told = field(default_factory=Told)
    views: list[ImportSheet] = field(default_factory=list)
    opened: int = 0

    def choice(self, number: int, name: str) -> SheetChoice:
        """What somebody says about a sheet."""
        return self.mapping.get(name) or self.mapping.get(str(number)) or self.mapping.get("") or SheetChoice()

    def frames(self, path: Path) -> Iterator[Frame]:
        """Every sheet with a header that is understood; the first one's findings where none is."""
        columns = TABLES[self.what]
        book = open_book(path, columns, lambda number, name: self.choice(number, name).read)
        refused: list[Reading] = []
        for sheet in book.sheets:
            number = book.names.index(sheet.name) + 1
            reading = Reading(sheet, columns, self.choice(number, sheet.name), alone=len(book.names) == 1)
            if not reading.alone and not DEFAULT_NAME.fullmatch(sheet.name):
                reading.unit = sheet.name
            try:
                fit = reading.open()
            except ImportFileError as error:
                if error.code != "import_empty" or reading.alone:
                    raise
                continue
            if fit:
                yield from self._sheet(reading)
            else:
                refused.append(reading)
            self.views.append(reading.view())
        yield self._end(refused, macros=book.macros)

    def _sheet(self, reading: Reading) -> Iterator[Frame]:
        reading.told = self.told
        self.opened += 1
        name = "" if reading.alone else reading.sheet.name
        yield Opened(reading.fields, reading.headers, reading.header.ignored, reading.sheet.total, name)
        for chunk in batched(reading.rows(), limits.IMPORT_FRAME_ROWS):
            yield Rows(
                chunk[-1].number,
                [(row.number, row.values) for row in chunk if row.fit],
                [(row.number, row.values) for row in chunk if not row.fit],
            )

    def _end(self, refused: list[Reading], *, macros: bool) -> Ended:
        told = self.told
        chosen = [reading for reading in refused if reading.choice.columns or reading.choice.header_row is not None]
        for reading in chosen if self.opened else refused[:1]:
            told.findings.kept += reading.findings.kept
            told.findings.total += reading.findings.total
        if not (told.read or told.findings.total):
            raise ImportFileError("import_empty")
        told.notes["import.note.macros"] += macros
        told.notes["import.note.sheets_left"] += len(refused) if self.opened else 0
        found, skipped, notes = told.findings, dict(told.skipped), dict(told.notes)
        return Ended(told.read, found.kept, found.total, sorted(told.spoilt), self.views, skipped, notes)
