"""The players' own parts: forms as a browser has them, halls' courses, the followed board, the terminal's QR."""

from __future__ import annotations

import io
from collections import Counter
from random import Random

import pytest
import zxingcpp
from PIL import Image
from rich.console import Console

from diemcau.agent.point import Line, PointAgent
from diemcau.clock import ManualClock
from diemcau.demo import courses, sample
from diemcau.demo.board import Board
from diemcau.demo.browser import parse_form
from diemcau.demo.client import Client
from diemcau.demo.courses import Course
from diemcau.demo.ledger import Ledger
from diemcau.demo.points import Hall
from diemcau.demo.screen import Screen, qr
from diemcau.domain.models import LinkState, SessionState
from diemcau.wire.live import BeatAck, Delta, LiveRow, LiveTotals, Snapshot


def test_a_form_is_sent_as_a_browser_would() -> None:
    """Hidden fields go back unescaped, typed fields are offered, a button sends its own name only when tapped."""
    form = parse_form(
        '<form method="POST" action="/c/check-in"><input type=hidden name="claim" value="a&amp;b">'
        '<input name="who" type="text" value=""><input type="checkbox" name="family" value="1">'
        '<button name="go" value="yes">Đi tiếp</button></form>'
    )
    assert (form.action, form.method) == ("/c/check-in", "post")
    assert (form.values, form.fields, form.tap) == ({"claim": "a&b", "who": ""}, ["who"], {"go": "yes"})


BACK = {Course.DROP_BACK, Course.DISTRICT}


@pytest.mark.parametrize("size", [(10, 100), (12, 300), (766, 52_000)])
def test_every_kind_of_line_occurs(size: tuple[int, int]) -> None:
    """Each link state at the end comes from a course that was really played; the district drops as one."""
    chosen = sample.load(*size)
    halls = [hall for hall in chosen.halls if hall.code != chosen.newcomer_hall.code]
    plans = courses.plan(halls, 10, (33, 95), Random(1))
    assert plans.keys() == {hall.code for hall in halls}
    kinds = Counter(plan.course for plan in plans.values())
    assert set(kinds) == set(Course)
    together = {(plan.event_s, plan.gone_s) for plan in plans.values() if plan.course is Course.DISTRICT}
    assert len(together) == 1
    for plan in plans.values():
        assert plan.event_s >= 33
        assert 40 <= plan.gone_s <= 90
        assert plan.event_s + (plan.gone_s if plan.course in BACK else 30) <= 95
    assert kinds[Course.STEADY] > len(halls) / 2 or size[0] <= 12


@pytest.fixture
def hall(clock: ManualClock) -> Hall:
    """A hall whose agent has just been welcomed."""
    made = Hall("P1", PointAgent("http://x", "token"), Ledger(), clock, 10)
    made.agent.on_line(Line.UP)
    return made


def beat(hall: Hall, clock: ManualClock, after_s: float) -> None:
    """One more beat, answered at once."""
    clock.advance(after_s)
    hall.agent.on_frame(BeatAck(1, 0))


def test_a_lost_hall_is_expected_back_with_its_second_beat(hall: Hall, clock: ManualClock) -> None:
    """The ledger must hold the same rule as the server, or an honest check would fail: lost at 30 s, proven twice."""
    heard_ms = clock.now_ms()
    clock.advance(42)
    hall.agent.on_line(Line.UP)
    beat(hall, clock, 4)
    assert hall.ledger.link("P1") is LinkState.LOST
    beat(hall, clock, 10)
    assert [(move.to, move.at_ms - heard_ms) for move in hall.ledger.moves["P1"]] == [
        (LinkState.ONLINE, 0),
        (LinkState.SUSPECT, 15_000),
        (LinkState.LOST, 30_000),
        (LinkState.ONLINE, 56_000),
    ]


def test_a_short_break_leaves_no_trace(hall: Hall, clock: ManualClock) -> None:
    """A laptop that changed its network within 15 seconds was never suspect, and the log must not say so."""
    beat(hall, clock, 10)
    clock.advance(14)
    hall.agent.on_line(Line.UP)
    beat(hall, clock, 5)
    assert [move.to for move in hall.ledger.moves["P1"]] == [LinkState.ONLINE]


