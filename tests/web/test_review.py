"""Review lists: what a clerk is shown, in which order, and never beyond the clerk's units."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from arrivals import arrive
from desk import Desk, by_code, by_name, desk, paired
from sample import STARTS_MS, Sample
from support import NOW_MS, Client, Running

from diemcau.domain.models import Flag, Role
from diemcau.services import nonces
from diemcau.store.schema import anomaly
from diemcau.wire import api

S1 = "/api/v1/sessions/S1"


async def pages(client: Client, path: str, limit: int = 2) -> list[Any]:
    """Every item, page after page."""
    items: list[Any] = []
    after = ""
    while True:
        page = await client.ok("GET", f"{S1}/{path}{'&' if '?' in path else '?'}limit={limit}&after={after}")
        assert len(page["items"]) <= limit
        items += page["items"]
        if page["next"] is None:
            return items
        after = page["next"]


async def clerk(running: Running, unit: str) -> Client:
    """A clerk of one unit."""
    return await running.account(f"clerk {unit}", api.GrantView(Role.CLERK, unit))


# --- people on no list -----------------------------------------------------------------------------------------
async def test_unlisted_people_by_state_and_hall(running: Running, sample: Sample) -> None:
    """A clerk works through the guests of a hall; who was matched leaves the list and can be looked up."""
    del sample
    here, there = await desk(running), Desk(running, await paired(running, "HN-0003"), "HN-0003")
    for name in ("Trần Khách", "Lê Lạ", "Vũ Vắng"):
        await here.record(by_name(name, "Sở Y tế"))
    await there.record(by_name("Hồ Khác", stands_for="Điểu K'Ré"))
    items = await pages(running.admin, "unlisted")
    assert [item["name"] for item in items] == ["Trần Khách", "Lê Lạ", "Vũ Vắng", "Hồ Khác"]
    assert (items[0]["unit_text"], items[0]["point"], items[0]["flags"]) == ("Sở Y tế", "HN-0002", ["unlisted"])
    assert items[3]["stands_for_text"] == "Điểu K'Ré"
    await running.admin.ok("POST", f"{S1}/unlisted/{items[1]['id']}/match", {"attendee": "DB-0007"})
    left = await pages(running.admin, "unlisted?state=open")
    assert [item["name"] for item in left] == ["Trần Khách", "Vũ Vắng", "Hồ Khác"]
    matched = await pages(running.admin, "unlisted?state=matched")
    assert [item["matched"]["full_name"] for item in matched] == ["Y Thông Ê-ban"]
    assert len(await pages(running.admin, "unlisted?state=all")) == 4
    assert [item["name"] for item in await pages(running.admin, "unlisted?point=hn-0003")] == ["Hồ Khác"]
    ours = await pages(await clerk(running, "HN-002"), "unlisted?state=all")
    assert [item["name"] for item in ours] == ["Lê Lạ", "Hồ Khác"]


# --- two halls, flags ------------------------------------------------------------------------------------------
async def test_two_halls_show_both(running: Running, sample: Sample) -> None:
    """Whoever was seen in two halls is shown with both, the counted one first, to either hall's clerk and their own."""
    del sample
    here, there = await desk(running), Desk(running, await paired(running, "HN-0003"), "HN-0003")
    for code in ("DB-0003", "DB-0007", "DB-0001"):
        await here.record(by_code(code))
        await there.record(by_code(code))
    await here.record(by_code("DB-0004"))
    await here.record(by_code("DB-0004"))
    items = await pages(running.admin, "two-halls")
    assert [item["person"]["code"] for item in items] == ["DB-0001", "DB-0003", "DB-0007"]
    assert [(entry["point"], entry.get("counted", False), entry["by"]) for entry in items[1]["entries"]] == [
        ("HN-0002", True, "máy"),
        ("HN-0003", False, "máy"),
    ]
    for unit, codes in {"HN-001": 3, "HN-002": 3, "HN-002-01": 0}.items():
        assert len(await pages(await clerk(running, unit), "two-halls")) == codes, unit
    second = items[1]["entries"][1]["nonce"]
    await running.admin.ok("POST", f"{S1}/check-ins/{second}/annul", {"reason": "quét nhầm"})
    assert [item["person"]["code"] for item in await pages(running.admin, "two-halls")] == ["DB-0001", "DB-0007"]


async def test_a_third_hall_is_nobody_elses_business(running: Running, sample: Sample) -> None:
    """A guest of the hall is shown with the hall they count in; where else they were seen, their own clerk learns."""
    writer = running.context.writer
    for hall in ("HN-0003", "HN-0002", "HN-0001"):
        await arrive(writer, sample, "DB-0007", hall)
        await arrive(writer, sample, "DB-0001", hall)

    async def halls(unit: str) -> list[list[str]]:
        items = await pages(await clerk(running, unit), "two-halls")
        return [[entry["point"] for entry in item["entries"]] for item in items]

    everywhere = ["HN-0003", "HN-0002", "HN-0001"]
    assert await halls("HN-001") == [everywhere[:2], everywhere[:2]]
    assert await halls("HN-002") == await halls("HN") == [everywhere, everywhere]


