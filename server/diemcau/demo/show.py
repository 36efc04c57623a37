"""`diemcau demo`: plays the day slowly enough to watch, and leaves one hall and one person to the newcomer."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from diemcau import i18n
from diemcau.demo.organizer import ADMINISTRATOR, SESSION
from diemcau.demo.screen import labelled
from diemcau.domain.models import LinkState

if TYPE_CHECKING:
    from diemcau.demo.play import Play

FRAME_S = 1.0
REPORT_FRAMES = 15
QR_ROWS_MIN = 32
"""Lines a terminal needs to show the panel with its QR code; a smaller one gets the link alone."""

PACE_FRAMES = 5
WIDTH = 76


async def show(play: Play, *, lan: bool) -> None:
    """Play until cancelled."""
    await play.set_up()
    play.screen.console.print(await _handover(play, lan=lan))
    async with play.watched(), asyncio.TaskGroup() as group:
        group.create_task(play.perform(), name="play")
        if play.screen.live:
            await _panel(play)
        else:
            await _lines(play)


async def _handover(play: Play, *, lan: bool) -> RenderableType:
    """What the newcomer gets: board and login, a hall, a person. Vietnamese first, English beside it."""
    sample, where = play.sample, play.server.listening
    person, hall = sample.newcomer, sample.newcomer_hall
    pairing = await play.organizer.pairing_link(hall.code)
    facts: dict[str, str | float] = {
        "board": f"{where.public}/s/session/{SESSION}/board",
        "name": ADMINISTRATOR,
        "password": play.organizer.password,
        "hall": hall.name,
        "person": person.full_name,
        "code": person.code,
    }
    parts: list[RenderableType] = []
    for language in i18n.LANGUAGES:
        body = i18n.text(language, "demo.handover", **facts)
        reach = i18n.text(language, "demo.reach.lan" if lan else "demo.reach.local", url=where.public)
        parts.append(Text(f"{body}\n{reach}\n"))
    parts.append(labelled(play.screen.text("demo.pairing_link"), pairing, with_qr=play.screen.live))
    if not play.screen.live:
        door = await play.doors.url(hall.code)
        parts += [labelled(play.screen.text("demo.door_link"), door, with_qr=False)]
        parts += [Text(play.screen.text("demo.door_link_lasts"))]
    return Panel(Group(*parts), title="Diemcau", width=max(WIDTH, min(play.screen.console.width, 100)))


class Pace:
    """Check-ins a second, over the last few frames."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, int]] = deque(maxlen=PACE_FRAMES)

    def note(self, play: Play) -> float:
        """Take the count of now; people a second since the oldest one kept."""
        self._counts.append((play.clock.monotonic_s(), len(play.ledger.people)))
        (since_s, before), (now_s, now) = self._counts[0], self._counts[-1]
        return (now - before) / (now_s - since_s) if now_s > since_s else 0.0


async def _panel(play: Play) -> None:
    """The panel, drawn anew every second until cancelled."""
    pace = Pace()
    with Live(console=play.screen.console, auto_refresh=False) as live:
        while True:
            live.update(await _frame(play, pace.note(play)), refresh=True)
            await asyncio.sleep(FRAME_S)


async def _frame(play: Play, per_s: float) -> RenderableType:
    door = await play.doors.url(play.sample.newcomer_hall.code)
    tall = play.screen.console.height >= QR_ROWS_MIN
    return Group(
        Text(status(play, per_s), "bold"),
        labelled(play.screen.text("demo.door_link"), door, with_qr=tall),
        Text(play.screen.text("demo.stop_hint"), "dim"),
    )


async def _lines(play: Play) -> None:
    """A status line now and then until cancelled."""
    pace = Pace()
    while True:
        play.screen.console.print(Text(status(play, pace.note(play))))
        await asyncio.sleep(FRAME_S * REPORT_FRAMES)


def status(play: Play, per_s: float) -> str:
    """People and points in one line, as the followed board has them, and how fast people come."""
    screen, totals = play.screen, play.board.totals
    if totals is None:
        return ""
    links = [
        f"{screen.text(f'demo.link.{state}')} {screen.number(totals.links[state])}"
        for state in LinkState
        if totals.links.get(state)
    ]
    people = screen.text(
        "demo.status",
        present=screen.number(totals.present),
        invited=screen.number(totals.invited),
        rate=screen.number(per_s),
    )
    failed = screen.text("demo.status_failed", count=play.ledger.failed) if play.ledger.failed else ""
    return " · ".join([people, *links, failed]).rstrip(" ·")
