"""Bringing a database to the schema: a fresh one is created and stamped, an older one goes through Alembic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau.store.schema import metadata

if TYPE_CHECKING:
    from diemcau.store.engine import Engines


async def prepare(engines: Engines) -> None:
    """Make the database ready to serve."""
    async with engines.writing.connect() as raw:
        connection = await raw.execution_options(writing=True)
        async with connection.begin():
            await connection.run_sync(metadata.create_all)
