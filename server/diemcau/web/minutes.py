"""The key that signs, frozen figures and their revisions."""

from __future__ import annotations

from diemcau.services import minutes, signing
from diemcau.web.calls import Call, Route
from diemcau.wire import minutes as wire


async def signing_key(call: Call[None]) -> wire.SigningKey:
    """The key that signs logs and minutes, for everybody."""
    return await signing.public_key(call.actor, call.context)


async def listed(call: Call[None]) -> wire.MinutesList:
    """Every revision of the frozen figures."""
    return await minutes.listed(call.actor, call.context, call.key("session"))


async def revise(call: Call[wire.RevisionRequest]) -> wire.MinutesView:
    """Count what came after closing, and freeze anew."""
    return await minutes.revise(call.actor, call.context, call.key("session"), call.body)


ONE = "/api/v1/sessions/{session}"
ROUTES = (
    Route("GET", "/api/v1/signing-key", signing_key, "The public signing key", answer=wire.SigningKey),
    Route("GET", f"{ONE}/minutes", listed, "Frozen figures and their revisions", answer=wire.MinutesList),
    Route(
        "POST",
        f"{ONE}/revisions",
        revise,
        "Revise the frozen figures",
        body=wire.RevisionRequest,
        answer=wire.MinutesView,
        status=201,
    ),
)
