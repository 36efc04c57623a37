"""The one writer: acknowledged means durable, whoever hangs up, however many come at once (I1, I2, I3)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from chains import bodies
from msgspec.structs import replace
from sample import Sample, check_in, figures, listed

from diemcau import limits
from diemcau.errors import MalformedError, NotFoundError, OverloadedError
from diemcau.store.accounts import fact, put_fact
from diemcau.store.check_ins import Outcome
from diemcau.store.engine import Connection, Engines
from diemcau.store.schema import session_point
from diemcau.store.writer import Writer


@pytest.fixture
async def stopped(engines: Engines) -> Writer:
    """A writer that does not run yet: what comes waits in its queue."""
    return Writer(engines)


async def run_dry(writer: Writer) -> None:
    """Write what waits, then stop."""
    writer.drain()
    await writer.run()


async def begun(*calls: asyncio.Task[Outcome]) -> None:
    """Let each call reach the queue."""
    for _ in calls:
        await asyncio.sleep(0)


async def test_concurrent_duplicates_count_once(engines: Engines, writer: Writer, conference: Sample) -> None:
    """Twelve people, each tapped for on many phones in many halls at once: twelve entries, and counters that agree."""
    chance = random.Random(7)
    taps = [
        check_in(conference, person, hall)
        for person in conference.attendees
        for hall in conference.points
        for _ in "123"
    ]
    chance.shuffle(taps)
    outcomes = await asyncio.gather(*(writer.check_in(tap) for tap in taps))
    accepted = [outcome for outcome in outcomes if outcome.result == "accepted"]
    assert len(accepted) == len(conference.attendees)
    assert {outcome.result for outcome in outcomes} == {"accepted", "duplicate"}
    counted, present, events, counted_events = await figures(engines)
    assert (counted, present, counted_events) == (12, 12, 12)
    assert events == len(taps)


async def test_two_writers_on_one_database(engines: Engines, writer: Writer, conference: Sample) -> None:
    """Two servers beside one another hear of the same people and nonces; everybody still counts once."""
    other_engines = Engines(engines.url.render_as_string(hide_password=False))
    other = Writer(other_engines)
    running = asyncio.create_task(other.run())
    taps = [check_in(conference, person, hall) for person in conference.attendees for hall in conference.points]
    calls = [side.check_in(tap) for tap in taps for side in (writer, other)]
    outcomes = await asyncio.gather(*calls)
    other.drain()
    await running
    await other_engines.close()
    first = {outcome.check_in.nonce for outcome in outcomes if outcome.result == "accepted"}
    assert len(first) == len(conference.attendees)
    assert await figures(engines) == (12, 12, len(taps), 12)


async def test_unsorted_batches_of_many_servers(engines: Engines, conference: Sample) -> None:
    """Four servers get the same people in other orders, many at once: nobody waits for ever, everybody counts once."""
    chance = random.Random(11)
    taps = [check_in(conference, person, hall) for person in conference.attendees for hall in conference.points]
    opened = [Engines(engines.url.render_as_string(hide_password=False)) for _ in range(4)]
    writers = [Writer(each) for each in opened]
    running = [asyncio.create_task(each.run()) for each in writers]
    for _ in range(5):
        orders = [chance.sample(taps, len(taps)) for _ in writers]
        calls = (each.check_ins(order) for each, order in zip(writers, orders, strict=True))
        for results in await asyncio.wait_for(asyncio.gather(*calls), 60):
            assert {result.result for result in results if isinstance(result, Outcome)} == {"accepted", "duplicate"}
    for each in writers:
        each.drain()
    await asyncio.gather(*running, *(each.close() for each in opened))
    assert await figures(engines) == (12, 12, len(taps), 12)
    assert len(await bodies(engines)) == len(taps)


async def test_one_call_has_a_result_for_each(
    engines: Engines, writer: Writer, conference: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device's queue of a morning comes back whole and in order, however many transactions it took."""
    monkeypatch.setattr(limits, "WRITE_BATCH_ITEMS_MAX", 5)
    items = [check_in(conference, person) for person in conference.attendees]
    results = await writer.check_ins([*items, items[0]])
    assert [result.check_in for result in results if isinstance(result, Outcome)] == [*items, items[0]]
    assert [result.replayed for result in results if isinstance(result, Outcome)] == [False] * 12 + [True]
    assert await writer.check_ins([]) == []
    assert await figures(engines) == (12, 12, 12, 12)


