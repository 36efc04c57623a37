"""Spot-checks: drawing names by lot, and their figures (DESIGN.md §6). Pure: chance is passed in.

Who is not seen is "not confirmed", never absent: nothing here touches a figure of attendance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diemcau import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ANSWER_LATE_MS = limits.SPOT_ANSWER_LATE_S * 1000


class Lot:
    """Draws up to `size` people a hall, each with the same chance, while the list passes by once (reservoir).

    Memory is bounded by the halls, whatever the number of people. `chance` gives numbers in [0, 1).
    """

    def __init__(self, chance: Callable[[], float], size: int = limits.SPOT_NAMES) -> None:
        self._chance = chance
        self._size = size
        self._seen: dict[int, int] = {}
        self._drawn: dict[int, list[int]] = {}

    def pass_by(self, hall: int, person: int) -> None:
        """The next person, who sits in `hall`."""
        count = self._seen[hall] = self._seen.get(hall, 0) + 1
        drawn = self._drawn.setdefault(hall, [])
        if count <= self._size:
            drawn.append(person)
        elif (place := int(self._chance() * count)) < self._size:
            drawn[place] = person

    def of(self, hall: int) -> list[int]:
        """Who was drawn in this hall; fewer than `size` where fewer sit there."""
        return self._drawn.get(hall, [])


@dataclass(frozen=True, slots=True)
class Hall:
    """One hall in a spot-check. `headcount` None: no answer to that question; names are answered one by one."""

    present: int
    asked: int
    confirmed: int
    not_confirmed: int
    scanned: int
    headcount: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Totals over halls, with the words of `wire.spot_checks.SpotFigures`."""

    points: int = 0
    answered: int = 0
    present: int = 0
    present_answered: int = 0
    headcount: int = 0
    asked: int = 0
    confirmed: int = 0
    not_confirmed: int = 0
    scanned: int = 0


def total(halls: Iterable[Hall]) -> Figures:
    """The totals of these halls. Headcounts and people are summed side by side, never together."""
    rows = list(halls)
    counted = [row for row in rows if row.headcount is not None]
    return Figures(
        points=len(rows),
        answered=len(counted),
        present=sum(row.present for row in rows),
        present_answered=sum(row.present for row in counted),
        headcount=sum(row.headcount or 0 for row in counted),
        asked=sum(row.asked for row in rows),
        confirmed=sum(row.confirmed for row in rows),
        not_confirmed=sum(row.not_confirmed for row in rows),
        scanned=sum(row.scanned for row in rows),
    )


def answerable(ends_ms: int, now_ms: int) -> bool:
    """Whether a hall may still answer, or change its answer: half an hour beyond the end, for bad lines."""
    return now_ms <= ends_ms + ANSWER_LATE_MS
