"""Watching what was committed for what is odd, and keeping it for review; nothing is blocked (DESIGN.md §6).

The rules (`domain/anomalies.py`) see every committed check-in, and of a phone only keyed hashes that the door passes
on. What they find gathers for some seconds and is written by a background task, so that no check-in ever waits for
it. Each server watches what it wrote itself; their findings of one key are one row.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from diemcau import limits
from diemcau.domain.anomalies import Finding, Rules, Sight
from diemcau.domain.models import EventKind, Source
from diemcau.errors import DiemcauError
from diemcau.store import anomalies
from diemcau.store.check_ins import Listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.domain.authority import System
    from diemcau.domain.models import AnomalyKind
    from diemcau.services.context import Context
    from diemcau.store.check_ins import Outcome

log = structlog.get_logger()
COUNTING = frozenset({EventKind.CHECK_IN, EventKind.SPOT_CHECK})


@dataclass(frozen=True, slots=True)
class Trace:
    """What the door knows of a tap besides who it was: keyed hashes, the code's step, the hall's size."""

    phone: bytes
    network: bytes
    step: int
    capacity: int
    invited: int


@dataclass(slots=True)
class Anomalies:
    """The rules, the traces of taps that are being written, and the findings that wait for the database."""

    rules: Rules = field(default_factory=Rules)
    _traces: dict[bytes, Trace] = field(default_factory=dict)
    _found: dict[tuple[int, AnomalyKind, bytes], Finding] = field(default_factory=dict)

    def expect(self, nonce: bytes, trace: Trace) -> None:
        """What is known of a check-in about to be written, also when its phone hangs up before it is.

        As many as the writer's queue holds; what was never committed makes room for others.
        """
        self._traces[nonce] = trace
        if len(self._traces) > limits.WRITE_QUEUE_ITEMS_MAX:
            del self._traces[next(iter(self._traces))]

    def see(self, outcomes: Sequence[Outcome]) -> None:
        """Look at a committed batch."""
        for outcome in outcomes:
            item = outcome.check_in
            trace = self._traces.pop(item.nonce, None)
            if outcome.replayed or outcome.result not in {"accepted", "duplicate"} or item.kind not in COUNTING:
                continue
            if trace or (item.source is Source.BADGE and item.device_id is not None):
                for finding in self.rules.see(_sight(outcome, trace or NO_TRACE)):
                    self.wait(finding)

    def wait(self, finding: Finding) -> None:
        """Keep a finding until it is written, with others of its key."""
        key = finding.session_id, finding.kind, finding.key
        before = self._found.get(key)
        if before:
            self._found[key] = before.with_later(finding)
        elif len(self._found) < limits.ANOMALIES_WAITING_MAX:
            self._found[key] = finding

    def take(self) -> list[Finding]:
        """What waits; it is the caller's now."""
        found, self._found = self._found, {}
        return list(found.values())


NO_TRACE = Trace(b"", b"", -1, 0, 0)


def _sight(outcome: Outcome, trace: Trace) -> Sight:
    item = outcome.check_in
    return Sight(
        session_id=item.session_id,
        point_id=item.point_id,
        nonce=item.nonce,
        at_ms=item.happened_ms,
        person=item.who.attendee_id if isinstance(item.who, Listed) else item.who.key,
        device_id=item.device_id,
        clock_ms=item.at_ms,
        phone=trace.phone,
        network=trace.network,
        step=trace.step if trace.step >= 0 else None,
        present=outcome.present or outcome.unlisted or 0,
        capacity=trace.capacity,
        invited=trace.invited,
    )


async def keep(actor: System, context: Context) -> None:
    """Write what was found, every few seconds and once more at the end."""
    try:
        while True:
            await asyncio.sleep(limits.ANOMALY_WRITE_INTERVAL_S)
            await write(actor, context)
    finally:
        await write(actor, context)


async def write(actor: System, context: Context) -> None:
    """Write what was found; what cannot be written now waits for the next time."""
    del actor
    found = context.anomalies.take()
    if not found:
        return
    rows = [replace(finding, key=context.keys.sign("anomaly", finding.key)) for finding in found]
    try:
        await context.writer.write(lambda connection: anomalies.record(connection, rows))
    except DiemcauError as error:
        log.warning("anomalies wait for the database", count=len(found), error=str(error))
        for finding in found:
            context.anomalies.wait(finding)
    except Exception:
        log.exception("anomalies were not written", count=len(found))
