"""What a board shows, as one answer."""

from __future__ import annotations

from diemcau.services import board
from diemcau.web.calls import Call, Route
from diemcau.wire.live import Live


async def live(call: Call[None]) -> Live:
    """Every point of a session, now."""
    return await board.live(call.actor, call.context, call.key("session"), call.code("unit"))


ROUTES = (
    Route(
        "GET", "/api/v1/sessions/{session}/live", live, "Every point of a session, now", answer=Live, query=("unit",)
    ),
)
