"""The simulator's own account of the day: what its people and devices did, and what the server acknowledged.

Nothing in it is read from the server except acknowledgements; `reconcile` holds everything else against it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from diemcau.domain.models import LinkState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SUSPECT_BEATS = 1.5
LOST_BEATS = 3.0
FAILURES_KEPT = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """An acknowledged person: where they were counted and what their receipt is."""

    hall: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Move:
    """A link state that a point must have entered at about `at_ms`."""

    to: LinkState
    at_ms: int


@dataclass(slots=True)
class Ledger:
    """Filled by the players, read at the end. `on_count` hears of each newly counted person: hall, people there."""

    begun: int = 0
    done: int = 0
    visits: int = 0
    requests: int = 0
    people: dict[str, Entry] = field(default_factory=dict)
    present: Counter[str] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    failed: int = 0
    confirm_ms: list[float] = field(default_factory=list)
    journey_ms: list[float] = field(default_factory=list)
    moves: dict[str, list[Move]] = field(default_factory=dict)
    slow: dict[str, int] = field(default_factory=dict)
    """Points that told the server of a round trip over a second, and when they last did."""
    on_count: Callable[[str, int], None] = field(default=lambda _hall, _count: None)

    def acknowledged(self, person: str, hall: str, receipt: str) -> bool:
        """A person got their receipt; whether it was the first for them (I2: only that one counts)."""
        if person in self.people:
            return False
        self.people[person] = Entry(hall, receipt)
        self.present[hall] += 1
        self.on_count(hall, self.present[hall])
        return True

    def failure(self, what: str) -> None:
        """Something that a person would complain about. All are counted, the first ones are kept."""
        self.failed += 1
        if len(self.failures) < FAILURES_KEPT:
            self.failures.append(what)

    def moved(self, point: str, to: LinkState, at_ms: int) -> None:
        """The point did something that makes the server record `to`; unchanged states are not recorded."""
        if self.link(point) != to:
            self.moves.setdefault(point, []).append(Move(to, at_ms))

    def silent(self, point: str, since_ms: int, until_ms: int, beat_s: float) -> None:
        """The point was silent from its last sign of life to `until_ms`: what passed by then was recorded."""
        if self.link(point) is LinkState.LOST:
            return
        for to, beats in ((LinkState.SUSPECT, SUSPECT_BEATS), (LinkState.LOST, LOST_BEATS)):
            deadline_ms = since_ms + round(beats * beat_s * 1000)
            if deadline_ms <= until_ms:
                self.moved(point, to, deadline_ms)

    def link(self, point: str) -> LinkState:
        """The point's state by this ledger."""
        moves = self.moves.get(point)
        return moves[-1].to if moves else LinkState.EXPECTED

    def links(self, points: Iterable[str]) -> Counter[LinkState]:
        """How many points are in which state."""
        return Counter(self.link(point) for point in points)


def percentile(values: list[float], share: float) -> float:
    """The value that `share` (0 … 1) of `values` do not exceed; 0 without values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
