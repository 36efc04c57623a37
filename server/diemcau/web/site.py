"""Pages and files: the built client, health, OpenAPI."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from diemcau.errors import DiemcauError
from diemcau.web import problems
from diemcau.web.calls import JSON, Call, Route

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

STATIC = Path(str(files("diemcau"))) / "static"
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


def add_static(app: web.Application) -> None:
    """Serve the built client; its file names carry hashes, so browsers may keep them."""
    if STATIC.is_dir():
        app.router.add_static("/static", STATIC, append_version=False)


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors as problems, and what every answer carries; JSON, which no browser shows, goes without what pages need."""
    try:
        response = await handler(request)
    except Exception as error:  # noqa: BLE001 told as a problem, or raised again
        response = problems.answer_to(error, request)
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
