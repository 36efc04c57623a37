"""Real parts for every test: database files, PostgreSQL where it answers, a whole server on loopback."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
import sqlalchemy as sa
from phone import Phone
from sample import Sample, fill
from support import NOW_MS, PASSWORD, Client, Running, Start, free_port

from diemcau.app import Server
from diemcau.clock import ManualClock
from diemcau.config import Settings
from diemcau.domain.authority import System
from diemcau.domain.models import Role
from diemcau.services.accounts import add, issue_token
from diemcau.store import migrate
from diemcau.store.engine import Engines
from diemcau.store.schema import metadata
from diemcau.store.writer import Writer
from diemcau.wire import api

POSTGRES = os.environ.get("DIEMCAU_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
REQUIRED = set(os.environ.get("DIEMCAU_TEST_REQUIRE", "").split(","))


def skip_or_fail(part: str, reason: str) -> NoReturn:
    """Skip on a developer's machine, fail where the part was promised."""
    if part in REQUIRED:
        pytest.fail(f"{part} is required here: {reason}")
    pytest.skip(f"{part}: {reason}")


@pytest.fixture(scope="session")
def office() -> str:
    """LibreOffice Calc, which opens files as people do; skipped or failed where it is not installed."""
    program = shutil.which("soffice")
    return program or skip_or_fail("office", "no soffice (Debian: apt-get install libreoffice-calc)")


@pytest.fixture(scope="session")
def pdf_text() -> Callable[[bytes], str]:
    """Reads the text of a PDF as a person would, by poppler; skipped or failed where it is not installed."""
    program = shutil.which("pdftotext") or skip_or_fail("print", "no pdftotext (Debian: poppler-utils)")

    def read(content: bytes) -> str:
        command = [program, "-layout", "-", "-"]
        return subprocess.run(command, input=content, capture_output=True, check=True, timeout=60).stdout.decode()

    return read


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A database of this run's own on the PostgreSQL that answers; skipped or failed where none does."""
    name = f"diemcau_{uuid4().hex[:12]}"

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(POSTGRES, timeout=5)
        await connection.execute(statement)
        await connection.close()

    try:
        asyncio.run(run(f'CREATE DATABASE "{name}"'))
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        skip_or_fail("postgres", f"{POSTGRES}: {error}")
    yield POSTGRES.rpartition("/")[0] + "/" + name
    asyncio.run(run(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; a test that takes it runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/diemcau.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def engines(database: str) -> AsyncIterator[Engines]:
    """An open, empty database with its schema."""
    opened = Engines(database)
    await migrate.prepare(opened)
    yield opened
    if opened.dialect == "postgresql":
        await empty(opened)
    await opened.close()


async def empty(engines: Engines) -> None:
    """Remove every row, so that the next test finds the database as new."""
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    async with engines.writing.begin() as connection:
        await connection.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))


@pytest.fixture
async def writer(engines: Engines) -> AsyncIterator[Writer]:
    """A running writer on `engines`, drained at the end."""
    running = Writer(engines)
    task = asyncio.create_task(running.run())
    yield running
    running.drain()
    await task


@pytest.fixture
def clock() -> ManualClock:
    """Time stands still until the test moves it."""
    return ManualClock(NOW_MS)


@pytest.fixture
async def start(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Start]:
    """Starts servers; each is closed at the end of the test."""
    servers: list[Server] = []
    sessions: list[aiohttp.ClientSession] = []

    async def run(database: str | None = None, **settings: Any) -> Running:
        server = Server(
            Settings(
                database=database or f"sqlite:///{tmp_path}/diemcau.db",
                port=free_port(),
                data_dir=tmp_path / "keys",
                **settings,
            ),
            clock,
        )
        await server.__aenter__()
        servers.append(server)
        http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        sessions.append(http)
        origin = f"http://127.0.0.1:{server.port}"
        await add(System(), server.context, api.AccountNew("root", PASSWORD, [api.GrantView(Role.ADMIN)]))
        token = await issue_token(System(), server.context, "root")
        return Running(server, server.context, Client(http, origin, token), clock)

    yield run
    for http in sessions:
        await http.close()
    for server in servers:
        await server.__aexit__(None, None, None)
        if server.context.engines.dialect == "postgresql":
            opened = Engines(server.settings.database)
            await empty(opened)
            await opened.close()


@pytest.fixture
async def running(start: Start) -> Running:
    """A server on the embedded database."""
    return await start()


@pytest.fixture
async def sample(running: Running) -> Sample:
    """The small conference of sample.py inside `running`'s database."""
    return await fill(running.context.engines)


@pytest.fixture
async def conference(engines: Engines) -> Sample:
    """The same without a server, on both databases."""
    return await fill(engines)


@pytest.fixture
def phone(running: Running, sample: Sample) -> Phone:
    """A Vietnamese phone before the hall of Ba Đình."""
    return Phone(running, sample)
