"""What papers are made of, as the process that sets them gets it: one `Paper` as JSON."""

from __future__ import annotations

import msgspec

from diemcau.i18n import Language
from diemcau.reports.paper import PaperHead


class Badge(msgspec.Struct, frozen=True, tag=True):
    """One person's card. `link`: what its QR says; `number`: on the hall's list, None where there is no hall."""

    link: str
    full_name: str
    title: str
    unit: str
    hall: str
    number: int | None


class Poster(msgspec.Struct, frozen=True, tag=True):
    """What hangs at a hall's door."""

    hall: str
    unit: str
    code: str


class PairingSheet(msgspec.Struct, frozen=True, tag=True):
    """How one device becomes a hall's. `link`: what its QR says; `pairing`: the code as people type it."""

    link: str
    hall: str
    unit: str
    code: str
    pairing: str


class Person(msgspec.Struct, frozen=True):
    """A line of a hall's list."""

    number: int
    full_name: str
    title: str
    unit: str


class HallList(msgspec.Struct, frozen=True, tag=True):
    """A hall's list, to sign."""

    hall: str
    unit: str
    code: str
    people: list[Person]


Item = Badge | Poster | PairingSheet | HallList


class Paper(msgspec.Struct, frozen=True):
    """One file.

    template: the file's name in `reports/templates`. labels: the words it prints, by their key in it.
    card: single cards instead of sheets. conference, title, times: of the session, in words.
    """

    template: str
    language: Language
    head: PaperHead
    conference: str
    title: str
    times: str
    labels: dict[str, str]
    items: list[Item]
    card: bool = False
