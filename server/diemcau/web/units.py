"""Units: the tree."""

from __future__ import annotations

from diemcau.services import lists, units
from diemcau.web.calls import LISTED, Call, Route
from diemcau.wire import api


async def listed(call: Call[None]) -> api.UnitPage:
    """A page of units."""
    wanted = lists.Wanted(call.page_rows(), call.code("unit"), call.text("q"), call.text("after"))
    return await units.listed(call.actor, call.context, wanted, call.code("parent"))


async def get(call: Call[None]) -> api.Unit:
    """One unit."""
    return await units.get(call.actor, call.context, call.key("unit"))


async def add(call: Call[api.Unit]) -> api.Unit:
    """Make a unit."""
    return await units.add(call.actor, call.context, call.body)


async def change(call: Call[api.UnitPatch]) -> api.Unit:
    """Change a unit."""
    return await units.change(call.actor, call.context, call.key("unit"), call.body)


async def remove(call: Call[None]) -> None:
    """Delete a unit that nothing refers to."""
    await units.remove(call.actor, call.context, call.key("unit"))


ROUTES = (
    Route("GET", "/api/v1/units", listed, "A page of units", answer=api.UnitPage, query=(*LISTED, "parent")),
    Route("POST", "/api/v1/units", add, "Make a unit", api.Unit, api.Unit, 201),
    Route("GET", "/api/v1/units/{unit}", get, "One unit", answer=api.Unit),
    Route("PATCH", "/api/v1/units/{unit}", change, "Change a unit", api.UnitPatch, api.Unit),
    Route("DELETE", "/api/v1/units/{unit}", remove, "Delete a unit", status=204),
)
