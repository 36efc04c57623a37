"""Preparation of a session by unit, contacts of units, and the links by which units hand in their lists."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from diemcau import limits
from diemcau.domain.preparation import Missing
from diemcau.wire.api import Code, Text


class PreparationRow(Struct):
    """A unit with all below it. `units` of them take part; figures are over these units, or over their halls.

    missing: what the unit itself still owes, empty where it owes nothing or takes no part. below: units under it.
    contact_name, contact_phone: of the unit itself, else of its first hall.
    """

    unit: str
    name: str
    level: str
    units: int
    ready: int
    lists: int
    contacts: int
    people: int
    summoned: int
    points: int
    paired: int
    rehearsed: int
    list_ms: int | None = None
    missing: list[Missing] = []
    contact_name: str = ""
    contact_phone: str = ""
    takes_part: bool = False
    below: bool = False


class PreparationPage(Struct):
    """`total` is over everything asked for; `items` are the units one level down, or with `missing` those that owe.

    path: the units from the top down to the one asked for, as (code, name).
    """

    total: PreparationRow
    items: list[PreparationRow]
    path: list[tuple[str, str]]
    next: str | None = None


class UnitContact(Struct, forbid_unknown_fields=True):
    """Who answers for a unit's list. All empty: nobody is named."""

    name: Text = ""
    phone: Text = ""
    note: Text = ""


class RehearsalTick(Struct, forbid_unknown_fields=True):
    """The organizer says that the halls of this unit and below have rehearsed, or takes it back."""

    unit: Code
    rehearsed: bool = True


class Ticked(Struct):
    """How many halls it was said of."""

    points: int


class UploadLinksNew(Struct, forbid_unknown_fields=True):
    """Links for these units, or for `unit` and every unit below it: one of the two. `days`: how long they are good."""

    units: list[Code] | None = None
    unit: Code | None = None
    days: Annotated[int, Meta(ge=1, le=limits.UPLOAD_LINK_DAYS_MAX)] = limits.UPLOAD_LINK_DAYS


class UploadLinkMade(Struct):
    """A new link. `url` is shown this once: the server keeps only its hash."""

    id: int
    unit: str
    unit_name: str
    url: str
    expires_ms: int


class UploadLinksMade(Struct):
    """The links made; a unit's former link is worth nothing from now on."""

    items: list[UploadLinkMade]


class UploadLinkView(Struct):
    """A link as listed. `people`: on the list that last came by it, at `used_ms`."""

    id: int
    unit: str
    unit_name: str
    state: Literal["good", "expired", "revoked"]
    made_ms: int
    made_by: str
    expires_ms: int
    used_ms: int | None = None
    people: int | None = None


class UploadLinkList(Struct):
    """A session's links, by unit; the newest of a unit first."""

    items: list[UploadLinkView]


class PersonalLink(Struct):
    """A person's own link, which is their badge."""

    code: str
    full_name: str
    unit: str
    unit_name: str
    url: str


class PersonalLinks(Struct):
    """`text` is ready to be sent by chat: one person a paragraph. Whoever has a link can use it. `without`: a badge."""

    items: list[PersonalLink]
    text: str
    without: int
