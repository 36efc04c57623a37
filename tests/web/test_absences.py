"""Absences: asked for, decided, counted, and told to those who may know."""

from __future__ import annotations

import pytest
import sample as sample_conference
from absences import ABSENCES, FIGURES, ONE, approve, close, enter, excuses, figures_of, status_of
from desk import Desk, by_code, by_name, desk
from sample import NOT_INVITED, STARTS_MS
from support import Running, Start

from diemcau.domain import minutes_file, signed
from diemcau.domain.log_verifier import Verifier
from diemcau.domain.models import Role
from diemcau.wire import api

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


# --- figures -----------------------------------------------------------------------------------------------
async def test_approved_is_excused_and_nobody_is_unexcused_before_closing(running: Running) -> None:
    """The quick report at eight tells who is excused; who merely has not come yet is called nothing."""
    made = await approve(running.admin, "DB-0006")
    assert (made["state"], made["excused"], made["decided_by"]) == ("approved", True, "root")
    await enter(running.admin, "DB-0005")
    assert await status_of(running, "DB-0006") == ("excused", "Công tác")
    assert await status_of(running, "DB-0005") == ("unmarked", "")
    assert await figures_of(running, "HN-001") == (4, 0, 0, 1, 3, 0)
    await close(running)
    assert await status_of(running, "DB-0005") == ("unexcused", "")
    assert await figures_of(running) == (11, 0, 0, 1, 0, 10)
    (minutes,) = (await running.admin.ok("GET", f"{ONE}/minutes"))["items"]
    assert (minutes["figures"]["excused"], minutes["figures"]["unexcused"]) == (1, 10)
    page = await running.admin.ok("GET", f"{ONE}/attendance?status=excused")
    assert [row["code"] for row in page["items"]] == ["DB-0006"]


async def test_everybody_is_in_one_state(running: Running, hall: Desk) -> None:
    """Who was excused and comes is present; whose place is taken is substituted; taken back, they are excused again."""
    for person in ("DB-0003", "DB-0004", "DB-0005"):
        await approve(running.admin, person)
    await hall.record(by_code("DB-0003"))
    sat = hall.item(by_name("Lê Văn Thay"), stands_for="DB-0004")
    await hall.results(sat)
    assert await figures_of(running, "HN-001") == (4, 1, 1, 1, 1, 0)
    assert [await status_of(running, f"DB-000{n}") for n in (3, 4, 5)] == [
        ("present", ""),
        ("substituted", ""),
        ("excused", "Công tác"),
    ]
    listed = (await running.admin.ok("GET", ABSENCES))["items"]
    assert [(row["attendee"], row.get("came", False), row.get("taken", False)) for row in listed] == [
        ("DB-0003", True, False),
        ("DB-0004", False, True),
        ("DB-0005", False, False),
    ]
    await hall.client.ok("POST", f"{ONE}/check-ins/{sat['nonce']}/annul", {"reason": "nhầm"})
    assert await figures_of(running, "HN-001") == (4, 1, 0, 2, 1, 0)


async def test_people_count_for_their_unit_and_halls_for_theirs(running: Running) -> None:
    """A unit without a hall joins a host point: its people, the excused among them, stay in its own row."""
    await running.admin.ok("POST", "/api/v1/units", {"code": "GUEST", "name": "Xã không có hội trường", "parent": "HN"})
    await running.admin.ok("POST", "/api/v1/points", {"code": "SECOND", "name": "Hội trường hai", "unit": "HN-001"})
    for code in ("G1", "G2", "G3"):
        person = {"code": code, "full_name": f"Lê {code}", "unit": "GUEST", "point": "SECOND"}
        await running.admin.ok("POST", "/api/v1/attendees", person)
    halls = {"points": ["HN-0001", "HN-0002", "HN-0003", "HN-0004", "SECOND"]}
    await running.admin.ok("PUT", f"{ONE}/points", halls)
    await running.admin.ok("PUT", f"{ONE}/invitations", {"unit": "GUEST"})
    host = await desk(running, "SECOND")
    await host.record(by_code("G1"))
    await approve(running.admin, "G2")
    rows = (await running.admin.ok("GET", f"{ONE}/summary"))["rows"]
    by_unit = {row["unit"]: (row["points"], *(row[key] for key in FIGURES[:5])) for row in rows}
    assert by_unit["GUEST"] == (0, 3, 1, 0, 1, 1)
    assert by_unit["HN-001"] == (2, 4, 0, 0, 0, 4)
    (event,) = await excuses(running)
    assert event["point"] == "SECOND"


