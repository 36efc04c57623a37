"""How figures add up, whatever the tree looks like (I3)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from diemcau.domain.attendance import Figures, parent_of, roll_up, total


@st.composite
def forests(draw: st.DrawFn) -> dict[str, Figures]:
    """Paths of a forest of any shape with the own figures of each unit."""
    paths: list[str] = []
    for number in range(draw(st.integers(1, 25))):
        above = draw(st.sampled_from(["", *paths]))
        paths.append(f"{above}{number:06d}.")
    return {path: draw(figures()) for path in paths}


@st.composite
def figures(draw: st.DrawFn) -> Figures:
    """Figures that can be: each of the summoned in one place, no more late than present."""
    summoned = draw(st.integers(0, 500))
    present = draw(st.integers(0, summoned))
    late, guests, unlisted = draw(st.integers(0, present)), draw(st.integers(0, 9)), draw(st.integers(0, 9))
    substituted = draw(st.integers(0, summoned - present))
    excused = draw(st.integers(0, summoned - present - substituted))
    return Figures(draw(st.integers(0, 5)), summoned, present, late, guests, substituted, unlisted, excused)


@given(forests())
def test_every_level_equals_what_is_below_it(own: dict[str, Figures]) -> None:
    """A province's row is the sum of its communes', counted one by one."""
    rolled = roll_up(own, own)
    for path, found in rolled.items():
        assert found == total(figures for below, figures in own.items() if below.startswith(path))
    assert total(rolled[path] for path in own if not parent_of(path)) == total(own.values())


@given(forests())
def test_nobody_is_lost_between_present_and_missing(own: dict[str, Figures]) -> None:
    """Summoned = present + substituted + excused + missing at every level; neither rate ever leaves 0 to 100."""
    for found in roll_up(own, own).values():
        assert found.summoned == found.present + found.substituted + found.excused + found.missing
        assert found.missing >= 0
        if found.summoned:
            assert 0 <= (found.rate or 0) <= (found.rate_with_substitutes or 0) <= 100
        else:
            assert found.rate is found.rate_with_substitutes is None


def test_a_part_of_the_tree_is_its_own_top() -> None:
    """A clerk's district is whole without the city above it."""
    own = {"A.B.": Figures(summoned=3, present=2), "A.B.C.": Figures(summoned=1)}
    assert roll_up(own, ["A.B.", "A.B.C."])["A.B."] == Figures(summoned=4, present=2)


def test_the_rate_has_one_decimal() -> None:
    """As the tables of Vietnamese offices have it; nobody summoned is no rate, not zero."""
    assert Figures(summoned=52_000, present=48_913).rate == 94.1
    assert Figures(guests=4).rate is None
    assert Figures(summoned=52_000, present=48_913, substituted=100).rate_with_substitutes == 94.3
