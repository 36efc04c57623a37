"""The limit of an export: the same cells, written by the bare library in a process of their own.

`python -m diemcau.bench.bare_export xlsx|csv CELLS FILE` reads CELLS (MessagePack: rows of texts and numbers), writes
FILE, and prints what writing took: seconds, and seconds of CPU. Nothing is read from a database, nothing formatted.
"""

from __future__ import annotations

import contextlib
import csv
import os
import sys
import time
from pathlib import Path

import msgspec
import xlsxwriter

from diemcau.reports.process import NICENESS

Cells = list[list[str | int | float]]


def write_xlsx(rows: Cells, path: Path) -> None:
    """With constant memory, as ours."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            for index, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(at, index, cell)
                else:
                    sheet.write_number(at, index, cell)


def write_csv(rows: Cells, path: Path) -> None:
    """With the standard library."""
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)


def main(form: str, cells: Path, path: Path) -> None:
    """Write and tell."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(NICENESS)  # as ours
    rows = msgspec.msgpack.decode(cells.read_bytes(), type=Cells)
    begun, begun_cpu = time.perf_counter(), time.process_time()
    (write_xlsx if form == "xlsx" else write_csv)(rows, path)
    print(time.perf_counter() - begun, time.process_time() - begun_cpu)  # noqa: T201 whoever started us reads it


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
