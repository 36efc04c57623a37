"""Random histories of a session against a model that knows no rows, locks or chains: nobody lost, nobody doubled."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from chains import bodies
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from msgspec.structs import replace
from sample import ENDS_MS, STARTS_MS, Sample, listed
from support import NOW_MS

from diemcau.domain.models import EventKind, SessionState, Source
from diemcau.store.check_ins import CheckIn, Listed, Outcome, Unlisted, record
from diemcau.store.schema import attendance, attendance_event, session, session_point, unlisted

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from diemcau.store.engine import Connection, Engines

PEOPLE = ("DB-0003", "DB-0004", "DB-0005", "DB-0007")
HALLS = ("HN-0002", "HN-0003")
GUESTS = ("Trần Khách", "Lê Lạ")
WRITERS = (b"a" * 16, b"b" * 16)
NUMBERS = count(1)

people = st.sampled_from([*PEOPLE, *GUESTS])
drawn = st.tuples(
    st.sampled_from(["come", "come", "come", "leave", "again", "conflict"]),
    people,
    st.sampled_from(HALLS),
    st.booleans(),
    st.integers(0, 50),
)
"""What happens, to whom, where, whether offline, and a number to choose by."""


@dataclass(slots=True)
class Told:
    """What the first answer to a nonce said."""

    item: CheckIn
    result: str
    counted: bool
    held: bool
    number: int | None
    in_hall: str


class History(RuleBasedStateMachine):
    """One session of its own, with two processes that write."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any], engines: Engines, conference: Sample) -> None:
        super().__init__()
        self.run, self.engines, self.conference = run, engines, conference
        self.session_id: int = run(begin(engines, conference))
        self.closed = False
        self.told: dict[bytes, Told] = {}
        self.counts: dict[tuple[str, str], Told] = {}
        self.moves: dict[str, list[tuple[int, bool]]] = {}

    # --- what happens ----------------------------------------------------------------------------------------
    @rule(writer=st.sampled_from(WRITERS), draws=st.lists(drawn, min_size=1, max_size=6))
    def batch(self, writer: bytes, draws: list[tuple[str, str, str, bool, int]]) -> None:
        """Some items arrive in one transaction of one process."""
        items: list[CheckIn] = []
        expected: list[tuple[Any, ...]] = []
        for draw in draws:
            item = self.item(*draw)
            items.append(item)
            expected.append(self.expect(item))
        outcomes = self.run(self.engines.transact(lambda connection: record(connection, items, writer)))
        assert [seen(outcome) for outcome in outcomes] == expected

    @precondition(lambda self: not self.closed)
    @rule()
    def close(self) -> None:
        """The session is closed."""
        self.run(close(self.engines, self.session_id))
        self.closed = True

    def item(self, what: str, name: str, hall: str, offline: bool, pick: int) -> CheckIn:  # noqa: FBT001
        """The item of a draw; what repeats an earlier one becomes something new where there is none."""
        known = list(self.told.values())
        if what in {"again", "conflict"} and known:
            before = known[pick % len(known)].item
            other = before.fingerprint[::-1] if what == "conflict" else before.fingerprint
            return replace(before, offline=offline or before.offline, fingerprint=other)
        number = next(NUMBERS)
        return CheckIn(
            session_id=self.session_id,
            point_id=self.conference.points[hall],
            point=hall,
            who=self.who(name),
            nonce=number.to_bytes(16, "big"),
            fingerprint=number.to_bytes(16, "big"),
            source=Source.BADGE,
            server_ms=NOW_MS + number,
            at_ms=NOW_MS + number,
            happened_ms=NOW_MS + number - pick * 10_000 * offline,
            kind=EventKind.CHECK_OUT if what == "leave" else EventKind.CHECK_IN,
            offline=offline,
        )

    def who(self, name: str) -> Listed | Unlisted:
        """Somebody on the list, or a guest."""
        if name in PEOPLE:
            return listed(self.conference, name)
        return Unlisted(name.encode()[:16].ljust(16), name, name.lower(), "", b"s" * 16)

    # --- what should become of it ----------------------------------------------------------------------------
    def expect(self, item: CheckIn) -> tuple[Any, ...]:
        """The answer by the rules, one item after the other."""
        before = self.told.get(item.nonce)
        if before is not None:
            if before.item.fingerprint != item.fingerprint:
                return ("conflict", False, False, None, False)
            return (before.result, before.counted, before.held, before.number, True)
        if self.closed and not item.offline:
            return ("closed", False, False, None, False)
        told = self.first(item)
        self.told[item.nonce] = told
        return (told.result, told.counted, told.held, told.number, False)

    def first(self, item: CheckIn) -> Told:
        """What a new item does."""
        name = item.who.code if isinstance(item.who, Listed) else item.who.name
        person = (name, "" if name in PEOPLE else item.point)
        comes = item.kind is EventKind.CHECK_IN
        if not self.closed:
            self.moves.setdefault(name, []).append((item.happened_ms, comes))
        counted = comes and not self.closed and person not in self.counts
        result = "accepted" if counted or self.closed or not comes else "duplicate"
        told = Told(item, result, counted, self.closed, None, item.point)
        if counted:
            self.counts[person] = told
            told.number = self.figures()[item.point, name in PEOPLE]
        return told

    def figures(self) -> Counter[tuple[str, bool]]:
        """People counted in each hall, on the list or not."""
        return Counter((told.in_hall, name in PEOPLE) for (name, _), told in self.counts.items())

    def left(self) -> dict[int, int | None]:
        """When each counted person left, if the last they did was to leave."""
        last = {name: max(moves) for name, moves in self.moves.items()}
        return {
            self.conference.attendees[name]: None if last[name][1] else last[name][0]
            for name, _ in self.counts
            if name in PEOPLE
        }

    # --- what must hold --------------------------------------------------------------------------------------
    @invariant()
    def database_agrees(self) -> None:
        """Everybody counted is there once, the counters are their rows, and every event is in a whole chain."""
        found = self.run(look(self.engines, self.session_id))
        nonces = {told.item.nonce for told in self.counts.values()}
        assert found.counted == nonces
        assert found.left == self.left()
        halls = {self.conference.points[hall]: hall for hall in HALLS}
        figures = self.figures()
        assert {halls[point]: pair for point, pair in found.figures.items() if point in halls} == {
            hall: (figures[hall, True], figures[hall, False]) for hall in HALLS
        }
        assert found.events == set(self.told)

    def teardown(self) -> None:
        """The log verifies at the end, hash by hash."""
        assert {body.nonce for body in self.run(bodies(self.engines))} >= {nonce.hex() for nonce in self.told}


