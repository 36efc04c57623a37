"""Opening a database: engines for readers and for the one writer, on SQLite or PostgreSQL."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from diemcau import limits
from diemcau.errors import StartError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.engine.interfaces import DBAPIConnection

Connection = AsyncConnection
"""What the modules of this package take first; services pass it on without looking inside."""


def parse_url(database: str) -> sa.URL:
    """The URL with its async driver: `sqlite:///…` or `postgresql://…`.

    Raises:
        StartError: `database_url` when it is neither.
    """
    try:
        url = sa.make_url(database)
    except sa.exc.ArgumentError:
        raise StartError("database_url", database=database) from None
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+asyncpg",
        "postgres": "postgresql+asyncpg",
    }
    base = url.drivername.split("+")[0]
    if base not in drivers:
        raise StartError("database_url", database=url.render_as_string())
    return url.set(drivername=drivers[base])


def file_of(url: sa.URL) -> Path | None:
    """The embedded database's file; None on PostgreSQL."""
    return Path(url.database) if url.drivername.startswith("sqlite") and url.database else None


class Engines:
    """A pool of readers and the writer's own connection; `dialect` is "sqlite" or "postgresql"."""

    def __init__(self, database: str) -> None:
        self.url = parse_url(database)
        self.dialect = "sqlite" if self.url.drivername.startswith("sqlite") else "postgresql"
        self.readers = self._engine(limits.READ_CONNECTIONS)
        self.writing = self._engine(1)

    def _engine(self, connections: int) -> AsyncEngine:
        if self.dialect == "sqlite":
            engine = create_async_engine(
                self.url,
                poolclass=AsyncAdaptedQueuePool,
                pool_size=connections,
                max_overflow=0,
                pool_timeout=30,
            )
            event.listen(engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(engine.sync_engine, "begin", _begin_sqlite)
            return engine
        return create_async_engine(
            self.url,
            pool_size=connections * 2 if connections > 1 else 1,
            max_overflow=0,
            pool_pre_ping=connections > 1,
            connect_args={"server_settings": {"synchronous_commit": "on"}},
        )

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading; all statements in it see one state of the database."""
        async with self.readers.connect() as connection:
            if self.dialect == "postgresql":
                _ = await connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self.readers.dispose()
        await self.writing.dispose()


def _prepare_sqlite(dbapi_connection: DBAPIConnection, _record: object) -> None:
    # The driver's own BEGIN comes too late for a write lock and not at all for a read snapshot: we say it.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in (
        f"busy_timeout = {limits.DATABASE_LOCK_WAIT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",  # NORMAL may lose an acknowledged commit at power loss (I1)
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "cache_size = -32768",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    immediate = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


ROOM_BYTES_MIN = 4 * 1_048_576
"""Less room than this on the database's disk is what an I/O error means there."""


def start_error(error: BaseException, url: sa.URL) -> StartError | None:
    """What a failure to open or write the database means to the person who started the server, if known."""
    file = file_of(url)
    where = str(file or url.render_as_string())
    cause: BaseException | None = error.orig if isinstance(error, DBAPIError) else error
    text = str(cause).lower()
    if isinstance(cause, OSError) and file is None:
        return StartError("database_unreachable", where=where)
    if not isinstance(cause, (OSError, sqlite3.Error)):
        return None
    if "full" in text or "no space" in text or ("i/o error" in text and file and not _has_room(file)):
        return StartError("disk_full", where=where)
    if "locked" in text:
        return StartError("database_locked", where=where)
    if "not a database" in text or "malformed" in text:
        return StartError("not_a_database", where=where)
    return StartError("database_unwritable", where=where)


def _has_room(file: Path) -> bool:
    return shutil.disk_usage(file.parent).free >= ROOM_BYTES_MIN
