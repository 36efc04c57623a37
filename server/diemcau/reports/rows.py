"""What a report is made of, as it comes through the pipe: a heading, then rows. Raw values; words come later."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from diemcau.domain.models import AttendanceStatus, LinkState
from diemcau.i18n import Language


class What(StrEnum):
    """The reports there are."""

    ATTENDANCE = "attendance"
    SUMMARY = "summary"
    CONNECTIONS = "connections"


class Format(StrEnum):
    """How a report is written."""

    CSV = "csv"
    XLSX = "xlsx"


class Heading(msgspec.Struct, frozen=True):
    """What stands above a table.

    over: the unit whose people or points these are; "" for everything the reader answers for.
    closed: the figures are frozen, so who was not counted is absent without excuse.
    timezone: an IANA name; every time in the report is on its clock.
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


Row = AttendanceRow | SummaryRow | ConnectionRow
