"""Batches of check-ins and their nonces: a retry is answered as the first time, one bad item stalls nothing."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import msgspec
import pytest
import sample as sample_conference
import sqlalchemy as sa
from desk import Desk, badge_of, by_badge, by_code, by_name, desk, paired
from hypothesis import given
from hypothesis import strategies as st
from sample import figures
from support import NOW_MS, Running, Start

from diemcau import limits
from diemcau.domain.authority import System
from diemcau.services import badges, batch_items
from diemcau.store.schema import session
from diemcau.web.check_ins import mended
from diemcau.wire.check_ins import CheckInBatch, CheckInResult


@pytest.fixture
async def running(start: Start, database: str) -> Running:
    """A server on each database, with the sample conference."""
    started = await start(database)
    await sample_conference.fill(started.context.engines)
    return started


@pytest.fixture
async def hall(running: Running) -> Desk:
    """The operator of Ba Đình, HN-0002."""
    return await desk(running)


@pytest.fixture
async def next_hall(running: Running) -> Desk:
    """The operator of Hoàn Kiếm, HN-0003."""
    return await desk(running, "HN-0003")


async def counted(running: Running) -> tuple[int, int, int, int]:
    """Counted rows, the counters' sum, events, events that say they were counted."""
    return await figures(running.context.engines)


async def post(hall: Desk, body: bytes) -> tuple[int, Any]:
    """Send bytes that no JSON encoder of ours would make."""
    headers = {"Content-Type": "application/json"}
    return await hall.client.call("POST", "/api/v1/sessions/S1/check-ins", data=body, headers=headers)


# --- nonces --------------------------------------------------------------------------------------------------
async def test_a_retry_is_answered_as_the_first_time(running: Running, hall: Desk) -> None:
    """A lost answer costs nothing: sent again, online or from the queue, it is the same check-in (I1, I2)."""
    item = hall.item(by_code("DB-0003"))
    (first,) = await hall.results(item)
    running.clock.advance(600)
    async with running.context.engines.readers.connect() as raw:
        connection = await raw.execution_options(writing=True)
        async with connection.begin():
            await connection.execute(sa.update(session).values(state="closed"))
    (queued,) = await hall.results(item | {"offline": True})
    (again,) = await hall.results(item)
    assert first["replayed"] is False
    assert queued == again == first | {"replayed": True}
    assert await counted(running) == (1, 1, 1, 1)


async def test_a_retry_from_another_device_of_the_hall(running: Running, hall: Desk) -> None:
    """The laptop broke; its queue is sent by the telephone beside it."""
    item = hall.item(by_code("DB-0003"))
    (first,) = await hall.results(item)
    other = Desk(running, await paired(running))
    assert await other.results(item) == [first | {"replayed": True}]


async def test_a_retry_outlives_the_badge(running: Running, hall: Desk) -> None:
    """A badge taken back between a check-in and its retry must not make the device set aside what counts."""
    item = hall.item(by_badge(await badge_of(running, "DB-0003")))
    unknown = hall.item(by_badge("A" * 26), offline=True)
    first = await hall.results(item, unknown)
    await badges.revoke(System(), running.context, "DB-0003")
    again = await hall.results(item, unknown | {"offline": False})
    assert again == [one | {"replayed": True} for one in first]


