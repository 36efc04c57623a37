"""Tables as people send them: CSV and XLSX files made for a test."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

PEOPLE = ("code", "full_name", "title", "unit_code", "point_code", "phone")


def csv_bytes(rows: Sequence[Sequence[Any]], separator: str = ",", encoding: str = "utf-8") -> bytes:
    """Rows as a CSV file."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode(encoding)


def write_xlsx(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    """Rows as the first sheet of a workbook; text stays text, numbers stay numbers."""
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Danh sách")
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(row, column, cell)
            else:
                sheet.write(row, column, cell)
    book.close()
    return path
