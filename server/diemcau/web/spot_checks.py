"""Spot-checks over HTTP: for the centre that asks, and the hall that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau.errors import NotFoundError
from diemcau.services import spot_checks
from diemcau.web.calls import Call, Route
from diemcau.wire import spot_checks as wire

if TYPE_CHECKING:
    from aiohttp import web

ID_DIGITS_MAX = 18
"""What the databases take as an id."""


async def begin(call: Call[wire.SpotCheckNew]) -> wire.SpotCheckView:
    """Ask the halls."""
    return await spot_checks.begin(call.actor, call.context, call.key("session"), call.body)


async def listed(call: Call[None]) -> wire.SpotCheckList:
    """All spot-checks of a session."""
    return await spot_checks.listed(call.actor, call.context, call.key("session"))


async def get(call: Call[None]) -> wire.SpotCheckPoints:
    """One of them, hall by hall."""
    return await spot_checks.get(call.actor, call.context, call.key("session"), _id(call.request), call.code("unit"))


async def tasks(call: Call[None]) -> wire.SpotTasks:
    """What a hall is asked now."""
    return await spot_checks.tasks(call.actor, call.context, call.key("session"), call.key("point"))


async def answer(call: Call[wire.SpotAnswer]) -> wire.SpotTask:
    """A hall's answer."""
    at = (call.key("session"), call.key("point"))
    return await spot_checks.answer(call.actor, call.context, at, _id(call.request), call.body)


def _id(request: web.Request) -> int:
    text = request.match_info["spot_check"]
    if not (text.isascii() and text.isdigit() and len(text) <= ID_DIGITS_MAX):
        raise NotFoundError(what="spot_check", key=text)
    return int(text)


ONE = "/api/v1/sessions/{session}"
ROUTES = (
    Route("POST", f"{ONE}/spot-checks", begin, "Begin a spot-check", wire.SpotCheckNew, wire.SpotCheckView, 201),
    Route("GET", f"{ONE}/spot-checks", listed, "All spot-checks of a session", answer=wire.SpotCheckList),
    Route(
        "GET",
        f"{ONE}/spot-checks/{{spot_check}}",
        get,
        "A spot-check hall by hall",
        answer=wire.SpotCheckPoints,
        query=("unit",),
    ),
    Route("GET", f"{ONE}/points/{{point}}/spot-check", tasks, "What a hall is asked now", answer=wire.SpotTasks),
    Route(
        "POST",
        f"{ONE}/spot-checks/{{spot_check}}/points/{{point}}",
        answer,
        "A hall's answer to a spot-check",
        wire.SpotAnswer,
        wire.SpotTask,
    ),
)
