"""`python -m diemcau.intake units|points|attendees FILE [MAPPING]`: reads one file, sends frames to standard output.

A process of its own: seconds of work never hold up a beat, a file made to harm meets bounds on memory and time,
and only the reader is imported.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import msgspec

from diemcau import limits
from diemcau.errors import ImportFileError
from diemcau.intake.frames import Ended, Frame, Mapping, Opened, Rows, SheetChoice, Unreadable, encode
from diemcau.intake.rows import Reading, Row, Told
from diemcau.intake.sheets import open_book
from diemcau.intake.tables import TABLES
from diemcau.wire.imports import ImportSheet

DEFAULT_NAME = re.compile(r"(?:sheet|trang tính|trang_tính|bảng|danh sách|ds)\s*\d*", re.IGNORECASE)
"""Names of sheets that tell nothing."""


def bind() -> None:
    """Bound memory and processor time, where the system knows such bounds."""
    try:
        import resource  # noqa: PLC0415 absent on Windows
    except ImportError:
        return
    for kind, bound in (
        (resource.RLIMIT_AS, limits.IMPORT_MEMORY_BYTES_MAX),
        (resource.RLIMIT_CPU, limits.IMPORT_CPU_S_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (bound, bound))


def send(frame: Frame) -> None:
    """Write one frame."""
    sys.stdout.buffer.write(encode(frame))
    sys.stdout.buffer.flush()


def batched(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """Rows, `size` at a time."""
    while chunk := list(islice(rows, size)):
        yield chunk


@dataclass(slots=True)
class _File:
    """A file's sheets, read one after the other."""

    what: str
    mapping: Mapping
    told: Told = field(default_factory=Told)
    views: list[ImportSheet] = field(default_factory=list)
    opened: int = 0

    def choice(self, number: int, name: str) -> SheetChoice:
        """What somebody says about a sheet."""
        return self.mapping.get(name) or self.mapping.get(str(number)) or self.mapping.get("") or SheetChoice()

    def read(self, path: Path) -> None:
        """Send every sheet with a header that is understood; the first one's findings where none is."""
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
                reading.told = self.told
                self.send(reading)
            else:
                refused.append(reading)
            self.views.append(reading.view())
        self._end(refused, macros=book.macros)

    def send(self, reading: Reading) -> None:
        """Send a sheet."""
        self.opened += 1
        name = "" if reading.alone else reading.sheet.name
        send(Opened(reading.fields, reading.headers, reading.header.ignored, reading.sheet.total, name))
        for chunk in batched(reading.rows(), limits.IMPORT_FRAME_ROWS):
            send(
                Rows(
                    chunk[-1].number,
                    [(row.number, row.values) for row in chunk if row.fit],
                    [(row.number, row.values) for row in chunk if not row.fit],
                )
            )

    def _end(self, refused: list[Reading], *, macros: bool) -> None:
        told = self.told
        chosen = [reading for reading in refused if reading.choice.columns or reading.choice.header_row is not None]
        for reading in chosen if self.opened else refused[:1]:
            told.findings.kept += reading.findings.kept
            told.findings.total += reading.findings.total
        if self.opened and not told.read and not told.findings.total:
            raise ImportFileError("import_empty")
        if not self.opened and not refused:
            raise ImportFileError("import_empty")
        told.notes["import.note.macros"] += macros
        told.notes["import.note.sheets_left"] += len(refused) if self.opened else 0
        found = told.findings
        skipped, notes = dict(told.skipped), dict(told.notes)
        send(Ended(told.read, found.kept, found.total, sorted(told.spoilt), self.views, skipped, notes))


def main() -> None:
    """Read the file that the arguments name."""
    bind()
    try:
        mapping = msgspec.json.decode(sys.argv[3], type=Mapping) if len(sys.argv) > 3 else {}
        _File(sys.argv[1], mapping).read(Path(sys.argv[2]))
    except ImportFileError as error:
        send(Unreadable(error.code))
    except MemoryError:
        send(Unreadable("import_too_large"))


if __name__ == "__main__":
    main()
