"""What the server knows of a point's link: a machine over frames and silence (DESIGN.md §5, I6). Pure.

    expected ──connect──▶ online ⇄ degraded         a slow round trip or a missed beat; well again after 3 clean beats
                             │ 1.5 beats silent     (hidden page: 9, because browsers slow its timers down)
                             ▼
                          suspect ──any frame──▶ online
                             │ 3 beats silent       (hidden page: 15)
                             ▼
                           lost ──two good beats──▶ online
    away   the page said that it is put away: its silence is no loss         left   a clean goodbye
    unknown  the server was blind; after a grace without any frame: lost

A point has any number of devices and is as alive as its best one. Time is passed in: milliseconds on one
clock that never goes back. Every change is stamped with the moment it became true: of a silence, that is the
deadline that passed, not the moment somebody looked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from diemcau.domain.models import LinkState

RTT_SLOW_MS = 1000.0
RTT_BANDS_MS = (100.0, 300.0, 1000.0)
RECOVERING_BEATS = 2

ALIVE = frozenset({LinkState.ONLINE, LinkState.DEGRADED})
RANK = {
    state: rank
    for rank, state in enumerate(
        (LinkState.LEFT, LinkState.LOST, LinkState.AWAY, LinkState.SUSPECT, LinkState.DEGRADED, LinkState.ONLINE)
    )
}
"""The better device decides. One that fell silent outweighs one that said goodbye: its hall may wait for help."""

BLINDED = frozenset({LinkState.ONLINE, LinkState.DEGRADED, LinkState.SUSPECT, LinkState.LOST, LinkState.AWAY})
"""What a restart turns into unknown: whoever had a link. `expected` never had one, `left` said goodbye."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Every deadline, as a multiple of the beat."""

    beat_ms: float = 10_000.0

    @property
    def suspect_ms(self) -> float:
        """Silence until a visible device is suspect: the soonest that silence changes anything."""
        return self.beat_ms * 1.5

    @property
    def clean_ms(self) -> float:
        """A line without trouble for this long is well again."""
        return self.beat_ms * 3

    def suspect_after_ms(self, *, hidden: bool) -> float:
        """Silence until a device is suspect; also the longest gap between two good beats."""
        return self.beat_ms * 9 if hidden else self.suspect_ms

    def lost_after_ms(self, *, hidden: bool) -> float:
        """Silence until a device is lost."""
        return self.beat_ms * (15 if hidden else 3)


class Change(NamedTuple):
    """The point's link changed at `at_ms`, because of `device_id` (None: of none in particular)."""

    before: LinkState
    after: LinkState
    at_ms: float
    cause: str
    device_id: int | None


class DeviceLink:
    """One device, as far as it was heard."""

    __slots__ = ("good_beats", "heard_ms", "hidden", "link", "seq", "trouble_ms")

    def __init__(self, link: LinkState, now_ms: float) -> None:
        self.link = link
        self.heard_ms = now_ms
        self.hidden = False
        self.good_beats = 0
        self.seq = 0
        self.trouble_ms: float | None = None


def rtt_band(rtt_ms: float | None) -> int:
    """A round trip as boards see it: 0 unknown, 1 < 100 ms, 2 < 300, 3 < 1000, 4 above."""
    if rtt_ms is None:
        return 0
    return 1 + sum(rtt_ms >= bound for bound in RTT_BANDS_MS)


