"""Pages and files: the built client, health, OpenAPI."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from aiohttp import web

from diemcau.errors import DiemcauError
from diemcau.web.calls import JSON, Call, Route

STATIC = (Path(str(files("diemcau"))) / "static").resolve()
PAGES = {
    "console": "index.html",
    "operator": "operator.html",
    "operator_worker": "operator_sw.js",
    "display": "display.html",
}
CSP = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self' ws: wss:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def _page(name: str) -> web.FileResponse:
    path = STATIC / PAGES[name]
    if not path.exists():
        error = DiemcauError()
        error.code = "client_not_built"
        raise error
    return web.FileResponse(path, headers={"Cache-Control": "no-cache"})


async def console(_call: Call[None]) -> web.FileResponse:
    """Board, lists, sessions, records."""
    return _page("console")


async def operator(_call: Call[None]) -> web.FileResponse:
    """The operator's page."""
    return _page("operator")


async def operator_worker(_call: Call[None]) -> web.FileResponse:
    """The service worker that lets the operator's page open offline; at the root, for it may rule only below itself."""
    return _page("operator_worker")


async def display(_call: Call[None]) -> web.FileResponse:
    """The door display."""
    return _page("display")


async def healthz(_call: Call[None]) -> web.Response:
    """The process answers."""
    return web.Response(text="ok")


async def readyz(call: Call[None]) -> web.Response:
    """The database answers too."""
    async with call.context.read():
        return web.Response(text="ok")


async def static(request: web.Request) -> web.StreamResponse:
    """A file of the built client; its name carries a hash, so browsers may keep it."""
    path = (STATIC / request.match_info["file"]).resolve()
    if not path.is_relative_to(STATIC) or not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path)


async def elsewhere(request: web.Request) -> web.StreamResponse:
    """No such page, or not by this method."""
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        if resource.canonical != ELSEWHERE:
            allowed |= (await resource.resolve(request))[1]
    raise web.HTTPMethodNotAllowed(request.method, allowed) if allowed else web.HTTPNotFound()


ELSEWHERE = "/{elsewhere}"


def finished(response: web.StreamResponse) -> web.StreamResponse:
    """With what every answer carries; JSON, which no browser shows or runs, goes without what is meant for pages."""
    if not response.prepared:
        headers = response.headers
        headers.setdefault("X-Content-Type-Options", "nosniff")
        if headers.get("Content-Type") != JSON:
            headers.setdefault("Content-Security-Policy", CSP)
            headers.setdefault("Referrer-Policy", "same-origin")
    return response


ROUTES = (
    Route("GET", "/", console, "The console"),
    Route("GET", "/setup/{token}", console, "Make the first administrator"),
    Route("GET", "/s/{page:.*}", console, "The console's own addresses"),
    Route("GET", "/operator", operator, "The operator's page"),
    Route("GET", "/operator_sw.js", operator_worker, "Keeps the operator's page on the device"),
    Route("GET", "/pair/{code}", operator, "Pair this device"),
    Route("GET", "/display", display, "The door display"),
    Route("GET", "/healthz", healthz, "The process answers"),
    Route("GET", "/readyz", readyz, "The process and its database answer"),
)
