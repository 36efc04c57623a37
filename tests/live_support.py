"""What the tests of the live link share: devices and boards that speak the wire protocol, and time that passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from support import Running
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from diemcau.domain.authority import System
from diemcau.services import board, link
from diemcau.wire import live

F = TypeVar("F")
PATIENCE_S = 10
STEP_S = 1.0


@dataclass(slots=True)
class Speaker:
    """One end of a socket. `sent` counts this device's beats."""

    socket: ClientConnection
    union: Any
    beats: int = 0
    unread: list[Any] = field(default_factory=list)

    async def say(self, frame: msgspec.Struct) -> None:
        """Send a frame."""
        await self.socket.send(msgspec.json.encode(frame).decode())

    async def hear(self, kind: type[F]) -> F:
        """The next frame of this kind; others that come first are passed over."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                frame = msgspec.json.decode(await self.socket.recv(), type=self.union)
                if isinstance(frame, kind):
                    return frame

    async def beat(self, *, rtt_ms: float | None = 20.0, hidden: bool = False) -> live.BeatAck:
        """Beat, and hear the answer."""
        self.beats += 1
        await self.say(live.Beat(self.beats, 0, rtt_ms, hidden))
        return await self.hear(live.BeatAck)

    async def closed(self) -> int:
        """The code that the server closes with."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed as error:
                return error.rcvd.code if error.rcvd else 1006


@asynccontextmanager
async def socket(running: Running, path: str, **options: Any) -> AsyncIterator[Speaker]:
    """A socket that heard hello."""
    url = running.admin.origin.replace("http", "ws", 1) + path
    union = live.ServerPointFrame if path.endswith("point") else live.ServerBoardFrame
    async with connect(url, compression=None, ping_interval=None, max_size=None, close_timeout=1, **options) as opened:
        speaker = Speaker(opened, union)
        await speaker.hear(live.Hello)
        yield speaker


async def token(running: Running, point: str, kind: str = "operator") -> str:
    """The token of a freshly paired device."""
    made = await running.admin.ok("POST", f"/api/v1/points/{point}/pairings", {"kind": kind})
    paired = await running.anonymous.ok("POST", "/api/v1/pair", {"code": made["code"], "device": "máy"})
    return str(paired["token"])


@asynccontextmanager
async def device(running: Running, of: str, **fields: Any) -> AsyncIterator[tuple[Speaker, live.Welcome]]:
    """A device with the token `of` that was welcomed."""
    async with socket(running, "/ws/v1/point") as speaker:
        await speaker.say(live.Identify(live.PROTOCOL_VERSION, of, "boot", **fields))
        yield speaker, await speaker.hear(live.Welcome)


async def settle(running: Running) -> None:
    """Store what the links did and show it."""
    await link.tick(System(), running.context)
    await link.store(System(), running.context)
    running.context.live.flush()


async def pass_time(running: Running, seconds: float) -> None:
    """Let time pass in steps, the wheel turning as it does."""
    left = seconds
    while left > 0:
        running.clock.advance(min(STEP_S, left))
        await link.tick(System(), running.context)
        left -= STEP_S
    await settle(running)


async def row(running: Running, point: str, session: str = "S1") -> dict[str, Any]:
    """The point's row of GET live, once all is stored."""
    await settle(running)
    answer = await running.admin.ok("GET", f"/api/v1/sessions/{session}/live")
    (found,) = [found for found in answer["points"] if found["point"] == point]
    return dict(found)


async def loaded(running: Running, session_id: int) -> None:
    """Let the live side know of a session that was written straight into the tables."""
    await board.refresh(System(), running.context, session_id)
