"""Trials of messy lists through the API: what was understood, asked and wrong, and then the list itself."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import sample
from support import Client, Running
from tables import csv_bytes, write_xlsx

from diemcau.domain.models import Role
from diemcau.wire import api

HEAD = ["STT", "Họ và tên", "Chức vụ", "Đơn vị", "SĐT"]


@pytest.fixture
async def admin(running: Running) -> Client:
    """The administrator, over the sample conference with two communes of one name."""
    await sample.fill(running.context.engines)
    for code, name, parent in (("TL-1", "Xã Tân Lập", "HN-001"), ("TL-2", "Xã Tân Lập", "HN-002")):
        await running.admin.ok("POST", "/api/v1/units", {"code": code, "name": name, "parent": parent})
    await running.admin.ok("POST", "/api/v1/units", {"code": "CG", "name": "Xã Cẩm Giàng", "parent": "HN-001"})
    return running.admin


async def sent(client: Client, data: bytes, **query: str) -> Any:
    """People imported: the job once it is over."""
    answer = await client.call("POST", "/api/v1/imports", params={"what": "attendees", **query}, data=data)
    assert answer[0] == 202, answer
    job = answer[1]
    async with asyncio.timeout(30):
        while job["state"] in {"queued", "running"}:
            job = await client.ok("GET", f"/api/v1/jobs/{job['id']}")
    return job


async def people(client: Client, query: str) -> list[tuple[str, str, str]]:
    """Code, name and unit of everybody found."""
    found = await client.ok("GET", f"/api/v1/attendees?q={query}")
    return [(one["code"], one["full_name"], one["unit"]) for one in found["items"]]


async def test_a_list_without_codes_comes_in_and_comes_again(admin: Client, tmp_path: Path) -> None:
    """Codes are made from the unit's; the same people in a later list keep theirs, and a new one goes on counting."""
    rows: list[list[Any]] = [["DANH SÁCH"], [], [HEAD[0], HEAD[1], HEAD[2], HEAD[4]], ["I. Xã Cẩm Giàng"]]
    rows += [[1, "Vũ Thị Rước", "Bí thư", 912000111.0], [2, "Đỗ Văn Rước", "", ""], ["", "Tổng cộng", "", 2]]
    data = write_xlsx(tmp_path / "list.xlsx", rows).read_bytes()
    trial = (await sent(admin, data, dry_run="1"))["result"]
    assert (trial["rows"], trial["created"], trial["rejected"], trial["preview"]["questions"]) == (2, 2, 0, [])
    assert trial["preview"]["skipped"] == {"headings": 1, "totals": 1}
    assert trial["preview"]["rows"][0]["values"] == {
        "code": "CG.001",
        "full_name": "Vũ Thị Rước",
        "title": "Bí thư",
        "unit_code": "CG",
        "unit": "Xã Cẩm Giàng",
        "point_code": "",
        "phone": "0912000111",
    }
    assert [note.split(" ")[0] for note in trial["preview"]["notes"]] == ["Đã", "2"]
    assert (await sent(admin, data))["result"]["created"] == 2
    made = [("CG.001", "Vũ Thị Rước", "CG"), ("CG.002", "Đỗ Văn Rước", "CG")]
    assert sorted(await people(admin, "ruoc")) == made
    again = csv_bytes(
        [
            HEAD,
            [1, "vũ thị rước", "Chủ tịch", "CG", "0912000111"],
            [2, "Đỗ Văn Rước", "", "xã cẩm giàng", ""],
            [3, "Lê Thị Rước", "", "CG", ""],
        ]
    )
    result = (await sent(admin, again))["result"]
    assert (result["created"], result["updated"], result["unchanged"]) == (1, 1, 1)
    assert [code for code, *_ in sorted(await people(admin, "ruoc"))] == ["CG.001", "CG.002", "CG.003"]


async def test_names_of_units_are_asked_and_answered(admin: Client) -> None:
    """Two communes of one name are never guessed between; one answer serves all of their rows."""
    rows: list[list[Any]] = [HEAD, [1, "Lê An", "", "Xã Tân Lập", ""], [2, "Vũ Bình", "", "XÃ TÂN LẬP", ""]]
    rows += [[3, "Đỗ Dung", "", "Xã Tân Lập, Hà Nội", ""], [4, "Hà Em", "", "Cẩm Giàng", ""]]
    data = csv_bytes(rows)
    trial = (await sent(admin, data, dry_run="1"))["result"]
    asked = {one["key"]: one for one in trial["preview"]["questions"]}
    assert (asked["xa tan lap"]["reason"], asked["xa tan lap"]["rows"], asked["xa tan lap"]["row"]) == (
        "ambiguous",
        2,
        2,
    )
    assert [one["code"] for one in asked["xa tan lap"]["candidates"]] == ["TL-1", "TL-2"]
    assert (asked["cam giang"]["reason"], asked["cam giang"]["candidates"][0]["code"]) == ("unknown", "CG")
    assert (trial["created"], trial["rejected"]) == (0, 4)
    job = await sent(admin, data)
    assert (job["state"], job["problem"]["code"]) == ("failed", "import_rejected")
    units = json.dumps({"Xã Tân Lập": "TL-2", "cam giang": "cg", "Xã Tân Lập, Hà Nội": "TL-1"})
    done = await sent(admin, data, units=units)
    assert done["result"]["created"] == 4
    assert await people(admin, "vu binh") == [("TL-2.002", "Vũ Bình", "TL-2")]


