"""Ways into the database: reading one state, looking one thing up, writing all or nothing."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from sample import fill

from diemcau.store import recording
from diemcau.store.accounts import fact, put_fact
from diemcau.store.engine import Connection, Engines
from diemcau.store.lookup import Lookup
from diemcau.store.schema import instance, session

FACT = Lookup(sa.select(instance.c.value).where(instance.c.key == sa.bindparam("key")))
TWICE = Lookup(
    sa.select(instance.c.value).where(
        sa.or_(instance.c.key == sa.bindparam("key"), instance.c.value == sa.bindparam("key"))
    )
)

SLOWLY = Lookup(sa.select(sa.func.pg_sleep(sa.bindparam("seconds", type_=sa.Float()))))


async def put(engines: Engines, key: str, value: str) -> None:
    """Commit a fact."""
    async with engines.writing.begin() as connection:
        await put_fact(connection, key, value)


async def test_a_reader_sees_one_state(engines: Engines) -> None:
    """An export that reads in several steps never mixes figures of two moments (I3)."""
    await put(engines, "k", "before")
    async with engines.read() as connection:
        first = await fact(connection, "k")
        await put(engines, "k", "after")
        assert (first, await fact(connection, "k")) == ("before", "before")
    async with engines.read() as connection:
        assert await fact(connection, "k") == "after"


async def test_a_lookup_sees_the_last_commit(engines: Engines) -> None:
    """A session that was opened a moment ago is open at the door."""
    assert await engines.lookup(FACT, key="k") == []
    for value in ("one", "two"):
        await put(engines, "k", value)
        assert await engines.lookup(FACT, key="k") == [(value,)]


async def test_a_parameter_may_stand_twice(engines: Engines) -> None:
    """Parameters reach their places on both databases, whatever their number."""
    await put(engines, "k", "v")
    assert await engines.lookup(TWICE, key="k") == await engines.lookup(TWICE, key="v") == [("v",)]


async def test_many_lookups_at_once(engines: Engines) -> None:
    """The first second after a start finds hundreds of phones at the door."""
    await put(engines, "k", "v")
    rows = await asyncio.gather(*(engines.lookup(FACT, key="k") for _ in range(50)))
    assert rows == [[("v",)]] * 50


async def test_a_reader_that_goes_away_leaves_nothing(engines: Engines) -> None:
    """Ten readers cancelled half-way cost the next one nothing: no open transaction, no lost connection."""

    async def read() -> None:
        async with engines.read() as connection:
            await fact(connection, "k")
            await asyncio.Event().wait()

    for steps in range(10):
        task = asyncio.create_task(read())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await put(engines, "k", "new")
    async with engines.read() as connection:
        assert await fact(connection, "k") == "new"


async def test_a_failed_transaction_leaves_nothing(engines: Engines) -> None:
    """Half a batch is never kept."""

    def half(connection: sa.Connection) -> None:
        connection.execute(sa.insert(instance).values(key="k", value="half"))
        raise LookupError

    with pytest.raises(LookupError):
        await engines.transact(half)
    assert await engines.lookup(FACT, key="k") == []


async def test_readers_cannot_hold_the_writer_up(engines: Engines) -> None:
    """While somebody reads for a long time, check-ins are written."""

    async def write(connection: Connection) -> None:
        await put_fact(connection, "k", "v")

    async with engines.read() as reading:
        await fact(reading, "k")
        async with asyncio.timeout(2), engines.writing.begin() as connection:
            await write(connection)
    assert await engines.lookup(FACT, key="k") == [("v",)]


async def test_a_lookup_outlives_a_restart_of_postgresql(postgres_url: str) -> None:
    """Nobody at a door meets an error page because the database was restarted while it was asked."""
    engines = Engines(postgres_url)
    others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database() AND state = 'active'"
    asked = asyncio.create_task(engines.lookup(SLOWLY, seconds=0.5))
    async with asyncio.timeout(10), engines.read() as connection:
        while not await connection.scalar(sa.text(f"SELECT count(*) {others}")):
            await connection.rollback()
        await connection.execute(sa.text(f"SELECT pg_terminate_backend(pid) {others}"))
        assert len(await asked) == 1
    await engines.close()


async def test_what_was_looked_up_is_forgotten_with_every_write(engines: Engines) -> None:
    """A session that was closed would still be open to whoever looked it up just before."""
    conference = await fill(engines)
    held, halls = await recording.places(engines, "S1", ["HN-0002"])
    assert held is not None
    assert (held.state, halls["HN-0002"].point_id) == ("open", conference.points["HN-0002"])
    async with engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(state="ended"))
    held, _ = await recording.places(engines, "S1", ["HN-0002"])
    assert held is not None
    assert held.state == "ended"
