"""Who was heard when: the links of all points, and the one wheel that notices silence.

There is no timer per connection. The wheel holds one entry a point, its next deadline; beats do not move it.
When the entry comes up, the point is asked: if it was heard since, the entry goes back with the later deadline.
So a beat costs a few assignments, and silence is noticed at the next tick, stamped with the deadline itself.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.domain.link_state import PointLink, Rules, Transition
from diemcau.domain.models import LinkState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from diemcau.clock import Clock
    from diemcau.domain.link_state import Change


class Watched:
    """A point of a session under watch. `since_ms` and `version` are those of the last change, stored or not yet."""

    __slots__ = ("due_ms", "link", "point_id", "session_id", "since_ms", "version")

    def __init__(self, session_id: int, point_id: int, link: PointLink, since_ms: int, version: int) -> None:
        self.session_id = session_id
        self.point_id = point_id
        self.link = link
        self.since_ms = since_ms
        self.version = version
        self.due_ms: float | None = None


@dataclass(slots=True)
class Presence:
    """Links by (session, point). `pending` are changes that wait to be stored; `wake` says that there are some."""

    clock: Clock
    rules: Rules
    late_ms: float
    pending: deque[Transition] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    blind_until_ms: float = 0.0
    _watched: dict[tuple[int, int], Watched] = field(default_factory=dict)
    _wheel: list[tuple[float, int, Watched]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _ticked_ms: float | None = None

    @classmethod
    def of(cls, clock: Clock, beat_interval_s: float) -> Presence:
        """With every deadline a multiple of `beat_interval_s`."""
        late_s = min(limits.WHEEL_LATE_S, beat_interval_s / 2)
        return cls(clock, Rules(beat_interval_s * 1000), late_s * 1000)

    def now_ms(self) -> float:
        """The clock that deadlines are on."""
        return self.clock.monotonic_s() * 1000

    def begin_blind(self, grace_s: float) -> None:
        """The server starts: nothing is called lost before `grace_s` have passed."""
        self.blind_until_ms = self.now_ms() + grace_s * 1000

    # --- points under watch ---------------------------------------------------------------------------------
    def watch(self, session_id: int, point_id: int, link: LinkState, since_ms: int, version: int) -> Watched:
        """Watch a point that stands at `link`; the one already watched, if it is."""
        watched = self._watched.get((session_id, point_id))
        if watched is None:
            point = PointLink(self.rules, link, self.blind_until_ms)
            watched = self._watched[session_id, point_id] = Watched(session_id, point_id, point, since_ms, version)
            self._schedule(watched)
        return watched

    def get(self, session_id: int, point_id: int) -> Watched | None:
        """The point, if it is watched."""
        return self._watched.get((session_id, point_id))

    def unwatch(self, session_id: int, point_ids: Iterable[int]) -> None:
        """Stop watching points; what they were stays as it is stored."""
        for point_id in point_ids:
            self._watched.pop((session_id, point_id), None)

    # --- what devices do ------------------------------------------------------------------------------------
    def connect(self, watched: Watched, device_id: int) -> None:
        """A device said who it is."""
        self._note(watched, watched.link.connect(device_id, self.now_ms()))

    def beat(self, watched: Watched, device_id: int, seq: int, rtt_ms: float | None, *, hidden: bool) -> None:
        """A device beat. Where nothing changed and the wheel looks soon enough, this is all that happens."""
        now_ms = self.now_ms()
        change = watched.link.beat(device_id, now_ms, seq, rtt_ms, hidden=hidden)
        if change is not None or watched.due_ms is None or watched.due_ms > now_ms + self.rules.suspect_ms:
            self._note(watched, change)

    def away(self, watched: Watched, device_id: int) -> None:
        """A page is about to be hidden."""
        self._note(watched, watched.link.away(device_id, self.now_ms()))

    def leave(self, watched: Watched, device_id: int) -> None:
        """A device said goodbye."""
        self._note(watched, watched.link.leave(device_id, self.now_ms()))

    def forget(self, watched: Watched, device_id: int, cause: str) -> None:
        """A device belongs to this point no more."""
        self._note(watched, watched.link.forget(device_id, self.now_ms(), cause))

    # --- time -----------------------------------------------------------------------------------------------
    def tick(self) -> list[tuple[Watched, int]]:
        """Notice whatever fell silent; the devices that are lost by it.

        Called often; when it comes late, the server itself was blind, and every deadline moves by the gap (I6).
        """
        lost: list[tuple[Watched, int]] = []
        now_ms = self.now_ms()
        gap_ms = now_ms - self._ticked_ms if self._ticked_ms is not None else 0.0
        self._ticked_ms = now_ms
        if gap_ms > self.late_ms:
            self._extend(gap_ms, now_ms)
            return lost
        while self._wheel and self._wheel[0][0] <= now_ms:
            due_ms, _, watched = heapq.heappop(self._wheel)
            if watched.due_ms != due_ms:
                continue
            watched.due_ms = None
            if self._watched.get((watched.session_id, watched.point_id)) is not watched:
                continue
            changes, devices = watched.link.pass_time(now_ms)
            for change in changes:
                self._append(watched, change)
            lost += [(watched, device_id) for device_id in devices]
            self._schedule(watched)
        return lost

    def _extend(self, gap_ms: float, now_ms: float) -> None:
        self.blind_until_ms += gap_ms
        self._wheel.clear()
        for watched in self._watched.values():
            watched.link.extend(gap_ms, now_ms)
            watched.due_ms = None
            self._schedule(watched)

    # --- what became of it ----------------------------------------------------------------------------------
    def take(self, rows_max: int) -> list[Transition]:
        """Up to `rows_max` changes to store, oldest first."""
        taken = [self.pending.popleft() for _ in range(min(rows_max, len(self.pending)))]
        if not self.pending:
            self.wake.clear()
        return taken

    def put_back(self, transitions: list[Transition]) -> None:
        """They could not be stored now: they come first next time."""
        self.pending.extendleft(reversed(transitions))
        self.wake.set()

    def rebase(self, watched: Watched, link: LinkState, since_ms: int, version: int) -> None:
        """Someone else moved the stored state: go on from what is stored to what is true here."""
        key = (watched.session_id, watched.point_id)
        self.pending = deque(t for t in self.pending if (t.session_id, t.point_id) != key)
        watched.since_ms, watched.version = since_ms, version
        if link is not watched.link.link:
            self._add(watched, link, watched.link.link, self.clock.now_ms(), ("conflict", None))

    def _note(self, watched: Watched, change: Change | None) -> None:
        if change is not None:
            self._append(watched, change)
        deadline_ms = watched.link.deadline_ms()
        if deadline_ms is not None and (watched.due_ms is None or deadline_ms < watched.due_ms):
            self._push(watched, deadline_ms)

    def _schedule(self, watched: Watched) -> None:
        deadline_ms = watched.link.deadline_ms()
        if deadline_ms is not None:
            self._push(watched, deadline_ms)

    def _push(self, watched: Watched, deadline_ms: float) -> None:
        watched.due_ms = deadline_ms
        heapq.heappush(self._wheel, (deadline_ms, next(self._order), watched))

    def _append(self, watched: Watched, change: Change) -> None:
        if self._watched.get((watched.session_id, watched.point_id)) is not watched:
            return  # its session was frozen, or lost the point: nothing more is recorded of it
        noticed_ms = self.clock.now_ms()
        at_ms = noticed_ms - round(self.now_ms() - change.at_ms)
        self._add(watched, change.before, change.after, at_ms, (change.cause, change.device_id))

    def _add(
        self, watched: Watched, before: LinkState, after: LinkState, at_ms: int, why: tuple[str, int | None]
    ) -> None:
        watched.since_ms = max(at_ms, watched.since_ms)
        watched.version += 1
        cause, device_id = why
        if len(self.pending) >= limits.TRANSITIONS_WAITING_MAX:
            self.pending.popleft()
        self.pending.append(
            Transition(
                watched.session_id,
                watched.point_id,
                device_id,
                before,
                after,
                watched.since_ms,
                self.clock.now_ms(),
                cause,
                watched.version,
            )
        )
        self.wake.set()
