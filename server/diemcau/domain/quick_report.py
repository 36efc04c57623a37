"""The quick report (báo cáo nhanh): level × points × delegates, from what each hall has said so far. Pure.

Named check-ins and headcounts are two measures of the same people, so they stand in columns of their own and are
never added together. While people arrive both can only be too small: a hall counted at 07:40 has filled since, and a
hall that ticks names on paper has scanned but a few. So a hall's delegates are the larger of the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class PointFigures:
    """One hall. `level`: its unit's own label, `depth`: how far below the root that unit hangs.

    checked_in: counted people of the list; unlisted: people on no list, apart; headcount: None where nobody counted.
    """

    center: bool
    level: str
    depth: int
    checked_in: int
    unlisted: int
    headcount: int | None

    @property
    def reported(self) -> bool:
        """Whether the hall said anything: a number, be it 0, or a first name."""
        return self.headcount is not None or self.checked_in > 0

    @property
    def delegates(self) -> int:
        """The hall's figure in the report."""
        return max(self.checked_in, self.headcount or 0)


@dataclass(frozen=True, slots=True)
class Row:
    """The halls of one level; `level` "" where units have no label. The centre's halls are a row of their own.

    delegates: the sum over halls of the larger of both measures; so it may exceed either column.
    """

    center: bool = False
    level: str = ""
    points: int = 0
    reported: int = 0
    checked_in: int = 0
    unlisted: int = 0
    headcount: int = 0
    delegates: int = 0

    def plus(self, point: PointFigures) -> Row:
        """The row with one hall more."""
        return Row(
            self.center,
            self.level,
            self.points + 1,
            self.reported + point.reported,
            self.checked_in + point.checked_in,
            self.unlisted + point.unlisted,
            self.headcount + (point.headcount or 0),
            self.delegates + point.delegates,
        )


def table(points: Iterable[PointFigures]) -> tuple[list[Row], Row]:
    """The rows and their total, which is counted from the halls and not from the rows (I3).

    The centre first, then levels from the root downwards, those of one depth in the order in which they came.
    """
    rows: dict[tuple[bool, str], Row] = {}
    depths: dict[tuple[bool, str], int] = {}
    total = Row()
    for point in points:
        key = (point.center, "" if point.center else point.level.casefold())
        row = rows.get(key) or Row(point.center, "" if point.center else point.level)
        rows[key] = row.plus(point)
        depths[key] = min(depths.get(key, point.depth), point.depth)
        total = total.plus(point)
    ordered = sorted(rows, key=lambda key: (not key[0], depths[key]))  # stable: as they came
    return [rows[key] for key in ordered], total


def tops(paths: Iterable[str]) -> list[str]:
    """The fewest unit paths that cover all of these: whoever may read a whole report answers for each of them."""
    found: list[str] = []
    for path in sorted(set(paths)):
        if not found or not path.startswith(found[-1]):
            found.append(path)
    return found
