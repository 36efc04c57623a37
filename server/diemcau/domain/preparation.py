"""How far each unit is with its part of a session: list in, contact named, devices paired, rehearsed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from diemcau.domain.attendance import parent_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Missing(StrEnum):
    """What a unit still owes, in the order in which it is usually asked for."""

    LIST = "list"
    CONTACT = "contact"
    DEVICE = "device"
    REHEARSAL = "rehearsal"


@dataclass(frozen=True, slots=True)
class Own:
    """What is known of one unit itself, without those below it.

    people: on its list; summoned: to this session. linked: a link for its list is good; list_ms: when a list last came
    by one. points: halls of the session that need a device of their own (not those that follow by television).
    """

    people: int = 0
    summoned: int = 0
    linked: bool = False
    list_ms: int | None = None
    contact_name: str = ""
    contact_phone: str = ""
    points: int = 0
    paired: int = 0
    rehearsed: int = 0

    @property
    def list_in(self) -> bool:
        """A list came, or people are summoned; people of an earlier conference are no answer to a link."""
        return self.list_ms is not None or self.summoned > 0 or (self.people > 0 and not self.linked)

    @property
    def contact(self) -> bool:
        """Whether there is somebody to telephone: a name without a number is nobody."""
        return bool(self.contact_name and self.contact_phone)

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What the unit itself still owes."""
        owed = {
            Missing.LIST: not self.list_in,
            Missing.CONTACT: not self.contact,
            Missing.DEVICE: self.paired < self.points,
            Missing.REHEARSAL: self.rehearsed < self.points,
        }
        return tuple(what for what, is_owed in owed.items() if is_owed)


@dataclass(frozen=True, slots=True)
class Progress:
    """Figures of a unit with all below it. units: that take part; of them `lists` have their list in, and so on.

    ready: units that owe nothing. list_ms: the latest list. Points and people are counted, not units.
    """

    units: int = 0
    ready: int = 0
    lists: int = 0
    contacts: int = 0
    people: int = 0
    summoned: int = 0
    points: int = 0
    paired: int = 0
    rehearsed: int = 0
    list_ms: int | None = None

    @classmethod
    def of(cls, own: Own) -> Progress:
        """One unit's share."""
        return cls(
            units=1,
            ready=int(not own.missing),
            lists=int(own.list_in),
            contacts=int(own.contact),
            people=own.people,
            summoned=own.summoned,
            points=own.points,
            paired=own.paired,
            rehearsed=own.rehearsed,
            list_ms=own.list_ms,
        )

    def __add__(self, other: Progress) -> Progress:
        times = [at_ms for at_ms in (self.list_ms, other.list_ms) if at_ms is not None]
        return Progress(
            self.units + other.units,
            self.ready + other.ready,
            self.lists + other.lists,
            self.contacts + other.contacts,
            self.people + other.people,
            self.summoned + other.summoned,
            self.points + other.points,
            self.paired + other.paired,
            self.rehearsed + other.rehearsed,
            max(times, default=None),
        )


def roll_up(own: Mapping[str, Own]) -> dict[str, Progress]:
    """By path, the progress of every unit that takes part or stands above one; "" holds the whole.

    The sum over the units directly below one, with its own share, is what stands for it (I3).
    """
    rolled: dict[str, Progress] = {}
    for path, share in own.items():
        progress, above = Progress.of(share), path
        while above:
            rolled[above] = rolled.get(above, Progress()) + progress
            above = parent_of(above)
        rolled[""] = rolled.get("", Progress()) + progress
    return rolled


def owing(own: Mapping[str, Own], wanted: Iterable[Missing]) -> list[str]:
    """The paths of the units that owe any of `wanted`, in the order of the tree."""
    asked = set(wanted)
    return sorted(path for path, share in own.items() if asked.intersection(share.missing))
