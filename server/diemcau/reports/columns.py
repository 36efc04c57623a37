"""The columns of every report, once for CSV and XLSX. To add a column: a line here and its words in `report.json`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal
from zoneinfo import ZoneInfo

from diemcau import i18n
from diemcau.domain.models import Flag
from diemcau.i18n import Language
from diemcau.reports.rows import AttendanceRow, ConnectionRow, Heading, SummaryRow, What

Cell = str | int | float | datetime | None
Kind = Literal["text", "name", "number", "rate", "time"]
"""`name` is a text that is indented by the row's depth; `time` is on the report's clock, without a zone."""


@dataclass(frozen=True, slots=True)
class Words:
    """A report's language and clock."""

    language: Language
    zone: tzinfo

    @classmethod
    def of(cls, heading: Heading) -> Words:
        """Those that the heading asks for."""
        return cls(heading.language, ZoneInfo(heading.timezone))

    def word(self, key: str, /, **params: str | float) -> str:
        """The dictionary's text for `report.<key>`."""
        return i18n.text(self.language, f"report.{key}", **params)

    def known(self, area: str, value: str) -> str:
        """The word for a value; the value itself where a newer server knows more than this dictionary."""
        key = f"report.{area}.{value}"
        return i18n.text(self.language, key) if i18n.has(key) else value

    def link(self, state: str) -> str:
        """The word for a link state."""
        return i18n.text(self.language, f"link.{state}")

    def time(self, at_ms: int | None) -> datetime | None:
        """The moment on the report's clock, to the second."""
        if at_ms is None:
            return None
        return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(self.zone).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `key` names its header in the dictionary, `width` is in characters, `value` takes a row."""

    key: str
    kind: Kind
    width: int
    value: Callable[[Any, Words], Cell]


def _note(row: AttendanceRow, words: Words) -> str:
    """What a reader should know of this entry: who stands for whom, guests, what was odd when it was recorded."""
    notes = [words.word("substitute", name=row.substitute)] if row.substitute else []
    if row.stands_for:
        notes.append(words.word("stands_for", name=row.stands_for))
    elif not row.invited:
        notes.append(words.word("guest"))
    told = {Flag.LATE, Flag.NOT_INVITED, Flag.SUBSTITUTE}  # the status and the notes before say these
    notes += [words.known("flag", flag) for flag in row.flags.split() if flag not in told]
    return "; ".join(notes)


def _lasted_s(row: ConnectionRow) -> float | None:
    return None if row.previous_ms is None else round((row.at_ms - row.previous_ms) / 1000, 1)


ATTENDANCE: tuple[Column, ...] = (
    Column("code", "text", 12, lambda row, _: row.code),
    Column("full_name", "text", 28, lambda row, _: row.full_name),
    Column("title", "text", 20, lambda row, _: row.title),
    Column("unit", "text", 28, lambda row, _: row.unit),
    Column("point", "text", 32, lambda row, _: row.point),
    Column("phone", "text", 14, lambda row, _: row.phone),
    Column("status", "text", 16, lambda row, words: words.word(f"status.{row.status}")),
    Column("at", "time", 19, lambda row, words: words.time(row.at_ms)),
    Column("left", "time", 19, lambda row, words: words.time(row.left_ms)),
    Column("note", "text", 32, _note),
)
SUMMARY: tuple[Column, ...] = (
    Column("unit", "name", 40, lambda row, words: row.unit or words.word("total")),
    Column("unit_code", "text", 12, lambda row, _: row.unit_code),
    Column("points", "number", 10, lambda row, _: row.points),
    Column("summoned", "number", 11, lambda row, _: row.summoned),
    Column("present", "number", 11, lambda row, _: row.present),
    Column("late", "number", 11, lambda row, _: row.late),
    Column("substituted", "number", 11, lambda row, _: row.substituted),
    Column("missing", "number", 13, lambda row, _: row.missing),
    Column("rate", "rate", 9, lambda row, _: row.rate),
    Column("rate_all", "rate", 13, lambda row, _: row.rate_all),
    Column("guests", "number", 14, lambda row, _: row.guests),
    Column("unlisted", "number", 14, lambda row, _: row.unlisted),
)
CONNECTIONS: tuple[Column, ...] = (
    Column("point_code", "text", 14, lambda row, _: row.point_code),
    Column("point", "text", 32, lambda row, _: row.point),
    Column("unit", "text", 28, lambda row, _: row.unit),
    Column("from", "text", 18, lambda row, words: words.link(row.from_link)),
    Column("to", "text", 18, lambda row, words: words.link(row.to_link)),
    Column("changed_at", "time", 19, lambda row, words: words.time(row.at_ms)),
    Column("noticed_at", "time", 19, lambda row, words: words.time(row.noticed_ms)),
    Column("lasted_s", "number", 14, lambda row, _: _lasted_s(row)),
    Column("cause", "text", 30, lambda row, words: words.known("cause", row.cause)),
)
COLUMNS: dict[What, tuple[Column, ...]] = {
    What.ATTENDANCE: ATTENDANCE,
    What.SUMMARY: SUMMARY,
    What.CONNECTIONS: CONNECTIONS,
}
NUMBERED = frozenset({What.ATTENDANCE, What.CONNECTIONS})
"""Reports whose first column is the row's number."""


def headers(heading: Heading, words: Words) -> list[str]:
    """The header cells."""
    missing = "unexcused" if heading.closed else "unmarked"
    keys = [missing if column.key == "missing" else column.key for column in COLUMNS[heading.what]]
    return [words.word(f"column.{key}") for key in (["number", *keys] if heading.what in NUMBERED else keys)]


def title_lines(heading: Heading, words: Words) -> list[str]:
    """What stands above the table: which report of which session, over whom, as of when."""
    at = words.time(heading.as_of_ms)
    as_of = words.word("as_of", time=f"{at:%H:%M %d/%m/%Y}")
    over = words.word("over", over=heading.over or words.word("everything"))
    frozen = [words.word("frozen")] if heading.closed else []
    named = [heading.conference] if heading.conference else []
    return [heading.title, *named, words.word(heading.what), " · ".join([as_of, over, *frozen])]


def cells(row: AttendanceRow | SummaryRow | ConnectionRow, columns: tuple[Column, ...], words: Words) -> list[Cell]:
    """The cells of one row, without its number."""
    return [column.value(row, words) for column in columns]
