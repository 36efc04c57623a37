"""What is made of a device's clock, whatever it shows: nothing is dropped, nobody is called late without knowing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import NOW_MS

from diemcau import limits
from diemcau.domain.device_time import AHEAD_MS_MAX, judge, late

MINUTE = 60_000
HOUR = 60 * MINUTE
YEAR = 365 * 24 * HOUR
ANY_CLOCK = st.integers(-8_640_000_000_000_000, 8_640_000_000_000_000)


@given(ANY_CLOCK, ANY_CLOCK, st.integers(0, 32_503_680_000_000), st.booleans())
def test_no_clock_is_too_wild(at_ms: int, device_ms: int, existed_ms: int, offline: bool) -> None:  # noqa: FBT001 drawn
    """A phone that believes in 1999 or 2031 still gets its people recorded, never in the future."""
    moment = judge(at_ms, NOW_MS - device_ms, NOW_MS, existed_ms=existed_ms, offline=offline)
    assert moment.happened_ms <= NOW_MS
    if moment.skewed and offline:
        assert not late(moment, 0)
    if not moment.skewed:
        assert existed_ms <= moment.happened_ms
        assert NOW_MS - moment.happened_ms <= limits.OFFLINE_AGE_MS_MAX


@given(st.integers(0, limits.OFFLINE_AGE_MS_MAX), st.integers(-limits.CLOCK_SKEW_MS, limits.CLOCK_SKEW_MS))
def test_a_clock_that_is_a_little_off_is_corrected(ago_ms: int, offset_ms: int) -> None:
    """A scan kept on a laptop whose clock is 40 seconds off lies where it really happened."""
    at_ms = NOW_MS - offset_ms - ago_ms
    moment = judge(at_ms, offset_ms, NOW_MS, existed_ms=0, offline=True)
    assert moment == (NOW_MS - ago_ms, False, True)
    assert late(moment, NOW_MS - ago_ms - 1)
    assert not late(moment, NOW_MS - ago_ms)


@pytest.mark.parametrize("off_ms", [-7 * HOUR, 90 * MINUTE, 20 * YEAR])
def test_a_steady_clock_in_a_wrong_zone_is_corrected(off_ms: int) -> None:
    """A laptop set to London would put its morning's queue at the moment the line came back."""
    moment = judge(NOW_MS - HOUR - off_ms, off_ms, NOW_MS, existed_ms=0, offline=True)
    assert moment == (NOW_MS - HOUR, True, False)
    assert not late(moment, 0), "the clock may have been set meanwhile: nobody knows"


@pytest.mark.parametrize("off_ms", [-30 * YEAR, -HOUR, -limits.CLOCK_SKEW_MS - 1, limits.CLOCK_SKEW_MS + 1, 5 * YEAR])
def test_what_is_sent_at_once_happens_now(off_ms: int) -> None:
    """Online the clock does not matter: somebody who comes late is late, and the clock is flagged."""
    moment = judge(NOW_MS - off_ms - 300, off_ms, NOW_MS, existed_ms=0, offline=False)
    assert moment == (NOW_MS - 300, True, True)
    assert late(moment, NOW_MS - MINUTE)


@pytest.mark.parametrize(
    ("at_ms", "existed_ms"),
    [
        (NOW_MS + AHEAD_MS_MAX + 1, 0),
        (NOW_MS - limits.OFFLINE_AGE_MS_MAX - 1, 0),
        (NOW_MS - 2 * HOUR, NOW_MS - HOUR),
    ],
    ids=["yet to come", "older than any queue", "before the session existed"],
)
def test_moments_that_cannot_be(at_ms: int, existed_ms: int) -> None:
    """The clock was set right between the scan and the sending: the device looks fine, the scan does not."""
    moment = judge(at_ms, 0, NOW_MS, existed_ms=existed_ms, offline=True)
    assert moment == (NOW_MS, True, False)
    online = judge(at_ms, 0, NOW_MS, existed_ms=existed_ms, offline=False)
    assert (online.skewed, online.known) == (True, True)
    assert online.happened_ms <= NOW_MS


def test_a_moment_ahead_is_now() -> None:
    """Two clocks read a moment apart put nobody into the future."""
    assert judge(NOW_MS + AHEAD_MS_MAX, 0, NOW_MS, existed_ms=0, offline=True) == (NOW_MS, False, True)
