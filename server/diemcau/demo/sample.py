"""The sample conference: Hanoi's 766 halls and 52,000 people, all of them made up, or a smaller part of it."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING

from diemcau.demo.errors import DemoError
from diemcau.domain.names import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT_UNIT = "HN"
DISTRICT = "HN-280"
"""Huyện Phú Xuyên, 33 halls: the district that drops as one."""

NEWCOMER_HALL = "HN-0060"
"""Điểm cầu phường Điện Biên, 59 people: nobody plays it, it is left for whoever started the demo."""

POINTS_MIN = 10
"""The centre, the newcomer's hall, and enough others for every kind of line to occur."""

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Hall:
    """A bridge point of the sample."""

    code: str
    name: str
    unit: str
    in_district: bool


@dataclass(frozen=True, slots=True)
class Person:
    """An attendee of the sample. `ambiguous`: someone else in the same hall has the same name when folded."""

    code: str
    full_name: str
    hall: str
    ambiguous: bool


@dataclass(frozen=True)
class Sample:
    """The three lists as rows, and who among them is left for the newcomer."""

    units: Sequence[Row]
    points: Sequence[Row]
    attendees: Sequence[Row]

    @cached_property
    def halls(self) -> list[Hall]:
        """All halls, in the order of the list."""
        district = {row["code"] for row in self.units if DISTRICT in {row["code"], row["parent_code"]}}
        return [Hall(row["code"], row["name"], row["unit_code"], row["unit_code"] in district) for row in self.points]

    @cached_property
    def people(self) -> list[Person]:
        """Everybody, in the order of the list."""
        seen: dict[tuple[str, str], int] = {}
        keys = [(row["point_code"], fold(row["full_name"])) for row in self.attendees]
        for key in keys:
            seen[key] = seen.get(key, 0) + 1
        return [
            Person(row["code"], row["full_name"], row["point_code"], seen[key] > 1)
            for row, key in zip(self.attendees, keys, strict=True)
        ]

    @property
    def newcomer_hall(self) -> Hall:
        """The hall that nobody plays."""
        return next(hall for hall in self.halls if hall.code == NEWCOMER_HALL)

    @property
    def newcomer(self) -> Person:
        """The person whom the newcomer checks in: invited to that hall, with a name no one shares there."""
        return next(person for person in self.people if person.hall == NEWCOMER_HALL and not person.ambiguous)

    def table(self, what: str) -> bytes:
        """One list as a CSV file, the way it would be uploaded."""
        rows: Sequence[Row] = {"units": self.units, "points": self.points, "attendees": self.attendees}[what]
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue().encode()


def load(points: int | None = None, people: int | None = None) -> Sample:
    """The sample, cut to `points` halls and about `people` people where those are given.

    Raises:
        DemoError: `demo_too_small` when no conference worth playing would remain.
    """
    whole = Sample(_rows("units.csv"), _rows("points.csv"), _rows("attendees.csv.gz"))
    if points is None and people is None:
        return whole
    kept_points = _some_points(whole, points if points is not None else len(whole.points))
    if len(kept_points) < POINTS_MIN or (people is not None and people < len(kept_points)):
        raise DemoError("demo_too_small", points=POINTS_MIN)
    return Sample(
        _units_above(whole.units, {row["unit_code"] for row in kept_points} | {DISTRICT}),
        kept_points,
        _some_people(whole.attendees, [row["code"] for row in kept_points], people),
    )


def _rows(name: str) -> list[Row]:
    data = (files("diemcau.demo") / "hanoi_766" / name).read_bytes()
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode()
    return list(csv.DictReader(io.StringIO(text)))


def _some_points(whole: Sample, count: int) -> list[Row]:
    """The centre, the newcomer's hall and a few of the district first: a small conference has every part."""
    first = {whole.points[0]["code"], NEWCOMER_HALL}
    first |= set([hall.code for hall in whole.halls if hall.in_district][: max(2, count // 20)])
    order = sorted(range(len(whole.points)), key=lambda i: (whole.points[i]["code"] not in first, i))
    return [whole.points[i] for i in sorted(order[:count])]


def _units_above(units: Sequence[Row], wanted: Iterable[str]) -> list[Row]:
    parents = {row["code"]: row["parent_code"] for row in units}
    kept: set[str] = set()
    for code in wanted:
        above = code
        while above and above not in kept:
            kept.add(above)
            above = parents[above]
    return [row for row in units if row["code"] in kept]


def _some_people(attendees: Sequence[Row], points: list[str], count: int | None) -> list[Row]:
    """The first people of every hall, as many in each."""
    share = len(attendees) if count is None else max(1, count // len(points))
    taken = dict.fromkeys(points, 0)
    kept: list[Row] = []
    for row in attendees:
        if taken.get(row["point_code"], share) < share:
            taken[row["point_code"]] += 1
            kept.append(row)
    return kept
