"""Corrections in the database: whatever is taken back, matched or applied late, everybody counts once (I2, I3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest
import sqlalchemy as sa
from conftest import empty
from histories import HALLS, PEOPLE, WRITER, Event, History, Step, begin
from hypothesis import given, note, settings
from hypothesis import strategies as st
from msgspec import structs
from sample import Sample, check_in, fill

from diemcau.domain.models import EventKind
from diemcau.errors import AlreadyMatchedError, NonceConflictError
from diemcau.store import corrections, migrate
from diemcau.store.engine import Engines
from diemcau.store.schema import attendance, point, session_point, unlisted
from diemcau.store.writer import Writer

SOMEBODY = st.integers(0, len(PEOPLE) - 1)
PLACE = st.none() | SOMEBODY
ARRIVING = st.builds(
    Step, st.sampled_from(["arrive", "arrive", "guest", "guest", "leave"]), SOMEBODY, st.integers(0, 2), PLACE
)
CORRECTING = st.builds(Step, st.sampled_from(["annul", "match"]), SOMEBODY, st.just(0), PLACE, st.integers(0, 60))
ENDING = st.builds(Step, st.sampled_from(["close", "revise", "revise"]))
STEPS = st.lists(st.one_of(ARRIVING, ARRIVING, CORRECTING, CORRECTING, CORRECTING, ENDING), max_size=24)


def test_random_histories_count_as_their_log_says(database: str) -> None:
    """However arrivals, annuls, matches, closing and revisions follow one another, the figures are those of the log."""

    async def prepared() -> tuple[Engines, Sample]:
        engines = Engines(database)
        await migrate.prepare(engines)
        return engines, await fill(engines)

    async def tried(engines: Engines, conference: Sample, steps: list[Step]) -> None:
        history = History(conference, await engines.transact(lambda c: begin(c, conference)))
        for step in steps:
            await engines.transact(lambda c, step=step: history.take(c, step))  # type: ignore[misc]
            await engines.transact(history.compare)

    async def finished(engines: Engines) -> None:
        if engines.dialect == "postgresql":
            await empty(engines)
        await engines.close()

    with asyncio.Runner() as runner:
        engines, conference = runner.run(prepared())

        @settings(max_examples=80, deadline=None)
        @given(STEPS)
        def follows(steps: list[Step]) -> None:
            note("\n".join(map(repr, steps)))
            runner.run(tried(engines, conference, steps))

        try:
            follows()
        finally:
            runner.run(finished(engines))


# --- two servers ---------------------------------------------------------------------------------------------
ROUNDS = 40


@pytest.fixture
async def servers(engines: Engines) -> AsyncIterator[list[Writer]]:
    """Two servers' writers beside one another on one database."""
    databases = [Engines(engines.url.render_as_string(hide_password=False)) for _ in range(2)]
    writers = [Writer(database) for database in databases]
    running = [asyncio.create_task(writer.run()) for writer in writers]
    yield writers
    for writer in writers:
        writer.drain()
    await asyncio.gather(*running)
    for database in databases:
        await database.close()


async def test_two_annuls_and_an_arrival_at_once(engines: Engines, conference: Sample, servers: list[Writer]) -> None:
    """While both of somebody's entries are taken back on two servers, they scan again: that scan counts, once."""
    here, there = servers

    async def race(both: bool) -> None:  # noqa: FBT001 one of two kinds of race
        history = History(conference, await engines.transact(lambda c: begin(c, conference)))
        await engines.transact(lambda c: history.take(c, Step("arrive", hall=0)))
        await engines.transact(lambda c: history.take(c, Step("arrive", hall=1)))
        first, second = history.model.events
        again = structs.replace(check_in(conference, PEOPLE[0], HALLS[2]), session_id=history.session_id)
        calls = [taken_back(here, history, first), there.check_in(again)]
        calls += [taken_back(there, history, second)] if both else []
        await asyncio.gather(*calls)
        counts = again.nonce if both else second.nonce
        assert await counted(engines, history.session_id) == {counts: HALLS[2 if both else 1]}

    for number in range(ROUNDS):  # one after the other, so that what races meets
        await race(both=number % 4 != 0)


async def test_two_clerks_match_at_once(engines: Engines, conference: Sample, servers: list[Writer]) -> None:
    """Two clerks say on two servers who a guest is, while that person scans: one match, one entry, no guest left."""

    async def race() -> None:
        history = History(conference, await engines.transact(lambda c: begin(c, conference)))
        await engines.transact(lambda c: history.take(c, Step("guest", hall=0)))
        guest = history.model.events[0].guest
        assert guest is not None
        unlisted_id = await engines.transact(lambda c: history.unlisted_id(c, guest))
        scan = structs.replace(check_in(conference, PEOPLE[0], HALLS[1]), session_id=history.session_id)
        said = [matched(writer, history, unlisted_id) for writer in servers]
        outcomes = await asyncio.gather(*said, servers[0].check_in(scan), return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, AlreadyMatchedError)]
        assert len(refused) == 1, outcomes
        assert len(await counted(engines, history.session_id)) == 1

    for _ in range(ROUNDS):
        await race()


