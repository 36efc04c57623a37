"""How far units are: what each owes, and figures that add up at every level."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from diemcau.domain.attendance import parent_of
from diemcau.domain.preparation import Missing, Own, Progress, owing, roll_up

READY = Own(
    people=3, summoned=3, contact_name="Vũ Thị Trực", contact_phone="0904000111", points=1, paired=1, rehearsed=1
)


def test_a_unit_that_has_everything_owes_nothing() -> None:
    """Nobody is telephoned without a reason."""
    assert READY.missing == ()


def test_what_is_missing_is_named_in_order() -> None:
    """A caller reads out what a unit still owes."""
    assert Own(linked=True, people=5, points=2, paired=1, rehearsed=0).missing == (
        Missing.LIST,
        Missing.CONTACT,
        Missing.DEVICE,
        Missing.REHEARSAL,
    )


def test_people_of_an_earlier_conference_do_not_answer_a_link() -> None:
    """A unit that was asked for its list and sent none must stay on the list to telephone."""
    assert not Own(people=5, linked=True).list_in
    assert Own(people=5).list_in
    assert Own(people=5, linked=True, list_ms=1).list_in
    assert Own(people=5, linked=True, summoned=5).list_in


def test_a_name_without_a_number_is_no_contact() -> None:
    """Somebody must be reachable."""
    assert Missing.CONTACT in Own(contact_name="Vũ Thị Trực").missing
    assert Missing.CONTACT in Own(contact_phone="0904000111").missing


def test_a_unit_without_a_hall_owes_no_device() -> None:
    """Units that join a host point, or follow by television, have nothing to pair."""
    assert not {Missing.DEVICE, Missing.REHEARSAL} & set(Own(points=0).missing)


def test_only_units_that_owe_what_is_asked_for_are_found() -> None:
    """The list to telephone about lists must not name who sent one."""
    own = {"B.": READY, "A.": Own(points=1, people=1), "A.C.": Own(people=1)}
    assert owing(own, [Missing.DEVICE]) == ["A."]
    assert owing(own, [Missing.CONTACT]) == ["A.", "A.C."]
    assert owing(own, [Missing.LIST]) == []


PATHS = st.lists(st.sampled_from(["1.", "2.", "3."]), min_size=1, max_size=4).map("".join)
OWN = st.builds(
    Own,
    people=st.integers(0, 9),
    summoned=st.integers(0, 9),
    linked=st.booleans(),
    list_ms=st.none() | st.integers(0, 99),
    contact_name=st.sampled_from(["", "An"]),
    contact_phone=st.sampled_from(["", "09"]),
    points=st.integers(0, 3),
    paired=st.integers(0, 3),
    rehearsed=st.integers(0, 3),
)


@given(st.dictionaries(PATHS, OWN, max_size=12))
def test_every_level_is_the_sum_of_what_is_below(own: dict[str, Own]) -> None:
    """A figure that does not equal its rows is worth nothing (I3)."""
    rolled = roll_up(own)
    for path, progress in rolled.items():
        parts = [below for other, below in rolled.items() if other and parent_of(other) == path]
        parts += [Progress.of(own[path])] if path in own else []
        assert progress == sum(parts, Progress())
    assert rolled.get("", Progress()).units == len(own)
    assert rolled.get("", Progress()).ready == sum(not share.missing for share in own.values())
