"""Bringing a database to the schema: a fresh one is created and stamped, an older one goes through Alembic.

Alembic itself is imported only when the database is behind: a start must not wait for it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.errors import StartError
from diemcau.store import name_search  # noqa: F401 makes its index with the tables
from diemcau.store.engine import file_of, shown
from diemcau.store.schema import instance, metadata

if TYPE_CHECKING:
    from diemcau.store.engine import Engines

HEAD = "0002"
"""The revision that `schema.metadata` is at; tested against the scripts."""

SCRIPTS = Path(__file__).with_name("migrations")
VERSION = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As Alembic itself makes it."""

LOCK_KEY = 0x6469656D
"""Two servers that start together on one PostgreSQL wait for each other here."""


async def prepare(engines: Engines) -> None:
    """Make the database ready to serve; all or nothing.

    Raises:
        StartError: `not_a_database` (something else lives there; it is left as it was) or `database_newer`.
    """
    file = file_of(engines.url)
    where = shown(engines.url)
    if file:
        await asyncio.to_thread(_look, file)
    async with engines.writing.begin() as connection:
        await connection.run_sync(_prepare, where)


def _look(file: Path) -> None:
    """Open the file for reading only: to open it as ours would already change what is not ours.

    Raises:
        StartError: it has tables, but not ours.
        sqlite3.DatabaseError: it is no database.
    """
    if not file.exists() or not file.stat().st_size:
        return
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    _refuse_foreign(tables, str(file))


def _refuse_foreign(tables: set[str], where: str) -> None:
    if tables and not {VERSION.name, instance.name} <= tables:
        raise StartError("not_a_database", where=where)


def _prepare(connection: sa.Connection, where: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_KEY)))
    tables = set(sa.inspect(connection).get_table_names())
    _refuse_foreign(tables, where)
    if not tables:
        metadata.create_all(connection)
        VERSION.create(connection)
        connection.execute(sa.insert(VERSION).values(version_num=HEAD))
        return
    found = connection.execute(sa.select(VERSION.c.version_num)).scalar()
    if found != HEAD:
        _upgrade(connection, found, where)


def _upgrade(connection: sa.Connection, found: str | None, where: str) -> None:
    from alembic import command, config, script  # noqa: PLC0415 a tenth of a second that most starts do not need

    settings = config.Config()
    settings.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    settings.attributes["connection"] = connection
    known = {revision.revision for revision in script.ScriptDirectory.from_config(settings).walk_revisions()}
    if found is not None and found not in known:
        raise StartError("database_newer", where=where)
    command.upgrade(settings, HEAD)
