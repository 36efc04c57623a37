"""Check-ins that devices and staff send, and the log of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diemcau.services import event_pages, recording
from diemcau.services.lists import Wanted
from diemcau.web.calls import Call, Route
from diemcau.wire import check_ins as wire

if TYPE_CHECKING:
    from collections.abc import Awaitable

ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""Every escape of a JSON text, two halves of a character as one; the group is half a character on its own."""


def mended(body: bytes) -> bytes:
    """The body with half characters made NUL: one of them would make the whole batch unreadable.

    A browser sends them where somebody cut a name in the midst of an emoji. NUL in their place lets the item that has
    them be refused, and only that.
    """
    return ESCAPES.sub(lambda found: b"\\u0000" if found[1] else found[0], body)


def check_ins(call: Call[wire.CheckInBatch]) -> Awaitable[wire.CheckInResults]:
    """Record a batch."""
    return recording.check_ins(call.actor, call.context, call.key("session"), call.body)


async def listed(call: Call[None]) -> wire.EventPage:
    """A page of the log."""
    wanted = Wanted(call.page_rows(), after=call.text("after"))
    return await event_pages.listed(
        call.actor, call.context, call.key("session"), event_pages.Of(call.code("point"), call.code("attendee")), wanted
    )


ONE = "/api/v1/sessions/{session}"
ROUTES = (
    Route(
        "POST",
        f"{ONE}/check-ins",
        check_ins,
        "Record check-ins of a hall, one or its whole queue",
        wire.CheckInBatch,
        wire.CheckInResults,
        mend=mended,
    ),
    Route(
        "GET",
        f"{ONE}/events",
        listed,
        "The attendance log, the newest first",
        answer=wire.EventPage,
        query=("point", "attendee", "after", "limit"),
    ),
)
