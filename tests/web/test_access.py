"""Who may call what: every route, tried by every kind of caller, against the table in docs/api.md.

Run `DIEMCAU_WRITE_ACCESS=1 pytest tests/web/test_access.py` to write the table anew from what the server does;
then read the difference: each changed cell is a change of who may see or do something (I5).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import sample as sample_conference
from support import NOW_MS, PASSWORD, Client, Running, Start

from diemcau.domain.authority import System
from diemcau.domain.models import DeviceKind, Role
from diemcau.services import devices
from diemcau.store import import_runs
from diemcau.web.calls import Route
from diemcau.web.routes import ROUTES
from diemcau.wire import api

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"
BEGIN, END = "<!-- access: begin -->", "<!-- access: end -->"
CALLERS = (
    "anonymous",
    "admin",
    "organizer",
    "clerk",
    "inspector",
    "organizer elsewhere",
    "clerk elsewhere",
    "operator",
    "display",
    "operator elsewhere",
    "revoked",
)
"""Roles hold over HN-001, where the things the requests name lie; "elsewhere" is HN-002, the point HN-0003."""

HERE = {
    "account": "root",
    "unit": "HN-001",
    "point": "HN-0002",
    "attendee": "DB-0003",
    "session": "S1",
    "what": "attendance",
    "format": "csv",
    "device": "1",
    "job": "none",
    "badge": "none",
    "code": "none",
    "nonce": "019a0000-0000-7000-8000-000000000000",
    "unlisted": "1",
    "spot_check": "1",
    "number": "1",
    "revision": "1",
    "anomaly": "1",
    "run": "1",
    "receipt": "none",
    "token": "none",
    "page": "sessions",
    "link": "1",
}
TIMES = {"starts_ms": 1_780_000_000_000, "ends_ms": 1_780_010_000_000}
SHEET = {
    "nonce": HERE["nonce"],
    "point": HERE["point"],
    "reason": "mất điện",
    "device_ms": NOW_MS,
    "at_ms": NOW_MS,
    "people": [{"code": "DB-0003"}],
}
FILES = {"PUT /api/v1/sessions/{session}/papers/{nonce}/photo": b"\xff\xd8\xff photo"}
"""What is sent as it is, not as JSON."""

BODIES: dict[str, Any] = {
    "POST /api/v1/setup": {"token": "none", "name": "eve", "password": PASSWORD},
    "POST /api/v1/login": {"name": "root", "password": PASSWORD},
    "POST /api/v1/accounts": {"name": "new", "password": PASSWORD, "grants": [{"role": "clerk", "unit": "HN-001"}]},
    "POST /api/v1/units": {"code": "NEW", "name": "Phường mới", "parent": "HN-001"},
    "PATCH /api/v1/units/{unit}": {"name": "Quận Ba Đình"},
    "POST /api/v1/points": {"code": "NEW", "name": "Hội trường mới", "unit": "HN-001"},
    "PATCH /api/v1/points/{point}": {"note": "tầng 2"},
    "POST /api/v1/attendees": {"code": "NEW", "full_name": "Lê Mới", "unit": "HN-001"},
    "PATCH /api/v1/attendees/{attendee}": {"title": "Ủy viên"},
    "POST /api/v1/badges": {"unit": "HN-001"},
    "POST /api/v1/sessions": {"code": "S2", "title": "Buổi hai", "unit": "HN-001", **TIMES},
    "PATCH /api/v1/sessions/{session}": {"title": "Buổi một"},
    "POST /api/v1/sessions/{session}/state": {"to": "live"},
    "POST /api/v1/sessions/{session}/revisions": {"reason": "mất mạng"},
    "PUT /api/v1/sessions/{session}/points": {"unit": "HN-001"},
    "PUT /api/v1/sessions/{session}/invitations": {"unit": "HN-001"},
    "POST /api/v1/sessions/{session}/check-ins": {
        "device_ms": NOW_MS,
        "items": [
            {
                "nonce": "019c1c6f-9280-7000-8000-00000000cafe",
                "point": "HN-0002",
                "at_ms": NOW_MS,
                "who": {"type": "attendee", "code": "DB-0003"},
                "reason": "danh sách giấy",
            }
        ],
    },
    "POST /api/v1/sessions/{session}/check-ins/{nonce}/annul": {"reason": "nhầm người"},
    "POST /api/v1/sessions/{session}/unlisted/{unlisted}/match": {"attendee": "DB-0003"},
    "POST /api/v1/sessions/{session}/anomalies/{anomaly}/review": {"note": "đã xem"},
    "POST /api/v1/points/{point}/pairings": {"kind": "operator"},
    "POST /api/v1/pairings": {"unit": "HN-001", "kind": "operator"},
    "POST /api/v1/sessions/{session}/prints": {"what": "badges", "unit": "HN-001"},
    "POST /api/v1/sessions/{session}/papers": SHEET,
    "POST /api/v1/sessions/{session}/papers/{nonce}/undo": {"reason": "nhầm tờ"},
    "POST /api/v1/sessions/{session}/spot-checks": {"phase": "middle"},
    "POST /api/v1/sessions/{session}/spot-checks/{spot_check}/points/{point}": {"headcount": 4},
    "POST /api/v1/sessions/{session}/absences": {"attendee": "DB-0003", "reason": "ILL"},
    "PATCH /api/v1/sessions/{session}/absences/{attendee}": {"state": "approved"},
    "PUT /api/v1/absence-reasons": {"items": [{"code": "ILL", "name": "Ốm"}]},
    "PATCH /api/v1/sessions/{session}/options": {"target_rate": 95},
    "PATCH /api/v1/organization": {"name": "Ban Tổ chức"},
    "PATCH /api/v1/sessions/{session}/heading": {"document_number": "23-CT/TU"},
    "POST /api/v1/sessions/{session}/headcounts": {"point": "HN-0002", "number": 41, "by": "chị Trực"},
    "POST /api/v1/sessions/{session}/quick-reports": {},
    "POST /api/v1/sessions/{session}/rehearsed": {"unit": "HN-001"},
    "POST /api/v1/sessions/{session}/upload-links": {"units": ["HN-001"]},
    "PUT /api/v1/units/{unit}/contact": {"name": "Vũ Thị Trực", "phone": "0904000111"},
    "POST /api/v1/pair": {"code": "AAAA-AAAA-AAAA", "device": "máy"},
}
QUERIES = {"POST /api/v1/imports": "?what=attendees&file=list.csv&dry_run=1"}


def name_of(route: Route) -> str:
    """A route as the table names it."""
    return f"{route.method} {route.path}"


def address_of(route: Route) -> str:
    """The route's path with the things of HN-001 filled in."""

    def fill(match: re.Match[str]) -> str:
        return HERE[match.group(1)]

    return re.sub(r"\{(\w+)[^}]*\}", fill, route.path) + QUERIES.get(name_of(route), "")


