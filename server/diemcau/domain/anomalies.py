"""What is odd enough about check-ins to be looked at by a person (DESIGN.md §6). Pure: times and keys are passed in.

Nothing here blocks anybody. One phone for a family, three networks in one hall and a busy minute are how it really
goes; the thresholds (`limits.py`) lie beyond that. Memory is bounded: whatever was quiet longest is forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from diemcau import limits
from diemcau.domain.door_networks import DoorNetworks
from diemcau.domain.models import AnomalyKind

if TYPE_CHECKING:
    from collections.abc import Hashable

V = TypeVar("V")
SHARE_PER_MINUTE = limits.ANOMALY_ARRIVALS_PER_MINUTE_MAX / 600
"""Arrivals of a minute that a large hall may have, as a share of its seats: the bound is made for one of 600."""


class Sight(Struct, frozen=True, gc=False):
    """What the rules look at of one check-in.

    at_ms: when it happened. person: who, by id or by what was typed. device_id: of the operator's device
    that scanned a badge, else None; clock_ms: when, by that device's own clock, which may be wrong but runs evenly.
    phone, network: hashes; empty where it was no phone. step: of the door code. present: people counted in the hall
    after it; capacity: its seats; invited: people summoned to it; 0: not known.
    """

    session_id: int
    point_id: int
    nonce: bytes
    at_ms: int
    person: int | bytes
    device_id: int | None = None
    clock_ms: int = 0
    phone: bytes = b""
    network: bytes = b""
    step: int | None = None
    present: int = 0
    capacity: int = 0
    invited: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd. `key` tells it from others of its kind in the session; findings of one key are one anomaly.

    count: people of a phone, networks of a code, arrivals in a window, people counted in a hall.
    """

    session_id: int
    kind: AnomalyKind
    key: bytes
    point_id: int | None
    first_ms: int
    last_ms: int
    count: int
    nonces: tuple[bytes, ...]

    def with_later(self, later: Finding) -> Finding:
        """Both as one; the first `ANOMALY_NONCES_MAX` check-ins stand for all."""
        nonces = dict.fromkeys((*self.nonces, *later.nonces))
        return Finding(
            self.session_id,
            self.kind,
            self.key,
            self.point_id if self.point_id == later.point_id else None,
            min(self.first_ms, later.first_ms),
            max(self.last_ms, later.last_ms),
            max(self.count, later.count),
            tuple(nonces)[: limits.ANOMALY_NONCES_MAX],
        )


class Recent(OrderedDict["Hashable", V]):
    """The latest `ANOMALY_KEYS_MAX` keys with what is known of each."""

    def latest(self, key: Hashable) -> V | None:
        """What is known of `key`, which counts as used now."""
        found = self.get(key)
        if found is not None:
            self.move_to_end(key)
        return found

    def begin(self, key: Hashable, value: V) -> V:
        """Know something of a new key; the quietest makes room."""
        self[key] = value
        if len(self) > limits.ANOMALY_KEYS_MAX:
            self.popitem(last=False)
        return value


class Crowd:
    """Different members seen so far (people, networks), and the check-ins that showed them; both bounded.

    Most phones serve one person: until there is a second, that one is all that is kept.
    """

    __slots__ = ("first", "first_ms", "members", "nonces", "told")

    def __init__(self, member: Hashable, sight: Sight) -> None:
        self.first = member
        self.first_ms = sight.at_ms
        self.members: set[Hashable] | None = None
        self.nonces: list[bytes] | bytes = sight.nonce
        self.told = False

    def __len__(self) -> int:
        return len(self.members) if self.members else 1

    def add(self, member: Hashable, sight: Sight) -> None:
        """One more check-in."""
        self.first_ms = min(self.first_ms, sight.at_ms)
        if self.members is None:
            self.members = {self.first}
        if isinstance(self.nonces, bytes):
            self.nonces = [self.nonces]
        if len(self.members) < limits.ANOMALY_NONCES_MAX:
            self.members.add(member)
        if len(self.nonces) < limits.ANOMALY_NONCES_MAX:
            self.nonces.append(sight.nonce)

    def news(self, enough: int, nonce: bytes) -> tuple[bytes, ...]:
        """The check-ins to tell of: all of them when it becomes odd, then each further one; none before."""
        if len(self) < enough:
            return ()
        told, self.told = self.told, True
        return (nonce,) if told else tuple(self.nonces) if isinstance(self.nonces, list) else (self.nonces,)


def _crowd(crowds: Recent[Crowd], key: Hashable, member: Hashable, sight: Sight) -> Crowd:
    """The crowd of `key` with this check-in."""
    crowd = crowds.latest(key)
    if crowd is None:
        return crowds.begin(key, Crowd(member, sight))
    crowd.add(member, sight)
    return crowd


