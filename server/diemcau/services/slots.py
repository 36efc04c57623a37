"""A bounded number of heavy works at once, a bounded number in line, and an honest "later" to the rest."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from diemcau.errors import OverloadedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RETRY_AFTER_S = 15


class Slots:
    """At most `running` works at once and `waiting` in line."""

    def __init__(self, running: int, waiting: int) -> None:
        self._free = asyncio.Semaphore(running)
        self._room = running + waiting

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Hold a slot, after a wait if need be.

        Raises:
            OverloadedError: too many wait already.
        """
        if self._room <= 0:
            raise OverloadedError(retry_after_s=RETRY_AFTER_S)
        self._room -= 1
        try:
            async with self._free:
                yield
        finally:
            self._room += 1
