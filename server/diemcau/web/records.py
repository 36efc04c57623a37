"""The attendance list and the summary by unit."""

from __future__ import annotations

import asyncio
import os
from contextlib import AbstractAsyncContextManager
from urllib.parse import quote

from aiohttp import web

from diemcau import limits
from diemcau.domain import figure_rows
from diemcau.domain.models import AttendanceStatus
from diemcau.errors import MalformedError
from diemcau.services import exports, lists, log_export, minutes, records
from diemcau.web.calls import LISTED, Call, Route
from diemcau.wire import api


async def attendance(call: Call[None]) -> api.AttendancePage:
    """A page of the attendance list."""
    wanted = lists.Wanted(call.page_rows(), call.code("unit"), call.text("q"), call.text("after"))
    return await records.attendance(call.actor, call.context, call.key("session"), wanted, _status(call), _figure(call))


async def summary(call: Call[None]) -> api.Summary:
    """The figures by unit."""
    return await records.summary(call.actor, call.context, call.key("session"), call.code("unit"), _depth(call))


async def export(call: Call[None]) -> web.StreamResponse:
    """A report as a file."""
    async with _made(call) as made:
        return await _send(call, made)


def _made(call: Call[None]) -> AbstractAsyncContextManager[exports.Export]:
    """The file that the address names: a signed one, or a report."""
    session, unit, match = call.key("session"), call.code("unit"), call.request.match_info
    what, form = match["what"], match["format"]
    if (what, form) == ("log", "jsonl"):
        return log_export.made(call.actor, call.context, session, unit, call.language)
    if (what, form) == ("minutes", "json"):
        return minutes.made(call.actor, call.context, session, call.language)
    wanted = exports.Wanted(what, form, unit, call.language, call.code("point"), _depth(call))
    return exports.made(call.actor, call.context, session, wanted)


def _depth(call: Call[None]) -> int | None:
    """How deep a summary goes.

    Raises:
        MalformedError: not a small whole number.
    """
    text = call.text("depth")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= DEPTH_DIGITS_MAX):
        raise MalformedError(field="depth", reason="0 … 99")
    return int(text)


async def _send(call: Call[None], made: exports.Export) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={
            "Content-Type": made.content_type,
            "Content-Disposition": f"attachment; filename=\"{made.plain_name}\"; filename*=UTF-8''{quote(made.name)}",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
    )
    with await asyncio.to_thread(made.path.open, "rb") as file:
        response.content_length = os.fstat(file.fileno()).st_size
        await response.prepare(call.request)
        while chunk := await asyncio.to_thread(file.read, limits.EXPORT_CHUNK_BYTES):
            await response.write(chunk)
    await response.write_eof()
    return response


def _status(call: Call[None]) -> AttendanceStatus | None:
    text = call.text("status")
    if not text:
        return None
    try:
        return AttendanceStatus(text)
    except ValueError:
        raise MalformedError(field="status", reason=" | ".join(AttendanceStatus)) from None


def _figure(call: Call[None]) -> str:
    text = call.text("figure")
    known = (*figure_rows.FIGURES, figure_rows.UNLISTED)
    if text and text not in known:
        raise MalformedError(field="figure", reason=" | ".join(known))
    return text


DEPTH_DIGITS_MAX = 2
ONE = "/api/v1/sessions/{session}"
ROUTES = (
    Route(
        "GET",
        f"{ONE}/attendance",
        attendance,
        "The attendance list",
        answer=api.AttendancePage,
        query=(*LISTED, "status", "figure"),
    ),
    Route("GET", f"{ONE}/summary", summary, "The figures by unit", answer=api.Summary, query=("unit", "depth")),
    Route(
        "GET",
        f"{ONE}/exports/{{what}}.{{format}}",
        export,
        "A report as CSV, XLSX, PDF or JSON, the log as JSONL, the minutes as JSON",
        query=("unit", "point", "depth"),
    ),
)
