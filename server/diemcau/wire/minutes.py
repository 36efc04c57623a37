"""Frozen figures, their revisions, and the log as a file that can be verified (DESIGN.md §6a)."""

from __future__ import annotations

from msgspec import Struct

from diemcau.domain.models import EventKind, Source
from diemcau.wire.check_ins import Reason


class SigningKey(Struct):
    """The server's public Ed25519 key: base64, and the fingerprint that `diemcau verify --key` takes."""

    public_key: str
    fingerprint: str


class MinutesFigures(Struct):
    """What was frozen. people figures as in the summary; unlisted people stand apart; late entries wait."""

    points: int
    summoned: int
    present: int
    late: int
    substituted: int
    excused: int
    unexcused: int
    guests: int
    unlisted: int
    waiting: int


class MinutesView(Struct, omit_defaults=True):
    """One revision of a session's figures. `previous`: the figures before it, to see what changed.

    `intact`: the server's key signed exactly this; false when the database was changed, or another key signed it.
    """

    revision: int
    at_ms: int
    made_by: str
    figures: MinutesFigures
    reason: str = ""
    sha256: str = ""
    previous: MinutesFigures | None = None
    intact: bool = True
    unsent: list[UnsentAtFreezing] = []


class UnsentAtFreezing(Struct):
    """A hall's queue that was not sent when the figures were frozen; `known` false: nobody could say."""

    point: str
    known: bool
    waiting: int | None
    told_ms: int | None


class MinutesList(Struct):
    """All revisions, the newest first, and what waits for the next one."""

    items: list[MinutesView]
    waiting: int
    fingerprint: str


class RevisionRequest(Struct, forbid_unknown_fields=True):
    """Count what came after closing, and freeze and sign the figures anew."""

    reason: Reason


# --- what a revision changed -------------------------------------------------------------------------------
class RevisionEvent(Struct, omit_defaults=True):
    """An entry that came after closing. `by`: an account or a device, "" for whoever did it at the door themselves."""

    kind: EventKind
    source: Source
    at_ms: int
    server_ms: int
    point_name: str
    by: str = ""
    reason: str = ""


class RevisionChange(Struct):
    """One person before and after: a status, guest or unlisted; "" where no figure counts them.

    `before` and `after` are the same where an entry changed nothing. `code` is "" for people on no list.
    """

    code: str
    full_name: str
    title: str
    unit: str
    unit_name: str
    before: str
    after: str
    events: list[RevisionEvent] = []


class UnitChange(Struct):
    """The figures that a unit holds itself, without the units below it, before and after."""

    unit: str
    name: str
    before: MinutesFigures
    after: MinutesFigures


class RevisionChanges(Struct):
    """What a revision changed and why; `previous` null for the first, which closing made. A page of the people."""

    revision: int
    at_ms: int
    made_by: str
    reason: str
    figures: MinutesFigures
    previous: MinutesFigures | None
    units: list[UnitChange]
    items: list[RevisionChange]
    next: str | None = None


# --- queues that are not sent ------------------------------------------------------------------------------
class UnsentQueue(Struct):
    """A device of a hall that has not sent everything, or of which nobody can say that it has.

    known: it is heard now, and told `waiting` entries at `told_ms`, the oldest of `oldest_ms` by its own clock. Where
    it is silent `waiting` is what it told last, null where it never did: what it holds now is unknown.
    """

    point: str
    point_name: str
    unit_name: str
    contact_name: str
    contact_phone: str
    device: str
    known: bool
    waiting: int | None
    oldest_ms: int | None
    told_ms: int | None


class UnsentQueues(Struct):
    """Halls known to hold `waiting` entries in all (`points` of them), and `unknown` halls; the known ones first."""

    as_of_ms: int
    points: int
    waiting: int
    unknown: int
    items: list[UnsentQueue]
