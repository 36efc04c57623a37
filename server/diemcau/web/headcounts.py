"""Headcounts over HTTP: from halls, and from the centre for them."""

from __future__ import annotations

from diemcau.services import headcounts
from diemcau.web.calls import Call, Route
from diemcau.wire import headcounts as wire


async def say(call: Call[wire.HeadcountNew]) -> wire.OwnHeadcount:
    """So many people sit in a hall."""
    return await headcounts.say(call.actor, call.context, call.key("session"), call.body)


async def listed(call: Call[None]) -> wire.HeadcountList:
    """Every hall with its latest number."""
    unreported = call.flag("unreported")
    return await headcounts.listed(
        call.actor, call.context, call.key("session"), call.code("unit"), unreported=unreported
    )


async def of_point(call: Call[None]) -> wire.OwnHeadcount:
    """What holds for one hall."""
    return await headcounts.of_point(call.actor, call.context, call.key("session"), call.key("point"))


ONE = "/api/v1/sessions/{session}"
ROUTES = (
    Route(
        "POST",
        f"{ONE}/headcounts",
        say,
        "So many people sit in a hall: by its operator, or told to the centre",
        wire.HeadcountNew,
        wire.OwnHeadcount,
        201,
    ),
    Route(
        "GET",
        f"{ONE}/headcounts",
        listed,
        "Every hall with its latest headcount, or those that said nothing",
        answer=wire.HeadcountList,
        query=("unit", "unreported"),
    ),
    Route("GET", f"{ONE}/points/{{point}}/headcount", of_point, "A hall's latest headcount", answer=wire.OwnHeadcount),
)
