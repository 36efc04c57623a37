"""The one place that writes the log: chains that follow, whoever writes and whatever is tried again (I4)."""

from __future__ import annotations

import asyncio

import pytest
from chains import bodies
from msgspec.structs import replace
from sample import PEOPLE, Sample, check_in, listed

from diemcau.domain.log_chain import commitments
from diemcau.domain.models import EventKind, Source
from diemcau.errors import NotFoundError
from diemcau.store import event_log
from diemcau.store.engine import Connection, Engines
from diemcau.store.event_log import NewEvent
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
