"""Sessions through the API: what an organizer meets from the first form to frozen figures."""

from __future__ import annotations

from typing import Any

import pytest
import sample
from arrivals import arrive
from desk import by_code, desk
from support import NOW_MS, Client, Running

from diemcau import limits
from diemcau.domain.authority import System
from diemcau.domain.models import Role
from diemcau.services.sessions import open_due
from diemcau.wire import api

HOUR_MS = 3_600_000
NEW = {"code": "s2", "title": " Buổi  hai ", "starts_ms": NOW_MS + 5 * HOUR_MS, "ends_ms": NOW_MS + 8 * HOUR_MS}


@pytest.fixture
async def conference(running: Running) -> sample.Sample:
    """The sample conference, in the running server's database."""
    return await sample.fill(running.context.engines)


async def made(client: Client, **changes: Any) -> Any:
    """A session S2 in draft."""
    return await client.ok("POST", "/api/v1/sessions", NEW | changes)


async def test_a_session_from_draft_to_frozen(running: Running, conference: sample.Sample) -> None:
    """The whole life in order; every move is offered before it is made and kept afterwards."""
    view = await made(running.admin)
    assert (view["code"], view["title"], view["state"], view["allowed"]) == ("S2", "Buổi hai", "draft", [])
    changed = await running.admin.ok("PUT", "/api/v1/sessions/S2/points", {"unit": "HN"})
    assert changed == {"added": 4, "removed": 0, "total": 4}
    for to in ("open", "live", "break", "live", "ended", "live", "ended", "closed"):
        before = await running.admin.ok("GET", "/api/v1/sessions/S2")
        assert to in before["allowed"]
        view = await running.admin.ok("POST", "/api/v1/sessions/S2/state", {"to": to})
        assert view["state"] == to
    assert view["allowed"] == []


async def test_a_wrong_move_names_what_is_allowed(running: Running, conference: sample.Sample) -> None:
    """The organizer reads where the session is, where it cannot go, and where it can, in words."""
    status, problem = await running.admin.call("POST", "/api/v1/sessions/S1/state", {"to": "closed"})
    assert (status, problem["code"]) == (409, "wrong_state")
    assert problem["params"]["state"] == "state.open"
    for words in ("mở cửa điểm danh", "đã chốt số liệu", "đang phát", "đang chuẩn bị"):
        assert words in problem["title"]


async def test_a_session_without_points_does_not_open(running: Running, conference: sample.Sample) -> None:
    """An open session without halls would turn everybody away at the door."""
    await made(running.admin)
    status, problem = await running.admin.call("POST", "/api/v1/sessions/S2/state", {"to": "open"})
    assert (status, problem["code"]) == (409, "no_points")
    await running.admin.ok("PUT", "/api/v1/sessions/S1/points", {"points": ["hn-0001"]})
    status, problem = await running.admin.call("PUT", "/api/v1/sessions/S1/points", {"points": []})
    assert (status, problem["code"]) == (409, "no_points")
    assert (await running.admin.ok("GET", "/api/v1/sessions/S1"))["points"] == 1


async def test_an_opening_by_mistake_is_undone_only_before_anyone_came(
    running: Running, conference: sample.Sample
) -> None:
    """Back to draft would hide people who already have their receipt."""
    await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": "draft"})
    await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": "open"})
    await arrive(running.context.writer, conference, "DB-0001", "HN-0001")
    view = await running.admin.ok("GET", "/api/v1/sessions/S1")
    assert (view["present"], view["allowed"]) == (1, ["live"])
    status, problem = await running.admin.call("POST", "/api/v1/sessions/S1/state", {"to": "draft"})
    assert (status, problem["code"], problem["params"]["allowed"]) == (409, "wrong_state", "state.live")


