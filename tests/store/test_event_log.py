"""The one place that writes the log: chains that follow, whoever writes and whatever is tried again (I4)."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from chains import bodies
from msgspec.structs import replace
from sample import PEOPLE, Sample, check_in, listed
from support import NOW_MS

from diemcau.domain.log_chain import Body, commitments
from diemcau.domain.models import EventKind, Flag, Source
from diemcau.errors import NotFoundError
from diemcau.store import event_log
from diemcau.store.check_ins import CheckIn
from diemcau.store.engine import Connection, Engines
from diemcau.store.event_log import NewEvent
from diemcau.store.schema import attendance_event
from diemcau.store.writer import Writer, new_writer_id


def note(conference: Sample, number: int, kind: EventKind = EventKind.ANNUL) -> NewEvent:
    """An event as a correction writes it."""
    return NewEvent(
        session_id=conference.session_id,
        session="S1",
        nonce=bytes([255]) + number.to_bytes(15, "big"),
        fingerprint=bytes(16),
        kind=kind,
        source=Source.MANUAL,
        point_id=conference.points["HN-0002"],
        point="HN-0002",
        server_ms=1,
        at_ms=1,
        happened_ms=1,
        counted=False,
        by="thu-ky",
        of_nonce=number.to_bytes(16, "big"),
        reason="nhầm người",
    )


async def test_jobs_and_batches_share_one_chain(engines: Engines, writer: Writer, conference: Sample) -> None:
    """A correction follows what was recorded before it, and what comes next follows the correction."""

    async def correct(connection: Connection) -> None:
        await connection.run_sync(event_log.append, writer.writer_id, [note(conference, 1), note(conference, 2)])

    await writer.check_in(check_in(conference, "DB-0003"))
    await writer.write(correct)
    await writer.check_ins([check_in(conference, "DB-0004"), check_in(conference, "DB-0005")])
    told = await bodies(engines)
    assert [body.position for body in told] == [1, 2, 3, 4, 5]
    assert [body.kind for body in told] == ["check_in", "annul", "annul", "check_in", "check_in"]
    assert (told[1].by, told[1].reason, told[1].of) == ("thu-ky", "nhầm người", (1).to_bytes(16, "big").hex())


async def test_log_says_what_was_recorded(engines: Engines, writer: Writer, conference: Sample) -> None:
    """Every field of a check-in stands in the log where it belongs, in the entry and in the row beside it."""
    item = CheckIn(
        session_id=conference.session_id,
        point_id=conference.points["HN-0003"],
        point="HN-0003",
        who=listed(conference, "DB-0003"),
        nonce=bytes(range(16)),
        fingerprint=bytes(range(16, 32)),
        source=Source.MANUAL,
        server_ms=NOW_MS + 3,
        at_ms=NOW_MS + 1,
        happened_ms=NOW_MS + 2,
        flags=(Flag.LATE, Flag.OFFLINE),
        offline=True,
        offset_ms=-4,
        device_id=5,
        account_id=6,
        by="thu-ky",
        reason="hỏng máy quét",
        stands_for=listed(conference, "DB-0004"),
        of_nonce=bytes(range(32, 48)),
    )
    await writer.check_in(item)
    (body,) = await bodies(engines)
    assert body == Body(
        session="S1",
        writer=writer.writer_id.hex(),
        position=1,
        nonce=item.nonce.hex(),
        kind="check_in",
        source="manual",
        point="HN-0003",
        server_ms=NOW_MS + 3,
        at_ms=NOW_MS + 1,
        happened_ms=NOW_MS + 2,
        counted=True,
        by="thu-ky",
        who=commitments(b"DB-0003.........", ("DB-0003", "Nguyễn Thị Hiền", "0900000003")),
        stands_for=commitments(b"DB-0004.........", ("DB-0004", "Nguyễn Thị Hiền", "0900000004")),
        offset_ms=-4,
        offline=True,
        number=1,
        flags="late offline",
        of=bytes(range(32, 48)).hex(),
        reason="hỏng máy quét",
    )
    e = attendance_event.c
    query = sa.select(e.attendee_id, e.stands_for_id, e.point_id, e.device_id, e.account_id, e.fingerprint)
    async with engines.read() as connection:
        row = (await connection.execute(query)).one()
    people = [conference.attendees[code] for code in ("DB-0003", "DB-0004")]
    assert tuple(row) == (*people, conference.points["HN-0003"], 5, 6, item.fingerprint)


async def test_failed_write_leaves_no_gap(engines: Engines, writer: Writer, conference: Sample) -> None:
    """A correction that was refused half-way takes no position: nobody finds a hole in the log."""

    async def half(connection: Connection) -> None:
        await connection.run_sync(event_log.append, writer.writer_id, [note(conference, 1)])
        raise NotFoundError(what="unit", key="X")

    with pytest.raises(NotFoundError):
        await writer.write(half)
    await writer.check_in(check_in(conference, "DB-0003"))
    assert [body.position for body in await bodies(engines)] == [1]


async def test_each_process_has_a_chain_of_its_own(engines: Engines, writer: Writer, conference: Sample) -> None:
    """Two servers never wait for one another's chain, and a restart begins a new one."""
    other = Writer(engines)
    running = asyncio.create_task(other.run())
    await writer.check_in(check_in(conference, "DB-0003"))
    await other.check_in(check_in(conference, "DB-0004"))
    await writer.check_in(check_in(conference, "DB-0005"))
    other.drain()
    await running
    told = [(body.writer, body.position) for body in await bodies(engines)]
    assert told == [(writer.writer_id.hex(), 1), (other.writer_id.hex(), 1), (writer.writer_id.hex(), 2)]


async def test_log_names_nobody(engines: Engines, writer: Writer, conference: Sample) -> None:
    """Whoever reads the log without the salts learns when and where, and no name, code or telephone."""
    stand_in = replace(check_in(conference, "DB-0003"), stands_for=listed(conference, "DB-0002"))
    await writer.check_in(stand_in)
    (body,) = await bodies(engines)
    text = repr(body)
    for code, full_name, *_, phone in PEOPLE:
        assert code not in text
        assert full_name not in text
        assert not phone or phone not in text
    assert body.who == commitments(b"DB-0003.........", ("DB-0003", "Nguyễn Thị Hiền", "0900000003"))
    assert body.stands_for == commitments(b"DB-0002.........", ("DB-0002", "Trần Văn Ánh", "0987000111"))


def test_writer_ids_are_uuids_in_order_of_time() -> None:
    """Chains sort by when their process started."""
    first, second = new_writer_id(), new_writer_id()
    assert first[:6] <= second[:6]
    assert (first[6] >> 4, first[8] >> 6, len(first)) == (7, 2, 16)
    assert first != second
