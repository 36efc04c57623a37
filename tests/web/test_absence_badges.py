"""Absences that attendees ask for on their badge's page, and what they leave alone."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
import sample as sample_conference
from absences import ABSENCES, close, enter, excuses, figures_of
from desk import Desk, badge_of, by_code, desk
from sample import NOT_INVITED, STARTS_MS
from support import Running, Start

JSON = {"Accept": "application/json"}


@pytest.fixture
async def running(start: Start, database: str) -> Running:
    """A server on each database, with the sample conference."""
    started = await start(database)
    await sample_conference.fill(started.context.engines)
    return started


@pytest.fixture
async def hall(running: Running) -> Desk:
    """The operator of Ba Đình, HN-0002, where DB-0003 to DB-0006 are summoned."""
    return await desk(running)


# --- the attendee --------------------------------------------------------------------------------------------
async def post(running: Running, badge: str, **fields: str) -> tuple[int, str, str]:
    """A form of the badge's page, sent back: status, where to, and the page."""
    form = aiohttp.FormData({"session": "S1", **fields})
    url = f"{running.admin.origin}/b/{badge}"
    async with running.admin.http.post(url, data=form, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def own(running: Running, badge: str) -> Any:
    """The holder's session as their page has it."""
    (session,) = (await running.anonymous.ok("GET", f"/b/{badge}", headers=JSON))["sessions"]
    return session


async def test_an_attendee_asks_on_their_badge(running: Running) -> None:
    """A phone without script: ask, read what became of it, take it back and come all the same."""
    badge = await badge_of(running, "DB-0006")
    _, page = await running.anonymous.call("GET", f"/b/{badge}")
    assert '<option value="FAMILY">Việc gia đình</option>' in page
    asked = {"reason": "FAMILY", "text": "Con <b>ốm</b>", "substitute": "Lê Văn Thay"}
    assert (await post(running, badge, **asked))[:2] == (303, f"/b/{badge}")
    assert (await post(running, badge, **asked | {"text": "lần hai"}))[0] == 303
    (row,) = (await running.admin.ok("GET", ABSENCES))["items"]
    assert (row["attendee"], row["requested_by"], row["text"]) == ("DB-0006", "badge", "Con <b>ốm</b>")
    assert row["substitute"] == "Lê Văn Thay"
    _, page = await running.anonymous.call("GET", f"/b/{badge}")
    assert "Đã gửi xin vắng, đang chờ duyệt" in page
    assert "Con &lt;b&gt;ốm&lt;/b&gt;" in page
    await running.admin.ok("PATCH", f"{ABSENCES}/DB-0006", {"state": "approved", "note": "Nhớ gửi giấy"})
    session = await own(running, badge)
    assert session["absence"] == {
        "state": "approved",
        "reason_name": "Việc gia đình",
        "text": "Con <b>ốm</b>",
        "note": "Nhớ gửi giấy",
        "may_withdraw": True,
    }
    assert "ask_by_ms" not in session
    assert (await post(running, badge, do="withdraw"))[0] == 303
    assert (await figures_of(running))[3] == 0
    (withdrawn, _) = await excuses(running)
    assert (withdrawn["source"], withdrawn.get("by", "")) == ("badge", "")
    assert (await own(running, badge))["ask_by_ms"] == STARTS_MS
    assert (await post(running, badge, reason="ILL"))[0] == 303
    assert (await post(running, badge, do="withdraw"))[0] == 303
    assert len(await excuses(running)) == 2


async def test_a_badge_opens_nothing_else(running: Running, hall: Desk) -> None:
    """No session of others, no reason that is not offered, nothing after closing; each is said on the page."""
    badge = await badge_of(running, "DB-0006")
    status, _, page = await post(running, badge, reason="NONE")
    assert (status, 'role="alert"' in page, "Lê Hoà" in page) == (400, True, True)
    assert (await post(running, badge, session="S9", reason="ILL"))[0] == 404
    assert (await post(running, badge, do="withdraw"))[0] == 404
    assert (await post(running, badge, reason="ILL", text="x" * 501))[0] == 400
    assert (await post(running, "none", reason="ILL"))[0] == 404
    other = await badge_of(running, NOT_INVITED)
    assert (await post(running, other, reason="ILL"))[0] == 404
    await hall.record(by_code("DB-0006"))
    assert (await post(running, badge, reason="ILL"))[0] == 409
    second = await badge_of(running, "DB-0005")
    await close(running)
    assert (await post(running, second, reason="ILL"))[0] == 409
    assert (await running.admin.ok("GET", ABSENCES))["items"] == []


async def test_pressing_again_and_again_is_slowed(running: Running) -> None:
    """One badge must not keep the writer busy; a minute later it may ask again, and others always."""
    badge = await badge_of(running, "DB-0006")
    answers = [(await post(running, badge, reason="ILL"))[0] for _ in range(11)]
    assert answers == [303] * 10 + [429]
    assert (await post(running, await badge_of(running, "DB-0005"), reason="ILL"))[0] == 303
    running.clock.advance(61)
    assert (await post(running, badge, do="withdraw"))[0] == 303


async def test_who_is_signed_in_opens_a_badge_too(running: Running) -> None:
    """A clerk who is summoned asks in the browser in which they work: the log names the holder, not the account."""
    badge = await badge_of(running, "DB-0006")
    login = await running.admin.http.post(
        f"{running.admin.origin}/api/v1/login", json={"name": "root", "password": "correct horse battery"}
    )
    cookie = login.headers["Set-Cookie"].partition(";")[0]
    async with running.admin.http.post(
        f"{running.admin.origin}/b/{badge}",
        data={"session": "S1", "reason": "ILL"},
        headers={"Cookie": cookie, "Origin": running.admin.origin},
        allow_redirects=False,
    ) as answer:
        assert answer.status == 303
    assert (await running.admin.ok("GET", ABSENCES))["items"][0]["requested_by"] == "badge"


# --- beside other things -------------------------------------------------------------------------------------
async def test_a_draft_keeps_its_absences_and_its_freedom(running: Running) -> None:
    """Absences are decided weeks before: the session still opens, goes back to draft, and only then stays on record."""
    times = {"starts_ms": STARTS_MS + 10**9, "ends_ms": STARTS_MS + 2 * 10**9}
    await running.admin.ok("POST", "/api/v1/attendees", {"code": "NEW", "full_name": "Lê Mới", "unit": "HN-001"})
    for code in ("S2", "S3"):
        await running.admin.ok("POST", "/api/v1/sessions", {"code": code, "title": code, **times})
        await running.admin.ok("PUT", f"/api/v1/sessions/{code}/invitations", {"attendees": ["NEW"]})
    new = {"attendee": "NEW", "reason": "ILL", "state": "approved"}
    status, answer = await running.admin.call("POST", "/api/v1/sessions/S2/absences", new)
    assert (status, answer["code"]) == (409, "no_points")  # no hall that the log could name
    await running.admin.ok("PUT", "/api/v1/sessions/S2/points", {"unit": "HN"})
    await running.admin.ok("POST", "/api/v1/sessions/S2/absences", new)
    for to in ("open", "draft"):
        await running.admin.ok("POST", "/api/v1/sessions/S2/state", {"to": to})
    assert (await running.admin.call("DELETE", "/api/v1/sessions/S2"))[1]["code"] == "session_kept"
    await running.admin.ok("POST", "/api/v1/sessions/S3/absences", {**new, "state": "requested"})
    await running.admin.ok("PATCH", "/api/v1/sessions/S3/options", {"place": "Hà Nội"})
    await running.admin.ok("DELETE", "/api/v1/sessions/S3")


async def test_a_named_substitute_stays_on_the_list(running: Running) -> None:
    """Somebody whose name stands as a substitute cannot vanish from the lists behind it."""
    await running.admin.ok("POST", "/api/v1/attendees", {"code": "SUB", "full_name": "Lê Thay", "unit": "HN-001"})
    await enter(running.admin, "DB-0006", substitute="SUB")
    status, answer = await running.admin.call("DELETE", "/api/v1/attendees/SUB")
    assert (status, answer and answer["code"]) == (409, "in_use")
