"""Bodies and answers of `/api/v1` (DESIGN.md §7). Times are ms since the epoch, UTC; keys are codes."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from diemcau import limits
from diemcau.domain.models import AttendanceStatus, DeviceKind, PointMode, Role, SessionState
from diemcau.wire.imports import ImportFinding, ImportPreview

Code = Annotated[str, Meta(min_length=1, max_length=limits.CODE_CHARS_MAX, pattern=r"^[A-Za-z0-9._-]+$")]
"""A natural key: A–Z 0–9 . _ - , case-folded to upper case, immutable."""
Name = Annotated[str, Meta(min_length=1, max_length=limits.NAME_CHARS_MAX)]
Text = Annotated[str, Meta(max_length=limits.TEXT_CHARS_MAX)]
Password = Annotated[str, Meta(min_length=limits.PASSWORD_CHARS_MIN, max_length=limits.PASSWORD_CHARS_MAX)]
Millis = Annotated[int, Meta(ge=0, le=32_503_680_000_000)]


class Problem(Struct, omit_defaults=True):
    """RFC 9457. `code` is stable; `title` and `detail` are in the reader's language."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    params: dict[str, str | float] = {}
    findings: list[ImportFinding] = []


# --- accounts ----------------------------------------------------------------------------------------------
class SetUp(Struct, forbid_unknown_fields=True):
    """Make the first administrator with the one-time token that `diemcau serve` printed."""

    token: str
    name: Name
    password: Password


class Login(Struct, forbid_unknown_fields=True):
    """Sign in; the answer sets a cookie."""

    name: Name
    password: Annotated[str, Meta(max_length=limits.PASSWORD_CHARS_MAX)]


class GrantView(Struct):
    """A role over a unit (by code; null: everything)."""

    role: Role
    unit: Code | None = None


class Me(Struct):
    """Who I am. `kind` account or device."""

    kind: Literal["account", "device"]
    name: str
    grants: list[GrantView] = []
    point: str | None = None
    device_kind: DeviceKind | None = None


class AccountNew(Struct, forbid_unknown_fields=True):
    """A new account with its first grants."""

    name: Name
    password: Password
    grants: list[GrantView] = []


class AccountView(Struct):
    """An account in a list."""

    name: str
    grants: list[GrantView]
    disabled: bool = False


class AccountList(Struct):
    """All accounts."""

    items: list[AccountView]


class TokenIssued(Struct):
    """A bearer token of an account, shown once."""

    token: str


# --- lists -------------------------------------------------------------------------------------------------
class Unit(Struct, forbid_unknown_fields=True):
    """A unit. `level` is a free word (city, district, commune, khoa …); `parent` null at the top."""

    code: Code
    name: Name
    parent: Code | None = None
    level: Text = ""


class UnitPatch(Struct, forbid_unknown_fields=True):
    """Changes to a unit; what is absent stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    level: Text | msgspec.UnsetType = msgspec.UNSET


class Point(Struct, forbid_unknown_fields=True):
    """A bridge point."""

    code: Code
    name: Name
    unit: Code
    capacity: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    mode: PointMode = PointMode.ONLINE
    contact_name: Text = ""
    contact_phone: Text = ""
    cluster: Text = ""
    carrier: Text = ""
    note: Text = ""


class PointPatch(Struct, forbid_unknown_fields=True):
    """Changes to a point; what is absent stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    capacity: Annotated[int, Meta(ge=0, le=1_000_000)] | msgspec.UnsetType = msgspec.UNSET
    mode: PointMode | msgspec.UnsetType = msgspec.UNSET
    contact_name: Text | msgspec.UnsetType = msgspec.UNSET
    contact_phone: Text | msgspec.UnsetType = msgspec.UNSET
    cluster: Text | msgspec.UnsetType = msgspec.UNSET
    carrier: Text | msgspec.UnsetType = msgspec.UNSET
    note: Text | msgspec.UnsetType = msgspec.UNSET


