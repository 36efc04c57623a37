"""What an organizer may set for a session, or leave out."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from diemcau.wire.api import Millis, Text

Percent = Annotated[int, Meta(ge=0, le=100)]


class SessionOptions(Struct):
    """What is set for a session. target_rate: percent of the summoned that each unit is to reach.

    absence_deadline_ms: absences asked for later are marked late; null: the session's start. document_number,
    document_date, place: on its papers, as they are printed.
    """

    target_rate: int | None = None
    absence_deadline_ms: int | None = None
    document_number: str = ""
    document_date: str = ""
    place: str = ""


class SessionOptionsPatch(Struct, forbid_unknown_fields=True):
    """Changes to a session's options; what is absent stays, null takes away."""

    target_rate: Percent | UnsetType | None = UNSET
    absence_deadline_ms: Millis | UnsetType | None = UNSET
    document_number: Text | UnsetType = UNSET
    document_date: Text | UnsetType = UNSET
    place: Text | UnsetType = UNSET
