"""A unit's personal links: right, complete, only for who may change its people, and called a secret."""

from __future__ import annotations

import csv
import io

import aiohttp
import openpyxl
from sample import Sample
from support import Client, Running

from diemcau.domain.models import Role
from diemcau.wire import api

PATH = "/api/v1/units/HN-001/personal-links"


async def fetch(client: Client, path: str) -> tuple[aiohttp.ClientResponse, bytes]:
    """A file as it comes."""
    headers = {"Authorization": f"Bearer {client.token}", "Accept-Language": "vi"}
    async with client.http.get(client.origin + path, headers=headers) as response:
        return response, await response.read()


async def test_each_link_opens_its_owners_badge(running: Running, sample: Sample) -> None:
    """What is sent to a person must be theirs, and who has none is counted, not forgotten."""
    await running.admin.ok("POST", "/api/v1/badges", {"attendees": ["DB-0003", "DB-0005"]})
    links = await running.admin.ok("GET", PATH)
    assert [one["code"] for one in links["items"]] == ["DB-0003", "DB-0005"]
    assert links["without"] == 2
    for one in links["items"]:
        path = one["url"].removeprefix(running.context.settings.origin)
        if path == one["url"]:  # in capitals, for small QR codes
            path = one["url"][one["url"].upper().index("/B/") :]
        badge = await running.anonymous.ok("GET", path, headers={"Accept": "application/json"})
        assert badge["full_name"] == one["full_name"]
        assert f"{one['full_name']} ({one['code']})" in links["text"]
        assert one["url"] in links["text"]


async def test_files_say_that_they_are_secret_and_run_nothing(running: Running, sample: Sample) -> None:
    """Both files hold the same rows; a name that begins as a formula does stays a name."""
    await running.admin.ok("PATCH", "/api/v1/attendees/DB-0003", {"full_name": "=1+1"})
    await running.admin.ok("POST", "/api/v1/badges", {"unit": "HN-001"})
    response, body = await fetch(running.admin, PATH + ".csv")
    assert "BI-MAT-HN-001.csv" in response.headers["Content-Disposition"]
    assert response.headers["Cache-Control"] == "no-store"
    header, *lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert header[3] == "Đường dẫn cá nhân (bí mật)"
    assert [line[1] for line in lines if line[0] == "DB-0003"] == ["'=1+1"]
    _, body = await fetch(running.admin, PATH + ".xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(body)).active
    assert sheet is not None
    told, named, *rows = list(sheet.iter_rows(values_only=True))
    assert str(told[0]).startswith("Bí mật")
    assert list(named) == header
    assert [[str(cell).lstrip("'") for cell in row] for row in rows] == [
        [c.lstrip("'") for c in line] for line in lines
    ]
    assert len(rows) == 4


async def test_only_who_may_change_people_sees_their_links(running: Running, sample: Sample) -> None:
    """Who reads, or answers for other units, could check in as anybody (I5)."""
    for name, role, unit in (("reads", Role.INSPECTOR, "HN"), ("elsewhere", Role.CLERK, "HN-002")):
        client = await running.account(name, api.GrantView(role, unit))
        for path in (PATH, PATH + ".csv", PATH + ".xlsx"):
            assert (await client.call("GET", path))[0] == 403
    own = await running.account("own", api.GrantView(Role.CLERK, "HN-001"))
    assert (await own.ok("GET", PATH))["without"] == 4
