"""Absences: asked for, decided, listed; and the reasons to choose from. Times are ms since the epoch, UTC."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from diemcau import limits
from diemcau.domain.models import AbsenceState
from diemcau.wire.api import Code, Name, Text

Note = Annotated[str, Meta(max_length=limits.REASON_CHARS_MAX)]
Decision = Literal["approved", "refused", "withdrawn"]


class AbsenceReason(Struct, forbid_unknown_fields=True):
    """A reason that people choose from."""

    code: Code
    name: Name


class AbsenceReasons(Struct, forbid_unknown_fields=True):
    """The reasons that are offered, in their order. Putting a list retires those that are no longer in it."""

    items: Annotated[list[AbsenceReason], Meta(min_length=1, max_length=limits.ABSENCE_REASONS_MAX)]


class AbsenceNew(Struct, forbid_unknown_fields=True):
    """An absence that staff enter for somebody who is summoned. state: approved where they decide it at once.

    substitute: code of somebody on a list; substitute_name: of somebody who is on none; one of the two, or neither.
    """

    attendee: Code
    reason: Code
    text: Text = ""
    state: Literal["requested", "approved"] = "requested"
    note: Note = ""
    substitute: Code | None = None
    substitute_name: Text = ""


class AbsencePatch(Struct, forbid_unknown_fields=True):
    """A decision, or changes to what was asked; what is absent stays. `note` belongs to a decision.

    Naming a substitute by code takes a name as typed away, and the other way round.
    """

    state: Decision | UnsetType = UNSET
    note: Note | UnsetType = UNSET
    reason: Code | UnsetType = UNSET
    text: Text | UnsetType = UNSET
    substitute: Code | UnsetType | None = UNSET
    substitute_name: Text | UnsetType = UNSET


class AbsenceView(Struct, omit_defaults=True):
    """An absence as it stands. requested_by, decided_by: an account, or `badge` for the attendee.

    late: asked for after the deadline. held: decided after closing, waits for the next revision. excused: what the
    figures say of the absence now; came, taken: they came all the same, or a substitute did, which goes before it.
    """

    attendee: str
    full_name: str
    unit: str
    unit_name: str
    state: AbsenceState
    reason: str
    reason_name: str
    requested_ms: int
    requested_by: str
    title: str = ""
    point_name: str = ""
    text: str = ""
    late: bool = False
    substitute: str = ""
    substitute_code: str | None = None
    decided_ms: int | None = None
    decided_by: str = ""
    note: str = ""
    held: bool = False
    excused: bool = False
    came: bool = False
    taken: bool = False


class AbsenceCounts(Struct):
    """How many there are in each state inside the caller's units; late and held: of them, in whatever state."""

    requested: int
    approved: int
    refused: int
    withdrawn: int
    late: int
    held: int


class AbsencePage(Struct):
    """A page of absences by unit and Vietnamese given name. counts: of the whole list, whatever the filter."""

    items: list[AbsenceView]
    counts: AbsenceCounts
    next: str | None = None


class OwnAbsence(Struct, omit_defaults=True):
    """A holder's own absence, on their badge's page."""

    state: AbsenceState
    reason_name: str
    text: str = ""
    late: bool = False
    note: str = ""
    may_withdraw: bool = False
