"""The table of every route. Each handler module contributes its lines; OpenAPI and the access test read them here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from diemcau import limits
from diemcau.errors import MalformedError
from diemcau.web import (
    accounts,
    badge_pages,
    badges,
    check_in_pages,
    check_ins,
    corrections,
    devices,
    door,
    identity,
    imports,
    live,
    minutes,
    openapi,
    papers,
    people,
    points,
    records,
    review,
    sessions,
    site,
    sockets,
    spot_checks,
    units,
)
from diemcau.web.calls import CONTEXT, Call, Route, json_answer, read_body

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from diemcau.services.context import Context

ROUTES: tuple[Route, ...] = (
    *check_ins.ROUTES,  # the most asked for; of those under one prefix the router tries the first one first
    *accounts.ROUTES,
    *devices.ROUTES,
    *live.ROUTES,
    *sockets.ROUTES,
    *sessions.ROUTES,
    *records.ROUTES,
    *minutes.ROUTES,
    *corrections.ROUTES,
    *review.ROUTES,
    *units.ROUTES,
    *points.ROUTES,
    *people.ROUTES,
    *badges.ROUTES,
    *imports.ROUTES,
    *door.ROUTES,
    *papers.ROUTES,
    *spot_checks.ROUTES,
    *check_in_pages.ROUTES,
    *badge_pages.ROUTES,
    *site.ROUTES,
)
ROUTES = (*ROUTES, openapi.route(ROUTES))


def build(context: Context) -> web.Application:
    """The web application over `context`."""
    app = web.Application(middlewares=[site.answered], client_max_size=limits.BODY_BYTES_MAX)
    app[CONTEXT] = context
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _dispatch(route))
    site.add_static(app)
    return app


def _dispatch(route: Route) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        address = request.raw_path
        if "%00" in address and address.startswith("/api/"):  # no text of ours has NUL, and PostgreSQL takes none
            raise MalformedError(field="URL", reason="reason.unreadable")
        actor = await identity.actor_of(request)
        body = await read_body(request, route.body, route.mend) if route.body else None
        call = Call(request, request.app[CONTEXT], actor, body)
        answer = await route.handler(call)
        if isinstance(answer, web.StreamResponse):
            return answer
        return web.Response(status=204) if answer is None else json_answer(answer, route.status)

    return handle