# --- deciding ----------------------------------------------------------------------------------------------
async def test_every_decision_is_in_the_log(running: Running) -> None:
    """Who let whom stay away, and when, stands in the log that nobody can change; the same press twice stands once."""
    made = await enter(running.admin, "DB-0006", text="Họp Thành ủy", substitute_name="Lê Văn Thay")
    assert (made["state"], made["requested_by"], made["substitute"]) == ("requested", "root", "Lê Văn Thay")
    assert await excuses(running) == []
    patch = f"{ABSENCES}/DB-0006"
    refused = await running.admin.ok("PATCH", patch, {"state": "refused", "note": "Cần có mặt"})
    assert (refused["state"], refused["note"], refused["text"]) == ("refused", "Cần có mặt", "Họp Thành ủy")
    await running.admin.ok("PATCH", patch, {"state": "refused"})
    named = await running.admin.ok("PATCH", patch, {"state": "approved", "substitute": "DB-0012", "reason": "clash"})
    assert (named["substitute"], named["substitute_code"], named["reason"]) == ("Đỗ Đức Ước", "DB-0012", "CLASH")
    assert (await figures_of(running))[3] == 1
    withdrawn = await running.admin.ok("PATCH", patch, {"state": "withdrawn"})
    assert withdrawn.get("excused", False) is False
    assert (await figures_of(running))[3] == 0
    events = await excuses(running)
    assert [(event["person"]["code"], event["by"], event.get("reason", "")) for event in events] == [
        ("DB-0006", "root", ""),
        ("DB-0006", "root", ""),
        ("DB-0006", "root", "Cần có mặt"),
    ]
    again = await enter(running.admin, "DB-0006")
    assert (again["state"], again.get("note", ""), again.get("substitute", "")) == ("requested", "", "")


async def test_what_is_refused(running: Running) -> None:
    """Bad input names the field, and changes nothing."""
    await enter(running.admin, "DB-0006")
    status, answer = await running.admin.call("POST", ABSENCES, {"attendee": "DB-0006", "reason": "ILL"})
    assert (status, answer["code"]) == (409, "already_exists")
    wrong = [
        ({"attendee": NOT_INVITED, "reason": "ILL"}, "attendee"),
        ({"attendee": "NOBODY", "reason": "ILL"}, "attendee"),
        ({"attendee": "DB-0005", "reason": "NONE"}, "reason"),
        ({"attendee": "DB-0005", "reason": "ILL", "substitute": "DB-0005"}, "substitute"),
        ({"attendee": "DB-0005", "reason": "ILL", "substitute": "DB-0003", "substitute_name": "x"}, "substitute_name"),
    ]
    for body, field in wrong:
        status, answer = await running.admin.call("POST", ABSENCES, body)
        assert (status, answer["params"]["field"]) == (400, field), body
    for body in ({"note": "x"}, {"reason": "NONE"}):
        assert (await running.admin.call("PATCH", f"{ABSENCES}/DB-0006", body))[0] == 400
    assert (await running.admin.call("PATCH", f"{ABSENCES}/DB-0005", {"state": "approved"}))[0] == 404
    assert len((await running.admin.ok("GET", ABSENCES))["items"]) == 1
    assert (await running.admin.call("GET", f"{ABSENCES}?state=gone"))[0] == 400


