"""What an import tells about a file: what was recognized, the first rows, the questions, what is wrong."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class ImportFinding(Struct):
    """One thing wrong in a file: row as the spreadsheet counts, column by its header, reason in words.

    sheet: its name where the workbook has several.
    """

    row: int
    column: str
    reason: str
    value: str = ""
    sheet: str = ""


class ImportColumn(Struct):
    """A column of a sheet, counted from 1. `field`: what it is read as, "" when it is left out."""

    index: int
    header: str
    field: str = ""
    samples: list[str] = []


class ImportSheet(Struct):
    """A sheet as it was understood.

    header_row: where the column names end, counted from 1; 0 when none was recognized and the sheet is left out.
    top: the first rows of such a sheet, so that somebody can say where its columns are named.
    """

    name: str
    header_row: int = 0
    rows: int = 0
    columns: list[ImportColumn] = []
    top: list[list[str]] = []


class UnitChoice(Struct):
    """A unit that a name in a file may mean; `above` names the units over it, the nearest first."""

    code: str
    name: str
    above: str = ""


class UnitQuestion(Struct):
    """A unit's name in the file that fits none or several; answered by `units` = {key: code}.

    rows: how many rows wait for the answer; `row` is the first of them. An empty name: no unit is given at all.
    """

    key: str
    name: str
    reason: Literal["unknown", "ambiguous", "missing"]
    row: int
    rows: int
    candidates: list[UnitChoice] = []


class ImportRow(Struct):
    """A row as it is read."""

    row: int
    state: Literal["new", "changed", "unchanged", "rejected"]
    values: dict[str, str]
    sheet: str = ""


class ImportPreview(Struct):
    """What a trial tells besides its counts. `skipped`: rows that are no entries, by kind; `notes`: sentences."""

    fields: list[str]
    sheets: list[ImportSheet]
    rows: list[ImportRow] = []
    questions: list[UnitQuestion] = []
    skipped: dict[str, int] = {}
    notes: list[str] = []
    findings: list[ImportFinding] = []
    findings_total: int = 0
