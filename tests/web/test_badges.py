"""Badges through the API: made, printed again, taken back, and by whom."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
import sample as sample_conference
import sqlalchemy as sa
from support import NOW_MS, Running, Start

from diemcau import limits
from diemcau.domain import badge
from diemcau.domain.models import Role
from diemcau.store.engine import Connection
from diemcau.store.schema import badge as badge_table
from diemcau.store.writer import Writer
from diemcau.wire import api

LINK = re.compile(r"HTTPS://DIEMCAU\.EXAMPLE/B/[A-Z2-7]{26}")


@pytest.fixture
async def running(start: Start, database: str) -> Running:
    """A server that people know by a name of its own, on both databases."""
    started = await start(database, public_url="https://diemcau.example")
    await sample_conference.fill(started.context.engines)
    return started


async def stored(running: Running) -> list[tuple[int, int, bytes, int | None]]:
    """What the database knows of badges."""
    b = badge_table.c
    async with running.context.read() as connection:
        query = sa.select(b.attendee_id, b.issue, b.token_hash, b.revoked_ms).order_by(b.attendee_id, b.issue)
        return [tuple(row) for row in await connection.execute(query)]


async def test_a_unit_gets_its_badges_once(running: Running) -> None:
    """Whoever presses twice would void hundreds of badges that are printed already."""
    admin = running.admin
    assert await admin.ok("POST", "/api/v1/badges", {"unit": "hn-002"}) == {"made": 6, "total": 6}
    before = await admin.ok("GET", "/api/v1/badges")
    assert await admin.ok("POST", "/api/v1/badges", {"unit": "HN-002"}) == {"made": 0, "total": 6}
    assert await admin.ok("POST", "/api/v1/badges", {"attendees": ["db-0001", "DB-0007"]}) == {"made": 1, "total": 2}
    after = await admin.ok("GET", "/api/v1/badges")
    assert [one for one in after["items"] if one["attendee"] != "DB-0001"] == before["items"]
    assert all(LINK.fullmatch(one["url"]) and one["issue"] == 1 for one in after["items"])
    assert len({one["url"] for one in after["items"]}) == 7


async def test_pages_go_by_unit_and_given_name(running: Running) -> None:
    """Sheets of badges are cut and handed out unit by unit; a page must neither skip nor repeat anybody."""
    admin = running.admin
    await admin.ok("POST", "/api/v1/badges", {"unit": "HN"})
    seen, after = [], ""
    while after is not None:
        page = await admin.ok("GET", f"/api/v1/badges?limit=5&after={after}")
        seen += [one["attendee"] for one in page["items"]]
        after = page["next"]
    assert seen[:6] == ["DB-0002", "DB-0001", "DB-0003", "DB-0004", "DB-0006", "DB-0005"]
    assert len(seen) == len(set(seen)) == 12
    found = await admin.ok("GET", "/api/v1/badges?unit=HN-002&q=hien")
    assert [one["full_name"] for one in found["items"]] == ["Hiền"]
    assert found["items"][0] | {"url": ""} == {
        "attendee": "DB-0009",
        "full_name": "Hiền",
        "unit": "HN-002",
        "unit_name": "Quận Hoàn Kiếm",
        "url": "",
        "issue": 1,
        "made_ms": NOW_MS,
    }


async def test_the_database_holds_no_badge(running: Running) -> None:
    """A stolen backup from which badges can be printed lets anybody in as anybody."""
    view = await running.admin.ok("POST", "/api/v1/attendees/DB-0001/badge")
    token = badge.parse(view["url"])
    assert token is not None
    ((_, _, token_hash, _),) = await stored(running)
    assert token_hash == badge.token_hash(token)
    assert await running.admin.ok("POST", "/api/v1/attendees/db-0001/badge") == view


async def test_reissue_voids_the_former_badge(running: Running) -> None:
    """Whoever found a lost badge must not be let in by it, and its owner must."""
    admin = running.admin
    first = await admin.ok("POST", "/api/v1/attendees/DB-0001/badge")
    second = await admin.ok("POST", "/api/v1/attendees/DB-0001/badge/reissue")
    assert (first["issue"], second["issue"]) == (1, 2)
    assert first["url"] != second["url"]
    assert [(issue, revoked) for _, issue, _, revoked in await stored(running)] == [(1, NOW_MS), (2, None)]
    assert [one["url"] for one in (await admin.ok("GET", "/api/v1/badges"))["items"]] == [second["url"]]


async def test_a_badge_is_taken_back(running: Running) -> None:
    """A badge that was taken back stays void; a later one is another badge."""
    admin = running.admin
    first = await admin.ok("POST", "/api/v1/attendees/DB-0001/badge")
    assert (await admin.call("DELETE", "/api/v1/attendees/DB-0001/badge"))[0] == 204
    status, problem = await admin.call("DELETE", "/api/v1/attendees/DB-0001/badge")
    assert (status, problem["code"], problem["params"]["what"]) == (404, "not_found", "badge")
    assert (await admin.ok("GET", "/api/v1/badges"))["items"] == []
    later = await admin.ok("POST", "/api/v1/attendees/DB-0001/badge")
    assert later["issue"] == 2
    assert later["url"] != first["url"]


async def test_nobody_inherits_a_badge(running: Running) -> None:
    """The badge of somebody who was struck off the list would open the next person's page and count for them."""
    admin = running.admin
    last = sample_conference.NOT_INVITED
    gone = await admin.ok("POST", f"/api/v1/attendees/{last}/badge")
    assert (await admin.call("DELETE", f"/api/v1/attendees/{last}"))[0] == 204
    await admin.ok("POST", "/api/v1/attendees", {"code": "NEW", "full_name": "Lê Mới", "unit": "HN"})
    new = await admin.ok("POST", "/api/v1/attendees/NEW/badge")
    assert new["url"] != gone["url"]
    token = badge.parse(gone["url"])
    assert token is not None
    assert (await running.anonymous.call("GET", f"/b/{badge.encode(token)}"))[0] == 404


