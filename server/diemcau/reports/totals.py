"""What the rows of a report add up to, counted while they pass by, and held against what the database says (I3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau.domain.models import AttendanceStatus
from diemcau.reports.rows import AttendanceRow, Heading, PhaseFigures, RosterRow, Row, SpotCheckRow, SummaryRow, What

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PRESENT = frozenset({AttendanceStatus.PRESENT, AttendanceStatus.LATE})
SUMMED = ("points", "summoned", "present", "late", "substituted", "excused", "missing", "guests", "unlisted")
"""The figures of a summary's row that add up; rates do not."""


class TotalsDifferError(Exception):
    """The rows do not add up to what the database says: such a paper must not leave the house."""


class Tally:
    """Counts the rows of one report by what they say. `sums` is in the order in which a reader expects it."""

    def __init__(self, heading: Heading) -> None:
        self.heading = heading
        self.sums: dict[str, int] = {}
        self._missing = "unexcused" if heading.closed else "unmarked"
        if heading.what is What.ATTENDANCE:
            keys = ("summoned", "present", "late", "substituted", "excused", self._missing, "guests", "unlisted")
            self.sums = dict.fromkeys(keys, 0)
        elif heading.what is What.ROSTER:
            self.sums = {"people": 0}
        elif heading.what is not What.SUMMARY:
            self.sums = {"rows": 0}
        self._by_status: dict[tuple[AttendanceStatus, bool, bool], int] = {}
        self._summary: list[SummaryRow] = []
        self._halls: dict[str, PhaseFigures | None] = {}

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows; when the last has passed, their sums are held against the heading's.

        Raises:
            TotalsDifferError: they differ.
        """
        by_status = self._by_status
        for row in rows:
            if isinstance(row, AttendanceRow):  # 52,000 of these: no call for each
                kind = (row.status, row.invited, row.unlisted)
                by_status[kind] = by_status.get(kind, 0) + 1
            else:
                self._add(row)
            yield row
        self._attendance()
        self._check()

    def _add(self, row: Row) -> None:
        if isinstance(row, SummaryRow):
            self._summary.append(row)
        elif isinstance(row, SpotCheckRow):
            self._spot_check(row)
        elif isinstance(row, RosterRow):
            self.sums["people"] += 1
        else:
            self.sums["rows"] += 1

    def _attendance(self) -> None:
        for (status, invited, unlisted), count in self._by_status.items():
            if unlisted or not invited:
                self.sums["unlisted" if unlisted else "guests"] += count
                continue
            self.sums["summoned"] += count
            key = "present" if status in PRESENT else str(status)
            self.sums[key if key in self.sums else self._missing] += count
            if status is AttendanceStatus.LATE:
                self.sums["late"] += count

    def _spot_check(self, row: SpotCheckRow) -> None:
        if row.point_code:
            self.sums["rows"] += 1
            for phase in ("start", "middle", "end"):
                self._halls[phase] = plus(self._halls.get(phase), getattr(row, phase))
        elif any(getattr(row, phase) != self._halls.get(phase) for phase in ("start", "middle", "end")):
            raise TotalsDifferError(f"spot-checks: {row} against {self._halls}")

    def _check(self) -> None:
        differ = {
            key: (self.sums.get(key), expected)
            for key, expected in self.heading.totals.items()
            if self.sums.get(key) != expected
        }
        if differ or not _summary_adds_up(self._summary):
            raise TotalsDifferError(f"{self.heading.what} of {self.heading.session}: {differ}")


def plus(mine: PhaseFigures | None, other: PhaseFigures | None) -> PhaseFigures | None:
    """The sum of what halls answered; None only where none was asked, a headcount None only where none was told."""
    if mine is None or other is None:
        return mine or other
    told = [count for count in (mine.headcount, other.headcount) if count is not None]
    return PhaseFigures(
        mine.present + other.present,
        sum(told) if told else None,
        mine.asked + other.asked,
        mine.confirmed + other.confirmed,
    )


def _summary_adds_up(rows: list[SummaryRow]) -> bool:
    """Whether the highest units add up to the last row, and in each row the parts of the summoned to their number."""
    if not rows:
        return True
    *units, last = rows
    highest = min((row.depth or 0 for row in units), default=0)
    tops = [row for row in units if row.depth == highest]
    sums = all(sum(getattr(row, key) for row in tops) == getattr(last, key) for key in SUMMED) if tops else True
    parts = all(row.summoned == row.present + row.substituted + row.excused + row.missing for row in rows)
    return sums and parts
