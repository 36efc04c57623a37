"""Badges, and what an operator's device holds of its hall (DESIGN.md §6)."""

from __future__ import annotations

from msgspec import Struct

from diemcau.domain.models import SessionState
from diemcau.wire.absences import AbsenceReason, OwnAbsence
from diemcau.wire.api import Code


class BadgeView(Struct):
    """A person's badge. `url` is what its QR says; `issue` counts from 1."""

    attendee: str
    full_name: str
    unit: str
    unit_name: str
    url: str
    issue: int
    made_ms: int


class BadgesIssue(Struct, forbid_unknown_fields=True):
    """Give a badge to everybody of a unit and below who has none, or to these people: one of the two."""

    unit: Code | None = None
    attendees: list[Code] | None = None


class BadgesIssued(Struct):
    """How many were made now, and how many people in question have one."""

    made: int
    total: int


class BadgePage(Struct):
    """A page of badges in the order of the lists."""

    items: list[BadgeView]
    next: str | None = None


class BadgeSession(Struct, omit_defaults=True):
    """A session that a badge holder is summoned to, with what was recorded of them.

    absence: as they, or their unit, asked for it. ask_by_ms: they may ask for one now, and are late after this.
    """

    session: str
    title: str
    starts_ms: int
    state: SessionState
    point: str | None = None
    point_name: str = ""
    checked_in_ms: int | None = None
    checked_in_point_name: str = ""
    absence: OwnAbsence | None = None
    ask_by_ms: int | None = None


class BadgePageView(Struct):
    """`GET /b/{badge}`: the holder's own page. Who holds the badge may see the whole name and their own entries.

    reasons: for which they may ask to be absent, where there is a session for that.
    """

    full_name: str
    title: str
    unit_name: str
    url: str
    sessions: list[BadgeSession]
    reasons: list[AbsenceReason] = []


class RosterEntry(Struct, omit_defaults=True):
    """A person of the hall's own list, as staff see it. `number`: on the printed list."""

    number: int
    code: str
    full_name: str
    title: str = ""
    unit_name: str = ""
    present_ms: int | None = None


class Roster(Struct):
    """`GET /sessions/{s}/points/{p}/roster`: the hall's list in the order of its numbers, for staff of the hall."""

    session: str
    point: str
    items: list[RosterEntry]


class SealedEntry(Struct, array_like=True):
    """`hash`: base64 of the first 8 bytes of SHA-256(token). `sealed`: base64 of AES-GCM under HKDF(token).

    It opens, for who has the token, to a JSON `BundlePerson` padded with spaces to a multiple of 64 bytes.
    """

    hash: str
    sealed: str


class BundlePerson(Struct):
    """What a sealed entry says."""

    code: str
    full_name: str
    title: str
    unit_name: str
    number: int


class Bundle(Struct):
    """`GET /sessions/{s}/points/{p}/bundle`: for the operator's device, to name offline whom it scans.

    salt: base64, 16 bytes, of HKDF-SHA256 (info "diemcau bundle 1", 44 bytes: AES-256 key, then the 12-byte nonce).
    entries: sorted by hash. roster: in clear only where the session allows it; to be erased at closing.
    """

    session: str
    point: str
    made_ms: int
    salt: str
    entries: list[SealedEntry]
    roster: list[RosterEntry] | None = None
