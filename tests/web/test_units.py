"""Units through the API: the tree, its pages, and who sees which part of it."""

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


async def test_tree_grows_in_the_order_it_was_made(admin: Client) -> None:
    """A list that shuffles the units cannot be compared with the paper list beside it."""
    made = await admin.ok("POST", "/api/v1/units", {"code": "hn-003", "name": "Quận  Tây Hồ ", "parent": "hn"})
    assert made == {"code": "HN-003", "name": "Quận Tây Hồ", "parent": "HN", "level": ""}
    await admin.ok("POST", "/api/v1/units", {"code": "HN-001-01", "name": "Phường Phúc Xá", "parent": "HN-001"})
    listed = await admin.ok("GET", "/api/v1/units")
    assert [unit["code"] for unit in listed["items"]] == ["HN", "HN-001", "HN-001-01", "HN-002", "HN-002-01", "HN-003"]
    assert listed["next"] is None
    children = await admin.ok("GET", "/api/v1/units?parent=HN")
    assert [unit["code"] for unit in children["items"]] == ["HN-001", "HN-002", "HN-003"]


async def test_pages_join_without_gap_or_repeat(admin: Client) -> None:
    """A reader who asks for more gets what follows, once."""
    codes, after = [], ""
    for _ in range(4):
        page = await admin.ok("GET", f"/api/v1/units?limit=1&after={after}")
        codes += [unit["code"] for unit in page["items"]]
        after = page["next"]
    assert codes == ["HN", "HN-001", "HN-002", "HN-002-01"]
    assert after is None
    for broken in ("x", "eyJ9", "WyJhIiwiYiJd"):
        status, problem = await admin.call("GET", f"/api/v1/units?after={broken}")
        assert (status, problem["code"], problem["params"]["field"]) == (400, "malformed", "after")


@pytest.mark.parametrize("q", ["hoan kiem", "Hoàn Kiếm", "KIẾM", "hn-002", "hang bac"])
async def test_search_forgives_marks_and_case(admin: Client, q: str) -> None:
    """Nobody types "Quận Hoàn Kiếm" with every mark to find it."""
    found = await admin.ok("GET", "/api/v1/units", params={"q": q})
    assert {unit["code"] for unit in found["items"]} <= {"HN-002", "HN-002-01"}
    assert found["items"]


@pytest.mark.parametrize("q", ["%", "_", "!!!", "HN_002"])
async def test_search_takes_signs_as_they_are(admin: Client, q: str) -> None:
    """A percent sign is not a wish for everything."""
    assert (await admin.ok("GET", "/api/v1/units", params={"q": q}))["items"] == []


async def test_taken_unknown_and_empty_are_told(admin: Client) -> None:
    """Each mistake gets its own answer, and changes nothing."""
    for body, code in (
        ({"code": "HN-001", "name": "Khác"}, "already_exists"),
        ({"code": "X", "name": "Khác", "parent": "NO"}, "not_found"),
        ({"code": "X", "name": " \t "}, "malformed"),
        ({"code": "a b", "name": "Khác"}, "malformed"),
    ):
        _, problem = await admin.call("POST", "/api/v1/units", body)
        assert problem["code"] == code, body
        assert "regex" not in problem["title"], "a person cannot read that"
    assert len((await admin.ok("GET", "/api/v1/units"))["items"]) == 4


async def test_unit_is_changed_and_removed(admin: Client) -> None:
    """A unit that nothing hangs on can go; one that is used says by what."""
    changed = await admin.ok("PATCH", "/api/v1/units/hn-001", {"name": "Phường Ba Đình", "level": "phường"})
    assert changed == {"code": "HN-001", "name": "Phường Ba Đình", "parent": "HN", "level": "phường"}
    assert (await admin.ok("GET", "/api/v1/units?q=phuong ba dinh"))["items"] == [changed]
    for code, by in (("HN-002", "unit"), ("HN-002-01", "point")):
        status, problem = await admin.call("DELETE", f"/api/v1/units/{code}")
        assert (status, problem["code"], problem["params"]["by"]) == (409, "in_use", by)
    await admin.ok("POST", "/api/v1/units", {"code": "HN-009", "name": "Tạm"})
    assert (await admin.call("DELETE", "/api/v1/units/HN-009"))[0] == 204
    assert (await admin.call("GET", "/api/v1/units/HN-009"))[0] == 404


async def test_one_sees_one_own_branch_and_the_way_to_it(running: Running, admin: Client) -> None:
    """A district's organizer reads the city's name, not its neighbour's, and writes at home only (I5)."""
    district = await running.account("quan", api.GrantView(Role.ORGANIZER, "HN-002"))
    listed = await district.ok("GET", "/api/v1/units")
    assert [unit["code"] for unit in listed["items"]] == ["HN", "HN-002", "HN-002-01"]
    assert (await district.call("GET", "/api/v1/units/HN"))[0] == 200
    for method, path, body in (
        ("GET", "/api/v1/units/HN-001", None),
        ("GET", "/api/v1/units?parent=HN-001", None),
        ("GET", "/api/v1/units?unit=HN-001", None),
        ("PATCH", "/api/v1/units/HN", {"name": "Của tôi"}),
        ("DELETE", "/api/v1/units/HN-001", None),
        ("POST", "/api/v1/units", {"code": "X", "name": "X", "parent": "HN"}),
        ("POST", "/api/v1/units", {"code": "X", "name": "X"}),
    ):
        assert (await district.call(method, path, body))[0] == 403, (method, path)
    await district.ok("POST", "/api/v1/units", {"code": "X", "name": "X", "parent": "HN-002"})
    clerk = await running.account("can-bo", api.GrantView(Role.CLERK, "HN-002"))
    assert (await clerk.call("PATCH", "/api/v1/units/X", {"name": "Y"}))[0] == 403
    assert (await running.anonymous.call("GET", "/api/v1/units"))[0] == 401
