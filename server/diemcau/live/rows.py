"""The live rows of one session, and the frames that boards get of them: snapshots and deltas (I7).

Every change takes the session's next `seq` and marks its row with it. There is no log of deltas: whoever has
seen everything up to n gets the rows whose mark is greater than n, and the codes of points that went since.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from diemcau import limits
from diemcau.domain.models import LinkState
from diemcau.wire.live import Delta, Live, LiveRow, LiveTotals, SessionBrief, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from diemcau.domain.authority import Scope

T = TypeVar("T")
SILENT = frozenset({LinkState.SUSPECT, LinkState.LOST, LinkState.UNKNOWN})
"""Of people who sit at points in these states nobody can say whether they still follow."""

ROW_BYTES = 300
"""More than the longest row takes, so that a part of a snapshot stays within its bound."""

ROWS_PER_PART = limits.SNAPSHOT_PART_BYTES_MAX // ROW_BYTES


class Frame(NamedTuple):
    """An encoded frame, and how far a board is that got it; None: no further (more parts follow)."""

    seq: int | None
    data: bytes


class Counted(NamedTuple):
    """What a point adds to the totals."""

    link: LinkState
    present: int
    invited: int
    unlisted: int


@dataclass(slots=True)
class Row:
    """One point of a session. `version` belongs to the link.

    counted: the mark of the last published count; told: what its hall was told last.
    """

    point_id: int
    code: str
    name: str
    unit_path: str
    link: LinkState
    since_ms: int
    version: int
    present: int
    invited: int
    unlisted: int = 0
    rtt_band: int = 0
    changed_seq: int = 0
    counted: int = 0
    told: tuple[int, int, int] | None = None
    headcount: int | None = None

    @property
    def figures(self) -> tuple[int, int, int]:
        """What its hall is told: present, invited, unlisted."""
        return self.present, self.invited, self.unlisted

    def part(self) -> Counted:
        """What it adds to the totals."""
        return Counted(self.link, self.present, self.invited, self.unlisted)

    def wire(self) -> LiveRow:
        """As boards see it."""
        return LiveRow(
            self.code,
            self.link,
            self.since_ms,
            self.present,
            self.invited,
            self.rtt_band,
            headcount=self.headcount,
            unlisted=self.unlisted,
        )


@dataclass(slots=True)
class Tally:
    """Totals of a scope, kept by what changes: the same figures as counting all rows anew (I3)."""

    points: int = 0
    present: int = 0
    invited: int = 0
    silent_present: int = 0
    unlisted: int = 0
    links: dict[LinkState, int] = field(default_factory=dict)

    def add(self, part: Counted, sign: int = 1) -> None:
        """Count a point in (or out, with -1, exactly as it was counted in)."""
        self.points += sign
        self.present += sign * part.present
        self.invited += sign * part.invited
        self.silent_present += sign * part.present if part.link in SILENT else 0
        self.unlisted += sign * part.unlisted
        self.links[part.link] = self.links.get(part.link, 0) + sign

    def wire(self) -> LiveTotals:
        """As boards see it; states without a point are left out."""
        links = {str(link): count for link, count in sorted(self.links.items()) if count}
        return LiveTotals(self.points, self.present, self.invited, self.silent_present, links, self.unlisted)


@dataclass(slots=True)
class LiveSession:
    """A session under watch: its rows by point id.

    head_seq: mark of the last change of the session itself; flushed_seq: of what boards were told.
    gone: (mark, code, unit path) of points that left, or left that unit; whoever saw less than `gone_before`
        needs a snapshot. told_brief: what its halls were told last.
    """

    session_id: int
    brief: SessionBrief
    unit_path: str
    rows: dict[int, Row] = field(default_factory=dict)
    seq: int = 0
    head_seq: int = 0
    gone: deque[tuple[int, str, str]] = field(default_factory=deque)
    gone_before: int = 0
    changed: set[int] = field(default_factory=set)
    flushed_seq: int = 0
    told_brief: SessionBrief | None = None

    def put(self, row: Row) -> None:
        """A point came to the session."""
        self.rows[row.point_id] = row
        self._mark(row)

    def set_figures(self, point_id: int, present: int, invited: int, unlisted: int = 0) -> None:
        """Figures as they were read from the database; marks the point when they differ."""
        row = self.rows[point_id]
        if (row.present, row.invited, row.unlisted) != (present, invited, unlisted):
            row.present, row.invited, row.unlisted = present, invited, unlisted
            self._mark(row)

    def set_headcount(self, point_id: int, headcount: int | None) -> None:
        """The number that holds for a hall now; it enters no total."""
        row = self.rows.get(point_id)
        if row is not None and row.headcount != headcount:
            row.headcount = headcount
            self._mark(row)
            row.counted = self.seq

    def remove(self, point_id: int) -> None:
        """The point left the session."""
        row = self.rows.pop(point_id, None)
        if row is not None:
            self._gone(row)

    def move(self, point_id: int, unit_path: str) -> None:
        """The point hangs elsewhere in the tree now: it leaves some scopes and enters others."""
        row = self.rows[point_id]
        self._gone(row)
        row.unit_path = unit_path
        self._mark(row)

    def set_brief(self, brief: SessionBrief, unit_path: str) -> None:
        """The session moved, or what is said of it changed."""
        if (brief, unit_path) != (self.brief, self.unit_path):
            self.brief, self.unit_path = brief, unit_path
            self.seq += 1
            self.head_seq = self.seq

    def set_link(self, point_id: int, link: LinkState, since_ms: int, version: int) -> None:
        """A stored change of link."""
        row = self.rows.get(point_id)
        if row is not None:
            row.link, row.since_ms, row.version = link, since_ms, version
            if link not in {LinkState.ONLINE, LinkState.DEGRADED}:
                row.rtt_band = 0
            self._mark(row)

    def set_band(self, point_id: int, rtt_band: int) -> None:
        """Another round trip."""
        row = self.rows.get(point_id)
        if row is not None and row.rtt_band != rtt_band:
            row.rtt_band = rtt_band
            self._mark(row)

    def set_present(self, point_id: int, present: int | None, unlisted: int | None = None) -> bool:
        """Committed counts, None: as before; False where the point is not known here."""
        row = self.rows.get(point_id)
        if row is None:
            return False
        row.present = row.present if present is None else present
        row.unlisted = row.unlisted if unlisted is None else unlisted
        self._mark(row)
        row.counted = self.seq
        return True

    def _mark(self, row: Row) -> None:
        self.seq += 1
        row.changed_seq = self.seq
        self.changed.add(row.point_id)

    def _gone(self, row: Row) -> None:
        self.seq += 1
        self.changed.add(row.point_id)
        self.gone.append((self.seq, row.code, row.unit_path))
        while len(self.gone) > limits.GONE_REMEMBERED_MAX:
            self.gone_before, _, _ = self.gone.popleft()

    # --- what a scope sees ----------------------------------------------------------------------------------
    def within(self, scope: Scope) -> Iterator[Row]:
        """The rows in scope, in the order they came."""
        return iter(self.rows.values()) if scope.everything else self._covered(scope)

    def _covered(self, scope: Scope) -> Iterator[Row]:
        return (row for row in self.rows.values() if scope.covers(row.unit_path))

    def totals(self, rows: Iterable[Row]) -> LiveTotals:
        """Totals of these rows, counted anew."""
        tally = Tally()
        for row in rows:
            tally.add(row.part())
        return tally.wire()

    def live(self, scope: Scope, epoch: str, server_ms: int) -> Live:
        """The whole scope at once, by point code."""
        rows = sorted(self.within(scope), key=lambda row: row.code)
        points = [row.wire() for row in rows]
        return Live(epoch, self.seq, server_ms, self.brief.state, self.totals(rows), points)

    def snapshot(self, scope: Scope, epoch: str, server_ms: int) -> list[Frame]:
        """The whole scope in parts; only the last one brings a board up to `seq`."""
        whole = self.live(scope, epoch, server_ms)
        chunks = chunked(whole.points)
        frames = [
            msgspec.json.encode(
                Snapshot(epoch, whole.seq, server_ms, whole.state, whole.totals, chunk, part, len(chunks))
            )
            for part, chunk in enumerate(chunks, 1)
        ]
        return [*(Frame(None, frame) for frame in frames[:-1]), Frame(whole.seq, frames[-1])]

    def since(self, scope: Scope, from_seq: int, server_ms: int) -> list[Frame] | None:
        """What changed in scope after `from_seq`; None where only a snapshot can tell."""
        if not self.gone_before <= from_seq <= self.seq:
            return None
        here = list(self.within(scope))
        rows = [row for row in here if row.changed_seq > from_seq]
        return self.deltas(scope, from_seq, rows, (self.totals(here), server_ms))

    def deltas(self, scope: Scope, from_seq: int, rows: list[Row], now: tuple[LiveTotals, int]) -> list[Frame]:
        """These rows, and all that went since `from_seq`, in frames that each join the one before.

        Rows are told in the order of their marks, so that a board that got half of it resumes from there.
        """
        totals, server_ms = now
        rows.sort(key=lambda row: row.changed_seq)
        names = {row.code for row in rows}
        since = takewhile(lambda gone: gone[0] > from_seq, reversed(self.gone))
        gone = sorted({code for _, code, path in since if code not in names and scope.covers(path)})
        frames: list[Frame] = []
        chunks = chunked(rows)
        for chunk in chunks:
            seq = self.seq if chunk is chunks[-1] else chunk[-1].changed_seq
            points = [row.wire() for row in chunk]
            delta = Delta(from_seq, seq, server_ms, self.brief.state, totals, points, gone if not frames else [])
            frames.append(Frame(seq, msgspec.json.encode(delta)))
            from_seq = seq
        return frames


def chunked(rows: list[T]) -> list[list[T]]:
    """Rows in lots that each fit a frame; one empty lot where there are none."""
    return [rows[start : start + ROWS_PER_PART] for start in range(0, len(rows), ROWS_PER_PART)] or [[]]
