"""Frozen figures, their revisions, and the log as a file that can be verified (DESIGN.md §6a)."""

from __future__ import annotations

from msgspec import Struct

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


class MinutesList(Struct):
    """All revisions, the newest first, and what waits for the next one."""

    items: list[MinutesView]
    waiting: int
    fingerprint: str


class RevisionRequest(Struct, forbid_unknown_fields=True):
    """Count what came after closing, and freeze and sign the figures anew."""

    reason: Reason