async def test_a_whole_list_is_made_in_parts(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """52,000 badges in one transaction would keep the door waiting for a second."""
    monkeypatch.setattr(limits, "BADGES_CHUNK_ROWS", 5)
    sizes: list[int] = []
    write = Writer.write

    async def counted(self: Writer, work: Callable[[Connection], Awaitable[int]]) -> int:
        sizes.append(await write(self, work))
        return sizes[-1]

    monkeypatch.setattr(Writer, "write", counted)
    assert await running.admin.ok("POST", "/api/v1/badges", {"unit": "HN"}) == {"made": 12, "total": 12}
    assert sizes == [5, 5, 2]


async def test_mistakes_are_told(running: Running) -> None:
    """Each mistake gets its own answer, and makes no badge."""
    admin = running.admin
    for body, code in (
        ({}, "malformed"),
        ({"unit": "HN", "attendees": []}, "malformed"),
        ({"unit": "NO"}, "not_found"),
        ({"attendees": ["DB-0001", "NO"]}, "not_found"),
    ):
        assert (await admin.call("POST", "/api/v1/badges", body))[1]["code"] == code, body
    for method, path in (("POST", "badge"), ("POST", "badge/reissue"), ("DELETE", "badge")):
        assert (await admin.call(method, f"/api/v1/attendees/NO/{path}"))[1]["code"] == "not_found"
    assert await stored(running) == []


async def test_only_who_may_change_a_person_sees_their_badge(running: Running) -> None:
    """A badge's link is its holder at the door: whoever may only read must not be able to print it (I5)."""
    clerk = await running.account("can-bo", api.GrantView(Role.CLERK, "HN-002"))
    assert await clerk.ok("POST", "/api/v1/badges", {"unit": "HN-002"}) == {"made": 6, "total": 6}
    await running.admin.ok("POST", "/api/v1/badges", {"unit": "HN"})
    assert {one["unit"] for one in (await clerk.ok("GET", "/api/v1/badges"))["items"]} == {"HN-002", "HN-002-01"}
    for method, path, body in (
        ("POST", "/api/v1/badges", {"unit": "HN-001"}),
        ("GET", "/api/v1/badges?unit=HN-001", None),
        ("POST", "/api/v1/attendees/DB-0001/badge", None),
        ("POST", "/api/v1/attendees/DB-0001/badge/reissue", None),
        ("DELETE", "/api/v1/attendees/DB-0001/badge", None),
    ):
        assert (await clerk.call(method, path, body))[0] == 403, (method, path)
    assert (await clerk.call("POST", "/api/v1/badges", {"attendees": ["DB-0001"]}))[0] == 404
    inspector = await running.account("giam-sat", api.GrantView(Role.INSPECTOR))
    assert (await inspector.call("GET", "/api/v1/badges"))[0] == 403
    assert (await running.anonymous.call("GET", "/api/v1/badges"))[0] == 401


async def test_answers_with_badges_are_not_kept(running: Running) -> None:
    """A shared computer's cache would give away the badges of a whole unit."""
    headers = {"Authorization": f"Bearer {running.admin.token}"}
    for method, path in (("POST", "/api/v1/attendees/DB-0001/badge"), ("GET", "/api/v1/badges")):
        async with running.admin.http.request(method, running.admin.origin + path, headers=headers) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
