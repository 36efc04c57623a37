"""`python -m diemcau.intake units|points|attendees FILE`: reads one file and sends frames to standard output.

A process of its own: seconds of work never hold up a beat, a file made to harm meets bounds on memory and time,
and only the reader is imported.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from diemcau import limits
from diemcau.errors import ImportFileError
from diemcau.intake.frames import Ended, Frame, Opened, Rows, Unreadable, encode
from diemcau.intake.rows import Reading, Row
from diemcau.intake.sheets import open_sheet
from diemcau.intake.tables import TABLES


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


def read(what: str, path: Path) -> None:
    """Read the table and send it.

    Raises:
        ImportFileError: the file cannot be read at all.
    """
    columns = TABLES[what]
    reading = Reading(open_sheet(path, columns), columns)
    if reading.open():
        headers = {column.field: header for column, (_, header) in reading.header.places.items()}
        send(Opened(reading.fields, headers, reading.header.ignored, reading.sheet.total))
        for chunk in batched(reading.rows(), limits.IMPORT_FRAME_ROWS):
            send(
                Rows(
                    chunk[-1].number,
                    [(row.number, row.values) for row in chunk if row.fit],
                    [(row.number, row.values) for row in chunk if not row.fit],
                )
            )
    findings = reading.findings
    send(Ended(reading.read, findings.kept, findings.total, sorted(reading.spoilt)))


def main() -> None:
    """Read the file that the arguments name."""
    bind()
    try:
        read(sys.argv[1], Path(sys.argv[2]))
    except ImportFileError as error:
        send(Unreadable(error.code))
    except MemoryError:
        send(Unreadable("import_too_large"))


if __name__ == "__main__":
    main()
