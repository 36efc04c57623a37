"""Who comes when, what they type, and what goes wrong on the way."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from diemcau.demo import arrivals, sample
from diemcau.demo.arrivals import FIRST_S, LAST_S, Mishap, Visit
from diemcau.domain.names import fold


@pytest.fixture(scope="module")
def visits() -> list[Visit]:
    """The whole conference's visits."""
    whole = sample.load()
    return arrivals.plan(whole.people, whole.halls, Random(1))


def everybody(visits: list[Visit]) -> list[Visit]:
    """All visits, those on a colleague's phone included."""
    return [each for visit in visits for each in (visit, visit.companion) if each]


def test_most_come_in_the_last_half_hour(visits: list[Visit]) -> None:
    """The load is the real one: about 94 % come, most within 30 minutes, in bursts of about five times the mean."""
    assert len(everybody(visits)) == round(52_000 * 0.94)
    assert all(FIRST_S <= visit.at_s <= LAST_S for visit in visits)
    last = [visit for visit in visits if -1800 <= visit.at_s < 0]
    assert 0.75 < len(last) / len(visits) < 0.9
    busiest = Counter(int(visit.at_s // 10) for visit in last).most_common(1)[0][1] / 10
    assert 3.5 < busiest / (len(last) / 1800) < 7
    assert any(visit.at_s > 0 for visit in visits)


def test_everybody_comes_once_and_to_their_hall(visits: list[Visit]) -> None:
    """Nobody is played twice; only who is lost on the way comes to another hall, and gives a code there."""
    assert len({visit.person.code for visit in everybody(visits)}) == len(everybody(visits))
    for visit in everybody(visits):
        if visit.mishap is Mishap.WRONG_HALL:
            assert visit.hall != visit.person.hall
            assert visit.typed.upper() == visit.person.code
        else:
            assert visit.hall == visit.person.hall
        assert visit.companion is None or visit.companion.hall == visit.hall


def test_every_mishap_happens(visits: list[Visit]) -> None:
    """A kind of trouble that is never played is never reconciled."""
    small = sample.load(points=10, people=200)
    assert set(Mishap) == {visit.mishap for visit in visits}
    assert set(Mishap) == {visit.mishap for visit in arrivals.plan(small.people, small.halls, Random(1))}


def test_what_is_typed_finds_the_person(visits: list[Visit]) -> None:
    """However messily a name is typed, the door's folding finds it; who shares a name gives the code."""
    for visit in everybody(visits):
        by_code = visit.typed.upper() == visit.person.code
        assert by_code or fold(visit.typed) == fold(visit.person.full_name)
        assert by_code or not visit.person.ambiguous
    typed = {visit.typed for visit in visits}
    assert any(text.isascii() and text.islower() for text in typed)
    assert any("\u0323" in text for text in typed), "no name came decomposed"


def test_a_slip_finds_nobody(visits: list[Visit]) -> None:
    """A mistyped name must be refused, or the mishap plays nothing."""
    names = {fold(visit.person.full_name) for visit in visits}
    assert all(fold(arrivals.mistyped(visit.person.full_name)) not in names for visit in visits[:2000])


def test_a_seed_repeats_the_play() -> None:
    """A failing check can be played again exactly."""
    small = sample.load(points=10, people=200)
    first, second = (arrivals.plan(small.people, small.halls, Random(7)) for _ in range(2))
    assert first == second
