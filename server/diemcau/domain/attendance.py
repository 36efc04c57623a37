"""The figures of a session by unit (DOMAIN.md, "How it really goes"): what they mean and how they add up. Pure.

summoned   people with an invitation
present    of the summoned, those who were counted, in whatever hall, late ones included
late       of the present, those who came late
substituted  of the summoned, those who did not come and whose place somebody took (dự thay)
excused    of the summoned, those whose absence was approved, who did not come and whose place nobody took
missing    summoned - present - substituted - excused: unmarked while the session is not closed, unexcused afterwards
guests     counted without an invitation, those among them who took somebody's place too; in no rate
unlisted   counted people on no list whom no clerk has matched yet, by the unit of their hall
rate       present / summoned in percent, and once more with those whose place was taken

So present + guests + unlisted are the people who sat in the halls, and summoned = present + substituted + excused +
missing. Everybody is in exactly one of these: who was excused and comes all the same is present, and who was excused
and is stood for is substituted. People count for the unit that they belong to, wherever they sit; halls for theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one unit, its own or with all below it. `points` are halls; the others are people."""

    points: int = 0
    summoned: int = 0
    present: int = 0
    late: int = 0
    guests: int = 0
    substituted: int = 0
    unlisted: int = 0
    excused: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.points + other.points,
            self.summoned + other.summoned,
            self.present + other.present,
            self.late + other.late,
            self.guests + other.guests,
            self.substituted + other.substituted,
            self.unlisted + other.unlisted,
            self.excused + other.excused,
        )

    @property
    def missing(self) -> int:
        """Summoned, not counted, not excused, and nobody in their place."""
        return self.summoned - self.present - self.substituted - self.excused

    @property
    def rate(self) -> float | None:
        """Present over summoned in percent with one decimal; None when nobody is summoned."""
        return self._percent(self.present)

    @property
    def rate_with_substitutes(self) -> float | None:
        """The same over those who came or were stood for."""
        return self._percent(self.present + self.substituted)

    def _percent(self, people: int) -> float | None:
        return round(100 * people / self.summoned, 1) if self.summoned else None


def total(figures: Iterable[Figures]) -> Figures:
    """The sum."""
    return sum(figures, Figures())


def parent_of(path: str) -> str:
    """The path of the unit above; "" above a top unit."""
    return path[: path.rfind(".", 0, -1) + 1]


def roll_up(own: Mapping[str, Figures], paths: Iterable[str]) -> dict[str, Figures]:
    """For each of `paths` the figures of that unit and all below it; `own` holds each unit's own people and halls.

    Every path of `own` must be among `paths`; the sum of the highest paths is then the sum of `own` (I3).
    """
    rolled = {path: own.get(path, Figures()) for path in paths}
    for path in sorted(rolled, key=len, reverse=True):
        parent = parent_of(path)
        if parent in rolled:
            rolled[parent] += rolled[path]
    return rolled
