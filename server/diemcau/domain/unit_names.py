"""Which unit a list means that names it by name: found when exactly one fits, asked otherwise, never guessed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from diemcau.domain.names import fold

CANDIDATES_MAX = 12
"""Units that a question offers; whoever means another one finds it by its code."""

WITHIN = re.compile(r"\s*[,(]\s*|\s+[-–—]\s+")
"""Between a unit's name and the one above it: "Xã Tân Lập, huyện Vũ Thư"."""

PATH_STEP_END = "."


@dataclass(frozen=True, slots=True)
class NamedUnit:
    """A unit: its id, code, path, name, and the name folded."""

    unit_id: int
    code: str
    path: str
    name: str
    folded: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The unit that is meant, or why none is taken: the candidates are what a person may choose from."""

    unit: NamedUnit | None
    reason: Literal["", "unknown", "ambiguous", "missing"] = ""
    candidates: tuple[NamedUnit, ...] = ()


@dataclass(slots=True)
class UnitBook:
    """The units within somebody's scope, found by code, by what was answered, or by name.

    answers: codes by folded name, as a person gave them.
    """

    units: Iterable[NamedUnit]
    answers: Mapping[str, str]
    by_code: dict[str, NamedUnit] = field(init=False)
    by_name: dict[str, list[NamedUnit]] = field(init=False)
    by_path: dict[str, NamedUnit] = field(init=False)
    by_id: dict[int, NamedUnit] = field(init=False)
    _found: dict[str, Answer] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.by_code, self.by_name, self.by_path, self.by_id = {}, {}, {}, {}
        for unit in self.units:
            self.by_code[unit.code] = unit
            self.by_path[unit.path] = unit
            self.by_id[unit.unit_id] = unit
            self.by_name.setdefault(unit.folded, []).append(unit)

    def find(self, text: str) -> Answer:
        """The unit that `text` means: a code, an answered name, or the name of exactly one unit."""
        found = self._found.get(text)
        if found is None:
            found = self._found[text] = self._find(text)
        return found

    def above(self, unit: NamedUnit) -> list[NamedUnit]:
        """The units over one, the nearest first."""
        steps = unit.path.split(PATH_STEP_END)[:-2]
        paths = [PATH_STEP_END.join(steps[:count]) + PATH_STEP_END for count in range(len(steps), 0, -1)]
        return [self.by_path[path] for path in paths if path in self.by_path]

    def _find(self, text: str) -> Answer:
        key = fold(text)
        answered = self.answers.get(key)
        if answered is not None and answered in self.by_code:
            return Answer(self.by_code[answered])
        if not text:
            return Answer(None, "missing")
        code = self.by_code.get(text.upper())
        if code is not None:
            return Answer(code)
        fitting = self.by_name.get(key) or self._within(text)
        if len(fitting) == 1:
            return Answer(fitting[0])
        if fitting:
            return Answer(None, "ambiguous", tuple(fitting[:CANDIDATES_MAX]))
        return Answer(None, "unknown", tuple(self._alike(key)))

    def _within(self, text: str) -> list[NamedUnit]:
        """Units named before the first comma or dash that stand below one named behind it."""
        name, *over = (fold(part) for part in WITHIN.split(text))
        wanted = {part for part in over if part}
        if not wanted:
            return []
        return [unit for unit in self.by_name.get(name, []) if wanted <= {upper.folded for upper in self.above(unit)}]

    def _alike(self, key: str) -> list[NamedUnit]:
        """Units whose name holds the text as whole words, or stands in it: worth offering, not worth taking."""
        if not key:
            return []
        padded = f" {key} "
        alike: list[NamedUnit] = []
        for name, units in self.by_name.items():
            if name and (padded in f" {name} " or f" {name} " in padded):
                alike.extend(units)
        return alike[:CANDIDATES_MAX]
