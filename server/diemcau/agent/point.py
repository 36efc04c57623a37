"""One point's device without a screen: connects, beats, comes back when the line drops. Knows only the protocol."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from diemcau.clock import Clock, SystemClock
from diemcau.wire import live

if TYPE_CHECKING:
    from diemcau.wire.live import Hello, ServerPointFrame, Welcome

FRAMES: msgspec.json.Decoder[ServerPointFrame] = msgspec.json.Decoder(live.ServerPointFrame)
WAIT_FIRST_S = 0.5
WAIT_MAX_S = 20.0
OPENING_S = 15.0
"""No hello, or no welcome, within this: the socket leads nowhere."""

SILENT_BEATS = 2.0
"""Without any answer for this many beats the socket is given up; a new one is up before the server calls us lost."""

STEADY_S = 10.0
"""A line that held for less did not work: the next wait goes on growing."""

F = TypeVar("F")


class Line(Enum):
    """How the line stands, from here."""

    CONNECTING = auto()
    UP = auto()
    WAITING = auto()
    ENDED = auto()


def wait_s(attempt: int, chance: float) -> float:
    """Seconds before the next attempt, after `attempt` failures in a row: `rand(0, min(20 s, 0.5 s · 2ⁿ))`."""
    return chance * min(WAIT_MAX_S, WAIT_FIRST_S * 2.0 ** min(attempt, 10))


class PointAgent:
    """`await agent.run()` until it left or the server said for good that it must not come back.

    Args:
        url: the server's origin, `http://host:port`.
        token: of a paired device.
        session: the session to take part in; None: whichever is near.
        on_frame: called with each frame of the server.
        on_line: called when the line changes.
        clock: measures round trips.
    """

    def __init__(  # noqa: PLR0913 each is one thing its user may want to hear or decide
        self,
        url: str,
        token: str,
        session: str | None = None,
        *,
        on_frame: Callable[[ServerPointFrame], None] = lambda _frame: None,
        on_line: Callable[[Line], None] = lambda _line: None,
        clock: Clock | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self.url = url.rstrip("/").replace("http", "ws", 1) + "/ws/v1/point"
        self.line = Line.CONNECTING
        self.welcome: Welcome | None = None
        self.rtt_ms: float | None = None
        self.close_code: int | None = None
        self.waits_s = 0.0
        self.beats = 0
        self.hidden = False
        self._token = token
        self._session = session
        self._boot = secrets.token_hex(8)
        self.on_frame = on_frame
        self.on_line = on_line
        self._clock = clock or SystemClock()
        self._chance = chance or random.SystemRandom()
        self._socket: ClientConnection | None = None
        self._speaking = asyncio.Event()
        self._speaking.set()
        self._leaving = asyncio.Event()
        self._sent: tuple[int, float] = (0, 0.0)

    # --- what its user may do ------------------------------------------------------------------------------
    async def run(self) -> int | None:
        """Hold the line; the close code that ended it for good, None when it left by itself."""
        attempt = 0
        while not self._leaving.is_set():
            await self._speaking.wait()
            self._move(Line.CONNECTING)
            began_s = self._clock.monotonic_s()
            code = await self._connect()
            if code is not None and not live.reconnects(code):
                self.close_code = code
                break
            if self._leaving.is_set():
                break
            held = self.line is Line.UP and self._clock.monotonic_s() - began_s >= STEADY_S
            attempt = 0 if held else attempt + 1
            self.waits_s = wait_s(max(0, attempt - 1), self._chance.random())
            self._move(Line.WAITING)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), self.waits_s)
        self._move(Line.ENDED)
        return self.close_code

    async def leave(self) -> None:
        """Say goodbye; `run` returns."""
        self._leaving.set()
        self._speaking.set()
        if self._socket is not None and self.line is Line.UP:
            with contextlib.suppress(ConnectionClosed):
                await self._say(self._socket, live.Leave())
                await self._socket.close()

    async def away(self) -> None:
        """As a page that is about to be hidden: the silence that follows is no loss. Beats go on, as hidden ones."""
        self.hidden = True
        if self._socket is not None:
            await self._say(self._socket, live.Away())

    def silence(self) -> None:
        """Beat no more and do not come back until `resume`; the connection stays, as behind a pulled cable."""
        self._speaking.clear()

    def drop(self) -> None:
        """Break the connection without a word, as in a power cut, until `resume`."""
        self._speaking.clear()
        if self._socket is not None:
            self._socket.transport.abort()

    def resume(self) -> None:
        """Speak again, as a page in front."""
        self.hidden = False
        self._speaking.set()

    # --- one connection --------------------------------------------------------------------------------------
    async def _connect(self) -> int | None:
        """One connection from hello to its end; the close code, None when there was none."""
        try:
            async with connect(self.url, compression=None, ping_interval=None, proxy=None, close_timeout=1) as socket:
                self._socket = socket
                try:
                    heartbeat_s = await self._greet(socket)
                    await self._hold(socket, heartbeat_s)
                except ConnectionClosed:
                    pass
                return socket.close_code
        except (OSError, TimeoutError, WebSocketException, msgspec.DecodeError):
            return None
        finally:
            self._socket = None

    async def _greet(self, socket: ClientConnection) -> float:
        async with asyncio.timeout(OPENING_S):
            hello: Hello = await self._hear(socket, live.Hello)
            await self._say(socket, live.Identify(live.PROTOCOL_VERSION, self._token, self._boot, self._session))
            self.welcome = await self._hear(socket, live.Welcome)
        self._move(Line.UP)
        return hello.heartbeat_ms / 1000

    async def _hold(self, socket: ClientConnection, heartbeat_s: float) -> None:
        beating = asyncio.create_task(self._beat(socket, heartbeat_s), name="beats")
        try:
            while True:
                self._take(await self._receive(socket, heartbeat_s))
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _receive(self, socket: ClientConnection, heartbeat_s: float) -> ServerPointFrame:
        """The next frame. Silence is only suspicious while we ourselves speak."""
        while True:
            try:
                async with asyncio.timeout(SILENT_BEATS * heartbeat_s):
                    return FRAMES.decode(await socket.recv())
            except TimeoutError:
                if self._speaking.is_set():
                    socket.transport.abort()

    async def _beat(self, socket: ClientConnection, heartbeat_s: float) -> None:
        """The first beat comes at a random moment of its interval, so that a thousand agents do not beat as one."""
        await asyncio.sleep(self._chance.random() * heartbeat_s)
        seq = 0
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._speaking.wait()
                seq += 1
                self._sent = (seq, self._clock.monotonic_s())
                await self._say(socket, live.Beat(seq, self._clock.now_ms(), self.rtt_ms, self.hidden, queued=0))
                self.beats += 1
                await asyncio.sleep(heartbeat_s)

    def _take(self, frame: ServerPointFrame) -> None:
        if isinstance(frame, live.BeatAck) and frame.seq == self._sent[0]:
            self.rtt_ms = round((self._clock.monotonic_s() - self._sent[1]) * 1000, 1)
        self.on_frame(frame)

    async def _hear(self, socket: ClientConnection, kind: type[F]) -> F:
        while True:
            frame = FRAMES.decode(await socket.recv())
            self.on_frame(frame)
            if isinstance(frame, kind):
                return frame

    async def _say(self, socket: ClientConnection, frame: live.PointFrame) -> None:
        await socket.send(msgspec.json.encode(frame), text=True)

    def _move(self, line: Line) -> None:
        if line is not self.line:
            self.line = line
            self.on_line(line)
