"""What boards are told: a snapshot and deltas that together equal a fresh snapshot (I7), for every scope."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diemcau import limits
from diemcau.clock import ManualClock
from diemcau.domain.authority import Scope
from diemcau.domain.models import LinkState, SessionState
from diemcau.live.audience import Watcher
from diemcau.live.center import Center
from diemcau.live.rows import ROWS_PER_PART, LiveSession, Row
from diemcau.wire.live import CloseCode, Delta, Live, LiveRow, LiveTotals, Resume, SessionBrief, Snapshot

FRAMES: msgspec.json.Decoder[Snapshot | Delta] = msgspec.json.Decoder(Snapshot | Delta)
EVERYTHING = Scope(("",))
PATHS = ("A.", "A.1.", "A.2.", "B.", "B.1.")
SCOPES = (EVERYTHING, Scope(("A.",)), Scope(("A.1.", "B.")), Scope(("B.1.",)))


def brief(state: SessionState = SessionState.OPEN, title: str = "Buổi một") -> SessionBrief:
    """What is said of the session."""
    return SessionBrief("S1", title, state, 0, 1)


def row(number: int, path: str = "A.", link: LinkState = LinkState.EXPECTED, present: int = 0) -> Row:
    """A point as it comes from the database."""
    return Row(number, f"P{number:03}", f"Hội trường {number}", path, link, 0, 0, present, 10)


def a_center(*rows: Row) -> tuple[Center, LiveSession]:
    """A centre that watches one session."""
    center = Center(ManualClock(), 10.0)
    session = center.sessions[1] = LiveSession(1, brief(), "")
    for one in rows:
        session.put(one)
    center.flush()
    return center, session


def waiting(watcher: Watcher) -> list[bytes]:
    """Every frame that a board is owed now."""
    return list(iter(lambda: watcher.pop(0), None))


@dataclass(slots=True)
class Board:
    """What a board makes of its frames, by the rules of docs/protocol.md."""

    watcher: Watcher
    rows: dict[str, LiveRow] = field(default_factory=dict)
    totals: LiveTotals | None = None
    state: SessionState | None = None
    epoch: str = ""
    seq: int = -1
    snapshots: int = 0
    _parts: list[LiveRow] = field(default_factory=list)

    def read(self) -> None:
        """Take in everything that waits."""
        for frame in waiting(self.watcher):
            self.take(FRAMES.decode(frame))

    def take(self, frame: Snapshot | Delta) -> None:
        """One frame."""
        if isinstance(frame, Delta):
            assert frame.from_seq <= self.seq <= frame.seq, "a delta that does not join"
            for gone in frame.gone:
                self.rows.pop(gone, None)
            self.rows.update((point.point, point) for point in frame.points)
        else:
            self._parts = [*(self._parts if frame.part > 1 else []), *frame.points]
            if frame.part < frame.parts:
                return
            self.snapshots += 1
            self.rows = {point.point: point for point in self._parts}
            self.epoch = frame.epoch
        self.seq, self.totals, self.state = frame.seq, frame.totals, frame.state

    def shows(self, fresh: Live) -> None:
        """It must equal a fresh answer."""
        assert (self.rows, self.totals) == ({point.point: point for point in fresh.points}, fresh.totals)
        assert (self.state, self.epoch) == (fresh.state, fresh.epoch)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("link"), st.integers(1, 6), st.sampled_from(list(LinkState))),
        st.tuples(st.just("present"), st.integers(1, 6), st.integers(0, 50)),
        st.tuples(st.just("band"), st.integers(1, 6), st.integers(0, 4)),
        st.tuples(st.just("figures"), st.integers(1, 6), st.integers(0, 50)),
        st.tuples(st.just("put"), st.integers(1, 6), st.sampled_from(PATHS)),
        st.tuples(st.just("remove"), st.integers(1, 6), st.none()),
        st.tuples(st.just("move"), st.integers(1, 6), st.sampled_from(PATHS)),
        st.tuples(st.just("state"), st.just(0), st.sampled_from(list(SessionState))),
        st.tuples(st.just("flush"), st.just(0), st.none()),
        st.tuples(st.just("join"), st.just(0), st.sampled_from(SCOPES)),
        st.tuples(st.just("resume"), st.integers(0, 20), st.none()),
        st.tuples(st.just("read"), st.integers(0, 20), st.none()),
    ),
    max_size=60,
)


def do(session: LiveSession, what: str, point_id: int, value: Any) -> None:
    """One change, as services make it."""
    here = point_id in session.rows
    if what == "link":
        session.set_link(point_id, value, 5, 1)
    elif what == "present":
        assert session.set_present(point_id, value) is here
    elif what == "band":
        session.set_band(point_id, value)
    elif what == "figures" and here:
        session.set_figures(point_id, value, value + 1)
    elif what == "put" and not here:
        session.put(row(point_id, value))
    elif what == "remove":
        session.remove(point_id)
    elif what == "move" and here:
        session.move(point_id, value)
    elif what == "state":
        session.set_brief(brief(value), "")


@given(STEPS)
def test_snapshot_and_deltas_equal_a_fresh_snapshot(steps: list[tuple[str, int, Any]]) -> None:
    """Whoever follows, joins late, resumes or reads slowly sees exactly what a fresh look would show (I7, I3)."""
    center, session = a_center(*(row(number, PATHS[number % len(PATHS)]) for number in range(1, 5)))
    boards = [Board(center.watch(session, scope, None)) for scope in SCOPES]
    for what, number, value in steps:
        board = boards[number % len(boards)]
        if what == "flush":
            center.flush()
        elif what == "join":
            boards.append(Board(center.watch(session, value, None)))
        elif what == "read":
            board.read()
        elif what == "resume":
            board.read()
            center.unwatch(board.watcher)
            board.watcher = center.watch(session, board.watcher.audience.scope, Resume(board.epoch, board.seq))
        else:
            do(session, what, number, value)
    center.flush()
    for board in boards:
        board.read()
        board.shows(center.live(session, board.watcher.audience.scope))


def test_a_resumed_board_gets_only_what_it_lacks() -> None:
    """After a short break 31,000 rows are not sent again."""
    center, session = a_center(*(row(number) for number in range(1, 100)))
    board = Board(center.watch(session, EVERYTHING, None))
    board.read()
    center.unwatch(board.watcher)
    session.set_present(7, 3)
    session.remove(8)
    center.flush()
    board.watcher = center.watch(session, EVERYTHING, Resume(board.epoch, board.seq))
    (frame,) = waiting(board.watcher)
    delta = FRAMES.decode(frame)
    assert isinstance(delta, Delta)
    assert ([point.point for point in delta.points], delta.gone) == (["P007"], ["P008"])


@pytest.mark.parametrize("resume", [Resume("another.1.00000000", 3), Resume("", 10**9)])
def test_what_does_not_join_gets_a_snapshot(resume: Resume) -> None:
    """After a restart, or with another scope's number, nothing is taken for granted."""
    center, session = a_center(row(1))
    board = Board(center.watch(session, EVERYTHING, resume))
    board.read()
    assert board.snapshots == 1