@pytest.mark.parametrize(
    "change",
    [
        {"who": by_code("DB-0004")},
        {"at_ms": NOW_MS - 1},
        {"kind": "check_out"},
        {"who": by_name("Lê Văn Khách")},
        {"stands_for": "DB-0006"},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("together", [True, False])
async def test_a_nonce_stands_for_one_content(
    running: Running, hall: Desk, change: dict[str, Any], *, together: bool
) -> None:
    """Another content under a known nonce is refused and tells nothing of the first."""
    item = hall.item(by_code("DB-0003"))
    if together:
        first, other = await hall.results(item, item | change)
    else:
        ((first,), (other,)) = await hall.results(item), await hall.results(item | change)
    assert first["result"] == "accepted"
    assert {key: value for key, value in other.items() if value} == {
        "nonce": item["nonce"],
        "result": "refused",
        "reason": "conflict_nonce",
    }
    assert await counted(running) == (1, 1, 1, 1)


async def test_a_nonce_is_unique_for_good(running: Running, hall: Desk, next_hall: Desk) -> None:
    """The same nonce in another hall or another session is another content, not another check-in."""
    item = hall.item(by_code("DB-0003"))
    await hall.results(item)
    assert (await next_hall.results(item | {"point": "HN-0003"}))[0]["reason"] == "conflict_nonce"
    starts = {"starts_ms": NOW_MS + 7_200_000, "ends_ms": NOW_MS + 9_000_000}
    await running.admin.ok("POST", "/api/v1/sessions", {"code": "S9", "title": "Buổi chín", **starts})
    await running.admin.ok("PUT", "/api/v1/sessions/S9/points", {"unit": "HN"})
    await running.admin.ok("POST", "/api/v1/sessions/S9/state", {"to": "open"})
    (result,) = (await hall.send(item, session="S9"))["items"]
    assert result["reason"] == "conflict_nonce"
    assert await counted(running) == (1, 1, 1, 1)


async def test_twice_in_one_batch(running: Running, hall: Desk) -> None:
    """A queue that holds an item twice gets two equal answers and one check-in."""
    item = hall.item(by_code("DB-0003"))
    first, again = await hall.results(item, item)
    assert again == first | {"replayed": True}
    assert await counted(running) == (1, 1, 1, 1)


# --- batches -------------------------------------------------------------------------------------------------
async def test_a_hall_s_whole_queue(running: Running, hall: Desk) -> None:
    """Hundreds of people at once, each answered in its place, people met twice included."""
    people = [f"DB-{number:04}" for number in range(1, 13)]
    items = [hall.item(by_code(people[number % 12]), offline=True) for number in range(limits.BATCH_ITEMS_MAX)]
    results = await hall.results(*items)
    assert [result["nonce"] for result in results] == [item["nonce"] for item in items]
    assert [result["result"] for result in results] == ["accepted"] * 12 + ["duplicate"] * (len(items) - 12)
    assert [result["check_in"]["person"]["code"] for result in results[:24]] == people * 2
    assert await counted(running) == (12, 12, len(items), 12)
    assert await hall.results(*items) == [result | {"replayed": True} for result in results]


async def test_queues_that_race(running: Running, hall: Desk, next_hall: Desk) -> None:
    """Two halls send the same people at once, in opposite order: everybody counts once, both get their answers."""
    people = [f"DB-{number:04}" for number in range(1, 13)]
    here, there = await asyncio.gather(
        hall.results(*(hall.item(by_code(one), offline=True) for one in people)),
        next_hall.results(*(next_hall.item(by_code(one), offline=True) for one in reversed(people))),
    )
    assert sum(one["counted"] for one in here + there) == 12
    assert await counted(running) == (12, 12, 24, 12)


async def test_an_overlong_batch(running: Running, hall: Desk) -> None:
    """A queue must be cut by its sender; nothing of an overlong one is stored."""
    items = [hall.item(by_code("DB-0003"))] * (limits.BATCH_ITEMS_MAX + 1)
    status, problem = await hall.client.call(
        "POST", "/api/v1/sessions/S1/check-ins", {"device_ms": NOW_MS, "items": items}
    )
    assert (status, problem["code"], problem["params"]["field"]) == (400, "malformed", "items")
    big = [hall.item(by_name("x" * 200), reason="y" * 300) | {"unit": "z" * 5000}] * 300
    body = io.BytesIO(msgspec.json.encode({"device_ms": NOW_MS, "items": big}))
    headers = {"Content-Type": "application/json"}
    status, problem = await hall.client.call("POST", "/api/v1/sessions/S1/check-ins", data=body, headers=headers)
    assert (status, problem["code"]) == (413, "too_large")


# --- items that cannot be read -------------------------------------------------------------------------------
GOOD: dict[str, Any] = {
    "nonce": "019c1c6f-0000-7000-8000-00000000beef",
    "point": "HN-0002",
    "at_ms": NOW_MS,
    "who": by_code("DB-0003"),
}
BAD: list[tuple[bytes, str, str]] = [
    (b"null", "", ""),
    (b"[]", "", ""),
    (b"{}", "", "nonce"),
    (msgspec.json.encode(GOOD | {"nonce": "1"}), "1", "nonce"),
    (msgspec.json.encode(GOOD | {"nonce": GOOD["nonce"].upper()}), GOOD["nonce"].upper(), "nonce"),
    (msgspec.json.encode(GOOD | {"nonce": "x" * 100}), "", "nonce"),
    (msgspec.json.encode(GOOD | {"nonce": 7}), "", "nonce"),
    (msgspec.json.encode(GOOD | {"point": "HN 2"}), GOOD["nonce"], "point"),
    (msgspec.json.encode(GOOD | {"at_ms": "now"}), GOOD["nonce"], "at_ms"),
    (msgspec.json.encode(GOOD | {"at_ms": 10**18}), GOOD["nonce"], "at_ms"),
    (msgspec.json.encode(GOOD | {"at_ms": 10**30}), GOOD["nonce"], "at_ms"),
    (msgspec.json.encode(GOOD | {"kind": "annul"}), GOOD["nonce"], "kind"),
    (msgspec.json.encode(GOOD | {"who": {"type": "face"}}), GOOD["nonce"], "who.type"),
    (msgspec.json.encode(GOOD | {"who": {"type": "badge"}}), GOOD["nonce"], "who.token"),
    (msgspec.json.encode(GOOD | {"surprise": 1}), GOOD["nonce"], "surprise"),
    (msgspec.json.encode(GOOD | {"who": by_badge("A" * 25 + "B")}), GOOD["nonce"], "who.token"),
    (msgspec.json.encode(GOOD | {"who": by_name(" \t ")}), GOOD["nonce"], "who.name"),
    (msgspec.json.encode(GOOD | {"who": by_name("a\0b")}), GOOD["nonce"], "who.name"),
    (msgspec.json.encode(GOOD | {"who": by_name("a", "\0")}), GOOD["nonce"], "who.unit"),
    (msgspec.json.encode(GOOD | {"who": by_name("a", "b", "\0")}), GOOD["nonce"], "who.stands_for"),
    (msgspec.json.encode(GOOD | {"who": by_badge("\0")}), GOOD["nonce"], "who.token"),
    (msgspec.json.encode(GOOD | {"reason": "\0"}), GOOD["nonce"], "reason"),
    (msgspec.json.encode(GOOD | {"who": by_name("HALF")}).replace(b"HALF", b"\\ud83d"), GOOD["nonce"], "who.name"),
    (msgspec.json.encode(GOOD | {"who": by_name("HALF")}).replace(b"HALF", b"\\uDC00x"), GOOD["nonce"], "who.name"),
    (msgspec.json.encode(GOOD | {"who": by_name("RAW")}).replace(b"RAW", b"\xff\xfe"), GOOD["nonce"], ""),
    (b'{"nonce":' + b"[" * 200 + b"]" * 200 + b"}", "", "nonce"),
]
"""An item, the nonce it is answered under, the field that is named."""


async def test_one_bad_item_stalls_nothing(running: Running, hall: Desk) -> None:
    """Whatever a broken device puts into its queue, the people before and behind it are recorded."""
    first, last = hall.item(by_code("DB-0004")), hall.item(by_name("Lê \\u0000 Khách 😀"))
    items = [msgspec.json.encode(first), *(raw for raw, _, _ in BAD), msgspec.json.encode(last)]
    body = b'{"device_ms":%d,"items":[%b]}' % (NOW_MS, b",".join(items))
    status, answer = await post(hall, body)
    assert status == 200
    results = answer["items"]
    assert (results[0]["result"], results[-1]["result"]) == ("accepted", "accepted")
    assert results[-1]["check_in"]["person"]["full_name"] == "Lê \\u0000 Khách 😀"
    told = [(one["nonce"], one.get("field", ""), one["result"], one["reason"]) for one in results[1:-1]]
    assert told == [(nonce, field, "refused", "malformed") for _, nonce, field in BAD]
    assert await counted(running) == (1, 1, 2, 2)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"device_ms":1}',
        b'{"device_ms":1,"items":[]}',
        b'{"device_ms":1.5,"items":[{}]}',
        b'{"device_ms":1,"items":[{]}',
        b'{"device_ms":1,"items":[{}],"more":1}',
        b'{"device_ms":1,"items":[' + b"[" * 50_000 + b"]" * 50_000 + b"]}",
        b'{"device_ms":1,"items":["\x00"]}',
    ],
)
async def test_a_broken_envelope(running: Running, hall: Desk, body: bytes) -> None:
    """What is no batch at all is an error of the request, with a field that names the place."""
    status, problem = await post(hall, body)
    assert (status, problem["code"]) == (400, "malformed")