def seen(outcome: Outcome) -> tuple[Any, ...]:
    """What the model speaks of."""
    return (outcome.result, outcome.counted, outcome.held, outcome.number, outcome.replayed)


# --- the database --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Found:
    """What the database says of one session."""

    counted: set[bytes]
    left: dict[int, int | None]
    figures: dict[int, tuple[int, int]]
    events: set[bytes]


async def look(engines: Engines, session_id: int) -> Found:
    """Read it all."""
    a, u, p, e = attendance.c, unlisted.c, session_point.c, attendance_event.c
    async with engines.read() as connection:
        rows = await all_of(connection, sa.select(a.nonce, a.attendee_id, a.left_ms).where(a.session_id == session_id))
        guests = await all_of(connection, sa.select(u.nonce).where(u.session_id == session_id, u.nonce.is_not(None)))
        places = await all_of(
            connection, sa.select(p.point_id, p.present, p.unlisted).where(p.session_id == session_id)
        )
        events = await all_of(connection, sa.select(e.nonce).where(e.session_id == session_id))
    return Found(
        {bytes(row[0]) for row in [*rows, *guests]},
        {attendee_id: left_ms for _, attendee_id, left_ms in rows},
        {point_id: (present, apart) for point_id, present, apart in places},
        {bytes(nonce) for (nonce,) in events},
    )


async def all_of(connection: Connection, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    """Its rows."""
    return [tuple(row) for row in await connection.execute(query)]


async def begin(engines: Engines, conference: Sample) -> int:
    """A session of this history's own, in the halls of the sample."""
    async with engines.writing.begin() as connection:
        values = {"title": "", "starts_ms": STARTS_MS, "ends_ms": ENDS_MS, "state": "open", "state_ms": NOW_MS}
        number = next(NUMBERS)
        added = sa.insert(session).values(code=f"H{number}", **values)
        session_id: int = (await connection.execute(added.returning(session.c.id))).scalar_one()
        doors = [
            {
                "session_id": session_id,
                "point_id": conference.points[hall],
                "door_id": 1_000_000 + number * 10 + place,
                "door_key": bytes(32),
                "link_since_ms": NOW_MS,
            }
            for place, hall in enumerate(HALLS)
        ]
        await connection.execute(sa.insert(session_point), doors)
    return session_id


async def close(engines: Engines, session_id: int) -> None:
    """As the service does: by changing the row that recording locks."""
    async with engines.writing.begin() as connection:
        await connection.execute(sa.update(session).where(session.c.id == session_id).values(state=SessionState.CLOSED))


async def test_random_histories(engines: Engines, conference: Sample) -> None:
    """Whatever order people, retries, queues and closing come in: everybody is counted once, and nothing is lost."""
    loop = asyncio.get_running_loop()

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    short = settings(
        max_examples=30,
        stateful_step_count=10,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate],  # ten steps can be read as they are; making them fewer takes minutes
    )
    history: Any = lambda: History(run, engines, conference)  # noqa: E731 called as a class would be
    await asyncio.to_thread(run_state_machine_as_test, history, settings=short)
