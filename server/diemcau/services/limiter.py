"""Counting failures, never successes: slows guessing without punishing a hall behind one address."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from diemcau.errors import RateLimitedError

if TYPE_CHECKING:
    from diemcau.clock import Clock

KEYS_MAX = 100_000
"""Keys remembered; whoever failed longest ago is forgotten first."""

WITHIN_S = 60.0

FAILURES_KEPT_MAX = 120
"""Failures remembered of one key, as many as the highest limit asks about: a flood costs no more than a trickle."""


@dataclass(slots=True)
class Limiter:
    """Failures per key in a sliding minute, kept in memory; what is older is forgotten, whoever it was of."""

    clock: Clock
    _failures: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)

    def check(self, key: str, per_minute: int) -> None:
        """Refuse when `key` failed `per_minute` times within the last minute.

        Raises:
            RateLimitedError: with the seconds until enough failures are forgotten.
        """
        recent = self._recent(key)
        if len(recent) >= per_minute:
            oldest = recent[-per_minute]
            raise RateLimitedError(retry_after_s=max(1, math.ceil(WITHIN_S - (self.clock.monotonic_s() - oldest))))

    def failed(self, key: str) -> None:
        """Count one failure of `key`."""
        recent = self._recent(key)
        recent.append(self.clock.monotonic_s())
        self._failures[key] = recent[-FAILURES_KEPT_MAX:]
        self._failures.move_to_end(key)
        since = recent[-1] - WITHIN_S
        while len(self._failures) > KEYS_MAX or next(iter(self._failures.values()))[-1] <= since:
            self._failures.popitem(last=False)

    def _recent(self, key: str) -> list[float]:
        since = self.clock.monotonic_s() - WITHIN_S
        return [at for at in self._failures.get(key, ()) if at > since]
