"""Sessions, their states, points and invitations."""

from __future__ import annotations

from diemcau.services import session_points, sessions
from diemcau.web.calls import Call, Route
from diemcau.wire import api


async def listed(call: Call[None]) -> api.SessionPage:
    """Sessions, the newest start first."""
    return await sessions.listed(call.actor, call.context, call.text("after"), call.page_rows())


async def add(call: Call[api.SessionNew]) -> api.SessionView:
    """Make a session."""
    return await sessions.add(call.actor, call.context, call.body)


async def get(call: Call[None]) -> api.SessionView:
    """One session."""
    return await sessions.get(call.actor, call.context, call.key("session"))


async def change(call: Call[api.SessionPatch]) -> api.SessionView:
    """Change a session."""
    return await sessions.change(call.actor, call.context, call.key("session"), call.body)


async def delete(call: Call[None]) -> None:
    """Delete a session that never opened."""
    await sessions.delete(call.actor, call.context, call.key("session"))


async def move(call: Call[api.StateChange]) -> api.SessionView:
    """Move a session to another state."""
    return await sessions.move(call.actor, call.context, call.key("session"), call.body.to)


async def points(call: Call[None]) -> api.SessionPoints:
    """A session's points."""
    return await session_points.listed(call.actor, call.context, call.key("session"), call.code("unit"))


async def choose_points(call: Call[api.PointsChoice]) -> api.Changed:
    """Choose a session's points."""
    return await session_points.choose(call.actor, call.context, call.key("session"), call.body)


async def invite(call: Call[api.InvitationsChoice]) -> api.Changed:
    """Invite people to a session."""
    return await session_points.invite(call.actor, call.context, call.key("session"), call.body)


BASE = "/api/v1/sessions"
ONE = f"{BASE}/{{session}}"
ROUTES = (
    Route("GET", BASE, listed, "Sessions, the newest start first", answer=api.SessionPage, query=("after", "limit")),
    Route("POST", BASE, add, "Make a session", api.SessionNew, api.SessionView, 201),
    Route("GET", ONE, get, "One session", answer=api.SessionView),
    Route("PATCH", ONE, change, "Change a session", api.SessionPatch, api.SessionView),
    Route("DELETE", ONE, delete, "Delete a session that never opened", status=204),
    Route("POST", f"{ONE}/state", move, "Move a session to another state", api.StateChange, api.SessionView),
    Route("GET", f"{ONE}/points", points, "A session's points", answer=api.SessionPoints, query=("unit",)),
    Route("PUT", f"{ONE}/points", choose_points, "Choose a session's points", api.PointsChoice, api.Changed),
    Route("PUT", f"{ONE}/invitations", invite, "Invite people to a session", api.InvitationsChoice, api.Changed),
)
