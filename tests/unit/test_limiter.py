"""Slowing guesses: failures are counted, and counting them stays cheap."""

from __future__ import annotations

import pytest

from diemcau import limits
from diemcau.clock import ManualClock
from diemcau.errors import RateLimitedError
from diemcau.services.limiter import FAILURES_KEPT_MAX, Limiter


def test_a_flood_is_remembered_no_longer_than_the_limit_needs() -> None:
    """A flood of wrong codes at one door would slow every other door, if each were compared with all before it."""
    limiter = Limiter(ManualClock())
    for _ in range(10 * FAILURES_KEPT_MAX):
        limiter.failed("door")
    assert len(limiter._failures["door"]) == FAILURES_KEPT_MAX
    most = max(value for name, value in vars(limits).items() if name.endswith("FAILURES_PER_MINUTE_MAX"))
    assert most <= FAILURES_KEPT_MAX


def test_a_flood_from_everywhere_is_forgotten_with_its_minute() -> None:
    """Networks that guess for an hour fill no memory: who stopped a minute ago is forgotten, who goes on is not."""
    clock = ManualClock()
    limiter = Limiter(clock)
    limiter.failed("goes on")
    for number in range(1000):
        limiter.failed(f"network {number}")
    clock.advance(59)
    limiter.failed("goes on")
    assert len(limiter._failures) == 1001
    clock.advance(1)
    limiter.failed("another")
    assert list(limiter._failures) == ["goes on", "another"]


def test_who_must_wait_is_told_how_long() -> None:
    """Whoever comes back after the seconds they were told is let in, also after more failures than the limit."""
    clock = ManualClock()
    limiter = Limiter(clock)
    for _ in range(6):
        limiter.failed("root")
        clock.advance(5)
    with pytest.raises(RateLimitedError) as refused:
        limiter.check("root", 3)
    assert refused.value.params == {"retry_after_s": 45}
    clock.advance(0.4)
    with pytest.raises(RateLimitedError) as refused:
        limiter.check("root", 3)
    assert refused.value.params == {"retry_after_s": 45}, "44 would be too early"
    clock.advance(43.6)
    with pytest.raises(RateLimitedError):
        limiter.check("root", 3)
    clock.advance(1)
    limiter.check("root", 3)
