"""Paper to print, made in the background."""

from __future__ import annotations

from diemcau.services import prints
from diemcau.web import jobs
from diemcau.web.calls import Call, Route
from diemcau.wire import api
from diemcau.wire.prints import PrintNew


async def begin(call: Call[PrintNew]) -> api.Job:
    """Make badges, posters, pairing sheets or lists."""
    job = await prints.begin(call.actor, call.context, call.key("session"), call.body, call.language)
    return jobs.view(job, call.language)


ROUTES = (
    Route(
        "POST",
        "/api/v1/sessions/{session}/prints",
        begin,
        "Make badges, door posters, pairing sheets or hall lists as PDF",
        PrintNew,
        api.Job,
        status=202,
    ),
)
