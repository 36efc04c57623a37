"""Attendees through the API."""

from __future__ import annotations

import pytest
import sample
import sqlalchemy as sa
from support import Client, Running

from diemcau.domain.models import Role
from diemcau.store.schema import invitation
from diemcau.wire import api

PERSON = {
    "code": "DB-0100",
    "full_name": "Nguyễn Thị Hoà",
    "title": "Ủy viên",
    "unit": "HN-001",
    "point": "HN-0003",
    "phone": "0912345678",
}


@pytest.fixture
async def admin(running: Running) -> Client:
    """The administrator, over the sample conference."""
    await sample.fill(running.context.engines)
    return running.admin


async def test_person_is_made_changed_and_removed(admin: Client) -> None:
    """What was typed comes back, whatever its form; a home point may be another unit's hall."""
    typed = PERSON | {"code": "db-0100", "full_name": "  Nguyễn Thị  Hoà", "unit": "hn-001"}
    assert await admin.ok("POST", "/api/v1/attendees", typed) == PERSON
    assert (await admin.call("POST", "/api/v1/attendees", typed))[1]["code"] == "already_exists"
    moved = await admin.ok("PATCH", "/api/v1/attendees/DB-0100", {"point": None, "unit": "HN-002", "phone": ""})
    assert moved == PERSON | {"point": None, "unit": "HN-002", "phone": ""}
    assert (await admin.call("DELETE", "/api/v1/attendees/db-0100"))[0] == 204
    assert (await admin.call("GET", "/api/v1/attendees/DB-0100"))[0] == 404


async def test_people_are_listed_by_unit_and_given_name(admin: Client) -> None:
    """A Vietnamese list goes by given name; pages follow it without gap or repeat."""
    expected = ["DB-0002", "DB-0001", "DB-0003", "DB-0004", "DB-0006", "DB-0005"]
    paged, after = [], ""
    while after is not None:
        page = await admin.ok("GET", f"/api/v1/attendees?limit=5&after={after}")
        paged += [person["code"] for person in page["items"]]
        after = page["next"]
    assert paged[:6] == expected
    assert sorted(paged) == [code for code, *_ in sample.PEOPLE]
    hall = await admin.ok("GET", "/api/v1/attendees?point=hn-0001")
    assert [person["code"] for person in hall["items"]] == expected[:2]
    assert (await admin.call("GET", "/api/v1/attendees?point=NO"))[0] == 404


@pytest.mark.parametrize("q", ["nguyen thi hien", "NGUYỄN THỊ HIỀN", "Nguyễn Thị Hiền", "thi hien"])
async def test_search_finds_namesakes(admin: Client, q: str) -> None:
    """Both people of one name are found, with or without marks, composed or not."""
    found = await admin.ok("GET", "/api/v1/attendees", params={"q": q})
    assert [person["code"] for person in found["items"]] == ["DB-0003", "DB-0004"]


async def test_invitation_follows_the_name(running: Running, admin: Client) -> None:
    """A person whose misspelt name was corrected is found at the door under the right one."""
    await admin.ok("PATCH", "/api/v1/attendees/DB-0003", {"full_name": "Nguyễn Thị Hiến Ánh"})
    async with running.context.read() as connection:
        names = set(await connection.scalars(sa.select(invitation.c.name_folded)))
    assert "nguyen thi hien anh" in names


async def test_mistakes_are_told(admin: Client) -> None:
    """Each mistake gets its own answer, and changes nothing."""
    for change, code in (
        ({"unit": "NO"}, "not_found"),
        ({"unit": ""}, "malformed"),
        ({"point": "NO"}, "not_found"),
        ({"full_name": "\u200b"}, "malformed"),
        ({"full_name": "x" * 201}, "malformed"),
    ):
        _, problem = await admin.call("POST", "/api/v1/attendees", PERSON | change)
        assert problem["code"] == code, change
    assert (await admin.call("GET", "/api/v1/attendees/DB-0100"))[0] == 404


async def test_invited_person_stays(admin: Client) -> None:
    """Whoever a session summoned cannot vanish from its figures."""
    status, problem = await admin.call("DELETE", "/api/v1/attendees/DB-0001")
    assert (status, problem["code"], problem["params"]["by"]) == (409, "in_use", "session")
    assert (await admin.call("DELETE", f"/api/v1/attendees/{sample.NOT_INVITED}"))[0] == 204


async def test_clerk_keeps_to_own_people(running: Running, admin: Client) -> None:
    """A clerk reads and changes the people of their unit, and moves nobody across its border (I5)."""
    clerk = await running.account("can-bo", api.GrantView(Role.CLERK, "HN-002"))
    listed = await clerk.ok("GET", "/api/v1/attendees")
    assert {person["unit"] for person in listed["items"]} == {"HN-002", "HN-002-01"}
    assert (await clerk.call("GET", "/api/v1/attendees?q=dao"))[1]["items"] == []
    assert (await clerk.ok("PATCH", "/api/v1/attendees/DB-0007", {"title": "Bí thư"}))["title"] == "Bí thư"
    for method, path, body in (
        ("GET", "/api/v1/attendees/DB-0001", None),
        ("GET", "/api/v1/attendees?unit=HN-001", None),
        ("PATCH", "/api/v1/attendees/DB-0001", {"title": "X"}),
        ("PATCH", "/api/v1/attendees/DB-0007", {"unit": "HN-001"}),
        ("DELETE", "/api/v1/attendees/DB-0001", None),
        ("POST", "/api/v1/attendees", PERSON),
    ):
        assert (await clerk.call(method, path, body))[0] == 403, (method, path)
    inspector = await running.account("giam-sat", api.GrantView(Role.INSPECTOR))
    assert (await inspector.call("PATCH", "/api/v1/attendees/DB-0001", {"title": "X"}))[0] == 403
    assert (await running.anonymous.call("GET", "/api/v1/attendees"))[0] == 401
