"""The quick report (báo cáo nhanh): numbered snapshots of level × points × delegates, never changed afterwards."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class QuickReportNew(Struct, forbid_unknown_fields=True):
    """Make the next one. `number`: the one that is expected, so that a second press makes no second report."""

    number: Annotated[int, Meta(ge=1)] | None = None


class QuickReportRow(Struct):
    """The halls of one level; the centre's halls are a row of their own, the total is one too.

    checked_in: named people of the list; unlisted: named, on no list; headcount: people counted. The three are never
    added together: delegates is, per hall, the larger of checked_in and headcount.
    """

    center: bool
    level: str
    points: int
    reported: int
    checked_in: int
    unlisted: int
    headcount: int
    delegates: int


class QuickReportPoint(Struct, omit_defaults=True):
    """A hall as it stood. `headcount` null: nobody had counted; `source` and `at_ms` are the headcount's."""

    point: str
    name: str
    unit: str
    unit_name: str
    level: str
    center: bool
    reported: bool
    checked_in: int
    unlisted: int
    delegates: int
    headcount: int | None = None
    source: str = ""
    at_ms: int | None = None


class QuickReport(Struct):
    """One snapshot, as of `at_ms`. `points`: every hall behind it.

    beyond: codes of the units outside the session's own whose halls it counts too; mostly none.
    """

    number: int
    at_ms: int
    made_by: str
    session: str
    title: str
    conference: str
    beyond: list[str]
    rows: list[QuickReportRow]
    total: QuickReportRow
    points: list[QuickReportPoint]

    @property
    def unreported(self) -> list[QuickReportPoint]:
        """The halls that had said nothing."""
        return [point for point in self.points if not point.reported]


class QuickReportBrief(Struct):
    """One line of the list."""

    number: int
    at_ms: int
    made_by: str
    total: QuickReportRow


class QuickReportList(Struct):
    """The reports of a session that the caller may read, the first one first."""

    items: list[QuickReportBrief]
