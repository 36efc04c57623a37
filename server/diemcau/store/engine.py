"""Opening a database: engines for readers and for the one writer, on SQLite or PostgreSQL.

Three ways lead in:

- `read`, for services: several statements that see one state of the database;
- `lookup`, for the door: one indexed statement, answered by the driver itself (8 µs on SQLite, where `read` costs
  400, because SQLAlchemy's async driver hands every call to a thread and back);
- `transact`, for the writer's batches: a whole transaction without SQLAlchemy's async driver in between.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, StaticPool
from sqlalchemy.util import await_only

from diemcau import limits
from diemcau.errors import StartError
from diemcau.store.driver import errors
from diemcau.store.lookup import Lookup, Lookups, PostgresLookups, Search, SqliteLookups

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry, PoolResetState

T = TypeVar("T")
Connection = AsyncConnection
"""What the modules of this package take first; services pass it on without looking inside."""


def parse_url(database: str) -> sa.URL:
    """The URL with its async driver: `sqlite:///…` or `postgresql://…`.

    Raises:
        StartError: `database_url` when it is neither, or an embedded one without a file.
    """
    try:
        url = sa.make_url(database)
    except (sa.exc.ArgumentError, ValueError):
        raise StartError("database_url", database=database) from None
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+asyncpg",
        "postgres": "postgresql+asyncpg",
    }
    base = url.drivername.split("+")[0]
    if base not in drivers or (base == "sqlite" and not url.database):
        raise StartError("database_url", database=url.render_as_string())
    return url.set(drivername=drivers[base])


def shown(url: sa.URL) -> str:
    """Where the database is, for people: its file, or its address without password and driver."""
    return str(file_of(url) or url.set(drivername=url.get_backend_name()).render_as_string())


def file_of(url: sa.URL) -> Path | None:
    """The embedded database's file; None on PostgreSQL."""
    return Path(url.database) if url.drivername.startswith("sqlite") and url.database else None


BATCH_SETTINGS = {"enable_seqscan": "off", "jit": "off"}
"""Of PostgreSQL's connection for batches, whose plans are made once, while the tables are still empty: without this it
goes on reading a log of 50,000 entries from end to end for every batch, until statistics are gathered."""


class Engines:
    """A pool of readers, the writer's own connection and the look-ups; `dialect` is "sqlite" or "postgresql"."""

    def __init__(self, database: str) -> None:
        self.url = parse_url(database)
        self.dialect = "sqlite" if self.url.drivername.startswith("sqlite") else "postgresql"
        self.readers = self._engine(limits.READ_CONNECTIONS)
        self.writing = self._engine(1).execution_options(writing=True)
        self._batches = _Batches(self.url) if self.dialect == "sqlite" else None
        self._lookups: Lookups = SqliteLookups(self.url, self._batches) if self._batches else PostgresLookups(self.url)
        self._batching = self._engine(1, **BATCH_SETTINGS)
        self.kept: dict[tuple[str, ...], Any] | None = {} if self._batches else None
        """What was looked up since the last job wrote (batches change none of it); None where others write too."""
        event.listen(self.writing.sync_engine, "checkin", self._forget)

    def _engine(self, connections: int, **settings: str) -> AsyncEngine:
        if self.dialect == "sqlite":
            engine = create_async_engine(
                self.url,
                poolclass=AsyncAdaptedQueuePool,
                pool_size=connections,
                max_overflow=0,
                pool_timeout=30,
                pool_reset_on_return=None,
            )
            event.listen(engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(engine.sync_engine, "begin", _begin_sqlite)
            event.listen(engine.sync_engine, "reset", _reset_sqlite)
            return engine
        return create_async_engine(
            self.url,
            pool_size=connections * 2 if connections > 1 else 1,
            max_overflow=0,
            pool_pre_ping=connections > 1,
            connect_args={"server_settings": {"synchronous_commit": "on", **settings}},
        )

    def _forget(self, *_: object) -> None:
        if self.kept is not None:
            self.kept.clear()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading; all statements in it see one state of the database."""
        async with self.readers.connect() as connection:
            if self.dialect == "postgresql":
                _ = await connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    async def lookup(self, lookup: Lookup, **values: object) -> list[tuple[Any, ...]]:
        """The rows of one indexed statement, as the driver gives them; sees what was last committed."""
        return await self._lookups.rows(lookup, values)

    async def found(self, search: Search, keys: Collection[Any], **values: object) -> list[tuple[Any, ...]]:
        """The rows of all these keys, each once."""
        return await self._lookups.found(search, keys, values) if keys else []

    async def transact(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in one writing transaction and return its result once that is durable."""
        if self._batches:
            return await self._batches.run(work)
        async with self._batching.begin() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        """Close every connection."""
        await self._lookups.close()
        if self._batches:
            self._batches.close()
        await self.readers.dispose()
        await self.writing.dispose()
        await self._batching.dispose()


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
    if connection.get_execution_options().get("writing"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:  # one hop to the driver's thread, where a cursor would take three
        driver = connection.connection.driver_connection
        await_only(driver.execute_fetchall("BEGIN"))  # type: ignore[union-attr]


def _reset_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry, _state: PoolResetState) -> None:
    """End what a cancelled reader left open; usually there is nothing, and asking costs no hop."""
    if connection.driver_connection.in_transaction:
        connection.rollback()


class _Batches:
    """Whole transactions on SQLite, one after the other, on a connection of its own.

    Their statements run on the event loop, and only what may take long, waiting for another process' lock and the
    commit, in a thread. SQLite's driver lets go of the interpreter's lock at every row; a thread that does so beside
    a busy loop waits for its turn each time, which cost more than all the statements.
    """

    def __init__(self, url: sa.URL) -> None:
        self._thread = ThreadPoolExecutor(1, "diemcau-commits")
        self._engine = sa.create_engine(
            url.set(drivername="sqlite"), poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        event.listen(self._engine, "connect", _prepare_sqlite)
        event.listen(self._engine, "connect", _prepare_batches)
        self._connection: sa.Connection | None = None
        self._driver: sqlite3.Connection | None = None
        self._away = False

    @property
    def free(self) -> sqlite3.Connection | None:
        """The connection, for reading; None while the thread works with it."""
        return None if self._away else self._driver

    async def run(self, work: Callable[[sa.Connection], T]) -> T:
        """The transaction is ours and not SQLAlchemy's, which would spend 100 µs on beginning and ending it."""
        connection, driver = self._opened()
        with errors(connection):
            await self._begin(driver)
            return await self._write(connection, driver, work)

    async def _write(
        self, connection: sa.Connection, driver: sqlite3.Connection, work: Callable[[sa.Connection], T]
    ) -> T:
        try:
            result = work(connection)
            await self._in_thread(driver.commit)
        except BaseException:
            driver.rollback()
            raise
        finally:
            if connection.in_transaction():  # as SQLAlchemy thinks, if `work` asked it anything
                connection.rollback()
        return result

    def _opened(self) -> tuple[sa.Connection, sqlite3.Connection]:
        if self._connection is None or self._driver is None:
            self._connection = self._engine.connect()
            driver = self._connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)  # noqa: S101 for the type checker
            self._driver = driver
        return self._connection, self._driver

    async def _begin(self, driver: sqlite3.Connection) -> None:
        """Take the database's lock at once, which is how it goes where nobody else writes; else wait elsewhere."""
        try:
            driver.execute(BEGIN)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            await self._in_thread(_begin_patiently, driver)

    async def _in_thread(self, call: Callable[..., object], *arguments: object) -> None:
        self._away = True
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)
        finally:
            self._away = False

    def close(self) -> None:
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()


