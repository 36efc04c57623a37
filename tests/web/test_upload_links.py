"""Upload links: a unit's clerk hands in their list without an account, and can reach nothing else by it."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from sample import Sample
from support import Running
from tables import csv_bytes, write_xlsx

from diemcau import limits
from diemcau.domain.models import Role
from diemcau.store.schema import attendee, invitation, session, upload_link
from diemcau.wire import api

LINKS = "/api/v1/sessions/S1/upload-links"
HEADER = ("Họ và tên", "Chức vụ", "Số điện thoại")
LIST = (HEADER, ("Phan Thị Hạ Vi", "Bí thư", "0911000001"), ("Đặng Hoà", "Ủy viên", "0911000002"))


@dataclass
class Clerk:
    """A unit's clerk with nothing but a link."""

    running: Running
    path: str

    async def open(self) -> tuple[int, str]:
        """The page."""
        return await self._answer("GET")

    async def send(self, content: bytes, name: str = "danh sách.csv") -> tuple[int, str]:
        """Choose a file and press the button."""
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(content), filename=name)
        return await self._answer("POST", data=form)

    async def confirm(self, page: str) -> tuple[int, str]:
        """Press the button on `page`."""
        found = re.search(r'name="ref" value="(\w+)"', page)
        assert found, page
        with aiohttp.MultipartWriter("form-data") as form:
            form.append(found[1]).set_content_disposition("form-data", name="ref")
        return await self._answer("POST", data=form)

    async def _answer(self, method: str, **options: Any) -> tuple[int, str]:
        client = self.running.anonymous
        async with client.http.request(
            method, client.origin + self.path, headers={"Accept-Language": "vi"}, **options
        ) as response:
            return response.status, await response.text()


async def made(running: Running, unit: str = "HN-001") -> Clerk:
    """A fresh link of a unit."""
    (link,) = (await running.admin.ok("POST", LINKS, {"units": [unit]}))["items"]
    return Clerk(running, link["url"].removeprefix(running.context.settings.origin))


async def scalar(running: Running, query: sa.Select[Any]) -> Any:
    """What is stored."""
    async with running.context.read() as connection:
        return await connection.scalar(query)


async def move_to(running: Running, state: str) -> None:
    """Put the session into a state, past the services."""
    moved = sa.update(session).where(session.c.code == "S1").values(state=state)
    await running.context.writer.write(lambda connection: connection.execute(moved))


async def names(running: Running, unit: str) -> set[str]:
    """Who is on a unit's list."""
    return {row["full_name"] for row in (await running.admin.ok("GET", f"/api/v1/attendees?unit={unit}"))["items"]}


async def test_a_list_goes_from_a_file_to_the_session(running: Running, sample: Sample, tmp_path: Path) -> None:
    """Choose, see what it would do, confirm: then the people are on the list, summoned, at their home point."""
    await move_to(running, "draft")
    clerk = await made(running)
    status, page = await clerk.open()
    assert status == 200
    assert "Quận Ba Đình" in page
    assert "Nguyễn Thị Hiền" not in page, "nothing of anybody's"
    file = write_xlsx(tmp_path / "a.xlsx", [(*row, "Điểm cầu" if not at else "HN-0002") for at, row in enumerate(LIST)])
    status, page = await clerk.send(file.read_bytes(), "a.xlsx")
    assert status == 200, page
    assert "Danh sách hợp lệ: 2 người" in page
    assert "Phan Thị Hạ Vi" not in await names(running, "HN-001"), "nothing is written before it is confirmed"
    status, page = await clerk.confirm(page)
    assert status == 200
    assert "Đã nhận danh sách" in page
    assert {"Phan Thị Hạ Vi", "Đặng Hoà"} <= await names(running, "HN-001")
    summoned = (
        sa.select(sa.func.count())
        .select_from(invitation)
        .join(attendee, attendee.c.id == invitation.c.attendee_id)
        .where(attendee.c.full_name.in_(["Phan Thị Hạ Vi", "Đặng Hoà"]))
    )
    assert await scalar(running, summoned.where(invitation.c.point_id == sample.points["HN-0002"])) == 2
    (view,) = (await running.admin.ok("GET", LINKS))["items"]
    assert (view["people"], view["used_ms"], view["state"]) == (2, running.clock.now_ms(), "good")


async def test_people_of_other_units_are_refused(running: Running, sample: Sample) -> None:
    """A link reaches its own unit and those below, whatever codes or names its file holds (I5)."""
    clerk = await made(running)
    rows = [
        ("Mã", "Họ và tên", "Đơn vị"),
        ("NEW-1", "Phan Thị Hạ Vi", "HN-001"),
        ("NEW-2", "Đặng Hoà", "HN-002"),
        ("DB-0007", "Kẻ Khác", "HN-001"),
    ]
    status, page = await clerk.send(csv_bytes(rows))
    assert status == 422
    assert "Dòng 3" in page
    assert 'name="ref"' not in page
    status, page = await clerk.send(csv_bytes([rows[0], rows[3]]))
    assert (status, 'name="ref"' in page) == (422, False), "somebody else's person is not to be taken away"
    assert "Y Thông Ê-ban" in await names(running, "HN-002")
    assert "Phan Thị Hạ Vi" not in await names(running, "HN-001")


async def test_rows_to_correct_are_named(running: Running, sample: Sample) -> None:
    """The clerk learns which row and why, and the file can be chosen again on the same page."""
    clerk = await made(running)
    status, page = await clerk.send(csv_bytes([(*HEADER, "Mã"), ("", "Bí thư", "0911", "A-1"), ("An", "", "", "Ă Ă")]))
    assert status == 422
    assert "Dòng 2" in page
    assert "Dòng 3" in page
    assert 'type="file"' in page


