"""Paper entry: what was ticked on a printed list, as one batch that can be undone."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from diemcau import limits
from diemcau.wire.api import Code
from diemcau.wire.check_ins import CheckInResult, Nonce, Reason


class PaperPerson(Struct, forbid_unknown_fields=True):
    """A ticked line, by attendee code. `stands_for`: whose place they take."""

    code: Code
    stands_for: Code | None = None


class PaperNew(Struct, forbid_unknown_fields=True):
    """A sheet. Each line's own nonce is derived from `nonce` and who it is, so sending it again is a replay.

    at_ms: when the people were there, by the sender's clock; device_ms: that clock now. people: a `PaperPerson` each;
    unlisted: an `Unlisted` each (name, unit, stands_for). A line that cannot be read answers `malformed` by itself.
    """

    nonce: Nonce
    point: Code
    reason: Reason
    device_ms: Annotated[int, Meta(ge=-8_640_000_000_000_000, le=8_640_000_000_000_000)]
    at_ms: Annotated[int, Meta(ge=-8_640_000_000_000_000, le=8_640_000_000_000_000)]
    people: Annotated[list[msgspec.Raw], Meta(max_length=limits.PAPER_ROWS_MAX)] = []
    unlisted: Annotated[list[msgspec.Raw], Meta(max_length=limits.PAPER_ROWS_MAX)] = []


class PaperView(Struct, omit_defaults=True):
    """A sheet that was entered. `photo`: SHA-256 of the attached photograph, in hex."""

    nonce: str
    point: str
    point_name: str
    reason: str
    made_ms: int
    made_by: str
    people: int
    counted: int
    undone_ms: int | None = None
    photo: str | None = None


class PaperEntered(Struct):
    """The sheet, and a result a line: first `people`, then `unlisted`."""

    paper: PaperView
    items: list[CheckInResult]


class PaperPage(Struct):
    """Sheets of a session, the newest first."""

    items: list[PaperView]
    next: str | None = None


class PaperUndo(Struct, forbid_unknown_fields=True):
    """Take the whole sheet back."""

    reason: Reason
