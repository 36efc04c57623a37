"""Opening a database: new, known, older, newer, foreign; on both kinds, with real files and a real PostgreSQL."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sample
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from diemcau.errors import StartError
from diemcau.store import migrate
from diemcau.store.engine import Engines, file_of
from diemcau.store.schema import attendee, metadata

NEXT = """
from alembic import op
import sqlalchemy as sa
revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("attendee", sa.Column("nickname", sa.Text(), nullable=False, server_default="none"))
"""

OURS = "attendee_name"
"""What store/name_search.py makes for names: no table or index that the metadata could describe."""


@pytest.fixture
async def fresh(database: str) -> AsyncIterator[Engines]:
    """A database without any table; empty again afterwards."""
    engines = Engines(database)
    await wipe(engines)
    yield engines
    await wipe(engines)
    await engines.close()


async def wipe(engines: Engines) -> None:
    """Drop everything."""
    if engines.dialect == "postgresql":
        async with engines.writing.begin() as connection:
            await connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            await connection.execute(sa.text("CREATE SCHEMA public"))


async def described(engines: Engines) -> dict[str, Any]:
    """Everything a database says about its tables."""

    def read(connection: sa.Connection) -> dict[str, Any]:
        inspector = sa.inspect(connection)
        found: dict[str, Any] = {}
        for table in inspector.get_table_names():
            columns = [{**column, "type": repr(column["type"])} for column in inspector.get_columns(table)]
            found[table] = {
                "columns": columns,
                "key": inspector.get_pk_constraint(table),
                "references": _sorted(inspector.get_foreign_keys(table)),
                "indexes": _sorted([_plain(index) for index in inspector.get_indexes(table)]),
                "unique": _sorted(inspector.get_unique_constraints(table)),
                "checks": _sorted(inspector.get_check_constraints(table)),
            }
        return found

    async with engines.writing.begin() as connection:
        return await connection.run_sync(read)


def _plain(index: Any) -> dict[str, Any]:
    """An index with its condition as text: as an expression it equals nothing, not even itself read again."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": options}


def _sorted(items: Any) -> list[Any]:
    return sorted(items, key=lambda item: str(item["name"]))


async def stamp(engines: Engines, revision: str) -> None:
    """Claim another revision."""
    async with engines.writing.begin() as connection:
        await connection.execute(sa.update(migrate.VERSION).values(version_num=revision))


async def migrated(engines: Engines) -> None:
    """Go through the scripts from nothing, as an old database would."""

    def run(connection: sa.Connection) -> None:
        migrate.VERSION.create(connection)
        migrate._upgrade(connection, None, "here")

    async with engines.writing.begin() as connection:
        await connection.run_sync(run)


async def test_migrated_equals_created(fresh: Engines) -> None:
    """A server that was upgraded for years and one that starts today must not differ."""
    await migrate.prepare(fresh)
    created = await described(fresh)
    if file := file_of(fresh.url):
        await fresh.close()
        file.unlink()
        for beside in file.parent.glob("*.db-*"):
            beside.unlink()
    await wipe(fresh)
    await migrated(fresh)
    assert await described(fresh) == created

    def differences(connection: sa.Connection) -> list[Any]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": lambda name, *_: not str(name).startswith(OURS)}
        )
        return list(compare_metadata(context, metadata))

    async with fresh.writing.begin() as connection:
        assert await connection.run_sync(differences) == []


def test_the_named_head_is_the_last_script() -> None:
    """A forgotten constant would leave new databases behind their own scripts."""
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    assert ScriptDirectory.from_config(config).get_current_head() == migrate.HEAD


async def test_opening_again_changes_nothing(fresh: Engines) -> None:
    """A restart in the middle of a conference finds everything as it was."""
    await migrate.prepare(fresh)
    await sample.fill(fresh)
    before = await described(fresh)
    await migrate.prepare(fresh)
    assert await described(fresh) == before
    async with fresh.read() as connection:
        assert len(list(await connection.execute(sa.select(attendee)))) == len(sample.PEOPLE)


async def test_an_upgrade_keeps_every_row(fresh: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new version of the program must not cost anybody their list."""
    await migrate.prepare(fresh)
    await sample.fill(fresh)
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate.SCRIPTS, scripts)
    (scripts / "versions" / "0003_next.py").write_text(NEXT)
    monkeypatch.setattr(migrate, "SCRIPTS", scripts)
    monkeypatch.setattr(migrate, "HEAD", "0003")
    await migrate.prepare(fresh)
    async with fresh.read() as connection:
        rows = list(await connection.execute(sa.text("SELECT code, full_name, nickname FROM attendee ORDER BY code")))
        assert [(row.code, row.full_name) for row in rows] == [person[:2] for person in sample.PEOPLE]
        assert {row.nickname for row in rows} == {"none"}
        assert (await connection.execute(sa.select(migrate.VERSION.c.version_num))).scalar() == "0003"


async def test_a_failed_upgrade_leaves_everything(
    fresh: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever meets a broken upgrade goes back to the old version and works on."""
    await migrate.prepare(fresh)
    before = await described(fresh)
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate.SCRIPTS, scripts)
    (scripts / "versions" / "0003_next.py").write_text(NEXT + "    raise RuntimeError('power cut')\n")
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "SCRIPTS", scripts)
        patched.setattr(migrate, "HEAD", "0003")
        with pytest.raises(RuntimeError, match="power cut"):
            await migrate.prepare(fresh)
    await migrate.prepare(fresh)
    assert await described(fresh) == before


async def test_a_newer_database_is_said_to_be(fresh: Engines) -> None:
    """An older program must not guess at tables it does not know."""
    await migrate.prepare(fresh)
    await stamp(fresh, "9999")
    with pytest.raises(StartError) as caught:
        await migrate.prepare(fresh)
    assert caught.value.code == "database_newer"
    assert "password" not in str(caught.value)


async def test_a_foreign_database_is_left_alone(fresh: Engines) -> None:
    """Pointing --database at another program's data must neither fill nor break it."""
    file = file_of(fresh.url)
    before = b""
    create = "CREATE TABLE alembic_version (version_num VARCHAR(32)); CREATE TABLE invoices (id INTEGER)"
    if file:
        with sqlite3.connect(file) as connection:
            connection.executescript(create)
        connection.close()
        before = file.read_bytes()
    else:
        async with fresh.writing.begin() as opened:
            for statement in create.split("; "):
                await opened.execute(sa.text(statement))
    with pytest.raises(StartError) as caught:
        await migrate.prepare(fresh)
    assert caught.value.code == "not_a_database"
    if file:
        assert file.read_bytes() == before
    else:
        assert set(await described(fresh)) == {"alembic_version", "invoices"}


async def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    """`touch` before the first start is no reason to refuse."""
    (tmp_path / "empty.db").touch()
    engines = Engines(f"sqlite:///{tmp_path}/empty.db")
    await migrate.prepare(engines)
    assert "session" in await described(engines)
    await engines.close()


def test_starting_does_not_load_alembic(tmp_path: Path) -> None:
    """A start within a second, fresh or not, has no tenth of it for Alembic."""
    script = f"""
import asyncio, sys
from diemcau.store import migrate
from diemcau.store.engine import Engines, file_of

async def main():
    for _ in range(2):
        engines = Engines("sqlite:///{tmp_path}/quick.db")
        await migrate.prepare(engines)
        await engines.close()

asyncio.run(main())
assert "alembic" not in sys.modules, "alembic was imported"
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
