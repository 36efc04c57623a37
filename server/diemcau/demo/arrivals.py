"""Who comes when, and what goes wrong on the way. Pure: a seeded generator decides, so a play can be repeated.

The curve is DOMAIN.md's: most people arrive in the last 30 minutes, with bursts of about five times the mean,
and a few come late.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from diemcau.demo.sample import Hall, Person

FIRST_S = -45 * 60
"""The first phones scan 45 minutes before the start."""

LAST_S = 12 * 60
"""Who is not there 12 minutes after the start does not come."""

COMING = 0.94
"""Of those invited; Hanoi's own figure."""


class Mishap(StrEnum):
    """What happens to a person on the way from the scan to the receipt."""

    NONE = "none"
    TYPO = "typo"
    """Mistypes the name first."""
    TWICE = "twice"
    """Scans again afterwards, to be sure."""
    TWO_HALLS = "two_halls"
    """Walks over to another hall and scans there too."""
    WRONG_HALL = "wrong_hall"
    """Comes to another hall than the one they are invited to, and gives their code there."""
    REPLAY = "replay"
    """Taps the confirmation twice."""
    LOST_ANSWER = "lost_answer"
    """The line drops after the tap; the phone sends it again on a new connection."""
    SHARED_PHONE = "shared_phone"
    """Checks a colleague in on the same phone, from the receipt."""
    OLD_CODE = "old_code"
    """Scans a photograph of the code that somebody sent ten minutes ago."""


MISHAPS = {
    Mishap.TYPO: 0.01,
    Mishap.TWICE: 0.012,
    Mishap.TWO_HALLS: 0.002,
    Mishap.WRONG_HALL: 0.006,
    Mishap.REPLAY: 0.01,
    Mishap.LOST_ANSWER: 0.005,
    Mishap.OLD_CODE: 0.004,
    Mishap.SHARED_PHONE: 0.01,
}
"""Shares of those who come; each kind happens to at least one person."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One person at one door. `at_s` counts from the start of the session; `typed` is what they put in the field."""

    person: Person
    hall: str
    at_s: float
    typed: str
    mishap: Mishap = Mishap.NONE
    other_hall: str = ""
    companion: Visit | None = None


def plan(people: Sequence[Person], halls: Sequence[Hall], random: Random) -> list[Visit]:
    """Everybody's visit, the earliest first; about 6 % of `people` do not come."""
    coming = random.sample(people, round(len(people) * COMING))
    mishaps = _mishaps(len(coming), random)
    codes = [hall.code for hall in halls]
    visits = [_visit(person, mishap, codes, random) for person, mishap in zip(coming, mishaps, strict=True)]
    return sorted(_shared(visits), key=lambda visit: visit.at_s)


def arrival_s(random: Random) -> float:
    """One person's moment in seconds from the start of the session (before it: negative)."""
    share = random.random()
    if share < 0.12:
        moment = random.uniform(FIRST_S, -1800)
    elif share < 0.77:
        moment = random.triangular(-1800, 0, -700)
    elif share < 0.94:
        moment = random.gauss(-600, 32)  # the cars arrive
    else:
        moment = random.expovariate(1 / 200)
    return min(max(moment, FIRST_S), LAST_S)


def messy(full_name: str, random: Random) -> str:
    """The name as people really type it: without diacritics, in lower case, decomposed, with spaces too many."""
    plain = _without_marks(full_name)
    ways: list[tuple[int, Callable[[], str]]] = [
        (40, plain.lower),
        (15, lambda: plain),
        (15, full_name.lower),
        (12, lambda: full_name),
        (6, full_name.upper),
        (6, lambda: unicodedata.normalize("NFD", full_name)),
        (6, lambda: f" {full_name.replace(' ', '  ')} "),
    ]
    way = random.choices([way for _, way in ways], [weight for weight, _ in ways])[0]
    return way()


def mistyped(full_name: str) -> str:
    """The name with a slip of the finger: the last letter twice and a neighbour's key."""
    return f"{_without_marks(full_name).lower()}{full_name[-1]}k"


def _without_marks(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in plain if not unicodedata.combining(c))


def _mishaps(count: int, random: Random) -> list[Mishap]:
    drawn = [mishap for mishap, share in MISHAPS.items() for _ in range(max(1, round(count * share)))][:count]
    drawn += [Mishap.NONE] * (count - len(drawn))
    random.shuffle(drawn)
    return drawn


def _shared(visits: list[Visit]) -> list[Visit]:
    """Who shares a phone comes with a colleague of the same hall, and not alone; nobody there: an ordinary visit."""
    colleagues: dict[str, list[Visit]] = {}
    for visit in visits:
        if visit.mishap is Mishap.NONE:
            colleagues.setdefault(visit.hall, []).append(visit)
    taken: set[str] = set()
    paired: list[Visit] = []
    for visit in visits:
        if visit.mishap is Mishap.SHARED_PHONE and colleagues.get(visit.hall):
            companion = colleagues[visit.hall].pop()
            taken.add(companion.person.code)
            paired.append(replace(visit, companion=companion))
        else:
            paired.append(visit)
    return [visit for visit in paired if visit.person.code not in taken]


def _visit(person: Person, mishap: Mishap, halls: list[str], random: Random) -> Visit:
    other = ""
    if mishap in {Mishap.WRONG_HALL, Mishap.TWO_HALLS}:
        other = random.choice([code for code in halls if code != person.hall])
    hall = other if mishap is Mishap.WRONG_HALL else person.hall
    by_code = person.ambiguous or mishap is Mishap.WRONG_HALL or random.random() < 0.03
    typed = random.choice([person.code, person.code.lower()]) if by_code else messy(person.full_name, random)
    return Visit(person, hall, arrival_s(random), typed, mishap, other)