class PointLink:
    """The link of one point: its devices, and what is known without any (`base`).

    `link` is the state; each method that may change it returns the Change, or None.
    """

    __slots__ = ("base", "blind_until_ms", "devices", "link", "rules")

    def __init__(self, rules: Rules, base: LinkState = LinkState.EXPECTED, blind_until_ms: float = 0.0) -> None:
        self.rules = rules
        self.base = base
        self.link = base
        self.blind_until_ms = blind_until_ms
        self.devices: dict[int, DeviceLink] = {}

    def connect(self, device_id: int, now_ms: float) -> Change | None:
        """A device said who it is. A lost point waits for beats; any other speaks at once."""
        device = self._device(device_id, now_ms)
        device.heard_ms = now_ms
        device.seq = 0
        device.good_beats = 0
        if self.link is LinkState.LOST:
            device.link = LinkState.LOST
        elif device.link not in ALIVE:
            device.link = self._line(device, now_ms)
        return self._settle(now_ms, "connected", device_id)

    def beat(self, device_id: int, now_ms: float, seq: int, rtt_ms: float | None, *, hidden: bool) -> Change | None:
        """A device beat. `seq` counts its beats since it connected: a number left out is a beat that was lost."""
        device = self.devices.get(device_id)
        if device is None:  # forgotten meanwhile, because another device spoke for the hall
            return self.connect(device_id, now_ms)
        gap_ms = now_ms - device.heard_ms
        missed = 0 < device.seq < seq - 1
        device.heard_ms = now_ms
        device.seq = seq
        device.hidden = hidden
        trouble = missed or (rtt_ms is not None and rtt_ms > RTT_SLOW_MS)
        if trouble:
            device.trouble_ms = now_ms
        if device.link is LinkState.ONLINE and not trouble:
            return None
        in_time = gap_ms <= self.rules.suspect_after_ms(hidden=hidden)
        device.good_beats = device.good_beats + 1 if in_time else 1
        self._heard(device, now_ms)
        return self._settle(now_ms, "slow" if device.link is LinkState.DEGRADED else "beat", device_id)

    def _heard(self, device: DeviceLink, now_ms: float) -> None:
        if device.link is LinkState.LOST and device.good_beats < RECOVERING_BEATS:
            return
        if device.link is LinkState.AWAY and device.hidden:
            return
        device.link = self._line(device, now_ms)

    def _line(self, device: DeviceLink, now_ms: float) -> LinkState:
        """How good the line of a device that speaks is: degraded until it was clean for long enough."""
        troubled = device.trouble_ms is not None and now_ms - device.trouble_ms < self.rules.clean_ms
        return LinkState.DEGRADED if troubled else LinkState.ONLINE

    def away(self, device_id: int, now_ms: float) -> Change | None:
        """The page is about to be hidden or the phone locked: the silence that follows is no loss."""
        return self._said(device_id, LinkState.AWAY, now_ms, "away")

    def leave(self, device_id: int, now_ms: float) -> Change | None:
        """A clean goodbye."""
        return self._said(device_id, LinkState.LEFT, now_ms, "leave")

    def _device(self, device_id: int, now_ms: float) -> DeviceLink:
        """The device; one that is new, or was forgotten, begins with all to prove."""
        device = self.devices.get(device_id)
        if device is None:
            device = self.devices[device_id] = DeviceLink(LinkState.LOST, now_ms)
        return device

    def _said(self, device_id: int, link: LinkState, now_ms: float, cause: str) -> Change | None:
        device = self._device(device_id, now_ms)
        device.heard_ms = now_ms
        device.link = link
        return self._settle(now_ms, cause, device_id)

    def forget(self, device_id: int, now_ms: float, cause: str) -> Change | None:
        """A device belongs here no more (revoked, or bound to another session): its silence means nothing."""
        if self.devices.pop(device_id, None) is None:
            return None
        self.base = LinkState.EXPECTED
        return self._settle(now_ms, cause, device_id)

    def deadline_ms(self) -> float | None:
        """When silence alone will change something; None: never."""
        found = [at for device in self.devices.values() if (at := self._deadline(device)) is not None]
        if not self.devices and self.base is LinkState.UNKNOWN:
            found.append(self.blind_until_ms)
        return min(found, default=None)

    def _deadline(self, device: DeviceLink) -> float | None:
        if device.link in ALIVE:
            return device.heard_ms + self.rules.suspect_after_ms(hidden=device.hidden)
        if device.link is LinkState.SUSPECT:
            lost_ms = device.heard_ms + self.rules.lost_after_ms(hidden=device.hidden)
            return max(lost_ms, self.blind_until_ms)
        return None

    def pass_time(self, now_ms: float) -> tuple[list[Change], list[int]]:
        """Every change that silence brought up to `now_ms`, in order, each at its own deadline; devices lost by it."""
        changes: list[Change] = []
        lost: list[int] = []
        while (at_ms := self.deadline_ms()) is not None and at_ms <= now_ms:
            device_id = self._pass_deadline(at_ms)
            if device_id is not None and self.devices[device_id].link is LinkState.LOST:
                lost.append(device_id)
            change = self._settle(at_ms, "silence", device_id)
            if change:
                changes.append(change)
        return changes, lost

    def _pass_deadline(self, at_ms: float) -> int | None:
        """The device whose deadline this was, one step further; None where no device was ever heard."""
        if not self.devices:
            self.base = LinkState.LOST
            return None
        device_id = next(key for key, device in self.devices.items() if self._deadline(device) == at_ms)
        device = self.devices[device_id]
        if device.link in ALIVE:
            device.link = LinkState.SUSPECT
        else:
            device.link = LinkState.LOST
            device.good_beats = 0  # those from before the silence prove nothing
        return device_id

    def extend(self, gap_ms: float, now_ms: float) -> None:
        """The server itself was blind for `gap_ms`: every deadline moves by as much."""
        self.blind_until_ms += gap_ms
        for device in self.devices.values():
            device.heard_ms = min(device.heard_ms + gap_ms, now_ms)

    def _settle(self, at_ms: float, cause: str, device_id: int | None) -> Change | None:
        links = [device.link for device in self.devices.values()]
        after = max(links, key=RANK.__getitem__) if links else self.base
        before, self.link = self.link, after
        if after in ALIVE and len(self.devices) > 1:
            # Where one device speaks, those that left or fell silent are no longer missed (a laptop was swapped).
            self.devices = {
                other: device
                for other, device in self.devices.items()
                if device.link not in {LinkState.LOST, LinkState.LEFT}
            }
        return Change(before, after, at_ms, cause, device_id) if before is not after else None


class Transition(NamedTuple):
    """A change of a point's link, ready to be stored. `version` is the one it leads to (compare-and-set)."""

    session_id: int
    point_id: int
    device_id: int | None
    before: LinkState
    after: LinkState
    at_ms: int
    noticed_ms: int
    cause: str
    version: int
