"""The attendance list and the summary by unit."""

from __future__ import annotations

from diemcau.domain.models import AttendanceStatus
from diemcau.errors import MalformedError
from diemcau.services import lists, records
from diemcau.web.calls import Call, Route
from diemcau.wire import api


async def attendance(call: Call[None]) -> api.AttendancePage:
    """A page of the attendance list."""
    wanted = lists.Wanted(call.page_rows(), call.code("unit"), call.text("q"), call.text("after"))
    return await records.attendance(call.actor, call.context, call.key("session"), wanted, _status(call))


async def summary(call: Call[None]) -> api.Summary:
    """The figures by unit."""
    return await records.summary(call.actor, call.context, call.key("session"), call.code("unit"))


def _status(call: Call[None]) -> AttendanceStatus | None:
    text = call.text("status")
    if not text:
        return None
    try:
        return AttendanceStatus(text)
    except ValueError:
        raise MalformedError(field="status", reason=" | ".join(AttendanceStatus)) from None


ONE = "/api/v1/sessions/{session}"
ROUTES = (
    Route("GET", f"{ONE}/attendance", attendance, "The attendance list", answer=api.AttendancePage),
    Route("GET", f"{ONE}/summary", summary, "The figures by unit", answer=api.Summary),
)
