"""Frames of `/ws/v1/point` and `/ws/v1/board`, and the rows of `GET …/live` (DESIGN.md §7, docs/protocol.md).

Every frame is a JSON object whose `type` names it. Times are ms since the epoch, UTC.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from diemcau.domain.models import LinkState, SessionState

PROTOCOL_VERSION = 1
Token = Annotated[str, Meta(max_length=200)]
Key = Annotated[str, Meta(max_length=40, pattern=r"^[^\x00]*$")]
"""A natural key as somebody typed it; whether there is one is for the server to say."""


class CloseCode(IntEnum):
    """Why a socket was closed. 3000–3499 and 4000–4499: connect again; 3500–3999 and 4500–4999: do not."""

    RESTART = 4000
    REBIND = 4001
    IDENTIFY_LATE = 4002
    SLOW_READER = 4003
    SILENT = 4004
    MALFORMED = 4500
    NOT_SIGNED_IN = 4501
    FORBIDDEN = 4503
    NOT_FOUND = 4504
    REPLACED = 4509
    REVOKED = 4510


def reconnects(code: int) -> bool:
    """Whether a client that was closed with `code` should connect again; ordinary codes (1000–2999) mean yes."""
    return code < 3500 or 4000 <= code < 4500


# --- points: what a device says ------------------------------------------------------------------------------
class Identify(Struct, tag="identify"):
    """The first frame of a device. `boot` is made anew whenever the page or agent starts."""

    v: int
    token: Token
    boot: Annotated[str, Meta(max_length=64)]
    session: Key | None = None


class Beat(Struct, tag="beat"):
    """A sign of life. `rtt_ms` is the last measured round trip; `hidden` says that the page is not in front.

    queued: entries that this device has not sent yet; queued_oldest_ms: when the oldest of them happened, by its
    clock. Null from devices that cannot tell.
    """

    seq: int
    sent_ms: int
    rtt_ms: float | None = None
    hidden: bool = False
    queued: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    queued_oldest_ms: Annotated[int, Meta(ge=0, lt=10**14)] | None = None


class Away(Struct, tag="away"):
    """The page is about to be hidden or the phone locked: silence that follows is not a loss."""


class Leave(Struct, tag="leave"):
    """A clean goodbye."""


PointFrame = Identify | Beat | Away | Leave


# --- points: what the server says -----------------------------------------------------------------------------
class Hello(Struct, tag="hello"):
    """The first frame of the server."""

    v: int
    heartbeat_ms: int
    server_ms: int
    epoch: str


class SessionBrief(Struct):
    """The session a device is bound to. `spot_checks` counts those begun: when it grows, ask what is asked here."""

    code: str
    title: str
    state: SessionState
    starts_ms: int
    ends_ms: int
    spot_checks: int = 0


class Welcome(Struct, tag="welcome"):
    """The device is known. `session` null: none is near; the server closes with REBIND when one opens."""

    sid: str
    point: str
    point_name: str
    session: SessionBrief | None
    present: int = 0
    invited: int = 0
    unlisted: int = 0


class BeatAck(Struct, tag="beat_ack"):
    """Answers a beat at once."""

    seq: int
    server_ms: int


class SessionEvent(Struct, tag="session"):
    """The session moved."""

    session: SessionBrief


class CountEvent(Struct, tag="count"):
    """People at this point, coalesced to four a second at most. `unlisted`: on no list, counted apart."""

    present: int
    invited: int
    unlisted: int = 0


ServerPointFrame = Hello | Welcome | BeatAck | SessionEvent | CountEvent


# --- boards ---------------------------------------------------------------------------------------------------
class Resume(Struct):
    """What a board has already: apply deltas from here on."""

    epoch: str
    seq: int


class BoardIdentify(Struct, tag="identify"):
    """What to watch: a session, or the part of it below `unit`. `token` where no cookie came with the handshake."""

    session: Key
    unit: Key | None = None
    token: Token | None = None
    resume: Resume | None = None


class LiveRow(Struct):
    """One point, now. `link` since `since_ms`; `rtt_band` 0 unknown, 1 < 100 ms, 2 < 300, 3 < 1000, 4 above.

    present: counted people of the list; unlisted: people on no list who sit here, counted apart.
    """

    point: str
    link: LinkState
    since_ms: int
    present: int
    invited: int
    rtt_band: int = 0
    signal: Literal["unknown", "seen", "frozen", "no_picture", "no_sound"] = "unknown"
    signal_ms: int | None = None
    headcount: int | None = None
    needs: str = ""
    unlisted: int = 0


class LiveTotals(Struct):
    """Figures over all rows of the scope.

    `links` counts points by state; `silent_present` are the people checked in at points that are lost, suspect
    or unknown.
    """

    points: int
    present: int
    invited: int
    silent_present: int
    links: dict[str, int]
    unlisted: int = 0


class Live(Struct):
    """`GET …/live`: the whole scope at once."""

    epoch: str
    seq: int
    server_ms: int
    state: SessionState
    totals: LiveTotals
    points: list[LiveRow]


class Snapshot(Struct, tag="snapshot"):
    """A part of the scope; `part` of `parts`. All parts of one snapshot carry the same `seq`."""

    epoch: str
    seq: int
    server_ms: int
    state: SessionState
    totals: LiveTotals
    points: list[LiveRow]
    part: int = 1
    parts: int = 1


class Delta(Struct, tag="delta"):
    """What changed since `from_seq`. A delta that does not join means: ask for a snapshot. `gone` left the scope."""

    from_seq: int
    seq: int
    server_ms: int
    state: SessionState
    totals: LiveTotals
    points: list[LiveRow]
    gone: list[str] = []


ServerBoardFrame = Hello | Snapshot | Delta
