"""From options to a played conference and back to nothing: whatever happens, every process ends with the demo."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from diemcau.demo import figures, network, sample
from diemcau.demo.check import check
from diemcau.demo.errors import DemoError
from diemcau.demo.play import Pace, Play
from diemcau.demo.process import Listening, ServerProcess
from diemcau.demo.show import show

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from diemcau.clock import Clock
    from diemcau.demo.screen import Screen

DEFAULT_PORT = 8080
LAST_WORDS_S = 0.5
"""A server that dies takes this long to be noticed after its connections broke."""

EXIT_AGREES, EXIT_DIFFERS, EXIT_INTERRUPTED = 0, 1, 130


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. port None: 8080, or any free one for a check."""

    check: bool = False
    speed: float = 5.0
    lan: bool = False
    port: int | None = None
    database: str | None = None
    points: int | None = None
    people: int | None = None
    beat_s: float = 10.0
    json_file: Path | None = None


async def run(options: Options, screen: Screen, clock: Clock) -> int:
    """Play until done, or until Ctrl-C or SIGTERM; the exit status.

    Raises:
        DemoError: it cannot be played; says what to do.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(AttributeError, NotImplementedError):  # Windows
            loop.add_signal_handler(getattr(signal, name), stop.set)
    playing = asyncio.create_task(_run(options, screen, clock))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({playing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if playing.done():
        return playing.result()
    screen.say("demo.stopping")
    playing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await playing
    return EXIT_INTERRUPTED if options.check else EXIT_AGREES


async def _run(options: Options, screen: Screen, clock: Clock) -> int:
    chosen = sample.load(options.points, options.people)
    if options.json_file:
        figures.require_writable(options.json_file)
    pace = Pace(None if options.check else options.speed, options.beat_s)
    with _place(options, screen) as place:
        async with ServerProcess(_listening(options, place.folder), clock, options.beat_s) as server:
            place.used = True
            screen.say("demo.started", url=server.listening.public, folder=str(place.folder))
            async with Play.on(server, chosen, screen, clock, pace) as play:
                if options.check:
                    agrees = await _unless_ended(server, check(play, options.json_file))
                    return EXIT_AGREES if agrees else EXIT_DIFFERS
                await _unless_ended(server, show(play, lan=options.lan))
    return EXIT_AGREES


async def _unless_ended(server: ServerProcess, work: Coroutine[None, None, bool | None]) -> bool | None:
    """The result of `work`, unless the server dies under it.

    Raises:
        DemoError: what kept `work` from going on; `demo_server`, with the server's last lines, when that was its end.
    """
    working = asyncio.create_task(work)
    ending = asyncio.create_task(server.ended())
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not server.stopping and (not working.done() or working.exception()):
            await asyncio.wait({ending}, timeout=LAST_WORDS_S)
            if ending.done():
                raise DemoError("demo_server", said=server.said)
        return await working
    except BaseExceptionGroup as group:
        raise _first(group) from group
    finally:
        for task in (working, ending):
            task.cancel()
        await asyncio.gather(working, ending, return_exceptions=True)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong first in tasks that were played together; our own errors before those that followed."""
    known = group.subgroup(DemoError) or group
    error: BaseException = known
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _listening(options: Options, folder: Path) -> Listening:
    port = options.port or (network.free_port() if options.check else DEFAULT_PORT)
    host, name = ("0.0.0.0", network.lan_address()) if options.lan else ("127.0.0.1", "localhost")  # noqa: S104 asked for
    database = options.database or f"sqlite:///{(folder / 'diemcau.db').resolve()}"
    return Listening(host, port, f"http://{name}:{port}", folder, database)


@dataclass(slots=True)
class Place:
    """Where a demo's data lies; `used` once there is something in it that anybody may want."""

    folder: Path
    used: bool = False


@contextmanager
def _place(options: Options, screen: Screen) -> Iterator[Place]:
    """A fresh folder: kept and named after a demo; removed after a check, and when nothing began."""
    if options.check:
        place = Place(Path(tempfile.mkdtemp(prefix="diemcau-demo-")))
    else:
        place = Place(Path("data") / f"demo-{datetime.now().astimezone():%Y%m%d-%H%M%S}")
    try:
        yield place
    finally:
        if place.used and not options.check:
            screen.say("demo.kept", folder=str(place.folder))
        else:
            shutil.rmtree(place.folder, ignore_errors=True)
