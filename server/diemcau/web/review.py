"""Lists for review, and the word that somebody looked."""

from __future__ import annotations

from diemcau.services import review
from diemcau.services.lists import Wanted
from diemcau.web.calls import Call, Route
from diemcau.web.corrections import number
from diemcau.wire import check_ins as wire


async def unlisted(call: Call[None]) -> wire.UnlistedPage:
    """People on no list."""
    which = review.Which(call.text("state") or "open", call.code("point"))
    return await review.unlisted(call.actor, call.context, call.key("session"), _wanted(call), which)


async def two_halls(call: Call[None]) -> wire.TwoHallsPage:
    """People seen in more than one hall."""
    return await review.two_halls(call.actor, call.context, call.key("session"), _wanted(call))


async def flagged(call: Call[None]) -> wire.EventPage:
    """Entries with a flag."""
    return await review.flagged(call.actor, call.context, call.key("session"), _wanted(call), call.text("flag"))


async def anomalies(call: Call[None]) -> wire.AnomalyPage:
    """What is odd."""
    return await review.anomalies(call.actor, call.context, call.key("session"), _wanted(call))


async def reviewed(call: Call[wire.Reviewed]) -> wire.AnomalyView:
    """Somebody looked at it."""
    return await review.reviewed(call.actor, call.context, call.key("session"), number(call, "anomaly"), call.body)


def _wanted(call: Call[None]) -> Wanted:
    return Wanted(call.page_rows(), after=call.text("after"))


ONE = "/api/v1/sessions/{session}"
PAGED = ("after", "limit")
ROUTES = (
    Route(
        "GET",
        f"{ONE}/unlisted",
        unlisted,
        "People on no list: open (the default), matched or all",
        answer=wire.UnlistedPage,
        query=("state", "point", *PAGED),
    ),
    Route("GET", f"{ONE}/two-halls", two_halls, "People seen in two halls", answer=wire.TwoHallsPage, query=PAGED),
    Route(
        "GET",
        f"{ONE}/flagged",
        flagged,
        "Entries with a flag, the newest first",
        answer=wire.EventPage,
        query=("flag", *PAGED),
    ),
    Route("GET", f"{ONE}/anomalies", anomalies, "What is odd, for review", answer=wire.AnomalyPage, query=PAGED),
    Route(
        "POST",
        f"{ONE}/anomalies/{{anomaly}}/review",
        reviewed,
        "Say that somebody looked at an anomaly",
        wire.Reviewed,
        wire.AnomalyView,
    ),
)
