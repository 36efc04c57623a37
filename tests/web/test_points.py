"""Bridge points through the API."""

from __future__ import annotations

import pytest
import sample
from support import Client, Running

from diemcau.domain.models import Role
from diemcau.wire import api


@pytest.fixture
async def admin(running: Running) -> Client:
    """The administrator, over the sample conference."""
    await sample.fill(running.context.engines)
    return running.admin


async def test_point_keeps_what_was_typed(admin: Client) -> None:
    """The telephone of a hall is text: its leading zero reaches whoever must call."""
    body = {
        "code": "hn-0009",
        "name": "Nhà văn hoá  Tây Hồ",
        "unit": "hn-001",
        "capacity": 120,
        "mode": "tv",
        "contact_name": "Lê Hoà",
        "contact_phone": "0904 000 009",
        "cluster": "Cụm 2",
        "carrier": "VNPT",
        "note": "cửa sau",
    }
    made = await admin.ok("POST", "/api/v1/points", body)
    assert made == body | {"code": "HN-0009", "unit": "HN-001", "name": "Nhà văn hoá Tây Hồ"}
    assert await admin.ok("GET", "/api/v1/points/hn-0009") == made
    changed = await admin.ok("PATCH", "/api/v1/points/HN-0009", {"contact_phone": "", "capacity": 0})
    assert changed == made | {"contact_phone": "", "capacity": 0}


async def test_points_are_listed_by_unit(admin: Client) -> None:
    """The board and the list tell halls in one order: the tree's."""
    await admin.ok("POST", "/api/v1/points", {"code": "A-1", "name": "Sảnh phụ", "unit": "HN-002"})
    expected = ["HN-0001", "HN-0002", "A-1", "HN-0003", "HN-0004"]
    listed = await admin.ok("GET", "/api/v1/points")
    assert [point["code"] for point in listed["items"]] == expected
    paged, after = [], ""
    while after is not None:
        page = await admin.ok("GET", f"/api/v1/points?limit=2&after={after}")
        paged += [point["code"] for point in page["items"]]
        after = page["next"]
    assert paged == expected
    district = await admin.ok("GET", "/api/v1/points?unit=hn-002")
    assert [point["code"] for point in district["items"]] == expected[2:]
    found = await admin.ok("GET", "/api/v1/points?q=hang bac")
    assert [point["code"] for point in found["items"]] == ["HN-0004"]


async def test_mistakes_are_told(admin: Client) -> None:
    """Each mistake gets its own answer, and changes nothing."""
    for body, code in (
        ({"code": "HN-0001", "name": "Khác", "unit": "HN"}, "already_exists"),
        ({"code": "X", "name": "Khác", "unit": "NO"}, "not_found"),
        ({"code": "X", "name": "Khác"}, "malformed"),
        ({"code": "X", "name": "Khác", "unit": "HN", "mode": "radio"}, "malformed"),
        ({"code": "X", "name": "Khác", "unit": "HN", "capacity": -1}, "malformed"),
    ):
        _, problem = await admin.call("POST", "/api/v1/points", body)
        assert problem["code"] == code, body
    assert (await admin.call("GET", "/api/v1/points/X"))[0] == 404


async def test_used_point_stays(admin: Client) -> None:
    """A hall that a session chose cannot vanish from its record; an unused one can."""
    status, problem = await admin.call("DELETE", "/api/v1/points/HN-0001")
    assert (status, problem["code"], problem["params"]["by"]) == (409, "in_use", "session")
    await admin.ok("POST", "/api/v1/points", {"code": "X", "name": "Tạm", "unit": "HN"})
    assert (await admin.call("DELETE", "/api/v1/points/X"))[0] == 204


async def test_points_of_others_are_out_of_reach(running: Running, admin: Client) -> None:
    """Nobody reads or changes a hall outside the units they answer for (I5)."""
    district = await running.account("quan", api.GrantView(Role.ORGANIZER, "HN-002"))
    listed = await district.ok("GET", "/api/v1/points")
    assert [point["code"] for point in listed["items"]] == ["HN-0003", "HN-0004"]
    assert (await district.ok("GET", "/api/v1/points?unit=HN"))["items"] == listed["items"]
    for method, path, body in (
        ("GET", "/api/v1/points/HN-0001", None),
        ("GET", "/api/v1/points?unit=HN-001", None),
        ("PATCH", "/api/v1/points/HN-0002", {"name": "Của tôi"}),
        ("DELETE", "/api/v1/points/HN-0002", None),
        ("POST", "/api/v1/points", {"code": "X", "name": "X", "unit": "HN"}),
    ):
        assert (await district.call(method, path, body))[0] == 403, (method, path)
    inspector = await running.account("giam-sat", api.GrantView(Role.INSPECTOR))
    assert (await inspector.call("PATCH", "/api/v1/points/HN-0002", {"name": "X"}))[0] == 403
    assert (await inspector.call("GET", "/api/v1/points/HN-0002"))[0] == 200