async def pair(running: Running, point: str, kind: DeviceKind) -> str:
    """A paired device's token."""
    made = await devices.make_pairing(System(), running.context, point, api.PairingNew(kind))
    return (await devices.pair(System(), running.context, api.PairRequest(made.code, "máy"))).token


async def client_of(running: Running, caller: str) -> Client:
    """The client of one kind of caller."""
    if caller == "anonymous":
        return running.anonymous
    if caller == "admin":
        return running.admin
    role, _, place = caller.partition(" ")
    if role in {"organizer", "clerk", "inspector"}:
        unit = "HN-002" if place else "HN-001"
        return await running.account(f"{role}{place}", api.GrantView(Role(role), unit))
    kind = DeviceKind.DISPLAY if role == "display" else DeviceKind.OPERATOR
    token = await pair(running, "HN-0003" if place else "HN-0002", kind)
    if role == "revoked":
        (device,) = (await devices.listed(System(), running.context, "HN-0002")).items
        await devices.revoke(System(), running.context, "HN-0002", device.id)
    return running.admin.signed_in(token)


def verdict(status: int, answer: Any) -> str:
    """What a status means for the table: yes, or why not."""
    code = answer.get("code") if isinstance(answer, dict) else None
    items = answer.get("items", []) if isinstance(answer, dict) else []
    if items and all(isinstance(item, dict) and item.get("reason") == "forbidden" for item in items):
        return "403"  # of a batch, each item says so for itself
    if status == 401 and code != "wrong_password":
        return "401"
    if status == 403:
        return "403"
    if status == 400:
        pytest.fail(f"the test's own request is malformed: {answer}")
    assert status < 500, answer
    return "yes"


