"""Imports on record, and taking one back."""

from __future__ import annotations

from diemcau.errors import NotFoundError
from diemcau.services import import_runs
from diemcau.web.calls import Call, Route
from diemcau.wire import import_runs as wire


async def listed(call: Call[None]) -> wire.ImportRunPage:
    """A page of imports, the newest first."""
    return await import_runs.listed(call.actor, call.context, call.text("after"), call.page_rows())


async def undo(call: Call[None]) -> wire.ImportUndone:
    """Take an import back."""
    text = call.request.match_info["run"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFoundError(what="import", key=text)
    return await import_runs.undo(call.actor, call.context, int(text))


ROUTES = (
    Route(
        "GET",
        "/api/v1/import-runs",
        listed,
        "Imports, the newest first",
        answer=wire.ImportRunPage,
        query=("after", "limit"),
    ),
    Route("POST", "/api/v1/import-runs/{run}/undo", undo, "Take an import back", answer=wire.ImportUndone),
)
