"""Preparation of a session over HTTP: the table, the list to telephone, contacts."""

from __future__ import annotations

import csv
import io
from typing import Any

import sqlalchemy as sa
from sample import Sample
from support import Running

from diemcau.domain.authority import System
from diemcau.domain.models import DeviceKind, Role
from diemcau.services import devices
from diemcau.store.schema import link_transition, session
from diemcau.wire import api

PAGE = "/api/v1/sessions/S1/preparation"


async def rows(running: Running, query: str = "") -> dict[str, Any]:
    """The table's rows by unit."""
    page = await running.admin.ok("GET", PAGE + query)
    return {row["unit"]: row for row in page["items"]}


async def execute(running: Running, statement: sa.Executable) -> None:
    """One statement, written past the services."""
    await running.context.writer.write(lambda connection: connection.execute(statement))


async def test_a_level_adds_up_to_its_total(running: Running, sample: Sample) -> None:
    """The organizer drills down and must find at each level what the line above said (I3)."""
    page = await running.admin.ok("GET", PAGE)
    assert page["total"]["unit"] == "HN"
    assert [row["unit"] for row in page["items"]] == ["HN", "HN-001", "HN-002"]
    for name in ("units", "people", "summoned", "points", "paired", "rehearsed", "lists", "contacts", "ready"):
        assert page["total"][name] == sum(row[name] for row in page["items"]), name
    assert (page["total"]["units"], page["total"]["points"], page["total"]["summoned"]) == (4, 4, 11)
    below = await running.admin.ok("GET", PAGE + "?unit=HN-002")
    assert below["total"]["people"] == page["items"][2]["people"]
    assert [name for name, _ in below["path"]] == ["HN-002"]
    assert [row["unit"] for row in below["items"]] == ["HN-002", "HN-002-01"]
    assert page["items"][2]["below"]
    assert not below["items"][1]["below"]


async def test_a_paired_device_is_seen(running: Running, sample: Sample) -> None:
    """A unit whose hall has its device is not telephoned about it; one whose device was revoked is."""
    made = await devices.make_pairing(System(), running.context, "HN-0002", api.PairingNew(DeviceKind.OPERATOR))
    await devices.pair(System(), running.context, api.PairRequest(made.code, "máy"))
    assert set(await rows(running, "?missing=device")) == {"HN", "HN-002", "HN-002-01"}
    (device,) = (await devices.listed(System(), running.context, "HN-0002")).items
    await devices.revoke(System(), running.context, "HN-0002", device.id)
    assert "HN-001" in await rows(running, "?missing=device")


async def test_a_rehearsal_of_the_same_conference_counts(running: Running, sample: Sample) -> None:
    """What the server saw itself nobody has to tick; another conference's rehearsal proves nothing."""
    times = {"starts_ms": 1_769_000_000_000, "ends_ms": 1_769_000_100_000}
    for code, conference in (("TAP", "Hội nghị A"), ("KHAC", "Hội nghị B")):
        body = {"code": code, "title": "Chạy thử", "conference": conference, "rehearsal": True, **times}
        await running.admin.ok("POST", "/api/v1/sessions", body)
    await execute(running, sa.update(session).where(session.c.code == "S1").values(conference="Hội nghị A"))
    for code, point in (("TAP", "HN-0002"), ("KHAC", "HN-0003")):
        seen = sa.insert(link_transition).values(
            session_id=sa.select(session.c.id).where(session.c.code == code).scalar_subquery(),
            point_id=sample.points[point],
            from_link="expected",
            to_link="online",
            at_ms=1,
            noticed_ms=1,
            cause="identified",
            version=1,
        )
        await execute(running, seen)
    assert set(await rows(running, "?missing=rehearsal")) == {"HN", "HN-002", "HN-002-01"}


async def test_the_organizer_ticks_and_unticks_a_rehearsal(running: Running, sample: Sample) -> None:
    """A hall that was tested over the telephone is done, with everything below it, until somebody says otherwise."""
    ticked = await running.admin.ok("POST", "/api/v1/sessions/S1/rehearsed", {"unit": "HN-002"})
    assert ticked == {"points": 2}
    assert set(await rows(running, "?missing=rehearsal")) == {"HN", "HN-001"}
    await running.admin.ok("POST", "/api/v1/sessions/S1/rehearsed", {"unit": "HN-002-01", "rehearsed": False})
    assert set(await rows(running, "?missing=rehearsal")) == {"HN", "HN-001", "HN-002-01"}


