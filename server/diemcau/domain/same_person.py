"""Whether two entries without codes are one person: name and unit agree, telephone or title decide. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from diemcau.domain.names import fold


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a unit, by what a list says. `sort_key` tells names apart that differ by a diacritic only."""

    name_folded: str
    sort_key: str
    title: str
    phone_digits: str


def same(one: Person, other: Person) -> bool:
    """Whether two entries of one unit tell of one person.

    The same telephone does. Otherwise nothing may speak against it: letters and tones of the name agree, and a
    telephone or a title that both give is the same.
    """
    if one.name_folded != other.name_folded:
        return False
    if one.phone_digits and one.phone_digits == other.phone_digits:
        return True
    if one.sort_key != other.sort_key or (one.phone_digits and other.phone_digits):
        return False
    return not one.title or not other.title or fold(one.title) == fold(other.title)


def the_same(person: Person, candidates: Iterable[tuple[str, Person]]) -> list[str]:
    """The codes of those who may be `person`; several when a telephone does not decide."""
    fitting = [(code, other) for code, other in candidates if same(person, other)]
    by_phone = [code for code, other in fitting if person.phone_digits and other.phone_digits == person.phone_digits]
    return by_phone or [code for code, _ in fitting]


def code_prefix(unit_code: str, code_chars_max: int) -> str:
    """What the codes begin with that are made for people of a unit; a running number follows."""
    return unit_code[: code_chars_max - 9] + "."


def made_code(prefix: str, number: int) -> str:
    """A code for somebody who has none.

    >>> made_code("XA-1.", 7)
    'XA-1.007'
    """
    return f"{prefix}{number:03}"
