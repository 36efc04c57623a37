"""Paper entry over HTTP: sheets, their photographs, and taking a sheet back."""

from __future__ import annotations

from aiohttp import web

from diemcau.services import lists, paper_photos, paper_undo, papers
from diemcau.web.calls import Call, Route
from diemcau.wire import papers as wire

CHUNK_BYTES = 65_536
ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
PHOTO_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
"""What strangers photographed is never run, framed or guessed at."""


async def enter(call: Call[wire.PaperNew]) -> wire.PaperEntered:
    """Enter a sheet."""
    return await papers.enter(call.actor, call.context, call.key("session"), call.body)


async def listed(call: Call[None]) -> wire.PaperPage:
    """A page of sheets."""
    wanted = lists.Wanted(call.page_rows(), after=call.text("after"))
    return await papers.listed(call.actor, call.context, call.key("session"), call.code("point"), wanted)


async def add_photo(call: Call[None]) -> wire.PaperView:
    """Attach a photograph, sent as it is; larger than a JSON body, so it is streamed."""
    chunks = call.request.content.iter_chunked(CHUNK_BYTES)
    return await paper_photos.add(call.actor, call.context, call.key("session"), _nonce(call.request), chunks)


async def photo(call: Call[None]) -> web.StreamResponse:
    """The photograph of a sheet, to be kept as a file."""
    nonce = _nonce(call.request)
    found = await paper_photos.get(call.actor, call.context, call.key("session"), nonce)
    name = f"{nonce}.{ENDINGS[found.content_type]}"
    headers = PHOTO_HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=found.content, content_type=found.content_type, headers=headers)


async def undo(call: Call[wire.PaperUndo]) -> wire.PaperView:
    """Take a sheet back."""
    return await paper_undo.undo(call.actor, call.context, call.key("session"), _nonce(call.request), call.body.reason)


def _nonce(request: web.Request) -> str:
    return request.match_info["nonce"].lower()


ALL = "/api/v1/sessions/{session}/papers"
ONE = f"{ALL}/{{nonce}}"
ROUTES = (
    Route("POST", ALL, enter, "Enter a paper sheet", wire.PaperNew, wire.PaperEntered),
    Route("GET", ALL, listed, "The sheets that were entered", answer=wire.PaperPage, query=("point", "after", "limit")),
    Route("PUT", f"{ONE}/photo", add_photo, "Attach a sheet's photograph", answer=wire.PaperView),
    Route("GET", f"{ONE}/photo", photo, "A sheet's photograph"),
    Route("POST", f"{ONE}/undo", undo, "Take a whole sheet back", wire.PaperUndo, wire.PaperView),
)