def test_a_number_from_the_future_gets_a_snapshot() -> None:
    """A number that was never given out joins nothing."""
    center, session = a_center(row(1))
    epoch = center.live(session, EVERYTHING).epoch
    board = Board(center.watch(session, EVERYTHING, Resume(epoch, 10**9)))
    board.read()
    assert board.snapshots == 1


def test_a_board_older_than_what_is_remembered_gets_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Points that left long ago are not forgotten silently."""
    monkeypatch.setattr(limits, "GONE_REMEMBERED_MAX", 1)
    center, session = a_center(*(row(number) for number in range(1, 6)))
    board = Board(center.watch(session, EVERYTHING, None))
    board.read()
    center.unwatch(board.watcher)
    session.remove(1)
    session.remove(2)
    board.watcher = center.watch(session, EVERYTHING, Resume(board.epoch, board.seq))
    board.read()
    assert board.snapshots == 2
    board.shows(center.live(session, EVERYTHING))


def test_a_large_board_comes_in_parts_within_their_bound() -> None:
    """31,000 points do not arrive as one frame of megabytes; each part can be drawn at once."""
    center, session = a_center(*(row(number, link=LinkState.DEGRADED, present=9999) for number in range(3000)))
    watcher = center.watch(session, EVERYTHING, None)
    parts = [frame.data for frame in watcher._frames]
    assert len(parts) == -(-3000 // ROWS_PER_PART) > 1
    assert max(map(len, parts)) <= limits.SNAPSHOT_PART_BYTES_MAX
    board = Board(watcher)
    board.read()
    board.shows(center.live(session, EVERYTHING))


def test_the_longest_row_fits_its_share_of_a_part() -> None:
    """The bound of a part holds for the longest codes and figures too."""
    longest = LiveRow("W" * limits.CODE_CHARS_MAX, LinkState.EXPECTED, 10**13, 10**6, 10**6, 4)
    assert len(msgspec.json.encode(longest)) * ROWS_PER_PART <= limits.SNAPSHOT_PART_BYTES_MAX


def test_a_storm_is_told_in_frames_that_can_be_resumed_between() -> None:
    """When everything changes at once no frame is huge, and a line that breaks between two loses nothing."""
    center, session = a_center(*(row(number) for number in range(ROWS_PER_PART * 2 + 5)))
    board = Board(center.watch(session, EVERYTHING, None))
    board.read()
    for number in reversed(range(ROWS_PER_PART * 2 + 5)):
        session.set_link(number, LinkState.LOST, 1, 1)
    session.remove(3)
    center.flush()
    first, *others = waiting(board.watcher)
    assert len(others) == 2
    assert len(first) <= limits.SNAPSHOT_PART_BYTES_MAX
    board.take(FRAMES.decode(first))
    center.unwatch(board.watcher)
    board.watcher = center.watch(session, EVERYTHING, Resume(board.epoch, board.seq))
    board.read()
    assert board.snapshots == 1
    board.shows(center.live(session, EVERYTHING))


def test_a_scope_is_not_told_of_what_lies_outside() -> None:
    """A district's board gets no frame when another district changes, and never its points (I5)."""
    center, session = a_center(row(1, "A."), row(2, "B."))
    board = Board(center.watch(session, Scope(("A.",)), None))
    board.read()
    session.set_present(2, 5)
    center.flush()
    assert waiting(board.watcher) == []
    assert list(board.rows) == ["P001"]


