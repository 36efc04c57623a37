"""The log as staff read it: the newest first, whole over its pages, and never beyond what the reader answers for."""

from __future__ import annotations

from msgspec.structs import replace
from sample import Sample, check_in

from diemcau.domain.authority import Scope
from diemcau.store import events
from diemcau.store.check_ins import Unlisted
from diemcau.store.engine import Engines
from diemcau.store.writer import Writer

EVERYTHING = Scope(("",))


async def recorded(writer: Writer, conference: Sample) -> list[bytes]:
    """Five events: two people of Ba Đình at home, one of them in the next hall too, a guest there, a stranger."""
    stranger = Unlisted(bytes(16), "Lê Văn Khách", "le van khach", "Sở Y tế", bytes(16))
    items = [
        check_in(conference, "DB-0003", "HN-0002"),
        check_in(conference, "DB-0004", "HN-0002"),
        check_in(conference, "DB-0003", "HN-0003"),
        check_in(conference, "DB-0007", "HN-0003"),
        replace(check_in(conference, "DB-0001", "HN-0004"), who=stranger),
    ]
    for item in items:
        await writer.check_in(item)
    return [item.nonce for item in items]


async def page(engines: Engines, asked: events.Asked) -> list[events.EventRow]:
    """A page of the log."""
    async with engines.read() as connection:
        return await events.page(connection, asked)


async def test_pages_join_without_gap_or_repeat(engines: Engines, writer: Writer, conference: Sample) -> None:
    """Reading on from where a page ended shows every event once, the newest first."""
    nonces = await recorded(writer, conference)
    seen: list[events.EventRow] = []
    while rows := await page(
        engines, events.Asked(conference.session_id, EVERYTHING, 2, before=seen[-1].event_id if seen else None)
    ):
        seen += rows
    assert [row.nonce for row in seen] == nonces[::-1]


async def test_an_event_tells_who_and_where(engines: Engines, writer: Writer, conference: Sample) -> None:
    """A clerk sees which of two entries counts, and what a stranger gave as name and unit."""
    await recorded(writer, conference)
    rows = await page(engines, events.Asked(conference.session_id, EVERYTHING, 10, attendee="DB-0003"))
    assert [(row.point, row.counted, row.number) for row in rows] == [("HN-0003", False, None), ("HN-0002", True, 1)]
    (stranger,) = await page(engines, events.Asked(conference.session_id, EVERYTHING, 10, point="HN-0004"))
    assert stranger.person is not None
    assert (stranger.person.full_name, stranger.person.unit_name, stranger.person.code) == (
        "Lê Văn Khách",
        "Sở Y tế",
        None,
    )
    assert stranger.counted


async def test_a_reader_sees_their_people_and_their_halls(engines: Engines, writer: Writer, conference: Sample) -> None:
    """Of another district a clerk sees nothing (I5), except the own people who sat there."""
    nonces = await recorded(writer, conference)
    ba_dinh = Scope((conference.paths["HN-001"],))
    rows = await page(engines, events.Asked(conference.session_id, ba_dinh, 10))
    assert [row.nonce for row in rows] == [nonces[2], nonces[1], nonces[0]]
    ward = Scope((conference.paths["HN-002-01"],))
    assert [row.nonce for row in await page(engines, events.Asked(conference.session_id, ward, 10))] == [nonces[4]]
    assert await page(engines, events.Asked(conference.session_id + 1, EVERYTHING, 10)) == []
