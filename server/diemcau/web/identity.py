"""From a request's credential to an actor, and the defences of cookies (DESIGN.md §6, last rule)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from diemcau.domain.authority import Account, Actor, Anonymous
from diemcau.errors import ForbiddenError, NotSignedInError
from diemcau.services.identities import identify, recalled
from diemcau.web.calls import CONTEXT

if TYPE_CHECKING:
    from diemcau.services.context import Context

COOKIE = "diemcau_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def actor_of(request: web.Request) -> Actor:
    """The account or device that sent this request; Anonymous without a credential.

    Raises:
        NotSignedInError: a bearer token was sent and is not valid.
        ForbiddenError: a cookie came with a write from another origin.
    """
    context = request.app[CONTEXT]
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme == "Bearer" and (known := recalled(context, token)) is not None:
            return known
        actor = await identify(Anonymous(), context, token.strip() if scheme.lower() == "bearer" else None)
        if isinstance(actor, Anonymous):
            raise NotSignedInError
        return actor
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        return Anonymous()
    actor = await identify(Anonymous(), context, cookie)
    if isinstance(actor, Account) and request.method not in SAFE_METHODS and not same_origin(request):
        raise ForbiddenError
    return actor


def same_origin(request: web.Request) -> bool:
    """Whether the browser says that our own page sent this."""
    origin = request.headers.get("Origin")
    allowed = {request.app[CONTEXT].settings.origin, f"{request.scheme}://{request.host}"}
    return origin in allowed


def keep_cookie(response: web.StreamResponse, context: Context, token: str, max_age_s: int) -> None:
    """Sign the browser in."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=max_age_s,
        httponly=True,
        samesite="Lax",
        secure=context.settings.secure,
        path="/",
    )