def test_frames_are_encoded_once_for_all_who_watch_the_same() -> None:
    """Two hundred boards cost one encoding."""
    center, session = a_center(row(1))
    watchers = [center.watch(session, EVERYTHING, None) for _ in range(3)]
    session.set_present(1, 5)
    center.flush()
    frames = [waiting(watcher) for watcher in watchers]
    assert [len({id(frame) for frame in same}) for same in zip(*frames, strict=True)] == [1, 1]


def test_a_slow_board_loses_deltas_and_gets_what_it_lacks_at_once() -> None:
    """A board that does not keep up costs a few frames of memory, and is right again at its next look."""
    center, session = a_center(row(1))
    board = Board(center.watch(session, EVERYTHING, None))
    for present in range(1, 20):
        session.set_present(1, present)
        center.flush()
    assert len(board.watcher._frames) <= limits.BOARD_QUEUE_FRAMES_MAX
    board.read()
    board.shows(center.live(session, EVERYTHING))


def test_a_slow_board_still_gets_the_whole_of_a_large_snapshot() -> None:
    """Changes that come while 36 parts are on their way do not make it begin again and again."""
    center, session = a_center(*(row(number) for number in range(ROWS_PER_PART * 6)))
    board = Board(center.watch(session, EVERYTHING, None))
    for present in range(1, 40):
        session.set_present(present * 100, present)
        center.flush()
        frame = board.watcher.pop(0) if present % 3 == 0 else None
        if frame:
            board.take(FRAMES.decode(frame))
    assert board.snapshots == 1
    board.read()
    assert board.snapshots == 1
    board.shows(center.live(session, EVERYTHING))


async def test_a_board_waits_for_news_and_ends_when_its_session_does() -> None:
    """A reader that waits is woken by a change, and told when there is nothing more to watch."""
    center, session = a_center(row(1))
    watcher = center.watch(session, EVERYTHING, None)
    await watcher.next(center.clock.now_ms)
    waiting = asyncio.ensure_future(watcher.next(center.clock.now_ms))
    await asyncio.sleep(0)
    assert not waiting.done()
    session.set_brief(brief(SessionState.LIVE), "")
    center.flush()
    async with asyncio.timeout(5):
        frame = await waiting
    assert frame is not None
    assert FRAMES.decode(frame).state is SessionState.LIVE
    center.drop(1)
    assert await watcher.next(center.clock.now_ms) is None
    assert watcher.closed is CloseCode.NOT_FOUND


def test_nobody_watching_costs_nothing() -> None:
    """When the last board of a scope goes, nothing is kept for it."""
    center, session = a_center(row(1))
    watchers = [center.watch(session, EVERYTHING, None) for _ in range(2)]
    for watcher in watchers:
        assert center.watched(1)
        center.unwatch(watcher)
    assert not center.watched(1)
    assert center.watchers() == []
