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
LOST_BEATS = 3.0
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
    """Every hall's plan by its code.

    Args:
        halls: those that are played.
        beat_s: the server's beat.
        window_s: from when on things happen (two beats after the doors opened at the earliest), and by when
            whoever comes back is back and whoever does not is lost.
        random: decides.
    """
    others = [hall.code for hall in halls if not hall.in_district]
    drawn = [course for course, share in SHARES.items() for _ in range(max(1, round(len(others) * share)))]
    drawn += [Course.STEADY] * (len(others) - len(drawn))
    random.shuffle(drawn)
    courses = dict(zip(others, drawn, strict=False))
    first = max(FIRST_EVENT_BEATS, window_s[0] / beat_s)
    last = max(first + BACK_BEATS[0], window_s[1] / beat_s)
    blackout = random.uniform(first, max(first, last - DISTRICT_BEATS)), DISTRICT_BEATS

    def drawn_plan(hall: Hall) -> Plan:
        course = courses.get(hall.code, Course.DISTRICT)
        event, gone = blackout if course is Course.DISTRICT else _event(course, first, last, random)
        join_s = random.uniform(0, JOIN_BEATS * beat_s)
        return Plan(course, join_s, event * beat_s, gone * beat_s, cut=random.random() < 0.5)

    return {hall.code: drawn_plan(hall) for hall in halls}


def _event(course: Course, first: float, last: float, random: Random) -> tuple[float, float]:
    """When it happens, and how long the hall is gone; in beats."""
    gone = random.uniform(BACK_BEATS[0], max(BACK_BEATS[0], min(BACK_BEATS[1], last - first)))
    needs = gone if course is Course.DROP_BACK else LOST_BEATS
    return random.uniform(first, max(first, last - needs)), gone
