"""Taking entries back, and saying who unlisted people were."""

from __future__ import annotations

import re
from typing import Any

from diemcau.errors import NotFoundError
from diemcau.services import corrections, lists, matches, nonces
from diemcau.web.calls import Call, Route
from diemcau.wire import check_ins as wire

NONCE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


async def annul(call: Call[wire.AnnulRequest]) -> wire.Annulled:
    """Take an entry back."""
    session, nonce = call.key("session"), call.request.match_info["nonce"].lower()
    if not NONCE.fullmatch(nonce):
        raise NotFoundError(what="check_in", key=nonce)
    return await corrections.annul(call.actor, call.context, session, nonces.read(nonce), call.body)


async def match(call: Call[wire.MatchRequest]) -> wire.Matched:
    """Say who an unlisted person is."""
    return await matches.match(call.actor, call.context, call.key("session"), number(call, "unlisted"), call.body)


def number(call: Call[Any], name: str) -> int:
    """An id from the path.

    Raises:
        NotFoundError: not a number that an id could be.
    """
    text = call.request.match_info[name]
    if not (text.isascii() and text.isdigit() and len(text) <= lists.NUMBER_DIGITS_MAX):
        raise NotFoundError(what=name, key=text)
    return int(text)


ONE = "/api/v1/sessions/{session}"
ROUTES = (
    Route(
        "POST",
        f"{ONE}/check-ins/{{nonce}}/annul",
        annul,
        "Take an entry, a check-out or a match back",
        wire.AnnulRequest,
        wire.Annulled,
    ),
    Route(
        "POST",
        f"{ONE}/unlisted/{{unlisted}}/match",
        match,
        "Say who an unlisted person is: somebody on the list, or a new person",
        wire.MatchRequest,
        wire.Matched,
    ),
)
