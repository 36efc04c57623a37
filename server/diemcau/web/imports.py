"""Importing lists, and the jobs that do long work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau.services import imports, jobs
from diemcau.web import problems
from diemcau.web.calls import Call, Route
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.i18n import Language

CHUNK_BYTES = 262_144


async def begin(call: Call[None]) -> api.Job:
    """Receive a file as it is and import it in the background; larger than a JSON body, so it is streamed."""
    wanted = imports.Wanted(call.text("what"), call.flag("dry_run"))
    chunks = call.request.content.iter_chunked(CHUNK_BYTES)
    return _view(await imports.begin(call.actor, call.context, wanted, chunks), call.language)


async def job(call: Call[None]) -> api.Job:
    """How far a job has come."""
    found = await jobs.get(call.actor, call.context, call.request.match_info["job"])
    return _view(found, call.language)


def _view(found: jobs.Job, language: Language) -> api.Job:
    return api.Job(
        id=found.job_id,
        kind=found.kind,
        state=found.state,
        done=found.done,
        total=found.total,
        result=found.result,
        problem=problems.describe(found.error, language) if found.error else None,
    )


ROUTES = (
    Route("POST", "/api/v1/imports", begin, "Import a list", answer=api.Job, status=202, query=("what", "dry_run")),
    Route("GET", "/api/v1/jobs/{job}", job, "How far a job has come", answer=api.Job),
)
