"""What a report is made of, as it comes through the pipe: a heading, then rows. Raw values; words come later."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from diemcau.domain.models import AttendanceStatus, LinkState
from diemcau.i18n import Language
from diemcau.reports.paper import PaperHead


class What(StrEnum):
    """The reports there are."""

    ATTENDANCE = "attendance"
    SUMMARY = "summary"
    CONNECTIONS = "connections"
    ROSTER = "roster"
    SPOT_CHECKS = "spot-checks"
    ABSENCES = "absences"


class Format(StrEnum):
    """How a report is written."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"
    JSON = "json"


class Heading(msgspec.Struct, frozen=True):
    """What stands above a table.

    over: the unit whose people or points these are; "" for everything the reader answers for.
    closed: the figures are frozen, so who was not counted is absent without excuse.
    timezone: an IANA name; every time in the report is on its clock.
    session: its code. target_rate: percent of the summoned that each unit is to reach; None: none was set.
    totals: what the rows must add up to, as the database sums them by itself (`reports.totals`); {}: not checked.
    """

    what: What
    format: Format
    language: Language
    timezone: str
    title: str
    conference: str
    over: str
    as_of_ms: int
    closed: bool
    session: str = ""
    head: PaperHead = PaperHead()
    target_rate: int | None = None
    totals: dict[str, int] = {}


class AttendanceRow(msgspec.Struct, frozen=True, array_like=True):
    """A person in the attendance list."""

    code: str
    full_name: str
    title: str
    unit: str
    point: str
    phone: str
    status: AttendanceStatus
    at_ms: int | None
    invited: bool
    flags: str
    left_ms: int | None = None
    substitute: str = ""
    stands_for: str = ""
    reason: str = ""
    point_code: str = ""
    unlisted: bool = False


UNLISTED = "unlisted"
"""The status of somebody in the attendance list who is on no list of people."""


class SummaryRow(msgspec.Struct, frozen=True, array_like=True):
    """A unit's figures with all below it; `missing` are unmarked or unexcused. The total has no depth.

    rate_all: with those whose place was taken.
    """

    unit: str
    unit_code: str
    depth: int | None
    points: int
    summoned: int
    present: int
    late: int
    missing: int
    guests: int
    rate: float | None
    substituted: int = 0
    unlisted: int = 0
    rate_all: float | None = None
    excused: int = 0


class ConnectionRow(msgspec.Struct, frozen=True, array_like=True):
    """A change of a point's link; `previous_ms` is when the state before it began."""

    point_code: str
    point: str
    unit: str
    from_link: LinkState
    to_link: LinkState
    at_ms: int
    noticed_ms: int
    previous_ms: int | None
    cause: str


class RosterRow(msgspec.Struct, frozen=True, array_like=True):
    """A person on a hall's printed list; `number` is theirs for good, None for who is summoned to no hall yet."""

    point_code: str
    point: str
    number: int | None
    code: str
    full_name: str
    title: str
    unit: str
    phone: str
    note: str = ""


class PhaseFigures(msgspec.Struct, frozen=True, array_like=True):
    """What one hall answered to the last spot-check of a phase; `headcount` None: not answered.

    asked: drawn by lot, or everybody counted there where a new code was shown; confirmed: seen, of the asked.
    """

    present: int = 0
    headcount: int | None = None
    asked: int = 0
    confirmed: int = 0


class SpotCheckRow(msgspec.Struct, frozen=True, array_like=True):
    """A hall at the start, in the middle and at the end; None where it was not asked. The total has no point code."""

    point_code: str
    point: str
    unit: str
    start: PhaseFigures | None = None
    middle: PhaseFigures | None = None
    end: PhaseFigures | None = None


class AbsenceRow(msgspec.Struct, frozen=True, array_like=True):
    """Somebody's absence as it stands. `late`: asked for after the deadline; `state` as `domain.models` names it."""

    code: str
    full_name: str
    title: str
    unit: str
    phone: str
    state: str
    reason: str
    text: str
    substitute: str
    requested_ms: int
    requested_by: str
    late: bool
    decided_ms: int | None
    decided_by: str
    note: str


Row = AttendanceRow | SummaryRow | ConnectionRow | RosterRow | SpotCheckRow | AbsenceRow