@dataclass(slots=True)
class Window:
    """Check-ins within the last `window_ms`, by their own times. A queue that arrives late is a run of its own."""

    seen: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=limits.ANOMALY_WINDOW_MAX))
    told: bool = False

    def add(self, at_ms: int, nonce: bytes, window_ms: int) -> None:
        """One more check-in; what is older than the window is forgotten."""
        seen = self.seen
        if seen and at_ms <= seen[-1][0] - window_ms:
            seen.clear()
        elif seen and at_ms < seen[-1][0]:
            at_ms = seen[-1][0]
        seen.append((at_ms, nonce))
        while seen[0][0] <= at_ms - window_ms:
            seen.popleft()

    def news(self, most: int) -> tuple[bytes, ...]:
        """The check-ins to tell of: all of the window when there are more than `most`, then each further one."""
        if len(self.seen) <= most:
            self.told = False
            return ()
        told, self.told = self.told, True
        return (self.seen[-1][1],) if told else tuple(nonce for _, nonce in self.seen)


@dataclass(slots=True)
class Rules:
    """The three rules over everything that was committed lately."""

    _phones: Recent[Crowd] = field(default_factory=Recent)
    _networks: Recent[DoorNetworks] = field(default_factory=Recent)
    _devices: Recent[Window] = field(default_factory=Recent)
    _doors: Recent[Window] = field(default_factory=Recent)

    def see(self, sight: Sight) -> list[Finding]:
        """What is odd now that this check-in is known."""
        if sight.phone:
            found = [self._one_phone(sight), self._distant_networks(sight), self._crowded(sight), self._full(sight)]
        else:
            found = [self._quick(sight)] if sight.device_id is not None else []
        return [finding for finding in found if finding]

    def _one_phone(self, sight: Sight) -> Finding | None:
        """One phone for many people of a session."""
        crowd = _crowd(self._phones, (sight.session_id, sight.phone), sight.person, sight)
        news = crowd.news(limits.ANOMALY_PHONE_PEOPLE, sight.nonce)
        if not news:
            return None
        return _finding(sight, AnomalyKind.ONE_PHONE, sight.phone, crowd.first_ms, len(crowd), news)

    def _distant_networks(self, sight: Sight) -> Finding | None:
        """One code used from many networks that the hall does not know otherwise: it was sent out of the hall."""
        if sight.step is None or not sight.network:
            return None
        key = sight.session_id, sight.point_id
        known = self._networks.latest(key) or self._networks.begin(key, DoorNetworks())
        strange = known.add(sight.step, sight.network, sight.at_ms, sight.nonce)
        if strange is None:
            return None
        return _finding(
            sight,
            AnomalyKind.DISTANT_NETWORKS,
            b"door %d" % sight.point_id,
            min(network.at_ms for network in strange),
            len(strange),
            tuple(network.nonce for network in strange),
        )

    def _quick(self, sight: Sight) -> Finding | None:
        """An operator's device that scans badges faster than hands can, however late its queue comes."""
        key = sight.session_id, sight.device_id
        window = self._devices.latest(key) or self._devices.begin(key, Window())
        window.add(sight.clock_ms, sight.nonce, limits.ANOMALY_SCANS_WITHIN_S * 1000)
        news = window.news(limits.ANOMALY_SCANS_MAX)
        return _pace(sight, b"device %d" % (sight.device_id or 0), window, news)

    def _crowded(self, sight: Sight) -> Finding | None:
        """A door that more people come through than a door lets through; in larger halls in proportion.

        Where nobody noted how many seats a hall has, those who were summoned and those who sit there tell its size.
        """
        key = sight.session_id, sight.point_id
        window = self._doors.latest(key) or self._doors.begin(key, Window())
        window.add(sight.at_ms, sight.nonce, 60_000)
        people = max(sight.capacity, sight.invited, sight.present)
        news = window.news(max(limits.ANOMALY_ARRIVALS_PER_MINUTE_MAX, int(people * SHARE_PER_MINUTE)))
        return _pace(sight, b"arrivals %d" % sight.point_id, window, news)

    def _full(self, sight: Sight) -> Finding | None:
        """More people counted in a hall than can stand in it."""
        if not sight.capacity or sight.present <= sight.capacity * limits.ANOMALY_OVERFULL:
            return None
        key = b"full %d" % sight.point_id
        return _finding(sight, AnomalyKind.IMPOSSIBLE_PACE, key, sight.at_ms, sight.present, (sight.nonce,))


def _pace(sight: Sight, key: bytes, window: Window, news: tuple[bytes, ...]) -> Finding | None:
    if not news:
        return None
    took_ms = window.seen[-1][0] - window.seen[0][0]
    return _finding(sight, AnomalyKind.IMPOSSIBLE_PACE, key, sight.at_ms - took_ms, len(window.seen), news)


def _finding(  # noqa: PLR0913 five of them differ by rule
    sight: Sight, kind: AnomalyKind, key: bytes, first_ms: int, count: int, nonces: tuple[bytes, ...]
) -> Finding:
    return Finding(
        sight.session_id,
        kind,
        key,
        sight.point_id,
        first_ms,
        sight.at_ms,
        count,
        nonces[: limits.ANOMALY_NONCES_MAX],
    )
