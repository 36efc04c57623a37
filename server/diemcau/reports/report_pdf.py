"""A report as a paper: the same columns, words and sums as in a workbook, set by typst."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from diemcau import limits
from diemcau.i18n import Language
from diemcau.reports.as_pdf import pdf
from diemcau.reports.columns import NUMBERED, Cell, Column, Words, columns_of, headers, title_lines
from diemcau.reports.rows import Heading, RosterRow, Row, SpotCheckRow, SummaryRow, What
from diemcau.reports.totals import Tally

NUMBER = Column("number", "number", 6, lambda _row, _words: None)
ALIGNED = {"number": "right", "rate": "right"}
UPRIGHT = frozenset({What.ROSTER})
SMALL = frozenset({What.ATTENDANCE, What.SPOT_CHECKS, What.ABSENCES})
"""Tables of so many columns that they need small letters."""


WIDTH_MM = {True: 267.0, False: 180.0}
"""Of the text on a page that lies, and on one that stands."""

LETTER_MM, INSET_MM, WORD_MM_MAX = 0.22, 2.4, 34.0
"""A digit's width for each point of its size; a cell's white space; what a column may ask for at most."""


class TooLongError(Exception):
    """More rows than a paper may have: typesetting takes 110 KiB a row."""


class Line(msgspec.Struct, frozen=True):
    """A row of the table. `indent`: steps to the right of its name; `strong`: a total."""

    cells: list[str]
    indent: int = 0
    strong: bool = False


class Group(msgspec.Struct):
    """Rows under a heading of their own; each begins a page where there are several."""

    title: str
    lines: list[Line]
    ending: str = ""


def made(heading: Heading, rows: Iterable[Row]) -> bytes:
    """The paper.

    Raises:
        TooLongError: more than `limits.PDF_ROWS_MAX` rows.
        TotalsDifferError: the rows do not add up.
        ExportFailedError: typst cannot set it.
    """
    return pdf("report", content_of(heading, rows))


def content_of(heading: Heading, rows: Iterable[Row]) -> dict[str, Any]:
    """What the template sets: all words, cells and widths.

    Raises:
        TooLongError, TotalsDifferError: see `made`.
    """
    words = Words.of(heading)
    tally = Tally(heading)
    groups = _groups(heading, words, tally.counted(rows))
    return _content(heading, words, groups, _sums(heading, words, tally))


def _groups(heading: Heading, words: Words, rows: Iterable[Row]) -> list[Group]:
    columns = columns_of(heading)
    groups: list[Group] = []
    hall: str | None = None
    for number, row in enumerate(rows, 1):
        if number > limits.PDF_ROWS_MAX:
            raise TooLongError
        if not groups or (isinstance(row, RosterRow) and row.point_code != hall):
            groups.append(Group(_hall(words, row), []))
            hall = row.point_code if isinstance(row, RosterRow) else None
        groups[-1].lines.append(_line(heading, words, columns, number, row))
    if heading.what is What.ROSTER:
        for group in groups:
            group.ending = words.word("people", count=_whole(len(group.lines), words.language))
    return groups


def _hall(words: Words, row: Row) -> str:
    if not isinstance(row, RosterRow):
        return ""
    return words.word("hall", name=row.point, code=row.point_code) if row.point_code else words.word("no_hall")


def _line(heading: Heading, words: Words, columns: tuple[Column, ...], number: int, row: Row) -> Line:
    cells = [_text(column.value(row, words), column, words.language) for column in columns]
    if heading.what in NUMBERED:
        cells.insert(0, _whole(number, words.language))
    if isinstance(row, SummaryRow):
        return Line(cells, row.depth or 0, strong=row.depth is None)
    return Line(cells, strong=isinstance(row, SpotCheckRow) and not row.point_code)


def _text(cell: Cell, column: Column, language: Language) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%H:%M:%S %d/%m/%Y}"
    if isinstance(cell, str):
        return cell
    if column.kind == "rate" or isinstance(cell, float):
        return _local(f"{cell:,.1f}", language)
    return _whole(cell, language)


def _whole(count: int, language: Language) -> str:
    return _local(f"{count:,}", language)


def _local(text: str, language: Language) -> str:
    """1,234.5 as it is written in the reader's language."""
    return text.translate(str.maketrans(",.", ".,")) if language == "vi" else text


def _sums(heading: Heading, words: Words, tally: Tally) -> list[str]:
    """The totals below the table; a table of figures has its own last row."""
    if heading.what in {What.SUMMARY, What.SPOT_CHECKS}:
        return []
    return [f"{words.word(f'sum.{key}')}: {_whole(count, words.language)}" for key, count in tally.sums.items()]


def _content(heading: Heading, words: Words, groups: list[Group], sums: list[str]) -> dict[str, Any]:
    title, *others = title_lines(heading, words)
    what, as_of = others[-2:]
    size = 7.5 if heading.what in SMALL else 9.0
    columns = ([NUMBER] if heading.what in NUMBERED else []) + list(columns_of(heading))
    top = headers(heading, words)
    widths = _widths(heading, columns, [Line(top), *(line for group in groups for line in group.lines)], size)
    kinds = [ALIGNED.get(column.kind, "left") for column in columns]
    head = {
        **msgspec.structs.asdict(heading.head),
        "title": what.upper(),
        "subtitle": "\n".join([title, *others[:-2]]),
        "as_of": as_of,
    }
    return {
        "head": head,
        "language": heading.language,
        "footer": f"{heading.session} · {what}",
        "flipped": heading.what not in UPRIGHT,
        "size": size,
        "headers": top,
        "columns": [{"width": width, "align": align} for width, align in zip(widths, kinds, strict=True)],
        "roomy": heading.what is What.ROSTER,
        "name_at": 0 if heading.what is What.SUMMARY else None,
        "groups": groups,
        "sums": sums,
    }


def _widths(heading: Heading, columns: list[Column], lines: list[Line], size: float) -> list[float]:
    """In mm: as in the workbook, but no column narrower than its longest word (telephones and codes do not break)."""
    room = WIDTH_MM[heading.what not in UPRIGHT]
    widest = [0] * len(columns)
    for line in lines:
        for index, cell in enumerate(line.cells):
            widest[index] = max(widest[index], max(map(len, cell.split()), default=0))
    least = [min(chars * LETTER_MM * size + INSET_MM, WORD_MM_MAX) for chars in widest]
    share = room / sum(column.width for column in columns)
    wanted = [max(column.width * share, minimum) for column, minimum in zip(columns, least, strict=True)]
    spare = sum(wanted) - sum(least)
    over = min(1.0, max(0.0, sum(wanted) - room) / spare) if spare else 0.0
    return [round(want - (want - minimum) * over, 2) for want, minimum in zip(wanted, least, strict=True)]