class Attendee(Struct, forbid_unknown_fields=True):
    """A person on the list. `point` is the hall they are expected in."""

    code: Code
    full_name: Name
    title: Text = ""
    unit: Code = ""
    point: Code | None = None
    phone: Text = ""


class AttendeePatch(Struct, forbid_unknown_fields=True):
    """Changes to a person; what is absent stays."""

    full_name: Name | msgspec.UnsetType = msgspec.UNSET
    title: Text | msgspec.UnsetType = msgspec.UNSET
    unit: Code | msgspec.UnsetType = msgspec.UNSET
    point: Code | msgspec.UnsetType | None = msgspec.UNSET
    phone: Text | msgspec.UnsetType = msgspec.UNSET


class UnitPage(Struct):
    """A page of units; `next` goes into `after`, null at the end."""

    items: list[Unit]
    next: str | None = None


class PointPage(Struct):
    """A page of points."""

    items: list[Point]
    next: str | None = None


class AttendeePage(Struct):
    """A page of people."""

    items: list[Attendee]
    next: str | None = None


# --- jobs and imports --------------------------------------------------------------------------------------
class Job(Struct):
    """Long work. `done` of `total` steps (rows); `state` queued | running | done | failed | cancelled.

    files: what it made, while it is kept: `GET /api/v1/jobs/{job}/file.pdf?part=1` and so on.
    """

    id: str
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    done: int = 0
    total: int = 0
    result: ImportResult | None = None
    problem: Problem | None = None
    files: list[JobFile] = []


class JobFile(Struct):
    """A file that a job made. `items`: how many badges, sheets or people are in it."""

    name: str
    items: int


class ImportResult(Struct):
    """What an import did, or would do with `dry_run`. `ignored`: columns that were not taken over.

    rejected: rows that were left out, or would be. `preview`: of a trial, what the file was understood to be.
    run: under which it is on record and can be taken back; null when nothing changed. removed: those that a list which
    replaces no longer names; kept: the first of the `kept_total` codes of those who stay, because they are in use.
    """

    rows: int
    created: int
    updated: int
    unchanged: int
    dry_run: bool = False
    ignored: list[str] = []
    rejected: int = 0
    preview: ImportPreview | None = None
    run: int | None = None
    removed: int = 0
    kept_total: int = 0
    kept: list[str] = []


# --- sessions ----------------------------------------------------------------------------------------------
class SessionNew(Struct, forbid_unknown_fields=True):
    """A new session (buổi). `unit`: who organizes it; null: the whole tree.

    readable_roster: operators' devices may hold the list of their own hall in clear; they erase it at closing.
    """

    code: Code
    title: Name
    starts_ms: Millis
    ends_ms: Millis
    conference: Text = ""
    program: Text = ""
    unit: Code | None = None
    rehearsal: bool = False
    readable_roster: bool = False


class SessionPatch(Struct, forbid_unknown_fields=True):
    """Changes to a session; what is absent stays."""

    title: Name | msgspec.UnsetType = msgspec.UNSET
    starts_ms: Millis | msgspec.UnsetType = msgspec.UNSET
    ends_ms: Millis | msgspec.UnsetType = msgspec.UNSET
    conference: Text | msgspec.UnsetType = msgspec.UNSET
    program: Text | msgspec.UnsetType = msgspec.UNSET
    readable_roster: bool | msgspec.UnsetType = msgspec.UNSET


class SessionView(Struct):
    """A session as read. `allowed` are the states it may move to now."""

    code: str
    title: str
    starts_ms: int
    ends_ms: int
    state: SessionState
    state_ms: int
    conference: str = ""
    program: str = ""
    unit: str | None = None
    rehearsal: bool = False
    readable_roster: bool = False
    points: int = 0
    invited: int = 0
    present: int = 0
    unlisted: int = 0
    allowed: list[SessionState] = []


