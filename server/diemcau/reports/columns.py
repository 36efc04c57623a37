"""The columns of every report, once for all formats. To add a column: a line here and its words in `report.json`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal
from zoneinfo import ZoneInfo

from diemcau import i18n
from diemcau.domain.models import Flag
from diemcau.i18n import Language
from diemcau.reports.rows import (
    UNLISTED,
    AttendanceRow,
    ConnectionRow,
    Heading,
    PhaseFigures,
    Row,
    SpotCheckRow,
    SummaryRow,
    What,
)

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
    elif not row.invited and not row.unlisted:
        notes.append(words.word("guest"))
    if row.reason:
        notes.append(words.word("reason", reason=row.reason))
    told = {Flag.LATE, Flag.NOT_INVITED, Flag.SUBSTITUTE, Flag.UNLISTED}  # the status and the notes before say these
    notes += [words.known("flag", flag) for flag in row.flags.split() if flag not in told]
    return "; ".join(notes)


def _lasted_s(row: ConnectionRow) -> float | None:
    return None if row.previous_ms is None else round((row.at_ms - row.previous_ms) / 1000, 1)


ATTENDANCE: tuple[Column, ...] = (
    Column("code", "text", 12, lambda row, _: row.code),
    Column("full_name", "text", 28, lambda row, _: row.full_name),
    Column("title", "text", 20, lambda row, _: row.title),
    Column("unit", "text", 28, lambda row, _: row.unit),
    Column("point_code", "text", 12, lambda row, _: row.point_code),
    Column("point", "text", 32, lambda row, _: row.point),
    Column("phone", "text", 14, lambda row, _: row.phone),
    Column("status", "text", 16, lambda row, words: words.word(f"status.{UNLISTED if row.unlisted else row.status}")),
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
    Column("excused", "number", 11, lambda row, _: row.excused),
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
ROSTER: tuple[Column, ...] = (
    Column("number", "number", 6, lambda row, _: row.number),
    Column("full_name", "text", 28, lambda row, _: row.full_name),
    Column("title", "text", 22, lambda row, _: row.title),
    Column("unit", "text", 28, lambda row, _: row.unit),
    Column("phone", "text", 14, lambda row, _: row.phone),
    Column("signature", "text", 18, lambda _row, _words: ""),
    Column("note", "text", 18, lambda row, _: row.note),
)
HALL: tuple[Column, ...] = (
    Column("point_code", "text", 14, lambda row, _: row.point_code),
    Column("point", "text", 32, lambda row, _: row.point),
)
"""In front of a roster where programs read it; on paper each hall has a heading of its own instead."""

ABSENCES: tuple[Column, ...] = (
    Column("code", "text", 12, lambda row, _: row.code),
    Column("full_name", "text", 28, lambda row, _: row.full_name),
    Column("title", "text", 20, lambda row, _: row.title),
    Column("unit", "text", 28, lambda row, _: row.unit),
    Column("phone", "text", 14, lambda row, _: row.phone),
    Column("absence_state", "text", 14, lambda row, words: words.known("absence", row.state)),
    Column("absence_reason", "text", 30, lambda row, _: ": ".join(part for part in (row.reason, row.text) if part)),
    Column("substitute", "text", 24, lambda row, _: row.substitute),
    Column("requested_at", "time", 19, lambda row, words: words.time(row.requested_ms)),
    Column("asked_late", "text", 12, lambda row, words: words.word("asked_late") if row.late else ""),
    Column("decided_at", "time", 19, lambda row, words: words.time(row.decided_ms)),
    Column("decided_by", "text", 18, lambda row, _: row.decided_by),
    Column("note", "text", 24, lambda row, _: row.note),
)


def _of_phase(phase: str, figure: str) -> Column:
    def value(row: SpotCheckRow, _words: Words) -> Cell:
        answered: PhaseFigures | None = getattr(row, phase)
        return None if answered is None else getattr(answered, figure)

    return Column(f"{phase}_{figure}", "number", 11, value)


SPOT_CHECKS: tuple[Column, ...] = (
    Column("point_code", "text", 14, lambda row, _: row.point_code),
    Column("point", "text", 32, lambda row, words: row.point if row.point_code else words.word("total")),
    Column("unit", "text", 28, lambda row, _: row.unit),
    *(
        _of_phase(phase, figure)
        for phase in ("start", "middle", "end")
        for figure in ("present", "headcount", "asked", "confirmed")
    ),
)
COLUMNS: dict[What, tuple[Column, ...]] = {
    What.ATTENDANCE: ATTENDANCE,
    What.SUMMARY: SUMMARY,
    What.CONNECTIONS: CONNECTIONS,
    What.ROSTER: ROSTER,
    What.SPOT_CHECKS: SPOT_CHECKS,
    What.ABSENCES: ABSENCES,
}
NUMBERED = frozenset({What.ATTENDANCE, What.CONNECTIONS, What.ABSENCES})
"""Reports whose first column is the row's number."""


def columns_of(heading: Heading) -> tuple[Column, ...]:
    """The columns of this report, without the row's number; how units stand to the target where one is set."""
    columns = COLUMNS[heading.what]
    if heading.what is What.SUMMARY and heading.target_rate is not None:
        return (*columns, _target(heading.target_rate))
    return columns


def _target(rate: int) -> Column:
    def value(row: SummaryRow, words: Words) -> Cell:
        if not row.summoned:
            return ""
        return words.word("target_met" if reaches(row, rate) else "target_missed")

    return Column("target", "text", 16, value)


def reaches(row: SummaryRow, target_rate: int) -> bool:
    """Whether a unit reaches the target by those who came themselves; in whole numbers, so that 94.96 is not 95."""
    return 100 * row.present >= target_rate * row.summoned


def headers(heading: Heading, words: Words) -> list[str]:
    """The header cells."""
    missing = "unexcused" if heading.closed else "unmarked"
    keys = [missing if column.key == "missing" else column.key for column in columns_of(heading)]
    rate = heading.target_rate or 0
    return [
        words.word("column.target", rate=rate) if key == "target" else words.word(f"column.{key}")
        for key in (["number", *keys] if heading.what in NUMBERED else keys)
    ]


def title_lines(heading: Heading, words: Words) -> list[str]:
    """What stands above the table: which report of which session, over whom, as of when."""
    at = words.time(heading.as_of_ms)
    as_of = words.word("as_of", time=f"{at:%H:%M %d/%m/%Y}")
    over = words.word("over", over=heading.over or words.word("everything"))
    frozen = [words.word("frozen")] if heading.closed else []
    named = [heading.conference] if heading.conference else []
    return [heading.title, *named, words.word(heading.what), " · ".join([as_of, over, *frozen])]


def cells(row: Row, columns: tuple[Column, ...], words: Words) -> list[Cell]:
    """The cells of one row, without its number."""
    return [column.value(row, words) for column in columns]