async def test_what_comes_after_closing_waits(running: Running) -> None:
    """Frozen figures stay; the decision is in the log at once and counts with the next revision, both ways."""
    await approve(running.admin, "DB-0003")
    await close(running)
    frozen = await figures_of(running)
    late = await approve(running.admin, "DB-0004")
    taken = await running.admin.ok("PATCH", f"{ABSENCES}/DB-0003", {"state": "withdrawn"})
    assert [(row["held"], row.get("excused", False)) for row in (late, taken)] == [(True, False), (True, True)]
    assert await figures_of(running) == frozen == (11, 0, 0, 1, 0, 10)
    assert [event["held"] for event in (await excuses(running))[:2]] == [True, True]
    assert (await running.admin.ok("GET", f"{ONE}/minutes"))["waiting"] == 2
    assert (await running.admin.ok("GET", ABSENCES))["counts"]["held"] == 2
    await running.admin.ok("PATCH", f"{ABSENCES}/DB-0004", {"state": "refused"})
    await approve(running.admin, "DB-0005")
    made = await running.admin.ok("POST", f"{ONE}/revisions", {"reason": "Giấy xin vắng đến muộn"})
    assert (made["figures"]["excused"], made["previous"]["excused"]) == (1, 1)
    assert [(await status_of(running, f"DB-000{n}"))[0] for n in (3, 4, 5)] == ["unexcused", "unexcused", "excused"]
    assert (await running.admin.ok("GET", ABSENCES))["counts"]["held"] == 0
    assert (await running.admin.call("POST", f"{ONE}/revisions", {"reason": "x"}))[0] == 409


async def test_the_log_and_the_minutes_verify(running: Running, hall: Desk) -> None:
    """An inspector's verifier accepts the new kind of entry, and opens whom it concerns to who may know."""
    await hall.record(by_code("DB-0003"))
    await approve(running.admin, "DB-0006")
    await close(running)
    await approve(running.admin, "DB-0005")
    await running.admin.ok("POST", f"{ONE}/revisions", {"reason": "đến muộn"})
    key = await running.anonymous.ok("GET", "/api/v1/signing-key")
    fingerprint = signed.read_fingerprint(key["fingerprint"]) or b""
    headers = {"Authorization": f"Bearer {running.admin.token}"}
    files = []
    for name in ("log.jsonl", "minutes.json"):
        async with running.admin.http.get(f"{running.admin.origin}{ONE}/exports/{name}", headers=headers) as answer:
            files.append(await answer.read())
    log, minutes = files
    read = minutes_file.verify(minutes, fingerprint)
    assert (read.figures.present, read.figures.excused, read.figures.unexcused) == (1, 2, 8)
    verifier = Verifier(fingerprint, [read])
    for line in log.splitlines(keepends=True):
        verifier.line(line)
    assert (verifier.finish().entries, verifier.finish().opened) == (3, 3)
    assert b'\\"kind\\":\\"excuse\\"' in log
    assert b'\\"detail\\":\\"approved\\"' in log