async def test_a_hall_by_television_owes_no_device(running: Running, sample: Sample) -> None:
    """Who follows by television has no line to watch."""
    await running.admin.ok("PATCH", "/api/v1/points/HN-0003", {"mode": "tv"})
    assert "HN-002" not in await rows(running, "?missing=device,rehearsal")


async def test_a_contact_is_named_once_and_changed(running: Running, sample: Sample) -> None:
    """The unit's own contact goes before the one of its hall; a number keeps its leading zero."""
    assert (await rows(running))["HN-001"]["contact_phone"] == "0904000002"
    path = "/api/v1/units/HN-001/contact"
    await running.admin.ok("PUT", path, {"name": "Đỗ Văn Khánh", "phone": "0912000009"})
    named = await running.admin.ok("PUT", path, {"name": "Lê Thị Hằng", "phone": " 0912 000 001 "})
    assert named == await running.admin.ok("GET", path) == {"name": "Lê Thị Hằng", "phone": "0912 000 001", "note": ""}
    row = (await rows(running))["HN-001"]
    assert (row["contact_name"], row["contact_phone"]) == ("Lê Thị Hằng", "0912 000 001")


async def test_the_list_to_telephone_opens_in_a_spreadsheet(running: Running, sample: Sample) -> None:
    """Excel shows the number with its zero, runs nothing, and says what is missing in words."""
    await running.admin.ok("PUT", "/api/v1/units/HN-001/contact", {"name": '=HYPERLINK("x")', "phone": "0912000001"})
    async with running.admin.http.get(
        f"{running.admin.origin}{PAGE}.csv?missing=device",
        headers={"Authorization": f"Bearer {running.admin.token}", "Accept-Language": "vi"},
    ) as response:
        body = await response.read()
        assert "nhac-chuan-bi-S1.csv" in response.headers["Content-Disposition"]
    assert body.startswith(b"\xef\xbb\xbf")
    header, *lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert header == ["Mã đơn vị", "Đơn vị", "Đầu mối", "Số điện thoại", "Còn thiếu"]
    line = next(line for line in lines if line[0] == "HN-001")
    assert line[2:] == ['\'=HYPERLINK("x")', "\t0912000001", "ghép thiết bị, chạy thử"]
    assert [line[0] for line in lines] == list(await rows(running, "?missing=device"))


async def test_pages_follow_one_another(running: Running, sample: Sample) -> None:
    """A nation's units come a page at a time, each once."""
    found: list[str] = []
    after = ""
    while after is not None:
        page = await running.admin.ok("GET", f"{PAGE}?missing=any&limit=3&after={after}")
        found += [row["unit"] for row in page["items"]]
        after = page["next"]
    assert found == ["HN", "HN-001", "HN-002", "HN-002-01"]


async def test_a_clerk_sees_only_their_own_units(running: Running, sample: Sample) -> None:
    """Contacts and progress of others are not theirs to see or to write (I5)."""
    clerk = await running.account("clerk", api.GrantView(Role.CLERK, "HN-002"))
    page = await clerk.ok("GET", PAGE)
    assert (page["total"]["unit"], page["total"]["units"]) == ("HN-002", 2)
    assert (await clerk.call("GET", PAGE + "?unit=HN-001"))[0] == 403
    assert (await clerk.call("PUT", "/api/v1/units/HN-001/contact", {"name": "x"}))[0] == 403
    await clerk.ok("PUT", "/api/v1/units/HN-002-01/contact", {"name": "Lê Thị Hằng", "phone": "0912000001"})
    assert (await clerk.call("POST", "/api/v1/sessions/S1/rehearsed", {"unit": "HN-002"}))[0] == 403


async def test_what_cannot_be_missing_is_refused(running: Running, sample: Sample) -> None:
    """A mistyped filter must not look like good news."""
    status, problem = await running.admin.call("GET", PAGE + "?missing=lsit")
    assert (status, problem["params"]["field"]) == (400, "missing")
