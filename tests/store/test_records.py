"""Figures equal the rows they summarize, at every level, on both databases (I3)."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
import sample
import sqlalchemy as sa
from arrivals import arrive
from msgspec.structs import replace
from support import NOW_MS

from diemcau.domain.attendance import Figures, roll_up, total
from diemcau.domain.authority import Scope
from diemcau.domain.models import AbsenceState, AttendanceStatus, Flag
from diemcau.domain.names import fold, sort_key
from diemcau.store import records, units
from diemcau.store.check_ins import Unlisted
from diemcau.store.engine import Connection, Engines
from diemcau.store.lists import Asked
from diemcau.store.schema import (
    absence,
    attendance,
    attendee,
    invitation,
    link_transition,
    point,
    session_point,
    substitution,
    unlisted,
)
from diemcau.store.writer import Writer

EVERYTHING = Scope(("",))
ALL = Asked(EVERYTHING, 1000)


@dataclass
class Hall:
    """A conference grown at random: deep and shallow units, people with and without invitation, at wrong halls."""

    conference: sample.Sample
    units: dict[str, units.UnitRow]


async def grow(engines: Engines, seed: int) -> Hall:
    """Add units of any depth, halls and people below the sample conference; the same ones for the same seed."""
    chance = random.Random(seed)
    conference = await sample.fill(engines)
    async with engines.writing.begin() as connection:
        known = {row.code: row for row in await units.all_of(connection, EVERYTHING)}
        for number in range(chance.randrange(3, 12)):
            parent = chance.choice([None, *known.values()])
            code = f"U{number}"
            known[code] = await units.insert(connection, code, f"Đơn vị {number}", parent, "")
        for number in range(chance.randrange(1, 10)):
            unit = chance.choice(list(known.values()))
            hall = {"code": f"P{number}", "name": "Hội trường", "name_folded": "hoi truong", "unit_id": unit.unit_id}
            added = await connection.execute(sa.insert(point).values(**hall).returning(point.c.id))
            conference.points[f"P{number}"] = added.scalar_one()
            if chance.random() < 0.7:
                door = {"door_id": 100 + number, "door_key": bytes(32), "link_since_ms": NOW_MS}
                place = {"session_id": conference.session_id, "point_id": conference.points[f"P{number}"]}
                await connection.execute(sa.insert(session_point).values(**place, **door))
        for number in range(chance.randrange(5, 60)):
            await _person(connection, conference, chance, f"X{number}", list(known.values()))
    return Hall(conference, known)


async def _person(
    connection: Connection, conference: sample.Sample, chance: random.Random, code: str, places: list[units.UnitRow]
) -> None:
    name = " ".join(chance.choices(["Nguyễn", "Thị", "Hiền", "Ánh", "An", "Đào", "Ê-ban", "H'Hen"], k=3))
    row = {
        "code": code,
        "full_name": name,
        "name_folded": fold(name),
        "sort_key": sort_key(name),
        "unit_id": chance.choice(places).unit_id,
    }
    added = await connection.execute(sa.insert(attendee).values(**row).returning(attendee.c.id))
    conference.attendees[code] = added.scalar_one()
    if chance.random() < 0.6:
        place = {"session_id": conference.session_id, "attendee_id": conference.attendees[code]}
        await connection.execute(sa.insert(invitation).values(**place, name_folded=fold(name)))


async def let_in(engines: Engines, writer: Writer, hall: Hall, seed: int) -> None:
    """Many arrive, some twice, some late, some in other halls than their own."""
    chance = random.Random(seed)
    async with engines.read() as connection:
        query = (
            sa.select(point.c.code).join(session_point, session_point.c.point_id == point.c.id).order_by(point.c.code)
        )
        halls = list((await connection.execute(query)).scalars())
    people = sorted(hall.conference.attendees)
    for number in range(chance.randrange(len(people))):
        flags = [Flag.LATE] if chance.random() < 0.3 else [Flag.WRONG_POINT]
        person, place = chance.choice(people), chance.choice(halls)
        item = sample.check_in(hall.conference, person, place, *flags)
        if chance.random() < 0.3:  # somebody's place is taken; that somebody may come all the same
            item = replace(item, stands_for=sample.listed(hall.conference, chance.choice(people)))
        if chance.random() < 0.3:
            name = f"Khách {number % 7}"
            who = Unlisted(name.encode().ljust(16, b"."), name, fold(name), "", bytes(16))
            item = replace(item, who=who)
        await writer.check_in(item)


async def excuse(engines: Engines, conference: sample.Sample, person: str) -> None:
    """Somebody's absence was approved."""
    place = {"session_id": conference.session_id, "attendee_id": conference.attendees[person]}
    decided = {"state": AbsenceState.APPROVED, "requested_ms": NOW_MS, "requested_by": "badge", "excused": True}
    async with engines.writing.begin() as connection:
        await connection.execute(sa.insert(absence).values(**place, **decided))