# --- deadlines and reasons -----------------------------------------------------------------------------------
async def test_late_requests_are_marked(running: Running) -> None:
    """An organizer sees who asked in time; without a deadline the session's start is it."""
    await enter(running.admin, "DB-0003")
    now_ms = running.clock.now_ms()
    options = await running.admin.ok("PATCH", f"{ONE}/options", {"absence_deadline_ms": now_ms - 1, "target_rate": 95})
    assert (options["absence_deadline_ms"], options["target_rate"], options["place"]) == (now_ms - 1, 95, "")
    assert (await enter(running.admin, "DB-0004"))["late"] is True
    cleared = {
        "absence_deadline_ms": None,
        "document_number": "23-CT/TU",
        "document_date": "02/02/2026",
        "place": "Hà Nội",
    }
    await running.admin.ok("PATCH", f"{ONE}/options", cleared)
    assert await running.admin.ok("GET", f"{ONE}/options") == {**cleared, "target_rate": 95}
    assert "late" not in await enter(running.admin, "DB-0005")
    running.clock.advance((STARTS_MS - now_ms) // 1000 + 1)
    assert (await enter(running.admin, "DB-0006"))["late"] is True
    page = await running.admin.ok("GET", f"{ABSENCES}?late=1")
    assert [row["attendee"] for row in page["items"]] == ["DB-0004", "DB-0006"]
    assert page["counts"] == {"requested": 4, "approved": 0, "refused": 0, "withdrawn": 0, "late": 2, "held": 0}


async def test_pages_of_the_list(running: Running) -> None:
    """A unit's list is found by state, by name without diacritics, by unit, and page by page."""
    for person in ("DB-0001", "DB-0003", "DB-0006", "DB-0007"):
        await enter(running.admin, person)
    await running.admin.ok("PATCH", f"{ABSENCES}/DB-0003", {"state": "approved"})

    async def found(query: str) -> list[str]:
        return [row["attendee"] for row in (await running.admin.ok("GET", f"{ABSENCES}?{query}"))["items"]]

    assert await found("state=requested") == ["DB-0001", "DB-0006", "DB-0007"]
    assert await found("q=hong dao") == ["DB-0001"]
    assert await found("unit=HN-001") == ["DB-0003", "DB-0006"]
    first = await running.admin.ok("GET", f"{ABSENCES}?limit=3")
    rest = await running.admin.ok("GET", f"{ABSENCES}?limit=3&after={first['next']}")
    assert [row["attendee"] for row in first["items"] + rest["items"]] == await found("")
    assert rest["next"] is None


async def test_reasons_are_the_organizations(running: Running) -> None:
    """The list begins useful and is changed as offices need; old absences keep the reason they were given."""
    reasons = "/api/v1/absence-reasons"
    start = await running.admin.ok("GET", reasons)
    assert [item["name"] for item in start["items"]] == ["Ốm", "Công tác", "Việc gia đình", "Trùng cuộc họp", "Khác"]
    await enter(running.admin, "DB-0003")
    english = await running.admin.ok("GET", reasons, headers={"Accept-Language": "en"})
    assert english["items"][0] == {"code": "ILL", "name": "Illness"}
    wanted = [{"code": "study", "name": " Đi  học "}, english["items"][0]]
    put = await running.admin.ok("PUT", reasons, {"items": wanted}, headers={"Accept-Language": "en"})
    assert put["items"] == [{"code": "STUDY", "name": "Đi học"}, {"code": "ILL", "name": "Illness"}]
    assert (await running.admin.ok("GET", reasons))["items"][1] == {"code": "ILL", "name": "Ốm"}
    assert (await running.admin.ok("GET", ABSENCES))["items"][0]["reason_name"] == "Công tác"
    assert (await running.admin.call("POST", ABSENCES, {"attendee": "DB-0004", "reason": "DUTY"}))[0] == 400
    assert (await enter(running.admin, "DB-0004", reason="STUDY"))["reason_name"] == "Đi học"
    for items in ([], [{"code": "A", "name": " "}], [{"code": "A", "name": "x"}, {"code": "a", "name": "y"}]):
        assert (await running.admin.call("PUT", reasons, {"items": items}))[0] == 400
    organizer = await running.account("hoa", api.GrantView(Role.ORGANIZER, "HN-001"))
    assert (await organizer.call("PUT", reasons, put))[0] == 403


# --- whose ---------------------------------------------------------------------------------------------------
async def test_a_clerk_decides_for_the_own_unit_only(running: Running) -> None:
    """A district's clerk neither sees nor decides what concerns another district (I5)."""
    for person in ("DB-0001", "DB-0003", "DB-0007", "DB-0011"):
        await enter(running.admin, person)
    clerk = await running.account("lan", api.GrantView(Role.CLERK, "HN-002"))
    page = await clerk.ok("GET", ABSENCES)
    assert [row["attendee"] for row in page["items"]] == ["DB-0007", "DB-0011"]
    assert page["counts"]["requested"] == 2
    assert (await clerk.call("PATCH", f"{ABSENCES}/DB-0003", {"state": "approved"}))[0] == 403
    assert (await clerk.call("POST", ABSENCES, {"attendee": "DB-0004", "reason": "ILL"}))[0] == 403
    assert (await clerk.call("GET", f"{ABSENCES}?unit=HN-001"))[0] == 403
    stranger = {"attendee": "DB-0008", "reason": "ILL", "substitute": "DB-0003"}
    assert (await clerk.call("POST", ABSENCES, stranger))[0] == 404
    assert (await clerk.ok("PATCH", f"{ABSENCES}/DB-0011", {"state": "approved"}))["decided_by"] == "lan"
    inspector = await running.account("thanh", api.GrantView(Role.INSPECTOR, "HN-002"))
    assert len((await inspector.ok("GET", ABSENCES))["items"]) == 2
    assert (await inspector.call("PATCH", f"{ABSENCES}/DB-0011", {"state": "refused"}))[0] == 403
