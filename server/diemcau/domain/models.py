"""The words of the domain as types. Everything here is a value."""

from __future__ import annotations

from enum import StrEnum


class SessionState(StrEnum):
    """A session's life: `draft → open → live ⇄ break → ended → closed` (`ended → live` allowed)."""

    DRAFT = "draft"
    OPEN = "open"
    LIVE = "live"
    BREAK = "break"
    ENDED = "ended"
    CLOSED = "closed"


SESSION_MOVES: dict[SessionState, tuple[SessionState, ...]] = {
    SessionState.DRAFT: (SessionState.OPEN,),
    SessionState.OPEN: (SessionState.LIVE, SessionState.DRAFT),
    SessionState.LIVE: (SessionState.BREAK, SessionState.ENDED),
    SessionState.BREAK: (SessionState.LIVE, SessionState.ENDED),
    SessionState.ENDED: (SessionState.LIVE, SessionState.CLOSED),
    SessionState.CLOSED: (),
}
"""Which moves a session may make. `open → draft` undoes an opening by mistake, before anyone checked in."""

CHECK_IN_STATES = frozenset({SessionState.OPEN, SessionState.LIVE, SessionState.BREAK, SessionState.ENDED})
"""The door accepts people in these; `ended` still, because halls empty later than the broadcast."""


class PointMode(StrEnum):
    """What kind of hall a point is."""

    CENTER = "center"
    ONLINE = "online"
    TV = "tv"


class LinkState(StrEnum):
    """What the server knows of a point's link (DESIGN.md §5)."""

    EXPECTED = "expected"
    ONLINE = "online"
    DEGRADED = "degraded"
    SUSPECT = "suspect"
    LOST = "lost"
    AWAY = "away"
    LEFT = "left"
    EXCUSED = "excused"
    UNKNOWN = "unknown"


class Role(StrEnum):
    """What an account may do, over a unit and everything below it."""

    ADMIN = "admin"
    ORGANIZER = "organizer"
    CLERK = "clerk"
    INSPECTOR = "inspector"


class DeviceKind(StrEnum):
    """What a paired device may do at its point: a display gets the door and the counts, nothing else."""

    OPERATOR = "operator"
    DISPLAY = "display"


class Source(StrEnum):
    """How an attendance event came in."""

    DOOR = "door"
    BADGE = "badge"
    MANUAL = "manual"
    PAPER = "paper"
    IMPORT = "import"


class Flag(StrEnum):
    """What is odd about an accepted check-in; never a reason to turn anybody away."""

    WRONG_POINT = "wrong_point"
    NOT_INVITED = "not_invited"
    LATE = "late"
    OFFLINE = "offline"
    CLOCK_SKEW = "clock_skew"
    SHARED_DEVICE = "shared_device"
    UNLISTED = "unlisted"
    SUBSTITUTE = "substitute"
    UNKNOWN_BADGE = "unknown_badge"
    REVOKED_BADGE = "revoked_badge"
    BEFORE_OPENING = "before_opening"
    AFTER_CLOSING = "after_closing"


class EventKind(StrEnum):
    """What an event of the attendance log says."""

    CHECK_IN = "check_in"
    CHECK_OUT = "check_out"
    SPOT_CHECK = "spot_check"
    ANNUL = "annul"
    MATCH = "match"
    PAPER = "paper"
    EXCUSE = "excuse"


class AbsenceState(StrEnum):
    """Where somebody's absence from a session stands. All but the first are decisions, and events of the log."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Phase(StrEnum):
    """Which part of a session a spot-check was made in; the three are reported side by side, never added."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


class SpotMode(StrEnum):
    """How a spot-check asks: a headcount and five names, or everybody with a new door code."""

    SAMPLE = "sample"
    CODE = "code"


class AnomalyKind(StrEnum):
    """What is odd enough to be looked at by a person; nothing is blocked by it."""

    ONE_PHONE = "one_phone"
    DISTANT_NETWORKS = "distant_networks"
    IMPOSSIBLE_PACE = "impossible_pace"


class AttendanceStatus(StrEnum):
    """One person in one session's figures."""

    PRESENT = "present"
    LATE = "late"
    SUBSTITUTED = "substituted"
    EXCUSED = "excused"
    UNMARKED = "unmarked"
    UNEXCUSED = "unexcused"