async def naive(engines: Engines, session_id: int) -> dict[str, Figures]:
    """The figures counted the slow and obvious way, from bare tables, one person at a time."""
    async with engines.read() as connection:
        paths = {row.unit_id: row.path for row in await units.all_of(connection, EVERYTHING)}
        unit_of = {row.id: paths[row.unit_id] for row in await connection.execute(sa.select(attendee))}
        invited = {
            row.attendee_id for row in await connection.execute(sa.select(invitation)) if row.session_id == session_id
        }
        counted = {
            row.attendee_id: row.flags.split()
            for row in await connection.execute(sa.select(attendance))
            if row.session_id == session_id
        }
        strangers = [row.point_id for row in await connection.execute(sa.select(unlisted))]
        taken = {row.attendee_id for row in await connection.execute(sa.select(substitution))}
        seats = {row.id: paths[row.unit_id] for row in await connection.execute(sa.select(point))}
        halls = [seats[row.point_id] for row in await connection.execute(sa.select(session_point))]
        excused = {row.attendee_id for row in await connection.execute(sa.select(absence)) if row.excused}
    found: dict[str, Figures] = {}
    for path in paths.values():
        mine = {person for person, home in unit_of.items() if home.startswith(path)}
        found[path] = Figures(
            points=sum(hall.startswith(path) for hall in halls),
            summoned=len(mine & invited),
            present=len(mine & invited & counted.keys()),
            late=len({person for person in mine & invited & counted.keys() if "late" in counted[person]}),
            guests=len(mine & counted.keys() - invited),
            substituted=len(mine & invited & taken - counted.keys()),
            unlisted=sum(seats[hall].startswith(path) for hall in strangers),
            excused=len(mine & invited & excused - taken - counted.keys()),
        )
    return found


@pytest.mark.parametrize("seed", range(8))
async def test_figures_equal_their_rows(engines: Engines, writer: Writer, seed: int) -> None:
    """A total that differs from the list beneath it is a total nobody can answer for."""
    hall = await grow(engines, seed)
    await let_in(engines, writer, hall, seed)
    for person in sorted(hall.conference.attendees)[seed % 3 :: 3]:
        await excuse(engines, hall.conference, person)
    session_id = hall.conference.session_id
    expected = await naive(engines, session_id)
    async with engines.read() as connection:
        everyone = await units.all_of(connection, EVERYTHING)
        own = await records.figures(connection, session_id, EVERYTHING)
        assert roll_up(own, [unit.path for unit in everyone]) == expected
        tops = [unit.path for unit in everyone if unit.parent_id is None]
        assert total(own.values()) == total(expected[path] for path in tops)
        for unit in everyone:
            scope = Scope((unit.path,))
            part = await records.figures(connection, session_id, scope)
            assert total(part.values()) == expected[unit.path]
            rows = await records.attendance_page(connection, session_id, Asked(scope, 1000), None)
            assert _counted(rows) == (
                expected[unit.path].summoned,
                expected[unit.path].present,
                expected[unit.path].guests,
                expected[unit.path].substituted,
            )
        sat = await connection.execute(sa.select(sa.func.sum(session_point.c.present + session_point.c.unlisted)))
        whole = total(own.values())
        assert sat.scalar_one() == whole.present + whole.guests + whole.unlisted


def _counted(rows: list[records.AttendanceRow]) -> tuple[int, int, int, int]:
    return (
        sum(row.invited for row in rows),
        sum(row.invited and row.at_ms is not None for row in rows),
        sum(not row.invited and row.at_ms is not None for row in rows),
        sum(row.substituted for row in rows),
    )


async def test_the_list_is_ordered_by_unit_and_given_name(engines: Engines, writer: Writer) -> None:
    """People look for a name where a Vietnamese list has it: under the given name, in their unit."""
    conference = await sample.fill(engines)
    await arrive(writer, conference, sample.NOT_INVITED, "HN-0004")
    async with engines.read() as connection:
        rows = await records.attendance_page(connection, conference.session_id, ALL, None)
    assert [row.code for row in rows] == [
        "DB-0002", "DB-0001",  # Ánh, Đào
        "DB-0003", "DB-0004", "DB-0006", "DB-0005",  # Hiền, Hiền, Hoà, Niê
        "DB-0010", "DB-0007", "DB-0009", "DB-0008",
        "DB-0011", "DB-0012",
    ]  # fmt: skip