BEGIN = "BEGIN IMMEDIATE"


def _prepare_batches(dbapi_connection: DBAPIConnection, _record: object) -> None:
    """Nothing waits on the event loop. A batch looks up a row here and there: as `lookup`, it reads them in place."""
    dbapi_connection.execute("PRAGMA busy_timeout = 0")
    dbapi_connection.execute(f"PRAGMA mmap_size = {limits.DATABASE_MAPPED_BYTES_MAX}")


def _begin_patiently(driver: sqlite3.Connection) -> None:
    driver.execute(f"PRAGMA busy_timeout = {limits.DATABASE_LOCK_WAIT_MS}")
    try:
        driver.execute(BEGIN)
    finally:
        driver.execute("PRAGMA busy_timeout = 0")


ROOM_BYTES_MIN = 4 * 1_048_576
"""Less room than this on the database's disk is what an I/O error means there."""


def start_error(error: BaseException, url: sa.URL) -> StartError | None:
    """What a failure to open or write the database means to the person who started the server, if known."""
    file = file_of(url)
    where = shown(url)
    cause: BaseException | None = error.orig if isinstance(error, DBAPIError) else error
    if file is None:
        return _refused(error, cause, where)
    text = str(cause).lower()
    if not isinstance(cause, (OSError, sqlite3.Error)):
        return None
    if "full" in text or "no space" in text or ("i/o error" in text and not _has_room(file)):
        return StartError("disk_full", where=where)
    if "locked" in text:
        return StartError("database_locked", where=where)
    if "not a database" in text or "malformed" in text:
        return StartError("not_a_database", where=where)
    return StartError("database_unwritable", where=where)


def _refused(error: BaseException, cause: BaseException | None, where: str) -> StartError | None:
    """What keeps PostgreSQL from serving us: not there, an address with options it does not know, or its own words."""
    if isinstance(cause, OSError):
        return StartError("database_unreachable", where=where)
    if isinstance(error, TypeError):  # the driver's way to say that it knows no such option
        return StartError("database_url", database=where)
    if isinstance(error, DBAPIError):
        said = str(error.orig.__cause__ or error.orig) if error.orig else str(error)
        return StartError("database_refused", where=where, reason=said.splitlines()[0])
    return None


def _has_room(file: Path) -> bool:
    return shutil.disk_usage(file.parent).free >= ROOM_BYTES_MIN