async def test_bad_items_of_a_call_fail_alone(engines: Engines, writer: Writer, conference: Sample) -> None:
    """One item that can never be written says so; the rest of the queue is written and may be forgotten."""
    nobody = replace(listed(conference, "DB-0004"), attendee_id=999_999)
    endless = replace(check_in(conference, "DB-0005"), at_ms=2**70)
    nowhere = replace(check_in(conference, "DB-0006"), point_id=999_999)
    results = await writer.check_ins(
        [check_in(conference, "DB-0003"), replace(check_in(conference, "DB-0004"), who=nobody), endless, nowhere]
    )
    assert isinstance(results[0], Outcome)
    assert [type(result) for result in results[1:]] == [NotFoundError, MalformedError, NotFoundError]
    assert await figures(engines) == (1, 1, 1, 1)


async def test_a_call_takes_its_place_whole_or_not_at_all(
    stopped: Writer, conference: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue for which there is no room is refused before any of it is taken."""
    monkeypatch.setattr(limits, "WRITE_QUEUE_ITEMS_MAX", 2)
    with pytest.raises(OverloadedError):
        await stopped.check_ins([check_in(conference, code) for code in ("DB-0003", "DB-0004", "DB-0005")])
    assert stopped.depth == 0


async def test_full_queue_refuses(stopped: Writer, conference: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound a phone is told to try again soon, instead of waiting for ever."""
    monkeypatch.setattr(limits, "WRITE_QUEUE_ITEMS_MAX", 2)
    waiting = [asyncio.create_task(stopped.check_in(check_in(conference, code))) for code in ("DB-0003", "DB-0004")]
    await begun(*waiting)
    assert stopped.depth == 2
    with pytest.raises(OverloadedError) as refused:
        await stopped.check_in(check_in(conference, "DB-0005"))
    assert refused.value.params["retry_after_s"] == limits.OVERLOADED_RETRY_AFTER_S
    await run_dry(stopped)
    assert [(await call).result for call in waiting] == ["accepted", "accepted"]


async def test_caller_who_hangs_up_is_written_and_published(
    engines: Engines, stopped: Writer, conference: Sample
) -> None:
    """A phone that loses its network after the tap is checked in, and the board hears of it."""
    published: list[Outcome] = []
    stopped.on_commit = published.extend
    gone = asyncio.create_task(stopped.check_in(check_in(conference, "DB-0003")))
    await begun(gone)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await run_dry(stopped)
    assert [outcome.result for outcome in published] == ["accepted"]
    assert await figures(engines) == (1, 1, 1, 1)


async def test_drain_writes_everything_then_refuses(engines: Engines, stopped: Writer, conference: Sample) -> None:
    """A server that is stopped writes what it took, and takes nothing more."""
    calls = [asyncio.create_task(stopped.check_in(check_in(conference, code))) for code in conference.attendees]
    job = asyncio.create_task(stopped.write(lambda c: put_fact(c, "k", "v")))
    await begun(*calls)
    await run_dry(stopped)
    assert {(await call).result for call in calls} == {"accepted"}
    await job
    assert (await figures(engines))[0] == len(calls)
    with pytest.raises(OverloadedError):
        await stopped.check_in(check_in(conference, "DB-0003"))
    with pytest.raises(OverloadedError):
        await stopped.write(lambda c: put_fact(c, "k", "w"))


async def test_bad_item_does_not_stall_the_rest(engines: Engines, stopped: Writer, conference: Sample) -> None:
    """One hall that was just taken out of the session costs its neighbours in the batch nothing."""
    async with engines.writing.begin() as connection:
        point_id = conference.points["HN-0003"]
        await connection.execute(sa.delete(session_point).where(session_point.c.point_id == point_id))
    bad = asyncio.create_task(stopped.check_in(check_in(conference, "DB-0007", "HN-0003")))
    good = asyncio.create_task(stopped.check_in(check_in(conference, "DB-0003", "HN-0002")))
    nobody = replace(listed(conference, "DB-0004"), attendee_id=999_999)
    stranger = replace(check_in(conference, "DB-0004"), who=nobody)
    unknown = asyncio.create_task(stopped.check_in(stranger))
    await begun(bad, good, unknown)
    await run_dry(stopped)
    assert (await good).result == "accepted"
    with pytest.raises(NotFoundError):
        await bad
    with pytest.raises(NotFoundError):
        await unknown
    assert await figures(engines) == (1, 1, 1, 1)


async def test_failing_board_does_not_stop_the_door(writer: Writer, conference: Sample) -> None:
    """What is durable is acknowledged even when nobody can be told of it; the next check-in works too."""

    def broken(_outcomes: Sequence[Outcome]) -> None:
        raise RuntimeError

    writer.on_commit = broken
    assert (await writer.check_in(check_in(conference, "DB-0003"))).result == "accepted"
    assert (await writer.check_in(check_in(conference, "DB-0004"))).result == "accepted"


async def test_failed_job_leaves_nothing(engines: Engines, writer: Writer) -> None:
    """A change that fails half-way is undone, its caller hears why, and the writer goes on."""

    async def half(connection: Connection) -> None:
        await put_fact(connection, "half", "done")
        raise NotFoundError(what="unit", key="X")

    with pytest.raises(NotFoundError):
        await writer.write(half)
    await writer.write(lambda c: put_fact(c, "whole", "done"))
    async with engines.read() as connection:
        assert (await fact(connection, "half"), await fact(connection, "whole")) == (None, "done")


async def test_many_jobs_do_not_starve_the_door(engines: Engines, stopped: Writer, conference: Sample) -> None:
    """While an import keeps writing, a check-in waits for one of its steps at most."""
    order: list[str] = []

    async def job(_connection: Connection) -> None:
        order.append("job")

    stopped.on_commit = lambda _outcomes: order.append("check-in")
    jobs = [asyncio.create_task(stopped.write(job)) for _ in range(5)]
    call = asyncio.create_task(stopped.check_in(check_in(conference, "DB-0003")))
    await asyncio.sleep(0)
    await run_dry(stopped)
    await asyncio.gather(*jobs, call)
    assert order == ["job", "check-in", "job", "job", "job", "job"]


async def test_locked_database_is_overload(
    engines: Engines, writer: Writer, conference: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another program holds the file, people are told to try again; afterwards the same tap succeeds."""
    if engines.dialect != "sqlite":
        pytest.skip("PostgreSQL has no lock on the whole database")
    monkeypatch.setattr(limits, "DATABASE_LOCK_WAIT_MS", 100)
    item = check_in(conference, "DB-0003")
    other = Engines(engines.url.render_as_string())
    async with other.writing.begin():
        with pytest.raises(OverloadedError):
            await writer.check_in(item)
    await other.close()
    assert (await writer.check_in(item)).result == "accepted"


async def test_lost_connection_is_made_anew(engines: Engines, writer: Writer, conference: Sample) -> None:
    """When PostgreSQL restarts under us, the tap that met the dead connection is written all the same."""
    if engines.dialect != "postgresql":
        pytest.skip("SQLite has no connection to lose")
    await writer.check_in(check_in(conference, "DB-0003"))
    ours = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with engines.readers.connect() as connection:
        await connection.execute(ours)
    results = await writer.check_ins([check_in(conference, "DB-0004"), check_in(conference, "DB-0005")])
    assert [result.result for result in results if isinstance(result, Outcome)] == ["accepted", "accepted"]
    await writer.write(lambda c: put_fact(c, "after", "it"))
    assert await figures(engines) == (3, 3, 3, 3)