@pytest.mark.parametrize("status", AttendanceStatus)
async def test_status_filters_partition_the_list(engines: Engines, writer: Writer, status: AttendanceStatus) -> None:
    """Nobody falls between the filters, and each filter shows only what it says."""
    conference = await sample.fill(engines)
    await arrive(writer, conference, "DB-0001", "HN-0001", Flag.WRONG_POINT, Flag.LATE)
    await arrive(writer, conference, "DB-0003", "HN-0001", Flag.WRONG_POINT)
    substitute = sample.check_in(conference, "DB-0003", "HN-0002")
    who = Unlisted(bytes(16), "Lê Văn Khách", "le van khach", "", bytes(16))
    await writer.check_in(replace(substitute, who=who, stands_for=sample.listed(conference, "DB-0004")))
    for absentee in ("DB-0001", "DB-0004", "DB-0005", sample.NOT_INVITED):  # came, is stood for, neither, is not asked
        await excuse(engines, conference, absentee)
    async with engines.read() as connection:
        rows = await records.attendance_page(connection, conference.session_id, ALL, status)
    codes = {row.code for row in rows}
    if status is AttendanceStatus.LATE:
        assert codes == {"DB-0001"}
    elif status is AttendanceStatus.PRESENT:
        assert codes == {"DB-0003"}
    elif status is AttendanceStatus.SUBSTITUTED:
        assert [(row.code, row.substitute) for row in rows] == [("DB-0004", "Lê Văn Khách")]
    elif status is AttendanceStatus.EXCUSED:
        assert codes == {"DB-0005"}
    else:
        assert len(codes) == 7
        assert not codes & {"DB-0001", "DB-0003", "DB-0004", sample.NOT_INVITED}


async def test_pages_and_the_stream_are_the_same_list(engines: Engines, writer: Writer) -> None:
    """What is exported is what was shown, whether read in pages of two or at once."""
    hall = await grow(engines, 3)
    await let_in(engines, writer, hall, 3)
    session_id = hall.conference.session_id
    paged: list[str] = []
    after: tuple[str, ...] | None = None
    async with engines.read() as connection:
        streamed = [
            row.code async for rows in records.attendance_rows(connection, session_id, EVERYTHING) for row in rows
        ]
        while True:
            rows = await records.attendance_page(connection, session_id, Asked(EVERYTHING, 2, after=after), None)
            if not rows:
                break
            paged += [row.code for row in rows]
            after = (rows[-1].unit_path, rows[-1].sort_key, rows[-1].code)
    assert paged == streamed
    assert len(set(paged)) == len(paged)


async def test_search_ignores_diacritics(engines: Engines) -> None:
    """Whoever types without a Vietnamese keyboard still finds the person."""
    conference = await sample.fill(engines)
    async with engines.read() as connection:
        for typed, code in (("hong dao", "DB-0001"), ("Điểu", "DB-0008"), ("db-0011", "DB-0011"), ("HHEN", "DB-0005")):
            rows = await records.attendance_page(
                connection, conference.session_id, Asked(EVERYTHING, 10, q=typed), None
            )
            assert [row.code for row in rows] == [code]


async def test_the_connection_log_tells_how_long_each_state_lasted(engines: Engines) -> None:
    """An organizer reads from it for how long a hall was out of reach."""
    conference = await sample.fill(engines)
    changes = [("expected", "online", 0), ("online", "suspect", 60_000), ("suspect", "lost", 75_000)]
    async with engines.writing.begin() as connection:
        for version, (before, after, at_ms) in enumerate(changes, 1):
            row = {"from_link": before, "to_link": after, "at_ms": NOW_MS + at_ms, "noticed_ms": NOW_MS + at_ms + 5}
            place = {"session_id": conference.session_id, "point_id": conference.points["HN-0003"]}
            await connection.execute(sa.insert(link_transition).values(**row, **place, cause="beat", version=version))
    async with engines.read() as connection:
        rows = [
            row async for part in records.connection_rows(connection, conference.session_id, EVERYTHING) for row in part
        ]
        elsewhere = Scope((conference.paths["HN-001"],))
        assert [part async for part in records.connection_rows(connection, conference.session_id, elsewhere)] == []
    assert [(row.from_link, row.to_link) for row in rows] == [change[:2] for change in changes]
    assert [row.at_ms - row.previous_ms if row.previous_ms else None for row in rows] == [None, 60_000, 15_000]
