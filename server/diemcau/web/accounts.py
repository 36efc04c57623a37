"""Signing in, and accounts."""

from __future__ import annotations

from aiohttp import web

from diemcau import limits
from diemcau.services import accounts
from diemcau.web.calls import Call, Route, json_answer
from diemcau.web.identity import COOKIE, keep_cookie
from diemcau.wire import api


async def set_up(call: Call[api.SetUp]) -> web.Response:
    """Make the first administrator and sign them in."""
    me, token = await accounts.set_up(call.actor, call.context, call.body)
    return _signed_in(call, me, token)


async def login(call: Call[api.Login]) -> web.Response:
    """Sign in."""
    me, token = await accounts.login(call.actor, call.context, call.body)
    return _signed_in(call, me, token)


async def logout(call: Call[None]) -> web.Response:
    """Sign out."""
    await accounts.logout(call.actor, call.context)
    response = web.Response(status=204)
    response.del_cookie(COOKIE, path="/")
    return response


async def me(call: Call[None]) -> api.Me:
    """Who I am."""
    return await accounts.me(call.actor, call.context)


async def add(call: Call[api.AccountNew]) -> api.AccountView:
    """Make an account."""
    return await accounts.add(call.actor, call.context, call.body)


async def listed(call: Call[None]) -> api.AccountList:
    """All accounts."""
    return api.AccountList(await accounts.listed(call.actor, call.context))


async def issue_token(call: Call[None]) -> api.TokenIssued:
    """Issue a bearer token."""
    name = call.request.match_info["account"]
    return api.TokenIssued(await accounts.issue_token(call.actor, call.context, name))


def _signed_in(call: Call[api.SetUp] | Call[api.Login], me: api.Me, token: str) -> web.Response:
    response = json_answer(me)
    keep_cookie(response, call.context, token, limits.SIGN_IN_VALID_S)
    return response


ROUTES = (
    Route("POST", "/api/v1/setup", set_up, "Make the first administrator", api.SetUp, api.Me),
    Route("POST", "/api/v1/login", login, "Sign in", api.Login, api.Me),
    Route("POST", "/api/v1/logout", logout, "Sign out", status=204),
    Route("GET", "/api/v1/me", me, "Who I am", answer=api.Me),
    Route("GET", "/api/v1/accounts", listed, "All accounts", answer=api.AccountList),
    Route("POST", "/api/v1/accounts", add, "Make an account", api.AccountNew, api.AccountView, 201),
    Route(
        "POST",
        "/api/v1/accounts/{account}/tokens",
        issue_token,
        "Issue a bearer token",
        answer=api.TokenIssued,
        status=201,
    ),
)
