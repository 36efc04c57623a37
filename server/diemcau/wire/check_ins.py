"""Check-ins by devices and staff: `POST /sessions/{s}/check-ins` and what corrects them (DESIGN.md §6a, §7).

A batch is decoded item by item (`msgspec.Raw`), so that one bad item answers `malformed` and stalls nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from diemcau import limits
from diemcau.domain.models import EventKind, Source
from diemcau.wire.api import Code, Name, Text

Nonce = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", max_length=36)
]
"""A UUIDv7 in lower case, made by the device before the first send; permanently unique."""

Reason = Annotated[str, Meta(min_length=1, max_length=limits.REASON_CHARS_MAX)]


class BadgeHolder(Struct, tag="badge", forbid_unknown_fields=True):
    """Whoever's badge was scanned or typed: the 26 characters, or the whole link."""

    token: Annotated[str, Meta(min_length=1, max_length=200)]


class Listed(Struct, tag="attendee", forbid_unknown_fields=True):
    """A person on the list, by attendee code."""

    code: Code


class Unlisted(Struct, tag="unlisted", forbid_unknown_fields=True):
    """A person who is on no list, as typed; a clerk matches or adds them later."""

    name: Name
    unit: Text = ""
    stands_for: Text = ""


class CheckInItem(Struct, forbid_unknown_fields=True):
    """One fact that a device or a member of staff recorded.

    at_ms: when it happened, by the sender's clock. offline: it was recorded without the server's answer.
    source: manual or paper where it is neither a badge nor a door; manual entries of accounts need a reason.
    stands_for: attendee code of the summoned person whose place they take (dự thay).
    """

    nonce: Nonce
    point: Code
    who: BadgeHolder | Listed | Unlisted
    at_ms: Annotated[int, Meta(ge=-8_640_000_000_000_000, le=8_640_000_000_000_000)]
    kind: Literal["check_in", "check_out"] = "check_in"
    offline: bool = False
    source: Literal["badge", "manual"] | None = None
    reason: Annotated[str, Meta(max_length=limits.REASON_CHARS_MAX)] = ""
    stands_for: Code | None = None


class CheckInBatch(Struct, forbid_unknown_fields=True):
    """What a device sends: its clock now, and up to `BATCH_ITEMS_MAX` items."""

    device_ms: Annotated[int, Meta(ge=-8_640_000_000_000_000, le=8_640_000_000_000_000)]
    items: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=limits.BATCH_ITEMS_MAX)]


class PersonView(Struct, omit_defaults=True):
    """A person as staff may see them. `code` null: on no list."""

    full_name: str
    code: str | None = None
    title: str = ""
    unit: str | None = None
    unit_name: str = ""


class CheckInView(Struct, omit_defaults=True):
    """The entry that counts: where and when; `number` is the how-manieth there, where that is known."""

    point: str
    point_name: str
    at_ms: int
    person: PersonView | None = None
    number: int | None = None


class CheckInResult(Struct, omit_defaults=True):
    """What became of one item.

    result: accepted (stored), duplicate (the person counts already: `reason` already_here | already_elsewhere, and
        `check_in` is that earlier entry), refused (not stored; `reason` says why, the item may be corrected or kept).
    reason of a refusal: malformed, conflict_nonce, forbidden, unknown_point, unknown_attendee, revoked, not_open,
        closed, reason_missing. counted: it raised a figure now. held: it came after closing and waits for a revision.
    replayed: this nonce was stored before; the answer is the first one's.
    """

    nonce: str
    result: Literal["accepted", "duplicate", "refused"]
    reason: str = ""
    field: str = ""
    flags: list[str] = []
    counted: bool = False
    held: bool = False
    replayed: bool = False
    check_in: CheckInView | None = None


class CheckInResults(Struct):
    """A result per item, in the order of the batch. `offset_ms`: server minus device clock, as measured."""

    server_ms: int
    offset_ms: int
    items: list[CheckInResult]


class AnnulRequest(Struct, forbid_unknown_fields=True):
    """Take an event back. `nonce` names the correction itself, so that a retry is a replay; made here when absent."""

    reason: Reason
    nonce: Nonce | None = None


class Annulled(Struct, omit_defaults=True):
    """The correction. `promoted`: the entry of the same person that counts instead, if any."""

    nonce: str
    annuls: str
    held: bool = False
    replayed: bool = False
    promoted: CheckInView | None = None


class EventView(Struct, omit_defaults=True):
    """One event of the attendance log, as staff in scope may see it."""

    nonce: str
    kind: EventKind
    source: Source
    point: str
    point_name: str
    at_ms: int
    device_ms: int
    server_ms: int
    by: str = ""
    person: PersonView | None = None
    stands_for: PersonView | None = None
    offset_ms: int | None = None
    offline: bool = False
    counted: bool = False
    held: bool = False
    annulled: bool = False
    flags: list[str] = []
    of_nonce: str | None = None
    reason: str = ""


class EventPage(Struct):
    """Events, the newest first; `next` goes into `after`."""

    items: list[EventView]
    next: str | None = None


# --- review ------------------------------------------------------------------------------------------------
class UnlistedView(Struct, omit_defaults=True):
    """A person on no list. `matched`: who a clerk says they are. `nonce`: of the entry that counts, null: none."""

    id: int
    name: str
    unit_text: str
    point: str
    point_name: str
    at_ms: int
    nonce: str | None = None
    stands_for_text: str = ""
    unknown_badge: bool = False
    flags: list[str] = []
    matched: PersonView | None = None


class UnlistedPage(Struct):
    """People on no list, the oldest first."""

    items: list[UnlistedView]
    next: str | None = None


class MatchRequest(Struct, forbid_unknown_fields=True):
    """Say who an unlisted person is: somebody on the list, or a new person of `unit`.

    full_name corrects what was typed, for a new person; stands_for: whose place they take; nonce: see `AnnulRequest`.
    """

    attendee: Code | None = None
    unit: Code | None = None
    full_name: Name | None = None
    title: Text = ""
    stands_for: Code | None = None
    reason: Annotated[str, Meta(max_length=limits.REASON_CHARS_MAX)] = ""
    nonce: Nonce | None = None


class Matched(Struct, omit_defaults=True):
    """The match. result as for a check-in: duplicate when that person was counted already (`check_in`: where)."""

    nonce: str
    result: Literal["accepted", "duplicate"]
    person: PersonView
    held: bool = False
    replayed: bool = False
    check_in: CheckInView | None = None


class TwoHalls(Struct):
    """One person with entries in more than one hall: the entry that counts first, then the others."""

    person: PersonView
    entries: list[EventView]


class TwoHallsPage(Struct):
    """People seen in two halls."""

    items: list[TwoHalls]
    next: str | None = None


class AnomalyView(Struct, omit_defaults=True):
    """Something for a person to look at. `count`: of check-ins, networks or arrivals, by kind."""

    id: int
    kind: str
    first_ms: int
    last_ms: int
    count: int
    point: str | None = None
    point_name: str = ""
    people: list[PersonView] = []
    reviewed_ms: int | None = None
    reviewed_by: str = ""
    note: str = ""


class AnomalyPage(Struct):
    """Anomalies, those not reviewed first, then the newest."""

    items: list[AnomalyView]
    next: str | None = None


class Reviewed(Struct, forbid_unknown_fields=True):
    """Say that somebody looked at it."""

    note: Annotated[str, Meta(max_length=limits.REASON_CHARS_MAX)] = ""
