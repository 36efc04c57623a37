"""Attendees."""

from __future__ import annotations

from diemcau.services import lists, people
from diemcau.web.calls import LISTED, Call, Route
from diemcau.wire import api


async def listed(call: Call[None]) -> api.AttendeePage:
    """A page of attendees."""
    wanted = lists.Wanted(call.page_rows(), call.code("unit"), call.text("q"), call.text("after"))
    return await people.listed(call.actor, call.context, wanted, call.code("point"))


async def get(call: Call[None]) -> api.Attendee:
    """One attendee."""
    return await people.get(call.actor, call.context, call.key("attendee"))


async def add(call: Call[api.Attendee]) -> api.Attendee:
    """Make an attendee."""
    return await people.add(call.actor, call.context, call.body)


async def change(call: Call[api.AttendeePatch]) -> api.Attendee:
    """Change an attendee."""
    return await people.change(call.actor, call.context, call.key("attendee"), call.body)


async def remove(call: Call[None]) -> None:
    """Delete an attendee that nothing refers to."""
    await people.remove(call.actor, call.context, call.key("attendee"))


ROUTES = (
    Route("GET", "/api/v1/attendees", listed, "A page of attendees", answer=api.AttendeePage, query=(*LISTED, "point")),
    Route("POST", "/api/v1/attendees", add, "Make an attendee", api.Attendee, api.Attendee, 201),
    Route("GET", "/api/v1/attendees/{attendee}", get, "One attendee", answer=api.Attendee),
    Route("PATCH", "/api/v1/attendees/{attendee}", change, "Change an attendee", api.AttendeePatch, api.Attendee),
    Route("DELETE", "/api/v1/attendees/{attendee}", remove, "Delete an attendee", status=204),
)