async def test_a_point_where_someone_sits_stays(running: Running, conference: sample.Sample) -> None:
    """Taking the hall away would take its people out of the figures."""
    await arrive(running.context.writer, conference, "DB-0003", "HN-0002")
    status, problem = await running.admin.call("PUT", "/api/v1/sessions/S1/points", {"unit": "HN-002"})
    assert (status, problem["code"], problem["params"]["key"]) == (409, "in_use", "HN-0002")
    changed = await running.admin.ok("PUT", "/api/v1/sessions/S1/points", {"points": ["HN-0002", "HN-0003"]})
    assert changed == {"added": 0, "removed": 2, "total": 2}


async def test_people_are_invited_to_their_hall(running: Running, conference: sample.Sample) -> None:
    """The hall's list at the door holds exactly those whose home it is; a hall that goes leaves its people invited."""
    await made(running.admin)
    await running.admin.ok("PUT", "/api/v1/sessions/S2/points", {"unit": "HN-002"})
    changed = await running.admin.ok("PUT", "/api/v1/sessions/S2/invitations", {"unit": "HN"})
    assert changed == {"added": 12, "removed": 0, "total": 12}
    again = await running.admin.ok("PUT", "/api/v1/sessions/S2/invitations", {"attendees": ["db-0001", "DB-0007"]})
    assert again == {"added": 0, "removed": 0, "total": 12}
    items = (await running.admin.ok("GET", "/api/v1/sessions/S2/points"))["items"]
    assert [(item["point"], item["invited"]) for item in items] == [("HN-0003", 4), ("HN-0004", 2)]
    await running.admin.ok("PUT", "/api/v1/sessions/S2/points", {"points": ["HN-0001", "HN-0004"]})
    items = (await running.admin.ok("GET", "/api/v1/sessions/S2/points"))["items"]
    assert [(item["point"], item["invited"]) for item in items] == [("HN-0001", 2), ("HN-0004", 2)]
    assert (await running.admin.ok("GET", "/api/v1/sessions/S2"))["invited"] == 12


async def test_points_stand_in_groups(running: Running, conference: sample.Sample) -> None:
    """The board shows one block per unit below the top; what belongs to the top itself stands apart."""
    items = (await running.admin.ok("GET", "/api/v1/sessions/S1/points"))["items"]
    assert [(item["point"], item["group"]) for item in items] == [
        ("HN-0001", "HN"),
        ("HN-0002", "HN-001"),
        ("HN-0003", "HN-002"),
        ("HN-0004", "HN-002"),
    ]
    clerk = await running.account("clerk", api.GrantView(Role.CLERK, "HN-002"))
    items = (await clerk.ok("GET", "/api/v1/sessions/S1/points"))["items"]
    assert [(item["point"], item["group_name"]) for item in items] == [
        ("HN-0003", "Quận Hoàn Kiếm"),
        ("HN-0004", "Phường Hàng Bạc"),
    ]


async def test_who_sees_and_who_changes(running: Running, conference: sample.Sample) -> None:
    """A session of one district is nobody's business in another; the whole tree's is seen, not changed (I5)."""
    there = await running.account("there", api.GrantView(Role.ORGANIZER, "HN-001"))
    elsewhere = await running.account("elsewhere", api.GrantView(Role.ORGANIZER, "HN-002"))
    ward = await running.account("ward", api.GrantView(Role.ORGANIZER, "HN-002-01"))
    await made(there, unit="HN-001")
    await made(elsewhere, code="S3", unit="HN-002")
    assert await _codes(running.admin) == ["S2", "S3", "S1"]
    assert await _codes(there) == ["S2", "S1"]
    assert await _codes(ward) == ["S3", "S1"]
    assert (await elsewhere.call("GET", "/api/v1/sessions/S2"))[0] == 404
    assert (await elsewhere.call("PUT", "/api/v1/sessions/S2/points", {"unit": "HN-002"}))[0] == 404
    assert (await there.call("POST", "/api/v1/sessions/S1/state", {"to": "live"}))[0] == 403
    assert (await ward.call("PATCH", "/api/v1/sessions/S3", {"title": "x"}))[0] == 403
    assert (await ward.ok("GET", "/api/v1/sessions/S3"))["allowed"] == []
    assert (await there.call("POST", "/api/v1/sessions", NEW | {"code": "S4"}))[0] == 403
    assert (await there.call("PUT", "/api/v1/sessions/S2/points", {"unit": "HN-002"}))[0] == 404
    assert (await there.call("PUT", "/api/v1/sessions/S2/points", {"points": ["HN-0003"]}))[0] == 404
    assert (await there.call("PUT", "/api/v1/sessions/S2/invitations", {"attendees": ["DB-0007"]}))[0] == 404