async def begin(running: Running) -> None:
    """What a day has brought already: a sheet from paper, a spot-check, and an import."""
    await running.admin.ok("POST", "/api/v1/sessions/S1/papers", SHEET)
    await running.admin.ok("POST", "/api/v1/sessions/S1/spot-checks", {"phase": "start"})
    imported = {"what": "attendees", "mode": "add", "made_ms": NOW_MS, "made_by": "root", "unit_id": 2}  # HN-001
    run_id = await running.context.writer.write(lambda c: import_runs.insert(c, imported))
    await running.context.writer.write(lambda c: import_runs.set_state(c, run_id, "done", ["staging"]))


async def column(running: Running, caller: str) -> dict[str, str]:
    """What one caller gets from every route; deletions come last, signing out at the very end."""
    client = await client_of(running, caller)
    cells: dict[str, str] = {}
    for route in sorted(ROUTES, key=lambda route: (route.path.endswith("logout"), route.method == "DELETE")):
        body = BODIES.get(name_of(route))
        assert route.body is None or body is not None, f"give {name_of(route)} a body in this test"
        if route.path.startswith("/ws/"):
            continue
        options = {"data": FILES[name_of(route)]} if name_of(route) in FILES else {}
        cells[name_of(route)] = verdict(*await client.call(route.method, address_of(route), body, **options))
    return cells


def written_table() -> dict[str, dict[str, str]]:
    """The table of docs/api.md: by caller, by route."""
    text = DOCS.read_text(encoding="utf-8")
    rows = text[text.index(BEGIN) : text.index(END)].splitlines()
    header, _, *lines = [[cell.strip() for cell in row.strip("| ").split("|")] for row in rows if row.startswith("|")]
    table: dict[str, dict[str, str]] = {caller: {} for caller in header[1:]}
    for route, *cells in lines:
        for caller, cell in zip(header[1:], cells, strict=True):
            table[caller][route.strip("`")] = cell
    return table


def write_table(columns: dict[str, dict[str, str]]) -> None:
    """Put what the server does into docs/api.md."""
    routes = list(next(iter(columns.values())))
    order = [name_of(route) for route in ROUTES if name_of(route) in routes]
    lines = ["| route | " + " | ".join(CALLERS) + " |", "|---|" + "---|" * len(CALLERS)]
    lines += [f"| `{route}` | " + " | ".join(columns[caller][route] for caller in CALLERS) + " |" for route in order]
    text = DOCS.read_text(encoding="utf-8")
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    DOCS.write_text(f"{before}\n" + "\n".join(lines) + f"\n{after}", encoding="utf-8")


@pytest.fixture(scope="module")
def columns() -> dict[str, dict[str, str]]:
    """Columns seen so far in this run."""
    return {}


@pytest.mark.parametrize("caller", CALLERS)
async def test_who_may(caller: str, start: Start, columns: dict[str, dict[str, str]]) -> None:
    """A caller gets exactly what the documented table promises: no more (I5) and no less."""
    running = await start()
    await sample_conference.fill(running.context.engines)
    await begin(running)
    columns[caller] = await column(running, caller)
    if os.environ.get("DIEMCAU_WRITE_ACCESS"):
        if len(columns) == len(CALLERS):
            write_table(columns)
        return
    assert columns[caller] == written_table()[caller]
