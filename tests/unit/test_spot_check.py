"""Names drawn by lot, and the figures of a spot-check."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diemcau import limits
from diemcau.domain.spot_check import Figures, Hall, Lot, answerable, total


def drawn(people: int, seed: int = 1, hall: int = 7) -> list[int]:
    """Who is drawn in a hall of so many people."""
    lot = Lot(Random(seed).random)
    for person in range(people):
        lot.pass_by(hall, person)
    return lot.of(hall)


@given(people=st.integers(0, 200), seed=st.integers(0, 10_000))
def test_five_different_people_of_the_hall(people: int, seed: int) -> None:
    """A name asked twice, or of somebody who is not there, would make the operator doubt the whole question."""
    names = drawn(people, seed)
    assert len(names) == len(set(names)) == min(people, limits.SPOT_NAMES)
    assert set(names) <= set(range(people))


def test_everybody_has_the_same_chance() -> None:
    """Whoever comes late must be as likely to be asked about as whoever came first."""
    rounds, people = 4000, 20
    times = [0] * people
    for seed in range(rounds):
        for person in drawn(people, seed):
            times[person] += 1
    expected = rounds * limits.SPOT_NAMES / people
    assert max(abs(count - expected) for count in times) < 0.15 * expected


def test_halls_do_not_mix() -> None:
    """An operator is asked about people of their own hall only, in whichever order the rows come."""
    lot = Lot(Random(1).random)
    for person in range(300):
        lot.pass_by(person % 3, person)
    for hall in range(3):
        assert len(lot.of(hall)) == limits.SPOT_NAMES
        assert {person % 3 for person in lot.of(hall)} == {hall}
    assert lot.of(99) == []


def test_headcounts_are_compared_with_the_halls_that_answered() -> None:
    """Beside 40 people counted in one hall must stand the check-ins of that hall, not of the silent one too."""
    halls = [Hall(50, 5, 3, 1, 0, 40), Hall(30, 5, 0, 0, 2, None), Hall(0, 0, 0, 0, 0, 0)]
    assert total(halls) == Figures(
        points=3,
        answered=2,
        present=80,
        present_answered=50,
        headcount=40,
        asked=10,
        confirmed=3,
        not_confirmed=1,
        scanned=2,
    )
    assert total([]) == Figures()


@pytest.mark.parametrize(("late_ms", "taken"), [(0, True), (30 * 60_000, True), (30 * 60_000 + 1, False)])
def test_answers_come_half_an_hour_late_at_most(late_ms: int, taken: bool) -> None:  # noqa: FBT001 a table's column
    """A hall whose line was down when the centre asked may still answer; the next morning it may not."""
    assert answerable(1_000, 1_000 + late_ms) is taken
