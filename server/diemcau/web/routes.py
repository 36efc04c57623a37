"""The table of every route. Each handler module contributes its lines; OpenAPI and the access test read them here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from diemcau import limits
from diemcau.errors import MalformedError
from diemcau.web import (
    absences,
    accounts,
    badge_pages,
    badges,
    check_in_pages,
    check_ins,
    corrections,
    devices,
    door,
    headcounts,
    identity,
    import_runs,
    imports,
    jobs,
    live,
    minutes,
    openapi,
    paper_headings,
    papers,
    people,
    points,
    preparation,
    prints,
    problems,
    quick_reports,
    records,
    review,
    sessions,
    site,
    sockets,
    spot_checks,
    units,
    upload_pages,
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
    *jobs.ROUTES,
    *prints.ROUTES,
    *import_runs.ROUTES,
    *door.ROUTES,
    *papers.ROUTES,
    *preparation.ROUTES,
    *paper_headings.ROUTES,
    *spot_checks.ROUTES,
    *absences.ROUTES,
    *headcounts.ROUTES,
    *quick_reports.ROUTES,
    *check_in_pages.ROUTES,
    *badge_pages.ROUTES,
    *upload_pages.ROUTES,
    *site.ROUTES,
)
ROUTES = (*ROUTES, openapi.route(ROUTES))


def build(context: Context) -> web.Application:
    """The web application over `context`. No middlewares: they would cost every check-in three calls more."""
    app = web.Application(client_max_size=limits.BODY_BYTES_MAX)
    app[CONTEXT] = context
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _dispatch(route))
    app.router.add_get("/static/{file:.+}", _answered(site.static))
    app.router.add_route("*", site.ELSEWHERE.replace("}", ":.*}"), _answered(site.elsewhere))
    return app


def _dispatch(route: Route) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            address = request.raw_path
            if "%00" in address and address.startswith("/api/"):  # no text of ours has NUL, and PostgreSQL takes none
                raise MalformedError(field="URL", reason="reason.unreadable")  # noqa: TRY301 told below, like any other
            actor = await identity.actor_of(request)
            body = await read_body(request, route.body, route.mend) if route.body else None
            answer = await route.handler(Call(request, request.app[CONTEXT], actor, body))
            if not isinstance(answer, web.StreamResponse):
                answer = web.Response(status=204) if answer is None else json_answer(answer, route.status)
        except Exception as error:  # noqa: BLE001 told as a problem, or raised again
            answer = problems.answer_to(error, request)
        return site.finished(answer)

    return handle


def _answered(handler: Handler) -> Handler:
    """What is not in the table, told in the same way."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            answer = await handler(request)
        except Exception as error:  # noqa: BLE001 as above
            answer = problems.answer_to(error, request)
        return site.finished(answer)

    return handle
