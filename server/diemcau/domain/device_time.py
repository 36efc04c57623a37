"""When something happened, told by a clock that may be wrong (DESIGN.md §6a). Pure.

A device sends when each thing happened, by its own clock, and what that clock shows now. The difference to the
server's clock, measured at reception, corrects the former. A clock that cannot be right is flagged and never
believed; what it recorded is kept all the same.
"""

from __future__ import annotations

from typing import NamedTuple

from diemcau import limits

AHEAD_MS_MAX = 5_000
"""Nothing happens after it was received; so much goes to clocks that are read a moment apart."""


class Moment(NamedTuple):
    """When something happened, as best known.

    skewed: the device's clock cannot be right. known: `happened_ms` says more than when the news arrived.
    """

    happened_ms: int
    skewed: bool
    known: bool


def judge(at_ms: int, offset_ms: int, server_ms: int, *, existed_ms: int, offline: bool) -> Moment:
    """What to make of `at_ms` on a clock that is `offset_ms` behind the server's, received at `server_ms`.

    Implausible: a moment that is yet to come, one older than `limits.OFFLINE_AGE_MS_MAX`, or one from before the
    session existed (`existed_ms`): then we know only when the news came. A clock over `limits.CLOCK_SKEW_MS` off is
    flagged too; what it says is corrected like any other, for most such clocks are steady (a wrong zone, a flat
    battery), but of what waited on such a device nobody knows surely when it was.
    """
    corrected_ms = at_ms + offset_ms
    plausible = -AHEAD_MS_MAX <= server_ms - corrected_ms <= limits.OFFLINE_AGE_MS_MAX and corrected_ms >= existed_ms
    skewed = not plausible or abs(offset_ms) > limits.CLOCK_SKEW_MS
    return Moment(min(corrected_ms, server_ms) if plausible else server_ms, skewed, known=not (skewed and offline))


def late(moment: Moment, starts_ms: int) -> bool:
    """Whether it happened after the start, as far as anybody knows: who is not known to be late is not called so."""
    return moment.known and moment.happened_ms > starts_ms
