"""The quick report's table: every total equals its halls, at every level, and no hall counts twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from diemcau.domain.quick_report import PointFigures, Row, table, tops

HALLS = st.lists(
    st.builds(
        PointFigures,
        center=st.booleans(),
        level=st.sampled_from(["", "tỉnh", "huyện", "Xã", "xã"]),
        depth=st.integers(1, 4),
        checked_in=st.integers(0, 3000),
        unlisted=st.integers(0, 50),
        headcount=st.none() | st.integers(0, 3000),
    ),
    max_size=30,
)
FIGURES = ("points", "reported", "checked_in", "unlisted", "headcount", "delegates")


@given(HALLS)
def test_totals_equal_their_rows(halls: list[PointFigures]) -> None:
    """Whoever adds the column by hand gets the figure below it (I3)."""
    rows, total = table(halls)
    for name in FIGURES:
        assert sum(getattr(row, name) for row in rows) == getattr(total, name), name
    assert total.points == len(halls)
    assert total.delegates == sum(max(hall.checked_in, hall.headcount or 0) for hall in halls)
    assert total.reported == sum(1 for hall in halls if hall.checked_in or hall.headcount is not None)


@given(HALLS)
def test_the_two_measures_are_never_added(halls: list[PointFigures]) -> None:
    """Sixty people who checked in and were counted are sixty people."""
    _, total = table(halls)
    assert total.checked_in <= total.delegates
    assert total.headcount <= total.delegates
    for hall in halls:
        assert hall.delegates in {hall.checked_in, hall.headcount}


def hall(level: str, depth: int, *, center: bool = False) -> PointFigures:
    """An empty hall of a level."""
    return PointFigures(center, level, depth, 0, 0, None)


def test_levels_are_what_the_units_say() -> None:
    """A bank has regions and branches: its report names them, from the root downwards, the centre first."""
    halls = [
        hall("chi nhánh", 3),
        hall("vùng", 2),
        hall("Chi Nhánh", 3),
        hall("hội sở", 1),
        hall("hội sở", 1, center=True),
    ]
    rows, _ = table(halls)
    assert [(row.center, row.level, row.points) for row in rows] == [
        (True, "", 1),
        (False, "hội sở", 1),
        (False, "vùng", 1),
        (False, "chi nhánh", 2),
    ]


def test_no_halls_make_an_empty_table() -> None:
    """A session without halls has a total of nothing, not an error."""
    assert table([]) == ([], Row())


def test_an_empty_hall_has_reported() -> None:
    """Nobody came, said the operator: that is an answer, and the hall need not be telephoned."""
    _, total = table([PointFigures(False, "xã", 2, 0, 0, 0)])
    assert (total.reported, total.delegates) == (1, 0)


def test_the_fewest_units_that_cover_all() -> None:
    """Who may read the report is asked of a few units, not of 31,000."""
    assert tops(["a.b.", "a.", "c.d.", "c.d.e.", "c.f."]) == ["a.", "c.d.", "c.f."]
