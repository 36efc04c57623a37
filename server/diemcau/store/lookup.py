"""One indexed statement, straight through the driver: what the door asks thousands of times a minute.

The statement is still written once, with SQLAlchemy Core, for both databases; only its execution goes around it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from diemcau import limits

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine.interfaces import Dialect

SQLITE = SQLiteDialect_pysqlite(paramstyle="qmark")
POSTGRESQL: Dialect = PGDialect_asyncpg(  # type: ignore[no-untyped-call]
    paramstyle="numeric_dollar"
)
LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What a connection says that PostgreSQL ended, at the next question or in the midst of one."""

SQLITE_BUSY_MS = 1_000
"""Readers of a WAL never wait for the writer; only the recovery after a crash could make them, and briefly."""


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A statement with named `sa.bindparam`s; few rows by an index, never a scan."""

    statement: sa.Select[Any]
    _compiled: dict[str, _Compiled] = field(default_factory=dict)

    def bound(self, dialect: Dialect, values: dict[str, object]) -> tuple[str, list[object]]:
        """The text for `dialect` and its parameters in order."""
        known = self._compiled.get(dialect.name)
        if known is None:
            made = self.statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
            known = self._compiled[dialect.name] = _Compiled(str(made), tuple(made.positiontup or ()), made.params)
        given = known.own | values
        return known.text, [given[name] for name in known.names]


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    names: tuple[str, ...]
    own: dict[str, object]


class _Plain(asyncpg.Connection):  # type: ignore[misc]
    """Look-ups leave nothing behind, so nothing has to be reset between them."""

    def get_reset_query(self) -> str:
        return ""


class Lookups:
    """Connections for look-ups. On SQLite a single one, used on the event loop itself: a hit takes microseconds."""

    def __init__(self, url: sa.URL) -> None:
        self._url = url
        self._sqlite: sqlite3.Connection | None = None
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def rows(self, lookup: Lookup, values: dict[str, object]) -> list[tuple[Any, ...]]:
        """The rows of `lookup` with `values`, each a tuple."""
        if self._url.drivername.startswith("sqlite"):
            statement, bound = lookup.bound(SQLITE, values)
            if self._sqlite is None:
                self._sqlite = self._open()
            return self._sqlite.execute(statement, bound).fetchall()
        statement, bound = lookup.bound(POSTGRESQL, values)
        pool = self._pool or await self._open_pool()
        for _ in range(limits.READ_CONNECTIONS):  # after a restart all of them are dead; looking up again is harmless
            try:
                return [tuple(row) for row in await pool.fetch(statement, *bound)]
            except LOST:
                continue
        return [tuple(row) for row in await pool.fetch(statement, *bound)]

    async def _open_pool(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url.set(drivername="postgresql").render_as_string(hide_password=False),
                    min_size=1,
                    max_size=limits.READ_CONNECTIONS,
                    connection_class=_Plain,
                )
            return self._pool

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._url.database or "", isolation_level=None)
        connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MS}")
        connection.execute("PRAGMA query_only = ON")
        connection.execute(f"PRAGMA mmap_size = {limits.DATABASE_MAPPED_BYTES_MAX}")
        return connection

    async def close(self) -> None:
        """Close what was opened."""
        if self._sqlite is not None:
            self._sqlite.close()
            self._sqlite = None
        if self._pool is not None:
            await self._pool.close()
            self._pool = None
