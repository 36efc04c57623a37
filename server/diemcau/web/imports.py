"""Importing lists, and the jobs that do long work."""

from __future__ import annotations

from diemcau.services import import_runs, imports, jobs
from diemcau.web.calls import Call, Route
from diemcau.web.jobs import view
from diemcau.wire import api

CHUNK_BYTES = 262_144


async def begin(call: Call[None]) -> api.Job:
    """Receive a file as it is and import it in the background; larger than a JSON body, so it is streamed."""
    how = import_runs.asked_for(
        call.text("mode", "add"), call.code("unit"), call.text("file"), move_invitations=call.flag("move_invitations")
    )
    wanted = imports.Wanted(call.text("what"), call.flag("dry_run"), how=how)
    chunks = call.request.content.iter_chunked(CHUNK_BYTES)
    return view(await imports.begin(call.actor, call.context, wanted, chunks), call.language)


async def job(call: Call[None]) -> api.Job:
    """How far a job has come."""
    found = await jobs.get(call.actor, call.context, call.request.match_info["job"])
    return view(found, call.language)


ROUTES = (
    Route(
        "POST",
        "/api/v1/imports",
        begin,
        "Import a list",
        answer=api.Job,
        status=202,
        query=("what", "dry_run", "mode", "unit", "file", "move_invitations"),
    ),
    Route("GET", "/api/v1/jobs/{job}", job, "How far a job has come", answer=api.Job),
)
