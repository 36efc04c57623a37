"""What is odd at a door becomes a row for review, with the check-ins concerned, and blocks nobody."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from desk import badge_of, by_badge, desk
from phone import Phone
from sample import Sample, figures, fill
from sample import check_in as arrival
from support import Running, Start

from diemcau import limits
from diemcau.domain.anomalies import Finding
from diemcau.domain.authority import System
from diemcau.domain.models import AnomalyKind, Source
from diemcau.errors import OverloadedError
from diemcau.services import anomalies, devices
from diemcau.store import anomalies as stored
from diemcau.store.engine import Engines
from diemcau.store.schema import anomaly, attendance_event
from diemcau.store.schema import point as points
from diemcau.wire import api

PEOPLE = [f"DB-{number:04}" for number in range(1, 13)]


@pytest.fixture
async def running(database: str, start: Start) -> Running:
    """A server on each kind of database."""
    return await start(database)


@pytest.fixture
async def sample(running: Running) -> Sample:
    """The small conference inside it."""
    return await fill(running.context.engines)


async def found(running: Running) -> list[Any]:
    """The anomalies that stand in the database once the background task has written."""
    await anomalies.write(System(), running.context)
    async with running.context.engines.read() as connection:
        return list((await connection.execute(sa.select(anomaly).order_by(anomaly.c.id))).mappings())


async def nonces(running: Running) -> list[bytes]:
    """Of every check-in, in the order they were written."""
    async with running.context.engines.read() as connection:
        return list((await connection.execute(sa.select(attendance_event.c.nonce).order_by("id"))).scalars())


async def test_one_phone_for_six_people(phone: Phone, running: Running, sample: Sample) -> None:
    """A phone that scans a second time for a sixth person: everybody is checked in, and the office sees all six."""
    for person in PEOPLE[:5]:
        await phone.check_in(person)
    assert await found(running) == []
    await phone.check_in(PEOPLE[5])
    (row,) = await found(running)
    assert (row["kind"], row["count"], row["point_id"]) == (AnomalyKind.ONE_PHONE, 6, sample.points["HN-0002"])
    assert row["nonces"] == b"".join(await nonces(running))
    assert len(row["key"]) == 16
    await phone.check_in(PEOPLE[6])
    (row,) = await found(running)
    assert (row["count"], row["nonces"]) == (7, b"".join(await nonces(running)))
    assert (await figures(running.context.engines))[0] == 7


async def test_phones_without_cookies_are_different_phones(phone: Phone, running: Running) -> None:
    """Twelve people behind one address, each with a phone that keeps no cookie, are twelve phones."""
    for person in PEOPLE:
        await phone.another().check_in(person)
    assert await found(running) == []


async def arrive(phone: Phone, code: str, name: str, address: str) -> None:
    """Somebody on no list uses a code on a network."""
    caller, at = phone.another(), {"X-Forwarded-For": address}
    opened = await caller.send("GET", f"/C/{code}", None, **at)
    typed = {**opened.form_with("claim"), "name": name, "unit": "Quận Ba Đình"}
    assert (await caller.send("POST", "/c/check-in", typed, **at)).status == 303


async def test_code_used_from_elsewhere(phone: Phone, running: Running, sample: Sample) -> None:
    """A code that was forwarded out of the hall: whoever used it from elsewhere stands in the review, nobody else."""
    for number in range(60):
        await arrive(phone, phone.code(), f"Người {number}", f"27.{60 + number % 8}.1.1")
        running.clock.advance(5)
    assert await found(running) == []
    code = phone.code()
    for number in range(10):
        await arrive(phone, code, f"Xa {number}", f"{100 + number}.1.1.1")
    (row,) = await found(running)
    assert (row["kind"], row["count"], row["point_id"]) == (
        AnomalyKind.DISTANT_NETWORKS,
        10,
        sample.points["HN-0002"],
    )
    assert row["nonces"] == b"".join((await nonces(running))[60:])


async def test_queue_of_a_wrong_clock_is_not_flagged(running: Running, sample: Sample) -> None:
    """A cut-off laptop whose clock ran an hour ahead until the line came back: forty badges, one a second, are fine."""
    operator = await desk(running)
    badges = [await badge_of(running, person) for person in PEOPLE]
    ahead_ms = operator.now_ms + 3_600_000
    queue = [
        operator.item(by_badge(badges[number % 12]), at_ms=ahead_ms + number * 1000, offline=True)
        for number in range(40)
    ]
    results = await operator.results(*queue)
    assert all("clock_skew" in result["flags"] for result in results)
    assert await found(running) == []


async def test_hall_of_one_seat(phone: Phone, running: Running) -> None:
    """Two people counted on one seat are looked at; nobody is turned away."""
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(points).values(capacity=1))
    await phone.another().check_in(PEOPLE[0])
    await phone.another().check_in(PEOPLE[1])
    (row,) = await found(running)
    assert (row["kind"], row["count"]) == (AnomalyKind.IMPOSSIBLE_PACE, 2)
    assert row["nonces"] == (await nonces(running))[1]


async def test_scanner_faster_than_hands(running: Running, sample: Sample) -> None:
    """A device that sends a list of badges within seconds is looked at, by its own clock, however late it comes."""
    made = await devices.make_pairing(System(), running.context, "HN-0002", api.PairingNew())
    await devices.pair(System(), running.context, api.PairRequest(made.code, "máy quét"))
    items = [arrival(sample, PEOPLE[number % 12]) for number in range(limits.ANOMALY_SCANS_MAX + 1)]
    scans = [msgspec.structs.replace(item, source=Source.BADGE, device_id=1, offline=True) for item in items]
    await running.context.writer.check_ins(scans)
    (row,) = await found(running)
    assert (row["kind"], row["count"]) == (AnomalyKind.IMPOSSIBLE_PACE, limits.ANOMALY_SCANS_MAX + 1)
    assert {row["nonces"][start : start + 16] for start in range(0, len(row["nonces"]), 16)} == {
        item.nonce for item in items
    }


async def test_hanging_up_hides_nothing(phone: Phone, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that hangs up before the answer is seen by the rules all the same."""
    traces: list[Any] = []
    see = type(running.context.anomalies).see

    def looked_at(watched: Any, outcomes: Any) -> None:
        traces.extend(watched._traces.get(outcome.check_in.nonce) for outcome in outcomes)
        see(watched, outcomes)

    monkeypatch.setattr(type(running.context.anomalies), "see", looked_at)
    asked = await phone.say(PEOPLE[0])
    await phone.post(**asked.form_with("confirm"))
    assert len(traces) == 1
    assert traces[0] is not None
    assert running.context.anomalies._traces == {}


