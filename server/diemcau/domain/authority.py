"""Who may do what, and where (I5). Pure: an actor, an action, a place in the tree of units.

An actor is whoever asks: an account with its grants, a device bound to its point, the attendee at a door,
or the system itself. Every service takes it first and asks `require` before it reads or writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from diemcau.domain.models import DeviceKind, Role
from diemcau.errors import ForbiddenError, NotSignedInError


class Action(StrEnum):
    """What a service is about to do."""

    UNITS_READ = "units.read"
    UNITS_WRITE = "units.write"
    POINTS_READ = "points.read"
    POINTS_WRITE = "points.write"
    PEOPLE_READ = "people.read"
    PEOPLE_WRITE = "people.write"
    SESSIONS_READ = "sessions.read"
    SESSIONS_WRITE = "sessions.write"
    BOARD_READ = "board.read"
    ATTENDANCE_READ = "attendance.read"
    ATTENDANCE_WRITE = "attendance.write"
    DEVICES_WRITE = "devices.write"
    ACCOUNTS_WRITE = "accounts.write"


READS = frozenset(
    {
        Action.UNITS_READ,
        Action.POINTS_READ,
        Action.PEOPLE_READ,
        Action.SESSIONS_READ,
        Action.BOARD_READ,
        Action.ATTENDANCE_READ,
    }
)
MAY: dict[Role, frozenset[Action]] = {
    Role.ADMIN: frozenset(Action),
    Role.ORGANIZER: frozenset(Action) - {Action.ACCOUNTS_WRITE},
    Role.CLERK: READS | {Action.PEOPLE_WRITE, Action.ATTENDANCE_WRITE},
    Role.INSPECTOR: READS,
}
"""Roles add up: an account may have several grants, each over its own unit."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role over a unit and all below it; `unit_path` "" means the whole tree."""

    role: Role
    unit_path: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Units an actor may touch for one action: every unit whose path starts with one of `paths`."""

    paths: tuple[str, ...]

    @property
    def everything(self) -> bool:
        """Whether the whole tree is in scope."""
        return "" in self.paths

    def covers(self, unit_path: str) -> bool:
        """Whether the unit at `unit_path` is in scope."""
        return any(unit_path.startswith(path) for path in self.paths)

    def touches(self, unit_path: str) -> bool:
        """Whether the unit is in scope, above it, or below it: what one needs to find one's way in the tree."""
        return any(unit_path.startswith(path) or path.startswith(unit_path) for path in self.paths)

    def narrowed(self, unit_path: str) -> Scope:
        """The part of this scope at or below `unit_path`."""
        inside = tuple(path for path in self.paths if path.startswith(unit_path))
        return Scope((unit_path,) if self.covers(unit_path) else inside)


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who signed in, or a program with that person's token. `credential_id` is what they showed."""

    account_id: int
    name: str
    grants: tuple[Grant, ...]
    credential_id: int = 0


@dataclass(frozen=True, slots=True)
class Device:
    """A paired device; it answers for its own point and nothing else."""

    device_id: int
    point_id: int
    point_code: str
    kind: DeviceKind


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody has said who they are: the attendee at the door, or a request without a credential."""


@dataclass(frozen=True, slots=True)
class System:
    """The server itself: opening a session by the clock, the command line on the same machine."""

    name: str = "system"


Actor = Account | Device | Anonymous | System


def scope_of(actor: Actor, action: Action) -> Scope:
    """The units in which the actor may do `action`; empty when nowhere."""
    if isinstance(actor, System):
        return Scope(("",))
    if isinstance(actor, Account):
        return Scope(tuple(dict.fromkeys(grant.unit_path for grant in actor.grants if action in MAY[grant.role])))
    return Scope(())


def require(actor: Actor, action: Action, unit_path: str | None = None) -> Scope:
    """The actor's scope for `action`, which must not be empty and must cover `unit_path` where one is given.

    Raises:
        NotSignedInError: nobody is signed in.
        ForbiddenError: this actor may not, or not there.
    """
    if isinstance(actor, Anonymous):
        raise NotSignedInError
    scope = scope_of(actor, action)
    if not scope.paths or (unit_path is not None and not scope.covers(unit_path)):
        raise ForbiddenError
    return scope


def require_device(actor: Actor, point_id: int, *kinds: DeviceKind) -> Device:
    """The actor as a device of this point, of one of `kinds` (any when none is named).

    Raises:
        NotSignedInError: nobody said who they are.
        ForbiddenError: not a device, another point's device, or the wrong kind of one.
    """
    if isinstance(actor, Anonymous):
        raise NotSignedInError
    if not isinstance(actor, Device) or actor.point_id != point_id or (kinds and actor.kind not in kinds):
        raise ForbiddenError
    return actor