class SessionPage(Struct):
    """Sessions, the newest start first."""

    items: list[SessionView]
    next: str | None = None


class StateChange(Struct, forbid_unknown_fields=True):
    """Move the session."""

    to: SessionState


class PointsChoice(Struct, forbid_unknown_fields=True):
    """Choose a session's points: by unit subtree, or one by one. Replaces the choice inside the caller's units."""

    unit: Code | None = None
    points: list[Code] | None = None


class InvitationsChoice(Struct, forbid_unknown_fields=True):
    """Invite by unit subtree, or one by one. Adds; nobody is uninvited by it."""

    unit: Code | None = None
    attendees: list[Code] | None = None


class Changed(Struct):
    """How many were added, removed and are there now."""

    added: int
    removed: int
    total: int


class SessionPointView(Struct):
    """A session's point with what a board tile needs besides its live row."""

    point: str
    name: str
    unit: str
    unit_name: str
    group: str
    group_name: str
    mode: PointMode
    cluster: str
    carrier: str
    contact_name: str
    contact_phone: str
    capacity: int
    invited: int


class SessionPoints(Struct):
    """All points of a session inside the caller's units. `group`: the unit one level below the caller's scope."""

    items: list[SessionPointView]


# --- devices and doors -------------------------------------------------------------------------------------
class PairingNew(Struct, forbid_unknown_fields=True):
    """Ask for a single-use pairing code."""

    kind: DeviceKind = DeviceKind.OPERATOR


class Pairing(Struct):
    """The code, shown once, and the link an operator opens."""

    code: str
    expires_ms: int
    url: str


class PairingsNew(Struct, forbid_unknown_fields=True):
    """Ask for a code for each point of a unit subtree, or of a list: one of the two."""

    unit: Code | None = None
    points: list[Code] | None = None
    kind: DeviceKind = DeviceKind.OPERATOR


class PointPairing(Struct):
    """One point's code, shown once, and the link its operator opens."""

    point: str
    point_name: str
    code: str
    expires_ms: int
    url: str


class PairingList(Struct):
    """Codes for many points, in the order of the tree."""

    items: list[PointPairing]


class PairRequest(Struct, forbid_unknown_fields=True):
    """Consume a code. `device` names this device for the operator's list."""

    code: Annotated[str, Meta(min_length=1, max_length=40)]
    device: Name


class Paired(Struct):
    """The device's bearer token, shown once."""

    token: str
    point: str
    point_name: str
    kind: DeviceKind


class DeviceView(Struct):
    """A paired device."""

    id: int
    name: str
    kind: DeviceKind
    paired_ms: int
    seen_ms: int | None = None
    revoked: bool = False


class DeviceList(Struct):
    """All devices of a point."""

    items: list[DeviceView]


class DoorCode(Struct):
    """One code and when it begins to be shown."""

    code: str
    from_ms: int


class DoorSpot(Struct):
    """A spot-check that goes on: until then the door's codes are its own (`domain.door_code`)."""

    id: int
    until_ms: int


class Door(Struct):
    """What a display needs. `key` (base64) is null where the page may not hold it (no HTTPS): then `codes` are."""

    session: str
    title: str
    state: SessionState
    point: str
    point_name: str
    door_id: int
    step_s: int
    server_ms: int
    url_prefix: str
    present: int
    invited: int
    key: str | None = None
    codes: list[DoorCode] = []
    spot: DoorSpot | None = None


# --- the door ----------------------------------------------------------------------------------------------
class Remembered(Struct):
    """Who checked in with this phone before; `confirm` goes back to `POST /c/check-in` when they tap."""

    confirm: str
    masked: str


class DoorOpened(Struct):
    """`GET /c/{code}`: the code was right; `claim` goes into the form. `people_left`, `tries_left` of this claim.

    listed: the session has a list; without one everybody writes name and unit (`Guest`). spot_check: the code is that
    of a spot-check. remembered: only where the phone sent back the cookie it was given.
    """

    claim: str
    session: str
    title: str
    point: str
    point_name: str
    people_left: int
    tries_left: int
    listed: bool = True
    spot_check: bool = False
    remembered: Remembered | None = None


