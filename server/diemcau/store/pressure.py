"""Whether it pays to let a little work wait for more of its kind: on a busy event loop it does, on an idle one not."""

from __future__ import annotations

import time

from diemcau import limits


class Share:
    """How busy this thread was: the share of a stretch of at least `least_s` that it worked."""

    def __init__(self, least_s: float) -> None:
        self._least_s = least_s
        self._at_s, self._worked_s, self._share = 0.0, 0.0, 0.0

    def of(self, at_s: float, worked_s: float) -> float:
        """The share of the last whole stretch, given the clock and the thread's own."""
        passed_s = at_s - self._at_s
        if passed_s >= self._least_s:
            self._share = (worked_s - self._worked_s) / passed_s
            self._at_s, self._worked_s = at_s, worked_s
        return self._share


class Pressure:
    """Ask it again and again while something waits."""

    def __init__(self) -> None:
        self._just_now, self._lately = Share(limits.GATHER_S / 2), Share(limits.GATHER_LATELY_S)
        self._waited_s = 0.0

    def wait_s(self) -> float:
        """How long to wait before asking again; 0: not any longer, go on with what there is."""
        at_s, worked_s = time.perf_counter(), time.thread_time()
        just_now, lately = self._just_now.of(at_s, worked_s), self._lately.of(at_s, worked_s)
        idle = just_now < limits.GATHER_BUSY or lately < limits.GATHER_BUSY_LATELY
        if idle or self._waited_s >= limits.GATHER_S_MAX:
            self._waited_s = 0.0
            return 0.0
        self._waited_s += limits.GATHER_S
        return limits.GATHER_S
