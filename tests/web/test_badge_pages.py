"""The page behind a badge: everything for its holder, nothing for anybody else, and no trace of its address."""

from __future__ import annotations

import re

import aiohttp
import pytest
import sample as sample_conference
import sqlalchemy as sa
import zxingcpp
from PIL import Image
from sample import ENDS_MS, STARTS_MS, Sample
from support import NOW_MS, Client, Running

from diemcau import limits
from diemcau.domain import badge
from diemcau.store.schema import attendance, session
from diemcau.web import badge_pages

HOLDER = "DB-0005"
REASONS = [
    {"code": "ILL", "name": "Ốm"},
    {"code": "DUTY", "name": "Công tác"},
    {"code": "FAMILY", "name": "Việc gia đình"},
    {"code": "CLASH", "name": "Trùng cuộc họp"},
    {"code": "OTHER", "name": "Khác"},
]
JSON = {"Accept": "application/json"}


@pytest.fixture
async def link(running: Running, sample: Sample) -> str:
    """What the QR of H'Hen Niê says."""
    del sample
    made = await running.admin.ok("POST", f"/api/v1/attendees/{HOLDER}/badge")
    return str(made["url"])


def path_of(link: str) -> str:
    """The path of a badge's link, as it stands there."""
    return "/B/" + link.rpartition("/")[2]


async def got(client: Client, path: str, method: str = "GET", **headers: str) -> tuple[aiohttp.ClientResponse, str]:
    """The answer of a page, with its text."""
    async with client.http.request(method, client.origin + path, headers=headers) as response:
        return response, await response.text()


async def seat(running: Running, sample: Sample, person: str, point: str) -> None:
    """Count a person in a hall, five minutes after the start."""
    counted = sa.insert(attendance).values(
        session_id=sample.session_id,
        attendee_id=sample.attendees[person],
        nonce=bytes(16),
        point_id=sample.points[point],
        at_ms=STARTS_MS + 300_000,
    )
    await running.context.writer.write(lambda connection: connection.execute(counted))


async def test_holder_sees_their_sessions_and_what_was_recorded(running: Running, sample: Sample, link: str) -> None:
    """An attendee asks on the phone where to go and whether they were counted, without standing in line for it."""
    before = await running.anonymous.ok("GET", path_of(link), headers=JSON)
    expected = {
        "session": "S1",
        "title": "Hội nghị học tập, quán triệt Nghị quyết",
        "starts_ms": STARTS_MS,
        "state": "open",
        "point": "HN-0002",
        "point_name": "Hội trường Quận ủy Ba Đình",
        "ask_by_ms": STARTS_MS,
    }
    assert before == {
        "full_name": "H'Hen Niê",
        "title": "Ủy viên",
        "unit_name": "Quận Ba Đình",
        "url": link,
        "sessions": [expected],
        "reasons": REASONS,
    }
    await seat(running, sample, HOLDER, "HN-0001")
    after = await running.anonymous.ok("GET", path_of(link).lower(), headers=JSON)
    recorded = {"checked_in_ms": STARTS_MS + 300_000, "checked_in_point_name": "Hội trường Thành ủy"}
    del expected["ask_by_ms"]  # who is there needs no excuse
    assert after["sessions"] == [expected | recorded]
    assert after["reasons"] == []
    _, page = await got(running.anonymous, path_of(link))
    assert "Đã điểm danh lúc 10:15 tại Hội trường Thành ủy" in page
    assert "H&#39;Hen Niê" in page


async def test_what_is_next_comes_first(running: Running, sample: Sample, link: str) -> None:
    """On the morning of the conference nobody scrolls past last year's."""
    del sample
    day_ms = 86_400_000
    for code, days in (("OLDER", -9), ("OLD", -2), ("NEXT", 1), ("LATER", 5)):
        moved = {"starts_ms": STARTS_MS + days * day_ms, "ends_ms": ENDS_MS + days * day_ms}
        await running.admin.ok("POST", "/api/v1/sessions", {"code": code, "title": code, **moved})
        await running.admin.ok("PUT", f"/api/v1/sessions/{code}/invitations", {"attendees": [HOLDER]})
    others = {"code": "OTHERS", "title": "x", "starts_ms": STARTS_MS, "ends_ms": ENDS_MS}
    await running.admin.ok("POST", "/api/v1/sessions", others)
    closed = sa.update(session).where(session.c.code == "NEXT").values(state="closed")
    shown = await running.anonymous.ok("GET", path_of(link), headers=JSON)
    assert [one["session"] for one in shown["sessions"]] == ["S1", "NEXT", "LATER", "OLD", "OLDER"]
    await running.context.writer.write(lambda connection: connection.execute(closed))
    shown = await running.anonymous.ok("GET", path_of(link), headers=JSON)
    assert [one["session"] for one in shown["sessions"]] == ["S1", "LATER", "NEXT", "OLD", "OLDER"]
    assert "point" not in shown["sessions"][1]
    _, page = await got(running.anonymous, path_of(link))
    assert page.count("Không có lượt điểm danh nào được ghi nhận") == 1, "the closed one: nothing will come any more"


