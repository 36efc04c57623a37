"""What stands at the top of papers: set once for the organization, and for each session its own."""

from __future__ import annotations

from sample import Sample
from support import Running

from diemcau.domain.authority import System
from diemcau.domain.models import Role
from diemcau.reports.paper import PaperHead
from diemcau.services import paper_heading
from diemcau.store import sessions
from diemcau.wire import api

ORGANIZATION, HEADING = "/api/v1/organization", "/api/v1/sessions/S1/heading"


async def head_of(running: Running) -> PaperHead:
    """The heading that a paper of S1 would bear."""
    async with running.context.read() as connection:
        return await paper_heading.heading(System(), connection, await sessions.get(connection, "S1"))


async def test_the_organization_is_set_text_by_text(running: Running, sample: Sample) -> None:
    """Whoever sets the place does not lose the name; an emptied text is gone from the papers."""
    assert set((await running.admin.ok("GET", ORGANIZATION)).values()) == {""}
    await running.admin.ok("PATCH", ORGANIZATION, {"name": "  BAN  TUYÊN GIÁO ", "superior": "TỈNH ỦY"})
    told = await running.admin.ok("PATCH", ORGANIZATION, {"place": "Thái Nguyên", "superior": ""})
    assert (told["name"], told["superior"], told["place"]) == ("BAN TUYÊN GIÁO", "", "Thái Nguyên")
    assert await running.admin.ok("GET", ORGANIZATION) == told


async def test_a_heading_joins_both(running: Running, sample: Sample) -> None:
    """Number and date are the session's; its own place goes before the organization's; no date is written by hand."""
    assert await head_of(running) == PaperHead()
    body = {"name": "BAN TUYÊN GIÁO", "place": "Thái Nguyên", "motto": "Dòng một\nDòng hai", "signer": "TRƯỞNG BAN"}
    await running.admin.ok("PATCH", ORGANIZATION, body)
    assert (await head_of(running)).place_and_date == "Thái Nguyên, ngày …… tháng …… năm ………"
    await running.admin.ok("PATCH", HEADING, {"document_number": "23-CT/TU", "document_date": "ngày 05/8/2025"})
    head = await head_of(running)
    assert (head.number, head.place_and_date) == ("Số: 23-CT/TU", "Thái Nguyên, ngày 05/8/2025")
    assert (head.motto, head.signer) == ("Dòng một\nDòng hai", "TRƯỞNG BAN")
    await running.admin.ok("PATCH", HEADING, {"place": "Đồng Tháp"})
    assert (await head_of(running)).place_and_date == "Đồng Tháp, ngày 05/8/2025"


async def test_a_target_is_set_and_taken_away(running: Running, sample: Sample) -> None:
    """A target is a percentage or none; the number of the paper stays when it changes."""
    await running.admin.ok("PATCH", HEADING, {"document_number": "23-CT/TU", "target_rate": 95})
    assert (await running.admin.ok("GET", HEADING))["target_rate"] == 95
    for wrong in (0, 101, "95"):
        assert (await running.admin.call("PATCH", HEADING, {"target_rate": wrong}))[0] == 400
    told = await running.admin.ok("PATCH", HEADING, {"target_rate": None})
    assert (told["target_rate"], told["document_number"]) == (None, "23-CT/TU")


async def test_papers_get_their_number_after_closing(running: Running, sample: Sample) -> None:
    """The report is numbered when it leaves, which is after the figures were frozen."""
    for to in ("live", "ended", "closed"):
        await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": to})
    told = await running.admin.ok("PATCH", HEADING, {"document_number": "118-BC/TU"})
    assert told["document_number"] == "118-BC/TU"


async def test_a_districts_organizer_names_no_province(running: Running, sample: Sample) -> None:
    """The name stands on everybody's papers, so only who organizes the whole tree sets it (I5)."""
    organizer = await running.account("ba-dinh", api.GrantView(Role.ORGANIZER, "HN-001"))
    assert (await organizer.call("PATCH", ORGANIZATION, {"name": "Quận ủy"}))[0] == 403
    assert (await organizer.call("PATCH", HEADING, {"target_rate": 95}))[0] == 403
    assert (await organizer.call("GET", ORGANIZATION))[0] == 200