async def test_nobody_learns_which_units_exist(running: Running, conference: sample.Sample) -> None:
    """A stranger who tries codes hears the same of those that exist and those that do not."""
    for unit in ("HN-001", "NONE"):
        assert (await running.anonymous.call("POST", "/api/v1/sessions", NEW | {"unit": unit}))[0] == 401
    for session in ("S1", "NONE"):
        for method, path, body in (
            ("PATCH", "", {"title": "x"}),
            ("DELETE", "", None),
            ("POST", "/state", {"to": "live"}),
            ("PUT", "/points", {"unit": "HN"}),
            ("PUT", "/invitations", {"unit": "HN"}),
        ):
            assert (await running.anonymous.call(method, f"/api/v1/sessions/{session}{path}", body))[0] == 401


async def _codes(client: Client) -> list[str]:
    return [item["code"] for item in (await client.ok("GET", "/api/v1/sessions"))["items"]]


async def test_figures_are_of_ones_own_halls(running: Running, conference: sample.Sample) -> None:
    """A clerk's figures count the clerk's halls, not the city's (I5)."""
    await arrive(running.context.writer, conference, "DB-0001", "HN-0001")
    await arrive(running.context.writer, conference, "DB-0007", "HN-0003")
    clerk = await running.account("clerk", api.GrantView(Role.CLERK, "HN-002"))
    view = await clerk.ok("GET", "/api/v1/sessions/S1")
    assert (view["points"], view["invited"], view["present"]) == (2, 5, 1)
    view = await running.admin.ok("GET", "/api/v1/sessions/S1")
    assert (view["points"], view["invited"], view["present"]) == (4, 11, 2)


async def test_only_a_session_that_never_opened_goes(running: Running, conference: sample.Sample) -> None:
    """A session that was once open has a record; it is kept."""
    await made(running.admin)
    await running.admin.ok("PUT", "/api/v1/sessions/S2/points", {"unit": "HN"})
    await running.admin.ok("PUT", "/api/v1/sessions/S2/invitations", {"unit": "HN"})
    assert await running.admin.ok("DELETE", "/api/v1/sessions/S2") == ""
    assert (await running.admin.call("GET", "/api/v1/sessions/S2"))[0] == 404
    await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": "draft"})
    status, problem = await running.admin.call("DELETE", "/api/v1/sessions/S1")
    assert (status, problem["code"]) == (409, "session_kept")


async def test_a_frozen_session_stays_as_it_is(running: Running, conference: sample.Sample) -> None:
    """Figures that were answered for do not change underneath."""
    for to in ("live", "ended", "closed"):
        await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": to})
    for method, path, body in (
        ("PATCH", "", {"title": "x"}),
        ("PUT", "/points", {"unit": "HN"}),
        ("PUT", "/invitations", {"unit": "HN"}),
    ):
        status, problem = await running.admin.call(method, f"/api/v1/sessions/S1{path}", body)
        assert (status, problem["code"]) == (409, "session_closed")


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/api/v1/sessions", NEW | {"title": "  "}, "title"),
        ("POST", "/api/v1/sessions", NEW | {"ends_ms": NOW_MS}, "ends_ms"),
        ("POST", "/api/v1/sessions", NEW | {"code": "buổi 2"}, "code"),
        ("PATCH", "/api/v1/sessions/S1", {"starts_ms": sample.ENDS_MS + 1}, "ends_ms"),
        ("PUT", "/api/v1/sessions/S1/points", {}, "unit | points"),
        ("PUT", "/api/v1/sessions/S1/points", {"unit": "HN", "points": []}, "unit | points"),
        ("PUT", "/api/v1/sessions/S1/invitations", {}, "unit | attendees"),
        ("GET", "/api/v1/sessions?after=x", None, "after"),
        ("GET", f"/api/v1/sessions?after={'9' * 20}:S1", None, "after"),
        ("GET", f"/api/v1/sessions?limit={'1' * 5000}", None, "limit"),
    ],
)
async def test_bad_input_names_its_field(
    running: Running, conference: sample.Sample, method: str, path: str, body: Any, field: str
) -> None:
    """Whoever fills the form learns which field to correct."""
    status, problem = await running.admin.call(method, path, body)
    assert (status, problem["code"], problem["params"]["field"]) == (400, "malformed", field)


