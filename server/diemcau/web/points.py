"""Bridge points."""

from __future__ import annotations

from diemcau.services import lists, points
from diemcau.web.calls import LISTED, Call, Route
from diemcau.wire import api


async def listed(call: Call[None]) -> api.PointPage:
    """A page of points."""
    wanted = lists.Wanted(call.page_rows(), call.code("unit"), call.text("q"), call.text("after"))
    return await points.listed(call.actor, call.context, wanted)


async def get(call: Call[None]) -> api.Point:
    """One point."""
    return await points.get(call.actor, call.context, call.key("point"))


async def add(call: Call[api.Point]) -> api.Point:
    """Make a point."""
    return await points.add(call.actor, call.context, call.body)


async def change(call: Call[api.PointPatch]) -> api.Point:
    """Change a point."""
    return await points.change(call.actor, call.context, call.key("point"), call.body)


async def remove(call: Call[None]) -> None:
    """Delete a point that nothing refers to."""
    await points.remove(call.actor, call.context, call.key("point"))


ROUTES = (
    Route("GET", "/api/v1/points", listed, "A page of points", answer=api.PointPage, query=LISTED),
    Route("POST", "/api/v1/points", add, "Make a point", api.Point, api.Point, 201),
    Route("GET", "/api/v1/points/{point}", get, "One point", answer=api.Point),
    Route("PATCH", "/api/v1/points/{point}", change, "Change a point", api.PointPatch, api.Point),
    Route("DELETE", "/api/v1/points/{point}", remove, "Delete a point", status=204),
)
