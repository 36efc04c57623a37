"""The sample conference: whole, cut to size, and what is left for the newcomer."""

from __future__ import annotations

import csv
import io

import pytest

from diemcau.demo import sample
from diemcau.demo.errors import DemoError
from diemcau.demo.sample import DISTRICT, NEWCOMER_HALL, ROOT_UNIT


def test_the_sample_is_hanoi() -> None:
    """The figures the demo promises are those of the real conference."""
    whole = sample.load()
    assert (len(whole.units), len(whole.halls), len(whole.people)) == (630, 766, 52_000)
    assert sum(hall.in_district for hall in whole.halls) == 33


def test_the_newcomer_can_type_their_name() -> None:
    """The person left over must be found by name alone in the hall that is left over."""
    whole = sample.load()
    assert whole.newcomer_hall.code == whole.newcomer.hall == NEWCOMER_HALL
    assert not whole.newcomer.ambiguous


def test_a_small_conference_has_every_part() -> None:
    """The quick run plays the same things as the long one: centre, newcomer's hall, a district that drops."""
    small = sample.load(points=12, people=300)
    assert (len(small.halls), len(small.people)) == (12, 300)
    assert small.halls[0].code == "HN-0001"
    assert small.newcomer.hall == NEWCOMER_HALL
    assert sum(hall.in_district for hall in small.halls) >= 2
    units = {row["code"] for row in small.units}
    assert {ROOT_UNIT, DISTRICT} <= units
    assert {row["unit_code"] for row in small.points} | {row["unit_code"] for row in small.attendees} <= units
    assert {row["parent_code"] for row in small.units} - {""} <= units
    assert {person.hall for person in small.people} == {hall.code for hall in small.halls}


@pytest.mark.parametrize(("points", "people"), [(3, 300), (12, 5)])
def test_too_small_is_said(points: int, people: int) -> None:
    """A conference without room for every part is refused instead of playing half of it."""
    with pytest.raises(DemoError, match="demo_too_small"):
        sample.load(points, people)


def test_tables_are_uploaded_as_they_are() -> None:
    """What is imported has the headers and rows of the lists."""
    small = sample.load(points=10, people=40)
    rows = list(csv.DictReader(io.StringIO(small.table("attendees").decode())))
    assert rows == small.attendees
    assert rows[0]["phone"].startswith("0")
