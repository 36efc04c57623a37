"""One indexed statement, straight through the driver: what the door asks thousands of times a minute.

The statement is still written once, with SQLAlchemy Core, for both databases; only its execution goes around it.

On SQLite it is asked on the event loop itself, wherever possible on the connection that writes the batches: what that
one has read stays read, where any other connection forgets all pages at each commit.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from diemcau import limits

if TYPE_CHECKING:
    from collections.abc import Collection

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

Row = tuple[Any, ...]
SOME = 32
"""Keys in one statement on SQLite: at a time they cost a third of what they cost one by one."""

FEW = 6
"""So many are asked for one by one; more in a statement for `SOME`, filled up."""

KEYS = tuple(f"key_{index}" for index in range(SOME))
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


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """One question for a single key and for many; the key is the first column of its rows."""

    one: Lookup
    some: Lookup
    any: Lookup

    @classmethod
    def over(cls, query: sa.Select[Any], key: sa.ColumnElement[Any], kind: sa.types.TypeEngine[Any]) -> Search:
        """The `query` for rows whose `key`, of this kind, is asked for; other values are named `sa.bindparam`s."""
        keyed = query.with_only_columns(key, *query.selected_columns)
        some = key.in_([sa.bindparam(name) for name in KEYS])
        many = sa.any_(sa.bindparam("keys", type_=ARRAY(kind)))
        return cls(
            Lookup(keyed.where(key == sa.bindparam("key"))), Lookup(keyed.where(some)), Lookup(keyed.where(key == many))
        )


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    names: tuple[str, ...]
    own: dict[str, object]


class _Plain(asyncpg.Connection):  # type: ignore[misc]
    """Look-ups leave nothing behind, so nothing has to be reset between them."""

    def get_reset_query(self) -> str:
        return ""


class Lookups(Protocol):
    """Whoever answers look-ups on one database."""

    async def rows(self, lookup: Lookup, values: dict[str, object]) -> list[Row]:
        """The rows of `lookup` with `values`, each a tuple."""

    async def found(self, search: Search, keys: Collection[Any], values: dict[str, object]) -> list[Row]:
        """The rows of all these keys, each once."""

    async def close(self) -> None:
        """Close what was opened."""


class Sharing(Protocol):
    """Whose connection look-ups use as long as it is free (`engine`)."""

    @property
    def free(self) -> sqlite3.Connection | None:
        """The connection; None while a thread works with it."""


class SqliteLookups:
    """Look-ups on the event loop."""

    def __init__(self, url: sa.URL, sharing: Sharing) -> None:
        self._url = url
        self._sharing = sharing
        self._own: sqlite3.Connection | None = None

    async def rows(self, lookup: Lookup, values: dict[str, object]) -> list[Row]:
        """See `Lookups`."""
        return self._rows(lookup, values)

    async def found(self, search: Search, keys: Collection[Any], values: dict[str, object]) -> list[Row]:
        """See `Lookups`."""
        return self._found(search, list(keys), values)

    def _found(self, search: Search, keys: list[Any], values: dict[str, object]) -> list[Row]:
        found: list[Row] = []
        while len(keys) > FEW:
            part = keys[:SOME]
            del keys[:SOME]
            part += part[:1] * (SOME - len(part))
            found += self._rows(search.some, {**dict(zip(KEYS, part, strict=True)), **values})
        for key in keys:
            found += self._rows(search.one, {"key": key, **values})
        return found

    def _rows(self, lookup: Lookup, values: dict[str, object]) -> list[Row]:
        statement, bound = lookup.bound(SQLITE, values)
        connection = self._sharing.free or self._own
        if connection is None:
            connection = self._own = self._open()
        return connection.execute(statement, bound).fetchall()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._url.database or "", isolation_level=None)
        connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MS}")
        connection.execute("PRAGMA query_only = ON")
        connection.execute(f"PRAGMA mmap_size = {limits.DATABASE_MAPPED_BYTES_MAX}")
        return connection

    async def close(self) -> None:
        """See `Lookups`."""
        if self._own is not None:
            self._own.close()
            self._own = None


class PostgresLookups:
    """Look-ups over a pool of connections, in which nothing has to be reset."""

    def __init__(self, url: sa.URL) -> None:
        self._url = url
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def rows(self, lookup: Lookup, values: dict[str, object]) -> list[Row]:
        """See `Lookups`."""
        statement, bound = lookup.bound(POSTGRESQL, values)
        pool = self._pool or await self._open_pool()
        for _ in range(limits.READ_CONNECTIONS):  # after a restart all of them are dead; looking up again is harmless
            try:
                return [tuple(row) for row in await pool.fetch(statement, *bound)]
            except LOST:
                continue
        return [tuple(row) for row in await pool.fetch(statement, *bound)]

    async def found(self, search: Search, keys: Collection[Any], values: dict[str, object]) -> list[Row]:
        """See `Lookups`."""
        if len(keys) == 1:
            return await self.rows(search.one, {"key": next(iter(keys)), **values})
        return await self.rows(search.any, {"keys": list(keys), **values})

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

    async def close(self) -> None:
        """See `Lookups`."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None
