"""Lists as offices really send them: made, and read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from diemcau.intake.files import frames
from diemcau.intake.frames import Ended, Mapping, Opened, Rows

SHOWN = ("code", "full_name", "title", "unit_code", "point_code", "phone")
AN, BINH = ["Lê Văn An", "Bí thư", "0912000001"], ["Trần Thị Bình", "Chủ tịch", "0912000002"]


@dataclass(frozen=True)
class Got:
    """A file read: the cells of each row by its number, and what the end tells."""

    rows: list[tuple[int, list[Any]]]
    unfit: list[int]
    opened: list[Opened]
    ended: Ended

    @property
    def people(self) -> list[list[Any]]:
        """Name, title, unit, telephone of each row."""
        return [[cells[1], cells[2], cells[3], cells[5]] for _, cells in self.rows]


def read(path: Path, mapping: Mapping | None = None, what: str = "attendees") -> Got:
    """A file read to its end."""
    got = list(frames(what, path, mapping or {}))
    ended = got[-1]
    assert isinstance(ended, Ended)
    chunks = [frame for frame in got if isinstance(frame, Rows)]
    return Got(
        [(number, cells[:6]) for chunk in chunks for number, cells in chunk.rows],
        [number for chunk in chunks for number, _ in chunk.unfit],
        [frame for frame in got if isinstance(frame, Opened)],
        ended,
    )


def book(path: Path, rows: Sequence[Sequence[Any]], merges: Sequence[str] = (), title: str = "Danh sách") -> Path:
    """A workbook of one sheet, with merged cells."""
    made = openpyxl.Workbook()
    sheet = made.active
    assert isinstance(sheet, Worksheet)
    sheet.title = title
    fill(sheet, rows, merges)
    made.save(path)
    return path


def fill(sheet: Worksheet, rows: Sequence[Sequence[Any]], merges: Sequence[str] = ()) -> None:
    """Write rows, and merge cells."""
    for number, cells in enumerate(rows, 1):
        for column, cell in enumerate(cells, 1):
            if cell != "":
                sheet.cell(number, column, cell)
    for merged in merges:
        sheet.merge_cells(merged)
