"""What becomes of each hall's line during the play. Pure: a seeded generator decides.

Moments are in beats (10 s as the server has it), so that a server with shorter beats is played faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from diemcau.demo.sample import Hall


class Course(StrEnum):
    """One hall's fate."""

    STEADY = "steady"
    NEVER = "never"
    """No device ever connects there; people check in all the same (I8)."""
    DROP = "drop"
    """Falls silent and stays so."""
    DROP_BACK = "drop_back"
    """Falls silent and comes back after 40 to 90 seconds."""
    LEAVE = "leave"
    """Says goodbye."""
    AWAY = "away"
    """The laptop's page goes to the background."""
    FLAP = "flap"
    """The line breaks again and again, for a few seconds each time."""
    DISTRICT = "district"
    """One of a whole district that loses power for a minute."""


SHARES = {
    Course.NEVER: 0.02,
    Course.DROP: 0.02,
    Course.DROP_BACK: 0.05,
    Course.LEAVE: 0.015,
    Course.AWAY: 0.02,
    Course.FLAP: 0.015,
}
"""Shares of the halls outside the district; each occurs at least once. The rest is steady."""

JOIN_BEATS = 1.5
"""Operators open their pages within this time after the doors open."""

FIRST_EVENT_BEATS = 2.0
BACK_BEATS = (4.0, 9.0)
DISTRICT_BEATS = 6.0
FLAPS = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """A hall's course: joins, meets its event, and where it drops comes back `gone_s` later. Seconds from the start."""

    course: Course
    join_s: float
    event_s: float
    gone_s: float
    cut: bool
    """Whether the connection breaks (power cut) or merely falls silent (a cable pulled behind a switch)."""


def plan(halls: Sequence[Hall], beat_s: float, window_s: tuple[float, float], random: Random) -> dict[str, Plan]:
    """Every hall's plan by its code; events lie within `window_s`, two beats after the doors opened at the earliest."""
    others = [hall.code for hall in halls if not hall.in_district]
    drawn = [course for course, share in SHARES.items() for _ in range(max(1, round(len(others) * share)))]
    drawn += [Course.STEADY] * (len(others) - len(drawn))
    random.shuffle(drawn)
    courses = dict(zip(others, drawn, strict=False))
    first_s = max(FIRST_EVENT_BEATS * beat_s, window_s[0])
    last_s = max(first_s, window_s[1])
    district_s = random.uniform(first_s, (first_s + last_s) / 2)
    return {
        hall.code: Plan(
            course=courses.get(hall.code, Course.DISTRICT),
            join_s=random.uniform(0, JOIN_BEATS * beat_s),
            event_s=district_s if hall.in_district else random.uniform(first_s, last_s),
            gone_s=(DISTRICT_BEATS if hall.in_district else random.uniform(*BACK_BEATS)) * beat_s,
            cut=random.random() < 0.5,
        )
        for hall in halls
    }
