"""Who else comes through the door: people on no list, late queues, who leaves, spot-checks, and substitutes."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from chains import bodies
from msgspec.structs import replace
from sample import Sample, check_in, figures, listed
from support import NOW_MS

from diemcau.domain.models import EventKind, Flag, SessionState, Source
from diemcau.store.check_ins import CheckIn, Outcome, Unlisted, record
from diemcau.store.engine import Engines
from diemcau.store.schema import (
    account,
    attendance,
    session,
    session_point,
    spot_check,
    spot_check_person,
    substitution,
    unlisted,
)

WRITER = bytes(range(16))
GUEST = Unlisted(b"tran-khach......", "Trần Khách", "tran khach", "Sở Nội vụ", b"salt of a guest.")


async def write(engines: Engines, *items: CheckIn) -> list[Outcome]:
    """One batch, committed."""
    return await engines.transact(lambda connection: record(connection, items, WRITER))


async def change(engines: Engines, statement: Any) -> None:
    """One statement, committed."""
    async with engines.writing.begin() as connection:
        await connection.execute(statement)


async def rows(engines: Engines, *columns: sa.ColumnElement[Any]) -> list[tuple[Any, ...]]:
    """What these columns hold, in their order."""
    async with engines.read() as connection:
        return sorted(tuple(row) for row in await connection.execute(sa.select(*columns)))


async def close(engines: Engines) -> None:
    """The session is closed."""
    await change(engines, sa.update(session).values(state=SessionState.CLOSED))


def guest(conference: Sample, hall: str = "HN-0002") -> CheckIn:
    """Trần Khách, who is on no list, in `hall`."""
    return replace(check_in(conference, "DB-0003", hall, Flag.UNLISTED), who=GUEST)


# --- people on no list -------------------------------------------------------------------------------------
async def test_people_on_no_list_count_apart(engines: Engines, conference: Sample) -> None:
    """A guest is let in and counted once a hall, never among those who were invited."""
    first, again, other = await write(engines, guest(conference), guest(conference), guest(conference, "HN-0003"))
    (listed_one,) = await write(engines, check_in(conference, "DB-0003"))
    assert [(o.result, o.counted, o.number, o.present, o.unlisted) for o in (first, again, other, listed_one)] == [
        ("accepted", True, 1, None, 1),
        ("duplicate", False, None, None, None),
        ("accepted", True, 1, None, 1),
        ("accepted", True, 1, 1, None),
    ]
    assert again.at_ms == first.at_ms
    counted = await rows(engines, session_point.c.present, session_point.c.unlisted)
    assert counted == [(0, 0), (0, 0), (0, 1), (1, 1)]


async def test_guest_is_replayed_and_known_again(engines: Engines, conference: Sample) -> None:
    """A guest whose answer was lost gets the same one, and the log commits to one salt of theirs."""
    item = guest(conference)
    (first,) = await write(engines, item)
    later = replace(guest(conference), who=replace(GUEST, salt=b"another salt...."))
    replayed, duplicate = await write(engines, item, later)
    assert (replayed.result, replayed.number, replayed.replayed) == ("accepted", first.number, True)
    assert (duplicate.result, duplicate.at_ms) == ("duplicate", first.at_ms)
    first_body, second_body = await bodies(engines)
    assert first_body.who == second_body.who


async def test_matched_guest_counts_as_the_person_they_are(engines: Engines, conference: Sample) -> None:
    """Once a clerk said who a guest is, typing the same name again finds that person counted."""
    await write(engines, check_in(conference, "DB-0003", "HN-0003"))
    await write(engines, guest(conference))
    matched = sa.update(unlisted).values(attendee_id=conference.attendees["DB-0003"])
    await change(engines, matched)
    await change(engines, sa.update(session_point).values(unlisted=0))
    (again,) = await write(engines, guest(conference))
    assert (again.result, again.point_id) == ("duplicate", conference.points["HN-0003"])
    assert await figures(engines) == (1, 1, 3, 2)


# --- after closing -----------------------------------------------------------------------------------------
async def test_nothing_slips_in_after_closing(engines: Engines, conference: Sample) -> None:
    """A tap that was on its way when the session closed is told so; no figure moves and nothing is written."""
    await write(engines, check_in(conference, "DB-0003"))
    await close(engines)
    tap = check_in(conference, "DB-0004")
    by_device = replace(check_in(conference, "DB-0005"), source=Source.BADGE, device_id=None)
    assert [outcome.result for outcome in await write(engines, tap, by_device)] == ["closed", "closed"]
    assert await figures(engines) == (1, 1, 1, 1)


@pytest.mark.parametrize("how", ["offline", "account", "paper"])
async def test_facts_wait_for_the_revision(engines: Engines, conference: Sample, how: str) -> None:
    """A queue that arrives after closing loses nobody: it is kept, flagged, and changes no figure yet."""
    async with engines.writing.begin() as connection:
        await connection.execute(sa.insert(account).values(id=1, name="thu-ky", password_hash="", made_ms=0))
    await close(engines)
    item = check_in(conference, "DB-0003", "HN-0002", Flag.LATE)
    late = {
        "offline": replace(item, offline=True),
        "account": replace(item, account_id=1, source=Source.MANUAL),
        "paper": replace(item, source=Source.PAPER),
    }[how]
    (kept,) = await write(engines, late)
    assert (kept.result, kept.held, kept.counted, kept.number) == ("accepted", True, False, None)
    assert kept.flags == (Flag.LATE, Flag.AFTER_CLOSING)
    assert await figures(engines) == (0, 0, 1, 0)
    (again,) = await write(engines, late)
    assert (again.result, again.held, again.replayed, again.flags) == ("accepted", True, True, kept.flags)
    (body,) = await bodies(engines)
    assert (body.held, body.counted) == (True, False)


async def test_retry_after_closing_is_the_first_answer(engines: Engines, conference: Sample) -> None:
    """Who was counted before closing and lost the answer hears that they were, tapped live or from the queue."""
    item = check_in(conference, "DB-0003")
    await write(engines, item)
    await close(engines)
    live, queued = await write(engines, item, replace(item, offline=True))
    assert [(o.result, o.counted, o.held, o.replayed) for o in (live, queued)] == [("accepted", True, False, True)] * 2


async def test_queue_behind_a_refused_tap(engines: Engines, conference: Sample) -> None:
    """A device that was refused live keeps the same item and sends it as recorded offline: it is kept then."""
    await close(engines)
    item = check_in(conference, "DB-0003")
    (refused,) = await write(engines, item)
    (kept,) = await write(engines, replace(item, offline=True))
    assert (refused.result, kept.result, kept.held) == ("closed", "accepted", True)


# --- coming and going ----------------------------------------------------------------------------------------
def leave(conference: Sample, person: str, happened_ms: int) -> CheckIn:
    """Somebody is checked out."""
    return replace(check_in(conference, person), kind=EventKind.CHECK_OUT, happened_ms=happened_ms)


def come(conference: Sample, person: str, happened_ms: int, hall: str = "HN-0002", **changes: Any) -> CheckIn:
    """Somebody is checked in at a time."""
    return replace(check_in(conference, person, hall), happened_ms=happened_ms, **changes)


LEFT = (attendance.c.attendee_id, attendance.c.left_ms)


async def test_leaving_and_coming_back(engines: Engines, conference: Sample) -> None:
    """Who leaves stays counted and is known to have left; coming back is a duplicate that says they are here."""
    who = conference.attendees["DB-0003"]
    await write(engines, come(conference, "DB-0003", NOW_MS))
    (gone,) = await write(engines, leave(conference, "DB-0003", NOW_MS + 60_000))
    assert (gone.result, gone.counted, gone.at_ms) == ("accepted", False, NOW_MS)
    assert await rows(engines, *LEFT) == [(who, NOW_MS + 60_000)]
    (back,) = await write(engines, come(conference, "DB-0003", NOW_MS + 90_000))
    assert back.result == "duplicate"
    assert await rows(engines, *LEFT) == [(who, None)]
    assert await figures(engines) == (1, 1, 3, 1)


async def test_late_queue_does_not_bring_back_who_left(engines: Engines, conference: Sample) -> None:
    """What happened before somebody left changes nothing about it, whenever it arrives."""
    who = conference.attendees["DB-0003"]
    await write(engines, come(conference, "DB-0003", NOW_MS), leave(conference, "DB-0003", NOW_MS + 60_000))
    await write(engines, come(conference, "DB-0003", NOW_MS + 30_000, "HN-0003", offline=True))
    assert await rows(engines, *LEFT) == [(who, NOW_MS + 60_000)]
    await write(engines, leave(conference, "DB-0003", NOW_MS + 40_000))
    assert await rows(engines, *LEFT) == [(who, NOW_MS + 60_000)]


async def test_check_out_that_overtakes_its_check_in(engines: Engines, conference: Sample) -> None:
    """Two devices of a hall: who left by the one is known to have left when the other's queue arrives."""
    (early,) = await write(engines, leave(conference, "DB-0003", NOW_MS + 60_000))
    assert (early.result, early.counted) == ("accepted", False)
    (late,) = await write(engines, come(conference, "DB-0003", NOW_MS, offline=True))
    assert late.counted
    assert await rows(engines, *LEFT) == [(conference.attendees["DB-0003"], NOW_MS + 60_000)]


