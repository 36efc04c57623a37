"""The one wheel: silence noticed in time, by a server that knows when it was blind itself."""

from __future__ import annotations

import pytest

from diemcau import limits
from diemcau.clock import ManualClock
from diemcau.domain.link_state import Transition
from diemcau.domain.models import LinkState
from diemcau.live.presence import Presence, Watched

ONLINE, SUSPECT, LOST, UNKNOWN = LinkState.ONLINE, LinkState.SUSPECT, LinkState.LOST, LinkState.UNKNOWN


@pytest.fixture
def presence(clock: ManualClock) -> Presence:
    """Beats every ten seconds, and a wheel that just turned."""
    made = Presence.of(clock, 10.0)
    made.tick()
    return made


def hall(presence: Presence, point_id: int = 1, link: LinkState = LinkState.EXPECTED) -> Watched:
    """A point of session 7 under watch."""
    return presence.watch(7, point_id, link, presence.clock.now_ms(), 0)


def turn(presence: Presence, seconds: float) -> list[tuple[Watched, int]]:
    """Let the wheel turn every second; devices lost meanwhile."""
    clock = presence.clock
    assert isinstance(clock, ManualClock)
    lost: list[tuple[Watched, int]] = []
    for _ in range(round(seconds)):
        clock.advance(1.0)
        lost += presence.tick()
    return lost


def story(presence: Presence) -> list[tuple[LinkState, int]]:
    """What waits to be stored: states, and seconds since the first."""
    taken = presence.take(1000)
    return [(row.after, (row.at_ms - taken[0].at_ms) // 1000) for row in taken]


def test_silence_is_noticed_and_stamped_with_its_deadline(presence: Presence) -> None:
    """The record says when the silence became too long, not when the wheel came by."""
    watched = hall(presence)
    presence.connect(watched, 5)
    assert isinstance(presence.clock, ManualClock)
    presence.clock.advance(0.5)
    presence.beat(watched, 5, 1, None, hidden=False)
    lost = turn(presence, 40)
    assert lost == [(watched, 5)]
    rows = presence.take(10)
    began_ms = rows[0].at_ms
    assert [(row.after, row.at_ms - began_ms, row.noticed_ms - began_ms) for row in rows] == [
        (ONLINE, 0, 0),
        (SUSPECT, 15_500, 15_500),
        (LOST, 30_500, 30_500),
    ]
    assert [row.version for row in rows] == [1, 2, 3]


def test_beats_do_not_grow_the_wheel(presence: Presence) -> None:
    """A day of beats leaves one entry a point, not one a beat."""
    watched = hall(presence)
    presence.connect(watched, 5)
    for seq in range(1, 500):
        turn(presence, 5)
        presence.beat(watched, 5, seq, 10.0, hidden=seq % 7 == 0)
    assert len(presence._wheel) < 20
    assert story(presence) == [(ONLINE, 0)]


def test_a_page_back_in_front_is_watched_closely_again(presence: Presence) -> None:
    """The wheel does not sleep through a deadline that moved nearer."""
    watched = hall(presence)
    presence.connect(watched, 5)
    presence.beat(watched, 5, 1, None, hidden=True)
    turn(presence, 20)
    presence.beat(watched, 5, 2, None, hidden=False)
    turn(presence, 16)
    assert story(presence) == [(ONLINE, 0), (SUSPECT, 35)]


def test_a_server_that_hung_blames_nobody(presence: Presence) -> None:
    """A tick that comes more than five seconds late gives every hall that time back (I6)."""
    watched, other = hall(presence), hall(presence, 2)
    presence.connect(watched, 5)
    presence.connect(other, 6)
    assert isinstance(presence.clock, ManualClock)
    presence.clock.advance(300)
    presence.tick()
    assert [row.after for row in presence.take(10)] == [ONLINE, ONLINE]
    turn(presence, 14)
    presence.beat(other, 6, 1, None, hidden=False)
    turn(presence, 2)
    (row,) = presence.take(10)
    assert (row.point_id, row.after) == (1, SUSPECT)


def test_the_limit_of_lateness_shrinks_with_the_beat(clock: ManualClock) -> None:
    """With quick beats, as tests and demos have them, a hang of seconds is still noticed as ours."""
    presence = Presence.of(clock, 0.5)
    presence.tick()
    watched = hall(presence)
    presence.connect(watched, 5)
    clock.advance(2.0)
    presence.tick()
    assert [row.after for row in presence.take(10)] == [ONLINE]


def test_a_restart_judges_only_after_its_grace(presence: Presence) -> None:
    """Unknown until somebody speaks or the grace is over; then lost since the grace ended."""
    presence.begin_blind(60)
    silent, back = hall(presence, 1, UNKNOWN), hall(presence, 2, UNKNOWN)
    turn(presence, 30)
    presence.connect(back, 6)
    for seq in range(1, 5):
        turn(presence, 10)
        presence.beat(back, 6, seq, None, hidden=False)
    rows = presence.take(10)
    assert [(row.point_id, row.after) for row in rows] == [(2, ONLINE), (1, LOST)]
    assert rows[1].at_ms - silent.since_ms == 0
    assert rows[1].at_ms - rows[0].at_ms == 30_000


def test_what_is_no_longer_watched_is_silent_for_good(presence: Presence) -> None:
    """A session that closed records nothing more."""
    watched = hall(presence)
    presence.connect(watched, 5)
    presence.take(10)
    presence.unwatch(7, [1])
    turn(presence, 100)
    assert presence.take(10) == []


def test_time_never_runs_backwards_in_the_record(presence: Presence) -> None:
    """Where the database holds a later time (another machine's clock), ours follows it."""
    later_ms = presence.clock.now_ms() + 5_000
    watched = presence.watch(7, 1, LinkState.LEFT, later_ms, 4)
    presence.connect(watched, 5)
    (row,) = presence.take(10)
    assert (row.at_ms, row.version) == (later_ms, 5)


def test_changes_that_could_not_be_stored_come_first_next_time(presence: Presence) -> None:
    """A database that is away for a minute loses no change and no order."""
    watched = hall(presence)
    presence.connect(watched, 5)
    turn(presence, 16)
    first = presence.take(1)
    presence.put_back(first)
    assert presence.wake.is_set()
    assert [row.after for row in presence.take(10)] == [ONLINE, SUSPECT]
    assert not presence.wake.is_set()


def test_another_writer_moved_the_point(presence: Presence) -> None:
    """What is stored wins; from there the record goes on to what is true here."""
    watched = hall(presence)
    presence.connect(watched, 5)
    presence.rebase(watched, LOST, presence.clock.now_ms() + 1, 9)
    (row,) = presence.take(10)
    assert (row.before, row.after, row.version, row.cause) == (LOST, ONLINE, 10, "conflict")


def test_waiting_changes_are_bounded(presence: Presence, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that stays away does not eat the memory: the oldest changes go first."""
    monkeypatch.setattr(limits, "TRANSITIONS_WAITING_MAX", 3)
    watched = hall(presence)
    for _ in range(4):
        presence.connect(watched, 5)
        presence.leave(watched, 5)
    rows: list[Transition] = presence.take(10)
    assert [row.version for row in rows] == [6, 7, 8]