async def test_a_clerks_own_unit_is_the_only_one_of_its_name(running: Running, admin: Client) -> None:
    """Within one's own units a name may be clear that elsewhere is not; nothing outside is told (I5)."""
    clerk = await running.account("can-bo", api.GrantView(Role.CLERK, "HN-002"))
    rows: list[list[Any]] = [HEAD, [1, "Lê An", "", "Xã Tân Lập", ""], [2, "Vũ Bình", "", "Xã Cẩm Giàng", ""]]
    trial = (await sent(clerk, csv_bytes(rows), dry_run="1"))["result"]
    assert trial["preview"]["rows"][0]["values"]["unit_code"] == "TL-2"
    (question,) = trial["preview"]["questions"]
    assert (question["name"], question["candidates"]) == ("Xã Cẩm Giàng", [])


async def test_columns_are_mapped(admin: Client) -> None:
    """A header that nobody knows stops the trial, shows the top of the sheet, and is read once it was named."""
    data = csv_bytes([["Quý danh", "Cơ sở"], ["Lê An", "CG"]])
    trial = (await sent(admin, data, dry_run="1"))["result"]
    assert trial["preview"]["sheets"][0]["top"] == [["Quý danh", "Cơ sở"], ["Lê An", "CG"]]
    assert [one["reason"] for one in trial["preview"]["findings"]] == ["thiếu cột này trong dòng tên cột"]
    mapping = json.dumps({"": {"columns": {"full_name": "Quý danh", "unit_code": 2}}})
    assert (await sent(admin, data, mapping=mapping))["result"]["created"] == 1
    for bad in ("[]", "{", json.dumps({"": {"columns": {"salary": 1}}})):
        answer = await admin.call("POST", "/api/v1/imports", params={"what": "attendees", "mapping": bad}, data=data)
        assert (answer[0], answer[1]["params"]["field"]) == (400, "mapping")
    answer = await admin.call("POST", "/api/v1/imports", params={"what": "attendees", "units": "[1]"}, data=data)
    assert answer[0] == 400


async def test_findings_are_a_table_and_the_rest_comes_in(running: Running, admin: Client) -> None:
    """The table of mistakes opens in Excel and runs nothing; on request the other rows are taken over."""
    rows: list[list[Any]] = [
        HEAD,
        [1, "Lê An", "", "CG", ""],
        [2, "Lê An", "", "CG", ""],
        [3, "Vũ Bình", "", '=HYPERLINK("x")', ""],
    ]
    data = csv_bytes(rows)
    job = await sent(admin, data, dry_run="1")
    async with admin.http.get(
        f"{admin.origin}/api/v1/jobs/{job['id']}/findings.csv", headers={"Authorization": f"Bearer {admin.token}"}
    ) as response:
        body = await response.read()
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert body.startswith(b"\xef\xbb\xbf")
    table = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert table[0] == ["Trang tính", "Dòng", "Cột", "Giá trị", "Lý do"]
    assert [(row[1], row[2], row[3]) for row in table[1:]] == [
        ("3", "Họ và tên", ""),
        ("4", "Đơn vị", '\'=HYPERLINK("x")'),
    ]
    stranger = await running.account("khac", api.GrantView(Role.CLERK, "HN-002"))
    assert (await stranger.call("GET", f"/api/v1/jobs/{job['id']}/findings.csv"))[0] == 403
    result = (await sent(admin, data, partial="1"))["result"]
    assert (result["created"], result["rejected"]) == (1, 2)
    fine = await sent(admin, csv_bytes([HEAD, [1, "Đỗ Dung", "", "CG", ""]]), dry_run="1")
    assert (await admin.call("GET", f"/api/v1/jobs/{fine['id']}/findings.csv"))[0] == 404


async def test_units_name_their_parents(admin: Client, running: Running) -> None:
    """A unit's list may say under whom it stands by name; where two are called so, nobody guesses."""
    rows = [["Mã", "Tên", "Đơn vị cấp trên"], ["X-1", "Thôn Một", "Xã Cẩm Giàng"], ["X-2", "Thôn Hai", "thôn một"]]
    answer = await admin.call("POST", "/api/v1/imports?what=units", data=csv_bytes(rows))
    async with asyncio.timeout(30):
        while (job := await admin.ok("GET", f"/api/v1/jobs/{answer[1]['id']}"))["state"] in {"queued", "running"}:
            pass
    assert job["result"]["created"] == 2
    listed = {unit["code"]: unit["parent"] for unit in (await admin.ok("GET", "/api/v1/units"))["items"]}
    assert (listed["X-1"], listed["X-2"]) == ("CG", "X-1")
