"""Badges, and a hall's list with its sealed bundle. Answers hold what nobody's browser should keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau.services import badges, lists, rosters
from diemcau.web.calls import LISTED, Call, Route, json_answer
from diemcau.wire import badges as wire

if TYPE_CHECKING:
    import msgspec
    from aiohttp import web


async def issue(call: Call[wire.BadgesIssue]) -> wire.BadgesIssued:
    """Give badges to those who have none."""
    return await badges.issue(call.actor, call.context, call.body)


async def listed(call: Call[None]) -> web.Response:
    """A page of badges."""
    wanted = lists.Wanted(call.page_rows(), call.code("unit"), call.text("q"), call.text("after"))
    return _unkept(await badges.listed(call.actor, call.context, wanted))


async def issue_one(call: Call[None]) -> web.Response:
    """A person's badge."""
    return _unkept(await badges.issue_one(call.actor, call.context, call.key("attendee")))


async def reissue(call: Call[None]) -> web.Response:
    """A new badge instead of the former one."""
    return _unkept(await badges.reissue(call.actor, call.context, call.key("attendee")))


async def revoke(call: Call[None]) -> None:
    """Take a badge back."""
    await badges.revoke(call.actor, call.context, call.key("attendee"))


async def roster(call: Call[None]) -> web.Response:
    """The hall's list."""
    return _unkept(await rosters.roster(call.actor, call.context, call.key("session"), call.key("point")))


async def bundle(call: Call[None]) -> web.Response:
    """The hall's people, sealed."""
    return _unkept(await rosters.sealed(call.actor, call.context, call.key("session"), call.key("point")))


def _unkept(answer: msgspec.Struct) -> web.Response:
    """An answer that no cache keeps."""
    response = json_answer(answer)
    response.headers["Cache-Control"] = "no-store"
    return response


HALL = "/api/v1/sessions/{session}/points/{point}"
PERSON = "/api/v1/attendees/{attendee}"

ROUTES = (
    Route("GET", "/api/v1/badges", listed, "A page of badges, to print", answer=wire.BadgePage, query=LISTED),
    Route("POST", "/api/v1/badges", issue, "Give badges to those without", wire.BadgesIssue, wire.BadgesIssued),
    Route("POST", f"{PERSON}/badge", issue_one, "A person's badge, made if there is none", answer=wire.BadgeView),
    Route("POST", f"{PERSON}/badge/reissue", reissue, "A new badge; the former is void", answer=wire.BadgeView),
    Route("DELETE", f"{PERSON}/badge", revoke, "Take a badge back", status=204),
    Route("GET", f"{HALL}/roster", roster, "A hall's list by number, for its staff", answer=wire.Roster),
    Route("GET", f"{HALL}/bundle", bundle, "A hall's people, each sealed under their badge", answer=wire.Bundle),
)
