"""Importing lists, and the jobs that do long work."""

from __future__ import annotations

import msgspec
from aiohttp import web

from diemcau.services import import_findings, import_runs, imports, jobs
from diemcau.web.calls import Call, Route
from diemcau.web.jobs import view
from diemcau.wire import api

CHUNK_BYTES = 262_144


async def begin(call: Call[None]) -> api.Job:
    """Receive a file as it is and import it in the background; larger than a JSON body, so it is streamed."""
    how = import_runs.asked_for(
        call.text("mode", "add"), call.code("unit"), call.text("file"), move_invitations=call.flag("move_invitations")
    )
    wanted = imports.Wanted(
        call.text("what"),
        call.flag("dry_run"),
        how=how,
        mapping=imports.asked_mapping(call.text("mapping")),
        units=imports.asked_units(call.text("units")),
        partial=call.flag("partial"),
    )
    chunks = call.request.content.iter_chunked(CHUNK_BYTES)
    return view(await imports.begin(call.actor, call.context, wanted, chunks), call.language)


async def job(call: Call[None]) -> api.Job:
    """How far a job has come."""
    found = await jobs.get(call.actor, call.context, call.request.match_info["job"])
    answer = view(found, call.language)
    if answer.result and answer.result.preview:
        told = import_findings.worded(answer.result.preview, call.language)
        answer.result = msgspec.structs.replace(answer.result, preview=told)
    return answer


async def findings(call: Call[None]) -> web.Response:
    """What was wrong with a file, to correct it by."""
    job_id = call.request.match_info["job"]
    table = await import_findings.as_csv(call.actor, call.context, job_id, call.language)
    headers = {"Content-Disposition": 'attachment; filename="findings.csv"', "Cache-Control": "no-store"}
    return web.Response(body=table, content_type="text/csv", charset="utf-8", headers=headers)


ROUTES = (
    Route(
        "POST",
        "/api/v1/imports",
        begin,
        "Import a list",
        answer=api.Job,
        status=202,
        query=("what", "dry_run", "mode", "unit", "file", "move_invitations", "mapping", "units", "partial"),
    ),
    Route("GET", "/api/v1/jobs/{job}", job, "How far a job has come", answer=api.Job),
    Route("GET", "/api/v1/jobs/{job}/findings.csv", findings, "What was wrong with a file, for whoever sent it"),
)
