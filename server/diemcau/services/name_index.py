"""Keeps the index of names up with the lists that came in (SQLite; PostgreSQL does it by itself)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from diemcau import limits
from diemcau.store import name_search

if TYPE_CHECKING:
    from diemcau.domain.authority import System
    from diemcau.services.context import Context

log = structlog.get_logger()


async def catch_up(actor: System, context: Context) -> None:
    """Take over everybody who waits, some at a time, so that no check-in waits for it."""
    del actor
    async with context.read() as connection:
        more = await name_search.waiting(connection)
    while more:
        more = await context.writer.write(name_search.catch_up)


async def keep(actor: System, context: Context) -> None:
    """Look every few seconds, until cancelled; searches are right meanwhile, only slower."""
    while context.engines.dialect == "sqlite":
        try:
            await catch_up(actor, context)
        except Exception as error:  # noqa: BLE001 a database away for a minute must not stop this for the day
            log.warning("the index of names waits", error=repr(error))
        await asyncio.sleep(limits.NAMES_INDEXED_TICK_S)