@given(st.binary(max_size=300))
def test_no_item_breaks_the_reading(raw: bytes) -> None:
    """Bytes of any kind where an item should stand are answered, not a fault of ours."""
    try:
        items = msgspec.json.decode(b'{"device_ms":1,"items":[' + raw + b"]}", type=CheckInBatch).items
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    for item in items:
        assert isinstance(batch_items.read(item), CheckInResult)


TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)
ANY_ITEM = st.fixed_dictionaries(
    {"point": TEXT | st.just("HN-0002"), "at_ms": st.integers(-(2**53), 2**53)},
    optional={
        "nonce": st.just(GOOD["nonce"]) | TEXT,
        "who": st.dictionaries(st.sampled_from(["type", "token", "code", "name", "unit"]), TEXT)
        | st.builds(by_badge, TEXT)
        | st.builds(by_name, TEXT, TEXT),
        "reason": TEXT,
        "offline": st.booleans() | st.none(),
        "stands_for": TEXT | st.none(),
    },
)


@given(st.lists(ANY_ITEM, min_size=1, max_size=5))
def test_every_item_is_read_or_refused(items: list[dict[str, Any]]) -> None:
    """Near misses of an item have a result each; what is read has a nonce of 16 bytes and a name, a code or a badge."""
    batch = msgspec.json.decode(msgspec.json.encode({"device_ms": 1, "items": items}), type=CheckInBatch)
    for raw in batch.items:
        read = batch_items.read(raw)
        if isinstance(read, CheckInResult):
            assert (read.result, read.reason) == ("refused", "malformed")
        else:
            assert len(read.nonce) == 16
            assert read.name or read.code or read.badge


@given(st.text(alphabet=st.characters(categories=["L", "Cs", "So", "Po", "Cc"]), max_size=40))
def test_half_characters_are_mended(text: str) -> None:
    """As JavaScript writes a text with half an emoji in it: readable afterwards, and unchanged where it was whole."""
    written = "".join(f"\\u{unit:04x}" for unit in memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H"))
    fixed = msgspec.json.decode(mended(f'"{written}"'.encode()))
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert fixed.replace("\0", "\ufffd") == whole.replace("\0", "\ufffd")


def test_an_escaped_backslash_is_no_half_character() -> None:
    """A name that holds the six characters of an escape, as text, keeps them."""
    body = msgspec.json.encode(["\\ud83d", '\\"', "\\\\ud83d"])
    assert mended(body) == body