# --- spot-checks ---------------------------------------------------------------------------------------------
@pytest.fixture
async def check_id(engines: Engines, conference: Sample) -> int:
    """A spot-check with a code of its own, in which DB-0003 was drawn by lot."""
    made = {"session_id": conference.session_id, "phase": "middle", "mode": "code", "made_by": "thu-ky"}
    async with engines.writing.begin() as connection:
        added = sa.insert(spot_check).values(**made, started_ms=NOW_MS, ends_ms=NOW_MS + 600_000)
        check_id: int = (await connection.execute(added.returning(spot_check.c.id))).scalar_one()
        asked = {"attendee_id": conference.attendees["DB-0003"], "point_id": conference.points["HN-0002"]}
        await connection.execute(
            sa.insert(spot_check_person).values(spot_check_id=check_id, asked=True, seen=None, **asked)
        )
    return check_id


async def test_spot_check_sees_everybody_who_scans(engines: Engines, conference: Sample, check_id: int) -> None:
    """Who scans the new code was there; who was not counted before is counted by it, nobody twice."""
    await write(engines, check_in(conference, "DB-0003"))
    scans = [
        replace(check_in(conference, person), kind=EventKind.SPOT_CHECK, spot_check_id=check_id)
        for person in ("DB-0003", "DB-0004", "DB-0004")
    ]
    outcomes = await write(engines, *scans)
    assert [(o.result, o.counted, o.number) for o in outcomes] == [
        ("accepted", False, None),
        ("accepted", True, 2),
        ("accepted", False, None),
    ]
    p = spot_check_person.c
    assert await rows(engines, p.attendee_id, p.asked, p.seen, p.at_ms) == [
        (conference.attendees["DB-0003"], True, True, scans[0].happened_ms),
        (conference.attendees["DB-0004"], False, True, scans[1].happened_ms),
    ]
    assert await figures(engines) == (2, 2, 4, 2)
    assert [body.detail for body in await bodies(engines)] == ["", *[f"spot_check:{check_id}"] * 3]


# --- substitutes ---------------------------------------------------------------------------------------------
async def test_place_is_taken_once(engines: Engines, conference: Sample) -> None:
    """Two people who say that they stand for the same one are both counted; the first has the place."""
    stood_for = listed(conference, "DB-0001")
    first, second = (replace(check_in(conference, person), stands_for=stood_for) for person in ("DB-0004", "DB-0003"))
    outcomes = await write(engines, first, second)
    assert [outcome.counted for outcome in outcomes] == [True, True]
    taken = await rows(engines, substitution.c.attendee_id, substitution.c.nonce)
    assert taken == [(conference.attendees["DB-0001"], first.nonce)]


async def test_duplicate_takes_no_place(engines: Engines, conference: Sample) -> None:
    """An entry that does not count takes nobody's place."""
    await write(engines, check_in(conference, "DB-0003"))
    (again,) = await write(engines, replace(check_in(conference, "DB-0003"), stands_for=listed(conference, "DB-0001")))
    assert again.result == "duplicate"
    assert await rows(engines, substitution.c.attendee_id) == []
