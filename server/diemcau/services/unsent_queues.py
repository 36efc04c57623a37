"""Queues that are not sent yet: what halls' devices last told of theirs, and what nobody can know now (I6).

A device tells the depth of its queue with every beat. While it is heard that is known; of one that was heard during
the session and is silent now nothing is known, whatever it told last: it may have gone on scanning.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.domain.minutes_file import Unsent
from diemcau.store import unsent_queues
from diemcau.store.unsent_queues import Told

if TYPE_CHECKING:
    from diemcau.domain.authority import Actor, Scope, System
    from diemcau.live.lines import Line
    from diemcau.services.context import Context
    from diemcau.store.engine import Connection
    from diemcau.store.unsent_queues import DeviceRow
    from diemcau.wire.live import Beat


# --- what devices tell ---------------------------------------------------------------------------------------
def heard(context: Context, line: Line, beat: Beat) -> None:
    """Remember what a beat says of the device's queue; what is new in it is stored soon."""
    if beat.queued is None:
        return
    before, line.queue = line.queue, (beat.queued, beat.queued_oldest_ms, context.clock.now_ms())
    if before is None or before[:2] != line.queue[:2]:
        context.live.queues[line.device.device_id] = line.queue
        context.live.presence.wake.set()


def gone(context: Context, line: Line) -> None:
    """The device ended its socket: what it told last is kept, with when."""
    if line.queue is not None:
        context.live.queues[line.device.device_id] = line.queue


async def store(actor: System, context: Context) -> None:
    """Store what devices told; what cannot be stored now is tried again."""
    del actor
    while told := context.live.some_queues(limits.TRANSITIONS_BATCH_MAX):
        rows = [(device_id, Told(*one)) for device_id, one in told.items()]
        try:
            await context.writer.write(partial(unsent_queues.tell, told=rows))
        except BaseException:
            context.live.presence.wake.set()
            raise
        context.live.forget_queues(told)  # until here it is known from memory


# --- what is known -------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Standing:
    """A device of a session and its queue. `known`: it is heard now; else `told` is what it said last, if anything."""

    row: DeviceRow
    told: Told | None
    known: bool


async def standing(
    actor: Actor, context: Context, connection: Connection, session_id: int, scope: Scope
) -> list[Standing]:
    """Every queue that holds something, or may, as far as is known now; those known to be empty are left out."""
    del actor  # whose scope it is was decided by whoever asks
    before_ms = limits.SESSION_OPENS_BEFORE_S * 1000
    rows = await unsent_queues.devices(connection, session_id, before_ms, scope)
    found = [_standing(context, row) for row in rows]
    return [one for one in found if not (one.known and one.told is not None and one.told.waiting == 0)]


def _standing(context: Context, row: DeviceRow) -> Standing:
    line = context.live.lines.of_device(row.device_id)
    last = row.told
    pending = (line.queue if line else None) or context.live.queues.get(row.device_id)
    if pending is not None and (last is None or pending[2] >= last.told_ms):
        last = Told(*pending)
    oldest_ms = context.clock.now_ms() - context.live.presence.rules.lost_after_ms(hidden=False)
    known = line is not None and last is not None and last.told_ms >= oldest_ms
    return Standing(row, last, known)


async def for_minutes(
    actor: Actor, context: Context, connection: Connection, session_id: int, scope: Scope
) -> list[Unsent]:
    """What minutes say of it: halls by code, nobody's name."""
    return [
        Unsent(one.row.point, one.known, one.told.waiting if one.told else None, one.told.told_ms if one.told else None)
        for one in await standing(actor, context, connection, session_id, scope)
    ]