class WhoAmI(Struct, forbid_unknown_fields=True):
    """`POST /c/check-in`: full name within the hall's list, attendee code, telephone, or badge (link or characters).

    number: of somebody whose name others have too: on the hall's list; or their code or telephone.
    """

    claim: str
    who: Annotated[str, Meta(max_length=limits.WHO_CHARS_MAX)]
    number: Annotated[str, Meta(max_length=limits.NAME_CHARS_MAX)] = ""


class Guest(Struct, forbid_unknown_fields=True):
    """`POST /c/check-in`: somebody who is on no list; recorded at once. stands_for: whose place they take, if any."""

    claim: str
    name: Name
    unit: Name
    stands_for: Annotated[str, Meta(max_length=limits.NAME_CHARS_MAX)] = ""


class Identified(Struct):
    """Somebody was found; `confirm` goes back to `POST /c/check-in` when they tap.

    Names stay masked; full_name: only for whoever showed their badge.
    """

    confirm: str
    masked: str
    claim: str
    session: str
    title: str
    point: str
    point_name: str
    spot_check: bool = False
    full_name: str | None = None


class CheckedIn(Struct):
    """A durable check-in. A duplicate tells neither time nor number nor place of the earlier one.

    shown: the name as it was typed, or masked. next_claim: the same scan for another person, null after the last.
    spot_check: presence was confirmed, at the time of the scan. unlisted: recorded with name and unit, to be matched.
    earlier_ms, earlier_point_name: of the entry that counts, only for whoever showed their badge.
    """

    receipt: str
    result: Literal["accepted", "duplicate"]
    shown: str
    session: str
    title: str
    point: str
    point_name: str
    at_ms: int | None = None
    number: int | None = None
    next_claim: str | None = None
    spot_check: bool = False
    unlisted: bool = False
    earlier_ms: int | None = None
    earlier_point_name: str | None = None


# --- check-ins ---------------------------------------------------------------------------------------------
class AttendanceRow(Struct):
    """One person in a session's attendance list. left_ms: when they checked out.

    substitute: the name of who took their place; stands_for: of the person whose place they took. reason: by its name,
    why somebody who is excused did not come.
    """

    code: str
    full_name: str
    title: str
    unit: str
    unit_name: str
    point: str | None
    point_name: str
    status: AttendanceStatus
    invited: bool
    at_ms: int | None = None
    flags: list[str] = []
    phone: str = ""
    left_ms: int | None = None
    substitute: str = ""
    stands_for: str = ""
    reason: str = ""


class AttendancePage(Struct):
    """A page of the attendance list, by unit and Vietnamese given name."""

    items: list[AttendanceRow]
    next: str | None = None


class SummaryRow(Struct):
    """Figures of one unit and all below it. `depth` counts from the asked unit (0).

    summoned = present + substituted + excused + unmarked (unexcused after closing). Apart from these, guests were
    counted without an invitation (people who took somebody's place among them), and unlisted people sat in the
    unit's halls and are not matched yet: present + guests + unlisted sat in the halls. `rate` is present / summoned
    in percent, `rate_with_substitutes` (present + substituted) / summoned; null when nobody is summoned.
    """

    unit: str
    name: str
    parent: str | None
    depth: int
    points: int
    summoned: int
    present: int
    late: int
    unmarked: int
    unexcused: int
    guests: int
    rate: float | None
    substituted: int = 0
    unlisted: int = 0
    rate_with_substitutes: float | None = None
    excused: int = 0


class Summary(Struct):
    """The summary table by unit; the first row is the asked unit itself or, without one, the total."""

    session: str
    state: SessionState
    as_of_ms: int
    rows: list[SummaryRow]