def taken_back(writer: Writer, history: History, target: Event) -> Awaitable[object]:
    """Take one of the person's entries back on this server."""
    attendee_id = history.conference.attendees[PEOPLE[0]]
    event = history.event(EventKind.ANNUL, target.hall, of_nonce=target.nonce, attendee_id=attendee_id)
    return writer.write(lambda c: c.run_sync(corrections.annul, writer.writer_id, event))


def matched(writer: Writer, history: History, unlisted_id: int) -> Awaitable[object]:
    """Say on this server that the guest is the person."""
    attendee_id = history.conference.attendees[PEOPLE[0]]
    event = history.event(EventKind.MATCH, 0, attendee_id=attendee_id, unlisted_id=unlisted_id)
    return writer.write(lambda c: c.run_sync(corrections.match, writer.writer_id, event))


async def counted(engines: Engines, session_id: int) -> dict[bytes, str]:
    """What counts in a session and in which hall; the counters must be the sums of it."""
    a, p, u = attendance.c, session_point.c, unlisted.c
    async with engines.read() as connection:
        codes = {row.id: row.code for row in await connection.execute(sa.select(point.c.id, point.c.code))}
        rows = (await connection.execute(sa.select(a.nonce, a.point_id).where(a.session_id == session_id))).all()
        apart = sa.select(sa.func.count()).where(
            u.session_id == session_id, u.nonce.is_not(None), u.attendee_id.is_(None)
        )
        guests = (await connection.execute(apart)).scalar_one()
        figures = sa.select(sa.func.sum(p.present), sa.func.sum(p.unlisted)).where(p.session_id == session_id)
        assert tuple((await connection.execute(figures)).one()) == (len(rows), guests)
    return {bytes(row.nonce): codes[row.point_id] for row in rows}


# --- retries -------------------------------------------------------------------------------------------------
async def test_a_correction_is_made_once(engines: Engines, conference: Sample) -> None:
    """A clerk who taps twice, or whose answer was lost, reads one correction in the log."""
    history = History(conference, await engines.transact(lambda c: begin(c, conference)))
    await engines.transact(lambda c: history.take(c, Step("arrive")))
    entry, attendee_id = history.model.events[0], conference.attendees[PEOPLE[0]]
    event = history.event(EventKind.ANNUL, 0, of_nonce=entry.nonce, attendee_id=attendee_id)
    again = structs.replace(event, nonce=b"another nonce   ")
    dones = [
        await engines.transact(lambda c, told=told: corrections.annul(c, WRITER, told))  # type: ignore[misc]
        for told in (event, event, again)
    ]
    assert [(done.nonce, done.replayed) for done in dones] == [
        (event.nonce, False),
        (event.nonce, True),
        (event.nonce, True),
    ]
    other = structs.replace(event, fingerprint=b"another content ")
    with pytest.raises(NonceConflictError):
        await engines.transact(lambda c: corrections.annul(c, WRITER, other))


async def test_a_revision_is_applied_once(engines: Engines, conference: Sample) -> None:
    """Trying a revision again changes nothing more, and what comes later waits for the next one."""
    history = History(conference, await engines.transact(lambda c: begin(c, conference)))
    for step in (Step("close"), Step("arrive", who=0), Step("arrive", who=1), Step("annul", pick=1)):
        await engines.transact(lambda c, step=step: history.take(c, step))  # type: ignore[misc]
    assert await counted(engines, history.session_id) == {}
    assert await waiting(engines, history) == 3
    first = await engines.transact(lambda c: corrections.apply_held(c, history.session_id, 1))
    assert first == {conference.points[HALLS[0]]: (1, 0)}
    assert await engines.transact(lambda c: corrections.apply_held(c, history.session_id, 2)) == {}
    await engines.transact(lambda c: history.take(c, Step("arrive", who=2)))
    assert (await waiting(engines, history), len(await counted(engines, history.session_id))) == (1, 1)
    await engines.transact(lambda c: corrections.apply_held(c, history.session_id, 2))
    assert (await waiting(engines, history), len(await counted(engines, history.session_id))) == (0, 2)


async def waiting(engines: Engines, history: History) -> int:
    """How many events wait for a revision."""
    async with engines.read() as connection:
        return await corrections.waiting(connection, history.session_id)