async def test_what_cannot_be_written_waits(phone: Phone, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy database delays the review; it loses nothing of it."""
    for person in PEOPLE[:6]:
        await phone.check_in(person)

    async def busy(*_: object) -> None:
        raise OverloadedError(retry_after_s=2)

    with monkeypatch.context() as patch:
        patch.setattr(type(running.context.writer), "write", busy)
        assert await found(running) == []
    (row,) = await found(running)
    assert row["count"] == 6


async def test_findings_of_two_servers_are_one_row(engines: Engines, conference: Sample) -> None:
    """Two servers that saw parts of it write one anomaly; who reviewed it, and their note, stay."""

    def finding(first: int, last: int) -> Finding:
        return Finding(
            conference.session_id,
            AnomalyKind.ONE_PHONE,
            bytes(16),
            conference.points["HN-0002"],
            first,
            last,
            last - first,
            tuple(number.to_bytes(16, "big") for number in range(first, last)),
        )

    async with engines.writing.begin() as connection:
        await stored.record(connection, [finding(10, 16)])
        await connection.execute(sa.update(anomaly).values(reviewed_by="thanh tra", note="gia đình"))
        await stored.record(connection, [finding(14, 22), finding(5, 11)])
        (row,) = (await connection.execute(sa.select(anomaly))).mappings()
    assert (row["first_ms"], row["last_ms"], row["count"]) == (5, 22, 8)
    assert len(row["nonces"]) == 16 * 17
    assert (row["reviewed_by"], row["note"]) == ("thanh tra", "gia đình")


async def test_findings_are_written_at_the_end(start: Start) -> None:
    """A server that stops a second after the sixth person still writes what it found."""
    running = await start()
    sample = await fill(running.context.engines)
    phone = Phone(running, sample)
    for person in PEOPLE[:6]:
        await phone.check_in(person)
    await running.server.__aexit__(None, None, None)
    engines = Engines(running.server.settings.database)
    async with engines.read() as connection:
        assert len((await connection.execute(sa.select(anomaly.c.id))).all()) == 1
    await engines.close()
