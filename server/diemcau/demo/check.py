"""`diemcau demo --check`: plays everything, then holds every account of the day against the simulator's ledger."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.demo import figures, records
from diemcau.demo.process import cost_of
from diemcau.demo.reconcile import reconcile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from diemcau.demo.play import Play

QUIET_S = 15.0
"""The board shows every acknowledged check-in within this time, or the table says which it does not."""

FLUSHES = 4
"""The last change of a link reaches boards with the next flush; a busy machine may need some more."""

TICK_S = 0.5
REPORT_TICKS = 20


async def check(play: Play, json_file: Path | None) -> bool:
    """Play, compare, show; whether everything agrees. The server is stopped on the way."""
    began_s = play.clock.monotonic_s()
    await play.set_up()
    async with play.watched():
        with play.screen.bar("demo.playing") as progress:
            ticking = asyncio.create_task(_tick(play, progress))
            await play.perform()
            ticking.cancel()
            progress(play.ledger.done, play.coming)
        play.screen.say("demo.settling")
        await play.points.settled()
        await _quiet(play)
        play.screen.say("demo.collecting")
        told = await records.collect(play)
    cost = cost_of(play.server.pid)
    await play.server.stop()
    told = replace(told, database=await records.counted(play.server.listening.database))
    lines = reconcile(play.ledger, told, {hall.code: hall.name for hall in play.sample.halls}, len(play.sample.people))
    times = os.times()
    play.measured.players_cpu_s = times.user + times.system
    play.measured.total_s = play.clock.monotonic_s() - began_s
    measured = figures.figures(play.measured, play.ledger, play.board, cost)
    play.screen.figures(measured)
    play.screen.reconciliation(lines)
    if json_file:
        figures.write_report(json_file, lines, measured)
    agrees = all(line.agrees for line in lines)
    play.screen.say("demo.check_passed" if agrees else "demo.check_failed")
    return agrees


async def _tick(play: Play, progress: Callable[[int, int], None]) -> None:
    """Move the bar; without a terminal, a line now and then instead."""
    ticks, total = 0, play.coming
    while True:
        await asyncio.sleep(TICK_S)
        ticks += 1
        progress(play.ledger.done, total)
        if not play.screen.live and ticks % REPORT_TICKS == 0:
            number = play.screen.number
            play.screen.say("demo.progress", done=number(play.ledger.done), total=number(total))


async def _quiet(play: Play) -> None:
    """Give the board its time to show what came last."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(QUIET_S):
            await play.board.caught_up()
    await asyncio.sleep(FLUSHES * limits.FLUSH_INTERVAL_S)