async def test_rows_that_are_no_people_are_counted(running: Running, sample: Sample) -> None:
    """Somebody taken for a heading must not vanish unsaid."""
    clerk = await made(running)
    _, page = await clerk.send(csv_bytes([*LIST, ("Người ký",)]))
    assert "Danh sách hợp lệ: 2 người" in page
    assert "1 dòng không được tính là người" in page


async def test_a_session_under_way_summons_nobody_by_itself(running: Running, sample: Sample) -> None:
    """Once a session is open, who is summoned is the organizer's decision."""
    before = await scalar(running, sa.select(sa.func.count()).select_from(invitation))
    clerk = await made(running)
    _, page = await clerk.send(csv_bytes(LIST))
    await clerk.confirm(page)
    assert "Đặng Hoà" in await names(running, "HN-001")
    assert await scalar(running, sa.select(sa.func.count()).select_from(invitation)) == before


async def test_a_word_without_a_file_is_answered(running: Running, sample: Sample) -> None:
    """A second tap, or a confirmation an hour later, says what to do and writes nothing."""
    clerk = await made(running)
    _, page = await clerk.send(csv_bytes(LIST))
    await clerk.confirm(page)
    status, again = await clerk.confirm(page)
    assert (status, "chọn lại" in again) == (404, True)
    _, page = await clerk.send(csv_bytes(LIST))
    running.clock.advance(limits.UPLOAD_KEPT_S + 1)
    assert (await clerk.confirm(page))[0] == 404
    status, nothing = await clerk.send(b"", "")
    assert (status, "Hãy chọn một tệp" in nothing) == (400, True)


async def test_one_links_file_is_not_anothers(running: Running, sample: Sample) -> None:
    """Who holds two links cannot confirm by the one what was checked by the other (I5)."""
    clerk, other = await made(running), await made(running, "HN-002")
    _, page = await clerk.send(csv_bytes(LIST))
    assert (await other.confirm(page))[0] == 404
    assert "Đặng Hoà" not in await names(running, "HN")


@pytest.mark.parametrize("how", ["unknown", "revoked", "replaced", "expired", "closed"])
async def test_a_link_that_is_no_longer_good_opens_nothing(running: Running, sample: Sample, how: str) -> None:
    """Whoever finds an old message can neither look nor send."""
    clerk = await made(running)
    if how == "unknown":
        clerk.path = "/u/abcdefghijklmnopqrstuvwxyz"
    elif how == "revoked":
        (link,) = (await running.admin.ok("GET", LINKS))["items"]
        await running.admin.ok("DELETE", f"{LINKS}/{link['id']}")
    elif how == "replaced":
        await made(running)
    elif how == "expired":
        running.clock.advance(limits.UPLOAD_LINK_DAYS * 86_400 + 1)
    else:
        await move_to(running, "closed")
    for status, page in (await clerk.open(), await clerk.send(csv_bytes(LIST))):
        assert status == 404
        assert "Đường dẫn này không dùng được" in page
        assert "Ba Đình" not in page


async def test_files_by_one_link_are_limited(running: Running, sample: Sample) -> None:
    """Each file costs a process; a link that was passed around must not take the server with it."""
    clerk = await made(running)
    for _ in range(limits.UPLOADS_PER_MINUTE_MAX):
        running.context.limiter.failed("upload:1")
    assert (await clerk.send(csv_bytes(LIST)))[0] == 429
    assert (await clerk.open())[0] == 200


async def test_a_file_over_its_bound_is_refused(running: Running, sample: Sample) -> None:
    """A photograph album is no list, and is not kept either."""
    clerk = await made(running)
    status, page = await clerk.send(b"x" * (limits.UPLOAD_BYTES_MAX + 1))
    assert (status, "quá lớn" in page) == (413, True)


async def test_links_of_a_subtree(running: Running, sample: Sample) -> None:
    """One request makes the links of all units of a district; the database never holds what opens them."""
    links = (await running.admin.ok("POST", LINKS, {"unit": "HN-002"}))["items"]
    assert [link["unit"] for link in links] == ["HN-002", "HN-002-01"]
    token = links[0]["url"].rpartition("/")[2]
    assert len(token) == 26
    stored = await scalar(running, sa.select(upload_link.c.token_hash).limit(1))
    assert len(stored) == 32
    assert token.encode() not in stored
    assert "url" not in (await running.admin.ok("GET", LINKS))["items"][0]


async def test_only_organizers_make_links(running: Running, sample: Sample) -> None:
    """A link gives rights over a unit's people: whoever makes one must have them (I5)."""
    clerk = await running.account("clerk", api.GrantView(Role.CLERK, "HN-002"))
    assert (await clerk.call("POST", LINKS, {"units": ["HN-002"]}))[0] == 403
    assert [link["unit"] for link in (await clerk.ok("GET", LINKS))["items"]] == []
    elsewhere = await running.account("organizer", api.GrantView(Role.ORGANIZER, "HN-001"))
    assert (await elsewhere.call("POST", LINKS, {"units": ["HN-002"]}))[0] == 403
    both = {"units": ["HN-001"], "unit": "HN-001"}
    assert (await running.admin.call("POST", LINKS, both))[0] == 400


async def test_nothing_of_the_page_may_leak_its_address(running: Running, sample: Sample) -> None:
    """The address is the right: no referrer, no script, no frame, nothing kept, nothing for search engines."""
    clerk = await made(running)
    async with running.admin.http.get(running.admin.origin + clerk.path) as response:
        headers = response.headers
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Set-Cookie" not in headers