async def test_page_is_small_and_leaves_no_trace(running: Running, link: str) -> None:
    """A badge is its address: kept by a browser, sent on as a referrer or found by a search, it is somebody else's."""
    response, page = await got(running.anonymous, path_of(link))
    assert response.status == 200
    assert len(page.encode()) < 14_000
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "script" not in page
    assert re.findall(r'(?:src|href)="(?!data:|\?lang=)', page) == []
    head, nothing = await got(running.anonymous, path_of(link), "HEAD")
    assert (head.status, nothing) == (200, "")
    answer, _ = await got(running.anonymous, path_of(link), **JSON)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("host", ["https://a.vn", "https://hoi-nghi-truc-tuyen.example.vn", "http://192.168.1.20:8080"])
def test_code_on_the_page_can_be_scanned(host: str) -> None:
    """An operator's scanner that cannot read the phone sends its owner to the end of the line."""
    text = badge.link(host, badge.token(bytes(32), 1, 1))
    svg = badge_pages.drawn(text)
    size = int(re.findall(r'viewBox="0 0 (\d+)', svg)[0])
    picture = Image.new("L", (size * 4, size * 4), 255)
    for x, y, width in re.findall(r"M(\d+) (\d+)\.5h(\d+)", svg):
        picture.paste(0, (int(x) * 4, int(y) * 4, (int(x) + int(width)) * 4, (int(y) + 1) * 4))
    (read,) = zxingcpp.read_barcodes(picture)
    assert read.text == text


async def test_revoked_and_unknown_badges_get_a_page(running: Running, link: str) -> None:
    """Whoever was given a new badge and opens the old one must learn what to do."""
    await running.admin.call("DELETE", f"/api/v1/attendees/{HOLDER}/badge")
    response, page = await got(running.anonymous, path_of(link))
    assert response.status == 410
    assert "Thẻ này không còn hiệu lực." in page
    assert "Niê" not in page
    assert response.headers["Cache-Control"] == "no-store"
    for path in ("/b/none", "/b/" + "A" * 26, "/b/%00", "/b/%F0%9F%98%80", "/B/<script>"):
        response, page = await got(running.anonymous, path, **{"Accept-Language": "en"})
        assert response.status == 404, path
        assert "There is no such badge." in page
    assert (await running.anonymous.call("GET", "/b/none", headers=JSON))[1]["code"] == "not_found"
    assert (await running.anonymous.call("GET", path_of(link), headers=JSON))[1]["code"] == "revoked"


async def test_guessing_is_slowed_and_holders_are_not(running: Running, link: str) -> None:
    """One curious phone in the hall's network must not lock five hundred badges out."""
    for _ in range(limits.BADGE_FAILURES_PER_MINUTE_MAX - 1):
        assert (await running.anonymous.call("GET", "/b/none"))[0] == 404
    response, page = await got(running.anonymous, "/b/none")
    assert response.status == 429
    assert int(response.headers["Retry-After"]) <= 60
    assert "Thẻ đúng vẫn mở được ngay." in page
    assert (await running.anonymous.call("GET", path_of(link)))[0] == 200
    running.clock.advance(61)
    assert (await running.anonymous.call("GET", "/b/none"))[0] == 404


async def test_language_is_the_readers(running: Running, link: str) -> None:
    """A guest reads English, and the page keeps the tongue that was tapped."""
    _, page = await got(running.anonymous, path_of(link), **{"Accept-Language": "en-GB"})
    assert '<html lang="en">' in page
    response, page = await got(running.anonymous, path_of(link) + "?lang=en")
    assert "Not checked in yet" in page
    assert response.cookies["diemcau_language"].value == "en"


async def test_nobody_summoned_reads_so(running: Running, sample: Sample) -> None:
    """An empty page would look broken to who holds a badge and is summoned to nothing yet."""
    del sample
    made = await running.admin.ok("POST", f"/api/v1/attendees/{sample_conference.NOT_INVITED}/badge")
    _, page = await got(running.anonymous, path_of(made["url"]))
    assert "Chưa được triệu tập đến buổi nào." in page
    assert made["made_ms"] == NOW_MS


async def test_networks_behind_a_proxy_are_told_apart(running: Running, link: str) -> None:
    """Behind our own proxy one guesser would slow everybody; one who takes a new address for every guess stays one."""
    del link
    status = 0
    for number in range(limits.BADGE_FAILURES_PER_MINUTE_MAX):
        status, _ = await running.anonymous.call(
            "GET", "/b/none", headers={"X-Forwarded-For": f"2001:db8:1:2::{number + 1:x}"}
        )
    assert status == 429
    other = {"X-Forwarded-For": "203.0.113.7"}
    assert (await running.anonymous.call("GET", "/b/none", headers=other))[0] == 404
