"""The key that signs, frozen figures and their revisions."""

from __future__ import annotations

from diemcau.errors import NotFoundError
from diemcau.services import lists, minutes, revision_changes, signing, unsent_list
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


async def changes(call: Call[None]) -> wire.RevisionChanges:
    """What a revision changed, person by person, and by whom."""
    wanted = lists.Wanted(call.page_rows(), after=call.text("after"))
    return await revision_changes.listed(call.actor, call.context, call.key("session"), _revision(call), wanted)


async def unsent(call: Call[None]) -> wire.UnsentQueues:
    """Queues of halls that are not sent."""
    return await unsent_list.listed(call.actor, call.context, call.key("session"))


def _revision(call: Call[None]) -> int:
    text = call.request.match_info["revision"]
    if not (text.isascii() and text.isdigit() and len(text) <= REVISION_DIGITS_MAX):
        raise NotFoundError(what="minutes", key=text)
    return int(text)


REVISION_DIGITS_MAX = 9
ONE = "/api/v1/sessions/{session}"
ROUTES = (
    Route("GET", "/api/v1/signing-key", signing_key, "The public signing key", answer=wire.SigningKey),
    Route("GET", f"{ONE}/unsent", unsent, "Queues of halls that are not sent", answer=wire.UnsentQueues),
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
    Route(
        "GET",
        f"{ONE}/revisions/{{revision}}/changes",
        changes,
        "What a revision changed",
        answer=wire.RevisionChanges,
        query=("after", "limit"),
    ),
)
