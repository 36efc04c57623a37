"""The link of a point as a pure machine: what a hall may be called, and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diemcau.domain.link_state import RANK, Change, PointLink, Rules, rtt_band
from diemcau.domain.models import LinkState

BEAT = 10_000.0
RULES = Rules(BEAT)
ONLINE, DEGRADED, SUSPECT, LOST = LinkState.ONLINE, LinkState.DEGRADED, LinkState.SUSPECT, LinkState.LOST
AWAY, LEFT, UNKNOWN, EXPECTED = LinkState.AWAY, LinkState.LEFT, LinkState.UNKNOWN, LinkState.EXPECTED
PHONE, LAPTOP = 1, 2


@dataclass(slots=True)
class Hall:
    """A point under test, and everything that became of it."""

    point: PointLink = field(default_factory=lambda: PointLink(RULES))
    now_ms: float = 0.0
    changes: list[Change] = field(default_factory=list)
    seq: dict[int, int] = field(default_factory=dict)

    def keep(self, change: Change | None) -> None:
        """Remember a change."""
        self.changes += [change] if change else []

    def wait(self, ms: float) -> None:
        """Let time pass, silence being noticed."""
        self.now_ms += ms
        self.changes += self.point.pass_time(self.now_ms)[0]

    def connect(self, device: int = LAPTOP) -> None:
        """A device says who it is."""
        self.seq[device] = 0
        self.keep(self.point.connect(device, self.now_ms))

    def beat(self, device: int = LAPTOP, rtt_ms: float | None = 20.0, *, hidden: bool = False, missed: int = 0) -> None:
        """A device beats, having failed to send `missed` beats before."""
        self.seq[device] = self.seq.get(device, 0) + 1 + missed
        self.keep(self.point.beat(device, self.now_ms, self.seq[device], rtt_ms, hidden=hidden))

    @property
    def story(self) -> list[tuple[LinkState, float]]:
        """The states that followed each other, and when."""
        return [(change.after, change.at_ms) for change in self.changes]


def test_a_hall_falls_silent_and_is_called_so_at_its_deadlines() -> None:
    """Silence is stamped with the moment it became too long, however late somebody looks."""
    hall = Hall()
    hall.connect()
    hall.wait(4_000)
    hall.beat()
    hall.wait(1_000_000)
    assert hall.story == [(ONLINE, 0), (SUSPECT, 19_000), (LOST, 34_000)]


def test_any_frame_saves_a_suspect() -> None:
    """One beat is enough as long as the hall was not given up."""
    hall = Hall()
    hall.connect()
    hall.wait(20_000)
    hall.beat()
    assert hall.story == [(ONLINE, 0), (SUSPECT, 15_000), (ONLINE, 20_000)]


def test_a_lost_hall_proves_itself_with_two_beats() -> None:
    """A line that flickers once is not called back; one that holds for a beat is."""
    hall = Hall()
    hall.connect()
    hall.wait(40_000)
    hall.connect()
    hall.beat()
    assert hall.point.link is LOST
    hall.wait(16_000)  # too late to count as the second of two
    hall.beat()
    assert hall.point.link is LOST
    hall.wait(10_000)
    hall.beat()
    assert hall.story[-1] == (ONLINE, 66_000)


@pytest.mark.parametrize("rtt_ms", [1000.1, 9000.0])
def test_a_slow_line_is_called_degraded_until_it_was_clean_for_three_beats(rtt_ms: float) -> None:
    """The coordinator sees a line that falters before it breaks, and no flicker afterwards."""
    hall = Hall()
    hall.connect()
    hall.beat(rtt_ms=rtt_ms)
    for _ in range(3):
        hall.wait(BEAT)
        hall.beat(rtt_ms=999.0)
    assert hall.story == [(ONLINE, 0), (DEGRADED, 0), (ONLINE, 30_000)]


def test_a_missed_beat_degrades() -> None:
    """Beats that the hall counted and we never got are a loss of more than one in ten."""
    hall = Hall()
    hall.connect()
    hall.beat(missed=3)  # before the first nothing can be missed
    hall.wait(BEAT)
    hall.beat(missed=1)
    assert hall.point.link is DEGRADED


def test_a_hidden_page_gets_more_time() -> None:
    """Browsers slow hidden pages down to one beat a minute; that is no loss."""
    hall = Hall()
    hall.connect()
    hall.beat(hidden=True)
    hall.wait(1_000_000)
    assert hall.story == [(ONLINE, 0), (SUSPECT, 90_000), (LOST, 150_000)]


def test_a_page_back_in_front_gets_no_more_time_than_others() -> None:
    """The long patience ends with the hiding."""
    hall = Hall()
    hall.connect()
    hall.beat(hidden=True)
    hall.wait(BEAT)
    hall.beat()
    hall.wait(1_000_000)
    assert hall.story[1:] == [(SUSPECT, 25_000), (LOST, 40_000)]


def test_a_page_put_away_is_never_lost_and_its_hidden_beats_do_not_call_it_back() -> None:
    """A locked phone is not a dark hall."""
    hall = Hall()
    hall.connect()
    hall.keep(hall.point.away(LAPTOP, hall.now_ms))
    hall.beat(hidden=True)
    hall.wait(10_000_000)
    assert hall.story == [(ONLINE, 0), (AWAY, 0)]
    hall.beat()
    assert hall.point.link is ONLINE


def test_who_said_goodbye_is_not_lost() -> None:
    """A hall that closed properly alarms nobody, and may come back."""
    hall = Hall()
    hall.connect()
    hall.keep(hall.point.leave(LAPTOP, hall.now_ms))
    hall.wait(10_000_000)
    assert hall.story == [(ONLINE, 0), (LEFT, 0)]
    hall.connect()
    assert hall.point.link is ONLINE


def test_a_point_is_as_alive_as_its_best_device() -> None:
    """A phone that dies beside a laptop that speaks changes nothing."""
    hall = Hall()
    hall.connect(PHONE)
    hall.connect(LAPTOP)
    for _ in range(10):
        hall.wait(BEAT)
        hall.beat(LAPTOP)
    assert hall.story == [(ONLINE, 0)]
    hall.keep(hall.point.leave(LAPTOP, hall.now_ms))
    assert hall.point.link is LEFT, "the phone was given up long ago: a swapped laptop is missed by nobody"


def test_a_device_that_fell_silent_outweighs_one_that_said_goodbye() -> None:
    """Where the last device that spoke went dark, the hall may need help."""
    hall = Hall()
    hall.connect(PHONE)
    hall.connect(LAPTOP)
    hall.keep(hall.point.leave(LAPTOP, hall.now_ms))
    assert hall.point.link is ONLINE
    hall.wait(30_000)
    assert hall.point.link is LOST


def test_a_forgotten_device_is_not_missed() -> None:
    """A device that was revoked, or went to another session, leaves no lost hall behind."""
    hall = Hall()
    hall.connect()
    hall.wait(20_000)
    hall.keep(hall.point.forget(LAPTOP, hall.now_ms, "revoked"))
    hall.wait(1_000_000)
    assert hall.story[-1] == (EXPECTED, 20_000)
    assert hall.point.forget(LAPTOP, hall.now_ms, "revoked") is None


def test_after_a_restart_nobody_is_lost_before_the_grace_ends() -> None:
    """The server was blind: it says unknown, and judges only silence that it watched itself (I6)."""
    hall = Hall(PointLink(RULES, UNKNOWN, 60_000))
    hall.wait(59_999)
    assert hall.story == []
    hall.wait(1_000_000)
    assert hall.story == [(LOST, 60_000)]


def test_within_the_grace_silence_is_suspect_at_most() -> None:
    """A hall that spoke once after a restart and fell silent again is lost when the grace is over."""
    hall = Hall(PointLink(RULES, UNKNOWN, 60_000))
    hall.wait(5_000)
    hall.connect()
    hall.wait(1_000_000)
    assert hall.story == [(ONLINE, 5_000), (SUSPECT, 20_000), (LOST, 60_000)]


@pytest.mark.parametrize("base", [EXPECTED, LEFT])
def test_after_a_restart_who_had_no_link_stays_what_it_was(base: LinkState) -> None:
    """A hall that never came, or went home, does not become a worry."""
    hall = Hall(PointLink(RULES, base, 60_000))
    hall.wait(10_000_000)
    assert hall.story == []


def test_a_blind_moment_of_the_server_is_nobodys_silence() -> None:
    """When the server itself hung for 20 seconds, every hall gets those 20 seconds back."""
    hall = Hall()
    hall.connect()
    hall.point.extend(20_000, 20_000)
    hall.now_ms = 20_000
    hall.wait(14_999)
    assert hall.story == [(ONLINE, 0)]
    hall.wait(1)
    assert hall.story[-1] == (SUSPECT, 35_000)


@pytest.mark.parametrize(
    ("rtt_ms", "band"),
    [(None, 0), (0.0, 1), (99.9, 1), (100.0, 2), (299.0, 2), (300.0, 3), (999.9, 3), (1000.0, 4), (60_000.0, 4)],
)
def test_round_trips_come_in_bands(rtt_ms: float | None, band: int) -> None:
    """Boards get a band, so that a jittering line does not send a row every beat."""
    assert rtt_band(rtt_ms) == band


# --- against a model ----------------------------------------------------------------------------------------
@dataclass(slots=True)
class Model:
    """One device by its history alone: its state at any moment is worked out anew from all it ever said."""

    said: list[tuple[float, str, bool, bool]] = field(default_factory=list)

    def state(self, now_ms: float) -> LinkState:
        """Replay everything up to `now_ms`."""
        state, good, trouble_ms = LOST, 0, -1e12
        for (at_ms, what, hidden, slow), (until_ms, *_) in pairwise([*self.said, (now_ms, "", False, False)]):
            before = state
            if what == "connect":
                well = DEGRADED if at_ms - trouble_ms < 3 * BEAT else ONLINE
                state, good = (LOST if before is LOST and good >= 0 and self._was_lost(at_ms) else well), 0
                state = before if before is DEGRADED else state
            elif what in {"away", "leave"}:
                state = AWAY if what == "away" else LEFT
            else:
                trouble_ms = at_ms if slow else trouble_ms
                well = DEGRADED if at_ms - trouble_ms < 3 * BEAT else ONLINE
                previous_ms = self._heard_before(at_ms)
                good = good + 1 if at_ms - previous_ms <= (9 if hidden else 1.5) * BEAT else 1
                if not (before is LOST and good < 2) and not (before is AWAY and hidden):
                    state = well
            before, state = state, self._silent(state, until_ms - at_ms, hidden=self._hidden(at_ms))
            good = 0 if state is LOST and before is not LOST else good
        return state

    def _silent(self, state: LinkState, silence_ms: float, *, hidden: bool) -> LinkState:
        if state in {ONLINE, DEGRADED} and silence_ms >= (9 if hidden else 1.5) * BEAT:
            state = SUSPECT
        if state is SUSPECT and silence_ms >= (15 if hidden else 3) * BEAT:
            state = LOST
        return state

    def _was_lost(self, at_ms: float) -> bool:
        return any(said[0] < at_ms for said in self.said)

    def _heard_before(self, at_ms: float) -> float:
        return max((said[0] for said in self.said if said[0] < at_ms), default=at_ms)

    def _hidden(self, at_ms: float) -> bool:
        beats = [hidden for said_ms, what, hidden, _ in self.said if said_ms <= at_ms and what == "beat"]
        return beats[-1] if beats else False


EVENTS = st.lists(
    st.tuples(
        st.floats(1, 200_000).map(round),
        st.sampled_from(["connect", "beat", "beat", "beat", "away", "leave"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=25,
)


@given(EVENTS)
@example([(1, "beat", False, True), (1, "beat", False, False), (29_999, "beat", True, False)])
@example([(1, "beat", False, True), (1, "away", False, False), (1, "connect", False, False), (1, "beat", False, False)])
def test_one_device_is_what_its_history_says(events: list[tuple[int, str, bool, bool]]) -> None:
    """The machine, which remembers little, agrees with a replay of everything a device ever said."""
    hall, model = Hall(), Model()
    hall.connect()
    model.said.append((0.0, "connect", False, False))
    for wait_ms, what, hidden, slow in events:
        hall.wait(wait_ms)
        assert hall.point.link is model.state(hall.now_ms)
        model.said.append((hall.now_ms, what, hidden, slow))
        if what == "connect":
            hall.connect()
        elif what == "beat":
            hall.beat(rtt_ms=2000.0 if slow else 50.0, hidden=hidden)
        else:
            say = hall.point.away if what == "away" else hall.point.leave
            hall.keep(say(LAPTOP, hall.now_ms))
        assert hall.point.link is model.state(hall.now_ms)


SCRIPTS = st.lists(
    st.tuples(
        st.integers(1, 60_000),
        st.sampled_from([1, 2, 3]),
        st.sampled_from(["connect", "beat", "beat", "hidden beat", "slow beat", "away", "leave", "forget"]),
    ),
    max_size=40,
)


def play(script: list[tuple[int, int, str]], looks: list[int], base: LinkState) -> Hall:
    """Play a script on a hall that starts at `base`; `looks` are further moments at which somebody looks."""
    hall = Hall(PointLink(RULES, base, 60_000))
    at_ms = 0
    for wait_ms, device, what in script:
        for look in sorted(look for look in looks if at_ms < look <= at_ms + wait_ms):
            hall.wait(look - hall.now_ms)
        at_ms += wait_ms
        hall.wait(at_ms - hall.now_ms)
        if what == "connect":
            hall.connect(device)
        elif what.endswith("beat"):
            hall.beat(device, 2000.0 if what == "slow beat" else 50.0, hidden=what == "hidden beat")
        elif what == "forget":
            hall.keep(hall.point.forget(device, hall.now_ms, "revoked"))
        else:
            say = hall.point.away if what == "away" else hall.point.leave
            hall.keep(say(device, hall.now_ms))
    hall.wait(1_000_000)
    return hall


@given(SCRIPTS, st.lists(st.integers(0, 500_000), max_size=30), st.sampled_from([EXPECTED, UNKNOWN, LEFT, LOST]))
def test_the_record_does_not_depend_on_who_looks_when(
    script: list[tuple[int, int, str]], looks: list[int], base: LinkState
) -> None:
    """Whether the wheel turns often or seldom, the same changes are recorded with the same times."""
    assert play(script, looks, base).changes == play(script, [], base).changes


@given(SCRIPTS, st.sampled_from([EXPECTED, UNKNOWN, LEFT, LOST]))
def test_the_record_is_one_unbroken_story(script: list[tuple[int, int, str]], base: LinkState) -> None:
    """Every change begins where the last one ended, never earlier, and nobody is lost within the grace (I6).

    A hall that was lost before may be lost again: no restart lets such a one begin (`BLINDED`).
    """
    hall = play(script, [], base)
    states = [base, *(change.after for change in hall.changes)]
    assert [change.before for change in hall.changes] == states[:-1]
    assert all(change.before is not change.after for change in hall.changes)
    times = [change.at_ms for change in hall.changes]
    assert times == sorted(times)
    assert base is LOST or all(change.at_ms >= 60_000 for change in hall.changes if change.after is LOST)
    alive = [device.link for device in hall.point.devices.values()]
    assert hall.point.link is (max(alive, key=RANK.__getitem__) if alive else hall.point.base)
