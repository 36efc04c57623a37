"""Quick reports over HTTP: made, listed, read, printed."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from diemcau.errors import NotFoundError
from diemcau.services import quick_reports
from diemcau.web.calls import Call, Route
from diemcau.wire import quick_reports as wire

NUMBER_DIGITS_MAX = 6


async def make(call: Call[wire.QuickReportNew]) -> wire.QuickReport:
    """The next one."""
    return await quick_reports.make(call.actor, call.context, call.key("session"), call.body)


async def now(call: Call[None]) -> wire.QuickReport:
    """What the next one would say."""
    return await quick_reports.now(call.actor, call.context, call.key("session"))


async def listed(call: Call[None]) -> wire.QuickReportList:
    """All of a session."""
    return await quick_reports.listed(call.actor, call.context, call.key("session"))


async def get(call: Call[None]) -> wire.QuickReport:
    """One as it was made."""
    return await quick_reports.get(call.actor, call.context, call.key("session"), _number(call.request))


async def printed(call: Call[None]) -> web.Response:
    """One as a file; a PDF is shown by the browser, which can print it."""
    at = (call.key("session"), _number(call.request))
    form = call.request.match_info["format"]
    file = await quick_reports.made(call.actor, call.context, at, form, call.language)
    shown = "inline" if form == "pdf" else "attachment"
    return web.Response(
        body=file.content,
        headers={
            "Content-Type": file.content_type,
            "Content-Disposition": f"{shown}; filename=\"{file.plain_name}\"; filename*=UTF-8''{quote(file.name)}",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _number(request: web.Request) -> int:
    text = request.match_info["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX):
        raise NotFoundError(what="quick_report", key=text)
    return int(text)


ONE = "/api/v1/sessions/{session}/quick-reports"
ROUTES = (
    Route("GET", ONE.removesuffix("s"), now, "What the next quick report would say", answer=wire.QuickReport),
    Route("POST", ONE, make, "Freeze the next quick report", wire.QuickReportNew, wire.QuickReport, 201),
    Route("GET", ONE, listed, "The quick reports of a session", answer=wire.QuickReportList),
    Route("GET", f"{ONE}/{{number}}.{{format}}", printed, "A quick report as PDF, XLSX or CSV, always the same"),
    Route("GET", f"{ONE}/{{number}}", get, "A quick report as it was made", answer=wire.QuickReport),
)