async def test_a_code_is_taken_once(running: Running, conference: sample.Sample) -> None:
    """Two sessions of one code would mix their lists."""
    status, problem = await running.admin.call("POST", "/api/v1/sessions", NEW | {"code": "s1"})
    assert (status, problem["code"]) == (409, "already_exists")


async def test_pages_follow_one_another(running: Running, conference: sample.Sample) -> None:
    """No session is skipped or shown twice between pages, also when several start together."""
    for number in range(5):
        await made(running.admin, code=f"T{number}")
    seen: list[str] = []
    after = ""
    while True:
        page = await running.admin.ok("GET", f"/api/v1/sessions?limit=2&after={after}")
        seen += [item["code"] for item in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == ["T0", "T1", "T2", "T3", "T4", "S1"]


async def test_it_opens_itself_before_the_start(running: Running, conference: sample.Sample) -> None:
    """Technicians come 90 minutes early; nobody must remember to press a button, and nobody is overruled."""
    await made(running.admin)
    await made(running.admin, code="S3")
    await running.admin.ok("PUT", "/api/v1/sessions/S2/points", {"unit": "HN"})
    running.clock.advance(5 * 3600 - limits.SESSION_OPENS_BEFORE_S - 1)
    assert await open_due(System(), running.context) == []
    running.clock.advance(1)
    assert await open_due(System(), running.context) == ["S2"]
    await running.admin.ok("POST", "/api/v1/sessions/S2/state", {"to": "draft"})
    assert await open_due(System(), running.context) == []
    later = {"starts_ms": NOW_MS + 6 * HOUR_MS}
    await running.admin.ok("PATCH", "/api/v1/sessions/S2", later)
    assert await open_due(System(), running.context) == []
    running.clock.advance(3600)
    assert await open_due(System(), running.context) == ["S2"]


async def test_a_draft_that_is_over_stays_a_draft(running: Running, conference: sample.Sample) -> None:
    """A forgotten draft must not open months later."""
    await made(running.admin)
    await running.admin.ok("PUT", "/api/v1/sessions/S2/points", {"unit": "HN"})
    running.clock.advance(9 * 3600)
    assert await open_due(System(), running.context) == []


async def test_a_check_in_that_was_taken_back_is_a_record(running: Running, conference: sample.Sample) -> None:
    """The log says that somebody came: the session does not offer to unmake its opening, though nobody counts."""
    here = await desk(running)
    entry = await here.record(by_code("DB-0003"))
    await running.admin.ok("POST", f"/api/v1/sessions/S1/check-ins/{entry['nonce']}/annul", {"reason": "thử máy"})
    view = await running.admin.ok("GET", "/api/v1/sessions/S1")
    assert (view["present"], view["allowed"]) == (0, ["live"])
    status, problem = await running.admin.call("POST", "/api/v1/sessions/S1/state", {"to": "draft"})
    assert (status, problem["code"]) == (409, "wrong_state")


async def test_readable_rosters_are_the_organizers_choice(running: Running, conference: sample.Sample) -> None:
    """Lists in clear on devices are off unless somebody says so, and may be switched off in the midst of the day."""
    assert (await made(running.admin))["readable_roster"] is False
    assert (await made(running.admin, code="S3", readable_roster=True))["readable_roster"] is True
    for wanted in (True, False):
        view = await running.admin.ok("PATCH", "/api/v1/sessions/S1", {"readable_roster": wanted})
        assert view["readable_roster"] is wanted
