"""An import is taken back whole, in both databases; what was changed or used since then stays and is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sample import Sample, check_in
from support import NOW_MS

from diemcau.domain.authority import Scope
from diemcau.domain.names import fold, sort_key
from diemcau.store import check_ins, import_runs, import_undo, people
from diemcau.store.engine import Connection, Engines
from diemcau.store.import_runs import Part
from diemcau.store.imports import Known, Takeover, known
from diemcau.store.schema import (
    absence,
    attendee,
    badge,
    import_row,
    invitation,
    point,
    session,
    session_point,
    unlisted,
)

COLUMNS = ["full_name", "name_folded", "sort_key", "title", "unit_id", "point_id", "phone", "phone_digits"]
EVERYTHING = Scope(("",))


def values(name: str, unit_id: int, point_id: int | None) -> tuple[Any, ...]:
    """A person's values in the order of COLUMNS."""
    return (name, fold(name), sort_key(name), "", unit_id, point_id, "0912", "0912")


async def contents(engines: Engines) -> dict[str, list[tuple[Any, ...]]]:
    """All rows that an import of people may touch."""
    async with engines.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in await connection.execute(sa.select(table))), key=repr)
            for table in (attendee, badge, invitation, session_point)
        }


async def begun(connection: Connection, what: str = "attendees") -> int:
    """A run that is being written."""
    names = {"what": what, "mode": "add", "file_name": "a.xlsx", "made_ms": NOW_MS, "made_by": "root", "unit_id": None}
    return await import_runs.insert(connection, names)


def change(ready: Takeover, code: str, before: Known, new: tuple[Any, ...]) -> None:
    """Add a changed person to a list."""
    ready.updates.append((*new, before.row_id, code, before.unit_id))
    ready.befores.append(before.values)
    if new[1] != before.values[1]:
        ready.renamed.append((new[1], before.row_id))


async def taken_over(engines: Engines, conference: Sample, *, move: bool = False) -> int:
    """One person is new, DB-0003 gets another name and hall, DB-0011 goes where nothing holds them."""
    async with engines.read() as connection:
        before = (await known(connection, "attendees", ["DB-0003"], COLUMNS))["DB-0003"]
    ready = Takeover("attendees", COLUMNS)
    change(ready, "DB-0003", before, values("Lê An", conference.units["HN-001"], conference.points["HN-0001"]))
    ready.inserts.append(("N-1", *values("Trần Bình", conference.units["HN"], None)))
    async with engines.writing.begin() as connection:
        run_id = await begun(connection)
        await import_runs.apply(connection, Part(run_id, 1, ready, move))
        await import_runs.remove(connection, "attendees", run_id, 3, [conference.attendees["DB-0011"]])
        assert await import_runs.set_state(connection, run_id, "done", ["staging"], {"added": 1, "changed": 1})
    return run_id


async def undone(engines: Engines, run_id: int, scope: Scope = EVERYTHING, limit: int = 2) -> list[tuple[str, str]]:
    """Take a run back, page by page; what stays, and why."""
    kept: list[tuple[str, str]] = []
    below: int | None = 2**31 - 1
    while below is not None:
        async with engines.writing.begin() as connection:
            run = await import_runs.get(connection, run_id)
            assert run
            page = await import_undo.take_back(
                connection, run, below, limit, await import_undo.places(connection, scope)
            )
        kept += page.kept
        below = page.lowest
    return kept


async def to_draft(engines: Engines) -> None:
    """Make the session a draft, and give one of its people a badge and a number on the list."""
    async with engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(state="draft"))
        await connection.execute(sa.update(invitation).values(number=invitation.c.attendee_id))
        person = sa.select(attendee.c.id).where(attendee.c.code == "DB-0011").scalar_subquery()
        await connection.execute(sa.insert(badge).values(attendee_id=person, issue=1, token_hash=b"t" * 32, made_ms=1))


@pytest.mark.parametrize("move", [False, True], ids=["seats stay", "seats move"])
async def test_undoing_brings_everything_back(engines: Engines, conference: Sample, *, move: bool) -> None:
    """Names, halls, badges, invitations, list numbers, salts and ids are as they were, and so are the counters."""
    await to_draft(engines)
    before = await contents(engines)
    run_id = await taken_over(engines, conference, move=move)
    during = await contents(engines)
    assert {name for name in before if during[name] != before[name]} == set(before)
    assert await undone(engines, run_id) == []
    assert await contents(engines) == before
    async with engines.read() as connection:
        assert (await connection.execute(sa.select(import_row))).all() == []


async def test_seats_move_where_asked(engines: Engines, conference: Sample) -> None:
    """In a draft session who changes halls is expected in the new one, without the old one's number (I3)."""
    await to_draft(engines)
    await taken_over(engines, conference, move=True)
    async with engines.read() as connection:
        seat = sa.select(invitation.c.point_id, invitation.c.number, invitation.c.name_folded).where(
            invitation.c.attendee_id == conference.attendees["DB-0003"]
        )
        assert (await connection.execute(seat)).one() == (conference.points["HN-0001"], None, "le an")
        counted = dict((await connection.execute(sa.select(session_point.c.point_id, session_point.c.invited))).all())
    assert [counted[conference.points[code]] for code in ("HN-0001", "HN-0002", "HN-0004")] == [3, 3, 0]


async def test_an_open_session_keeps_its_seats(engines: Engines, conference: Sample) -> None:
    """Doors are open: nobody is moved behind their back, and who is summoned stays on the list."""
    before = await contents(engines)
    await taken_over(engines, conference, move=True)
    during = await contents(engines)
    assert during["session_point"] == before["session_point"]
    assert [row for row in during["attendee"] if row[1] == "DB-0011"]


