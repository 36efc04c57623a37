"""What the displays in the halls show: each hall's door code, as its paired device gets it from the server."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from diemcau.domain import door_code
from diemcau.wire import api

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diemcau.clock import Clock
    from diemcau.demo.client import Client

DISPLAY_BEHIND_MS = 2_000
"""A display shows server time minus two seconds, so that it is never ahead of the server (DESIGN.md §6)."""

OLD_STEPS = 40
"""A photograph of the code, ten minutes old."""


@dataclass(slots=True)
class _Door:
    door: api.Door
    ahead_ms: int
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Doors:
    """All doors; a hall's door is fetched when somebody first looks at it, and again when its codes run out."""

    client: Client
    session: str
    tokens: Mapping[str, str]
    clock: Clock
    _doors: dict[str, _Door] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def code(self, hall: str) -> str:
        """The code on the hall's screen now."""
        shown = self._shown(hall)
        if shown:
            return shown
        async with self._locks.setdefault(hall, asyncio.Lock()):
            if not (shown := self._shown(hall)):
                await self._fetch(hall)
                shown = self._shown(hall)
        return shown

    async def old_code(self, hall: str) -> str:
        """A code that the door no longer takes: an expired one where the key is known, else a misread one."""
        now = await self.code(hall)
        door = self._doors[hall].door
        if door.key is not None:
            step = door_code.step_of(self._now_ms(hall)) - OLD_STEPS
            return door_code.encode(door.door_id, base64.b64decode(door.key), step)
        return now[:8] + ("A" if now[8] != "A" else "B") + now[9:]

    async def url(self, hall: str) -> str:
        """What the hall's QR says now."""
        code = await self.code(hall)
        return self._doors[hall].door.url_prefix + code

    def _shown(self, hall: str) -> str:
        known = self._doors.get(hall)
        if known is None:
            return ""
        now_ms = self._now_ms(hall)
        if known.door.key is not None:
            return door_code.encode(known.door.door_id, base64.b64decode(known.door.key), door_code.step_of(now_ms))
        step_ms = known.door.step_s * 1000
        current = [code.code for code in known.door.codes if code.from_ms <= now_ms < code.from_ms + step_ms]
        return current[-1] if current else ""

    def _now_ms(self, hall: str) -> int:
        return self.clock.now_ms() + self._doors[hall].ahead_ms - DISPLAY_BEHIND_MS

    async def _fetch(self, hall: str) -> None:
        path = f"/sessions/{self.session}/points/{hall}/door"
        door = await self.client.with_token(self.tokens[hall]).call("GET", path, api.Door)
        self._doors[hall] = _Door(door, door.server_ms - self.clock.now_ms())