async def test_flagged_entries(running: Running, sample: Sample) -> None:
    """What was odd at the doors is found by what was odd, the newest first, within one's units."""
    writer = running.context.writer
    await arrive(writer, sample, "DB-0001", "HN-0001")
    await arrive(writer, sample, "DB-0003", "HN-0003", Flag.WRONG_POINT, Flag.LATE, at_ms=STARTS_MS + 1)
    await arrive(writer, sample, "DB-0011", "HN-0004", Flag.LATE, at_ms=STARTS_MS + 2)
    await arrive(writer, sample, "DB-0012", "HN-0004", Flag.NOT_INVITED)
    for query, codes in {
        "flagged": ["DB-0012", "DB-0011", "DB-0003"],
        "flagged?flag=late": ["DB-0011", "DB-0003"],
        "flagged?flag=not_invited": ["DB-0012"],
        "flagged?flag=revoked_badge": [],
    }.items():
        assert [event["person"]["code"] for event in await pages(running.admin, query, 1)] == codes, query
    ours = await pages(await clerk(running, "HN-001"), "flagged")
    assert [event["person"]["code"] for event in ours] == ["DB-0003"]
    assert (ours[0]["point"], ours[0]["flags"]) == ("HN-0003", ["wrong_point", "late"])


# --- anomalies -------------------------------------------------------------------------------------------------
async def odd(running: Running, sample: Sample, hall: str | None, last_ms: int, *entries: str) -> None:
    """Something odd about these entries, as the watch over the doors writes it down."""
    values = {
        "session_id": sample.session_id,
        "point_id": sample.points[hall] if hall else None,
        "kind": "one_phone",
        "key": last_ms.to_bytes(16, "big"),
        "first_ms": NOW_MS,
        "last_ms": last_ms,
        "count": 7,
        "nonces": b"".join(nonces.read(entry) for entry in entries),
    }
    await running.context.writer.write(lambda c: c.execute(sa.insert(anomaly).values(values)))


async def test_anomalies_are_looked_at(running: Running, sample: Sample) -> None:
    """One phone for many people: the clerk sees who, asks the hall, writes down what it was, and it sinks."""
    here = await desk(running)
    entries = [(await here.record(who))["nonce"] for who in (by_code("DB-0003"), by_name("Trần Khách"))]
    await odd(running, sample, "HN-0002", NOW_MS + 1, *entries, entries[0])
    await odd(running, sample, "HN-0003", NOW_MS + 2)
    await odd(running, sample, None, NOW_MS + 3)
    items = await pages(running.admin, "anomalies", 1)
    assert [item.get("point") for item in items] == [None, "HN-0003", "HN-0002"]
    assert [person["full_name"] for person in items[2]["people"]] == ["Nguyễn Thị Hiền", "Trần Khách"]
    ours = await clerk(running, "HN-001")
    (one,) = await pages(ours, "anomalies")
    note = {"note": "một gia đình dùng chung máy"}
    seen = await ours.ok("POST", f"{S1}/anomalies/{one['id']}/review", note)
    assert (seen["reviewed_by"], seen["reviewed_ms"], seen["note"]) == ("clerk hn-001", NOW_MS, note["note"])
    other = next(item["id"] for item in items if item.get("point") == "HN-0003")
    assert (await ours.call("POST", f"{S1}/anomalies/{other}/review", note))[0] == 403
    assert (await ours.call("POST", f"{S1}/anomalies/999/review", note))[0] == 404
    await running.admin.ok("POST", f"{S1}/anomalies/{items[0]['id']}/review", {})
    after = await pages(running.admin, "anomalies", 1)
    assert [item.get("point") for item in after] == ["HN-0003", None, "HN-0002"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("unlisted?state=gone", "state"),
        ("unlisted?after=x", "after"),
        ("two-halls?after=WyJ4Il0", "after"),
        ("flagged?flag=odd", "flag"),
        ("anomalies?after=WyIxIl0", "after"),
    ],
)
async def test_what_is_asked_wrongly(running: Running, sample: Sample, path: str, field: str) -> None:
    """A mistyped filter is said, not silently ignored."""
    del sample
    status, problem = await running.admin.call("GET", f"{S1}/{path}")
    assert (status, problem["params"]["field"]) == (400, field)


async def test_lists_are_for_staff(running: Running, sample: Sample) -> None:
    """Who was where is not for a hall's device, nor for strangers (I5)."""
    del sample
    here = await desk(running)
    for path in ("unlisted", "two-halls", "flagged", "anomalies"):
        assert (await here.client.call("GET", f"{S1}/{path}"))[0] == 403
        assert (await running.anonymous.call("GET", f"{S1}/{path}"))[0] == 401
