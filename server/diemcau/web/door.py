"""The door of a hall, for its display."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from diemcau.services import door
from diemcau.web.calls import Call, Route
from diemcau.wire import api

if TYPE_CHECKING:
    from aiohttp import web


async def door_of(call: Call[None]) -> api.Door:
    """What the display draws its codes from."""
    return await door.door_of(
        call.actor,
        call.context,
        call.key("session"),
        call.key("point"),
        key_is_safe=call.context.settings.secure or _same_machine(call.request),
    )


def _same_machine(request: web.Request) -> bool:
    """Whether nothing of this request travels over a network: a loopback peer that asked for a loopback name."""
    try:
        peer = ip_address(request.remote or "")
    except ValueError:
        return False
    host = request.url.host or ""
    return peer.is_loopback and (host == "localhost" or _loopback(host))


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


ROUTES = (
    Route(
        "GET", "/api/v1/sessions/{session}/points/{point}/door", door_of, "What a door display needs", answer=api.Door
    ),
)
