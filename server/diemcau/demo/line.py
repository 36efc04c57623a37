"""One hall's device on its WebSocket, which can also do what devices do badly: fall silent, break, hide, leave."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Self, TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from diemcau.wire import live

if TYPE_CHECKING:
    from diemcau.clock import Clock

FRAMES = msgspec.json.Decoder(live.ServerPointFrame)
OPEN_S = 20.0
F = TypeVar("F", live.Hello, live.Welcome)


class Line:
    """`await Line.open(…)` returns once the server has said welcome; beats then go by themselves."""

    def __init__(self, socket: ClientConnection, clock: Clock) -> None:
        self._socket = socket
        self._clock = clock
        self._beating: asyncio.Task[None] | None = None
        self._beaten = asyncio.Event()
        self._seq = 0
        self._hidden = False
        self._rtt_ms: float | None = None
        self.spoke_ms = 0
        """When this device last gave a sign of life."""

    @classmethod
    async def open(cls, origin: str, identify: live.Identify, clock: Clock) -> Self:
        """Connect, say who we are, and begin to beat.

        Raises:
            OSError, ConnectionClosed, TimeoutError: the server is not there, or does not want us.
        """
        async with asyncio.timeout(OPEN_S):
            url = origin.replace("http", "ws", 1) + "/ws/v1/point"
            socket = await connect(url, compression=None, ping_interval=None, close_timeout=1, proxy=None)
            line = cls(socket, clock)
            try:
                hello = await line._receive(live.Hello)
                await line._send(identify)
                await line._receive(live.Welcome)
            except BaseException:
                line.cut()
                raise
        line._beating = asyncio.create_task(line._beat(hello.heartbeat_ms / 1000))
        return line

    async def closed(self) -> int:
        """Read until the line ends; the close code."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                frame = FRAMES.decode(await self._socket.recv())
                if isinstance(frame, live.BeatAck):
                    self._rtt_ms = float(self._clock.now_ms() - self.spoke_ms)
        return self._socket.close_code or 1006

    def silence(self) -> None:
        """Neither speak nor listen any more; the connection stays as it is, as behind a pulled cable."""
        self._stop_beating()
        self._socket.transport.pause_reading()

    def cut(self) -> None:
        """Break the connection without a word, as in a power cut."""
        self._stop_beating()
        self._socket.transport.abort()

    async def away(self) -> None:
        """The page goes to the background: say so, and beat on as a hidden page."""
        self._hidden = True
        await self._send(live.Away())

    async def leave(self) -> None:
        """Say goodbye and close."""
        self._stop_beating()
        await self._send(live.Leave())
        await self._socket.close()

    def _stop_beating(self) -> None:
        if self._beating is not None:
            self._beating.cancel()

    async def beaten(self, count: int) -> None:
        """Wait until `count` beats have gone out on this line."""
        while self._seq < count:
            self._beaten.clear()
            await self._beaten.wait()

    async def _beat(self, every_s: float) -> None:
        await asyncio.sleep(random.uniform(0, every_s))  # noqa: S311 spreads the load, guards nothing
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._send(live.Beat(self._seq + 1, self._clock.now_ms(), self._rtt_ms, self._hidden))
                self._seq += 1
                self._beaten.set()
                await asyncio.sleep(every_s)

    async def _send(self, frame: live.PointFrame) -> None:
        await self._socket.send(msgspec.json.encode(frame), text=True)
        self.spoke_ms = self._clock.now_ms()

    async def _receive(self, kind: type[F]) -> F:
        frame = FRAMES.decode(await self._socket.recv())
        assert isinstance(frame, kind)  # noqa: S101 the protocol's order
        return frame
