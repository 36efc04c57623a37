"""A job as it is answered, given up, and its files fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web

from diemcau.errors import NotFoundError
from diemcau.services import jobs
from diemcau.web import problems
from diemcau.web.calls import Call, Route
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.i18n import Language

PART_DIGITS_MAX = 4


async def stop(call: Call[None]) -> None:
    """Give a job up, or let go what it made."""
    await jobs.stop(call.actor, call.context, call.request.match_info["job"])


async def file(call: Call[None]) -> web.FileResponse:
    """What a job made."""
    part = call.text("part", "1")
    if not (part.isascii() and part.isdigit() and len(part) <= PART_DIGITS_MAX):
        raise NotFoundError(what="file", key=part)
    found = await jobs.file(call.actor, call.context, call.request.match_info["job"], int(part))
    headers = {
        "Content-Type": "application/pdf",
        "Content-Disposition": f"attachment; filename=\"print-{part}.pdf\"; filename*=UTF-8''{quote(found.name)}",
        "Cache-Control": "no-store",
    }
    return web.FileResponse(found.path, headers=headers)


def view(found: jobs.Job, language: Language) -> api.Job:
    """The job as it is told in the reader's language; its files only once all of them are there."""
    return api.Job(
        id=found.job_id,
        kind=found.kind,
        state=found.state,
        done=found.done,
        total=found.total,
        result=found.result,
        problem=problems.describe(found.error, language) if found.error else None,
        files=[api.JobFile(one.name, one.items) for one in found.files] if found.state == "done" else [],
    )


ROUTES = (
    Route("DELETE", "/api/v1/jobs/{job}", stop, "Give a job up, or let go what it made", status=204),
    Route("GET", "/api/v1/jobs/{job}/file.pdf", file, "What a job made, for who began it", query=("part",)),
)