Harm = Callable[[Connection, Sample], Awaitable[object]]


async def _edited(connection: Connection, conference: Sample) -> None:
    await people.update(connection, conference.attendees["DB-0003"], {"title": "Bí thư"})


async def _invited(connection: Connection, conference: Sample) -> None:
    new = sa.select(attendee.c.id, attendee.c.name_folded, sa.literal(conference.session_id))
    columns = ["attendee_id", "name_folded", "session_id"]
    await connection.execute(sa.insert(invitation).from_select(columns, new.where(attendee.c.code == "N-1")))


async def _taken(connection: Connection, conference: Sample) -> None:
    made = {"full_name": "Khác", "unit_id": conference.units["HN"], "point_id": None, "phone": ""}
    await people.insert(connection, "DB-0011", made)


async def _hall_gone(connection: Connection, conference: Sample) -> None:
    for column in (attendee.c.point_id, invitation.c.point_id):
        statement = sa.update(column.table).where(column == conference.points["HN-0002"]).values(point_id=None)
        await connection.execute(statement)
    for column in (session_point.c.point_id, point.c.id):
        await connection.execute(sa.delete(column.table).where(column == conference.points["HN-0002"]))


@pytest.mark.parametrize(
    ("harm", "kept"),
    [
        (_edited, [("DB-0003", "changed")]),
        (_invited, [("N-1", "in_use")]),
        (_taken, [("DB-0011", "taken")]),
        (_hall_gone, [("DB-0003", "gone")]),
    ],
)
async def test_what_changed_since_stays(
    engines: Engines, conference: Sample, harm: Harm, kept: list[tuple[str, str]]
) -> None:
    """Nobody's later work is overwritten; the rest is taken back, and asking again changes nothing more."""
    await to_draft(engines)
    run_id = await taken_over(engines, conference)
    async with engines.writing.begin() as connection:
        await harm(connection, conference)
    assert await undone(engines, run_id) == kept
    after = await contents(engines)
    assert await undone(engines, run_id) == kept
    assert await contents(engines) == after
    codes = {row[1] for row in after["attendee"]}
    assert ("N-1" in codes) == (harm is _invited)
    assert "DB-0011" in codes


async def test_rows_outside_ones_units_stay(engines: Engines, conference: Sample) -> None:
    """Who answers for one district brings nobody of another one back (I5)."""
    await to_draft(engines)
    run_id = await taken_over(engines, conference)
    mine = Scope((conference.paths["HN-002"],))
    assert sorted(await undone(engines, run_id, mine)) == [("DB-0003", "forbidden"), ("N-1", "forbidden")]


@pytest.mark.parametrize("held_by", ["a check-in", "an absence", "a match", "a summons"])
async def test_who_is_in_use_stays(engines: Engines, conference: Sample, held_by: str) -> None:
    """A list that no longer names somebody does not take their attendance away."""
    person = conference.attendees["DB-0012"]
    async with engines.writing.begin() as connection:
        if held_by == "a check-in":
            item = check_in(conference, "DB-0012")
            await connection.run_sync(lambda c: check_ins.record(c, [item], b"w" * 16))
        elif held_by == "an absence":
            row: dict[str, Any] = {"session_id": conference.session_id, "attendee_id": person, "state": "requested"}
            await connection.execute(sa.insert(absence).values(requested_ms=1, requested_by="badge", **row))
        elif held_by == "a match":
            row = {"session_id": conference.session_id, "point_id": conference.points["HN-0001"], "at_ms": 1}
            who: dict[str, Any] = {"key": b"k" * 16, "name": "Ước", "name_folded": "uoc", "salt": b"s" * 16}
            await connection.execute(sa.insert(unlisted).values(attendee_id=person, **row, **who))
        else:
            who = {"attendee_id": person, "name_folded": "uoc", "session_id": conference.session_id}
            await connection.execute(sa.insert(invitation).values(**who))
    async with engines.writing.begin() as connection:
        removal = await import_runs.remove(connection, "attendees", await begun(connection), 1, [person])
    assert (removal.rows, removal.held) == ([], ["DB-0012"])


async def test_points_go_and_come_back(engines: Engines, conference: Sample) -> None:
    """A hall that no list names any more is removed, unless a session, a person or a device is bound to it."""
    async with engines.writing.begin() as connection:
        made = sa.insert(point).values(code="P-9", name="Cũ", name_folded="cu", unit_id=conference.units["HN"])
        row_id = (await connection.execute(made.returning(point.c.id))).scalar_one()
        run_id = await begun(connection, "points")
        ids = [row_id, conference.points["HN-0004"]]
        removal = await import_runs.remove(connection, "points", run_id, 1, ids)
        assert ([row["code"] for row in removal.rows], removal.held) == (["P-9"], ["HN-0004"])
    assert await undone(engines, run_id) == []
    async with engines.read() as connection:
        assert await connection.scalar(sa.select(point.c.id).where(point.c.code == "P-9")) == row_id


async def test_one_server_at_a_time_works_on_a_run(engines: Engines) -> None:
    """A server that starts beside another one leaves alone what that one is writing."""
    async with import_runs.claimed(engines, 7) as mine:
        assert mine
        async with import_runs.claimed(engines, 7) as another:
            assert another == (engines.dialect == "sqlite")
    async with import_runs.claimed(engines, 7) as mine:
        assert mine