def test_a_suspect_hall_is_back_at_once(hall: Hall, clock: ManualClock) -> None:
    """Between 15 and 30 seconds any sign of life is enough."""
    beat(hall, clock, 20)
    assert [move.to for move in hall.ledger.moves["P1"]] == [LinkState.ONLINE, LinkState.SUSPECT, LinkState.ONLINE]


def row(point: str, present: int = 0, link: LinkState = LinkState.ONLINE, since_ms: int = 0) -> LiveRow:
    """A row of the board."""
    return LiveRow(point, link, since_ms, present, 10)


def totals(present: int) -> LiveTotals:
    """Totals of two points."""
    return LiveTotals(2, present, 20, 0, {"online": 2})


@pytest.fixture
def board(clock: ManualClock) -> Board:
    """A board that has its first snapshot, in two parts."""
    made = Board(Client(None, "http://x", "vi"), "S", clock)  # type: ignore[arg-type]
    for part, point in enumerate(("P1", "P2"), 1):
        frame = Snapshot("e", 5, 0, SessionState.OPEN, totals(0), [row(point)], part, 2)
        assert made.take(frame)
    return made


def delta(since: int, seq: int, *rows: LiveRow) -> Delta:
    """What changed."""
    return Delta(since, seq, 0, SessionState.OPEN, totals(sum(each.present for each in rows)), list(rows))


def test_board_latency_runs_until_the_count_is_shown(board: Board, clock: ManualClock) -> None:
    """The figure is the wait of a coordinator's eye: from the acknowledgement to the row that includes it."""
    board.acknowledged("P1", 1)
    board.acknowledged("P1", 2)
    clock.advance(0.1)
    assert board.take(delta(5, 6, row("P1", 1)))
    assert board.count_ms == [pytest.approx(100)]
    assert board.awaited == 1
    clock.advance(0.2)
    assert board.take(delta(6, 7, row("P1", 3)))
    assert board.count_ms[1:] == [pytest.approx(300)]
    board.acknowledged("P1", 3)
    assert (board.count_ms[2], board.awaited) == (0.0, 0)


def test_a_gap_asks_for_a_snapshot(board: Board) -> None:
    """A delta that does not join must not be applied: the board would show what never was (I7)."""
    assert not board.take(delta(7, 8, row("P1", 9)))
    assert (board.rows["P1"].present, board.gaps) == (0, 1)


def test_lost_is_timed_from_its_deadline(board: Board, clock: ManualClock) -> None:
    """How late a dark hall shows counts from the deadline it passed, not from the server's notice."""
    deadline_ms = clock.now_ms()
    clock.advance(0.4)
    assert board.take(delta(5, 6, row("P2", 0, LinkState.LOST, deadline_ms)))
    assert board.lost_ms == [pytest.approx(400)]


def test_the_terminal_qr_can_be_scanned() -> None:
    """A newcomer holds a phone to the terminal: what it reads is the link."""
    link = "HTTP://LOCALHOST:8080/C/ABCDEFGHIJKLMNOPQRST"
    cells = {"█": (0, 0), "▀": (0, 255), "▄": (255, 0), " ": (255, 255)}
    lines = qr(link).plain.split("\n")
    rows = [[cells[char][half] for char in line] for line in lines for half in (0, 1)]
    picture = Image.new("L", (len(rows[0]), len(rows)))
    picture.putdata([cell for row in rows for cell in row])
    picture = picture.resize((picture.width * 6, picture.height * 6), Image.Resampling.NEAREST)
    assert [found.text for found in zxingcpp.read_barcodes(picture)] == [link]


def test_numbers_follow_the_language() -> None:
    """48.913 is how Vietnamese write what English write 48,913."""
    console = Console(file=io.StringIO())
    assert Screen(console, "vi").number(48_913) == "48.913"
    assert Screen(console, "vi").number(1.5, 1) == "1,5"
    assert Screen(console, "en").number(48_913) == "48,913"
