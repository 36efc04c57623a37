"""The page behind an attendee's badge: their QR, their sessions, what was recorded. No script; JSON under `Accept`."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

import qrcode
from aiohttp import web
from markupsafe import Markup
from qrcode.constants import ERROR_CORRECT_M

from diemcau.domain import badge, networks
from diemcau.errors import DiemcauError, DoorError, NotFoundError, RateLimitedError
from diemcau.services import badges
from diemcau.web.calls import Call, Route, json_answer
from diemcau.web.check_in_pages import LANGUAGE_COOKIE, LANGUAGE_KEPT_S, Visit
from diemcau.web.pages import CSS, ENVIRONMENT, OTHER, TEXTS
from diemcau.web.problems import describe
from diemcau.wire.badges import BadgePageView

QR_MASK = 3
"""A fixed pattern: to try all eight takes four times as long, and cameras read one as well as another."""

QR_BORDER = 4
CODE_GROUP = 4
OWN_CSS = (files("diemcau.web") / "templates" / "badge.css").read_text(encoding="utf-8").replace("\n", "")
PAGE_CSS = Markup(CSS + OWN_CSS)  # noqa: S704 our own files
STYLE_HASH = base64.b64encode(hashlib.sha256(PAGE_CSS.encode()).digest()).decode()
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
    ),
    # The address is the badge: it must not travel on to anywhere.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
TEMPLATE = ENVIRONMENT.get_template("badge.html")


async def opened(call: Call[None]) -> web.Response:
    """The holder's own page."""
    visit = await Visit.of(call)
    near = networks.prefix(visit.visitor.address, networks.NEAR).hex()
    try:
        found = await badges.opened(call.actor, call.context, call.request.match_info["badge"], near)
    except DiemcauError as error:
        if visit.wants_json:
            raise
        return _refused(visit, error)
    if visit.wants_json:
        return _private(json_answer(found))
    return _page(visit, 200, found=found, qr=drawn(found.url), code=_grouped(found.url))


def drawn(text: str) -> Markup:
    """A QR code as one path of horizontal strokes: about 4 KB, which shrink to a third on the wire."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, mask_pattern=QR_MASK)
    code.add_data(text)
    code.make()
    strokes: list[str] = []
    for y, row in enumerate(code.modules):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                strokes.append(f"M{x + QR_BORDER} {y + QR_BORDER}.5h{end - x}")
            x = max(end, x + 1)
    size = len(code.modules) + 2 * QR_BORDER
    return Markup(
        '<svg viewBox="0 0 {0} {0}" shape-rendering="crispEdges" aria-hidden="true">'
        '<rect width="{0}" height="{0}" fill="#fff"/><path stroke="#000" d="{1}"/></svg>'
    ).format(size, "".join(strokes))


def _refused(visit: Visit, error: DiemcauError) -> web.Response:
    problem, advice = describe(error, visit.language).title, ""
    if isinstance(error, NotFoundError):
        problem, advice = visit.text("badge.unknown"), visit.text("badge.unknown_advice")
    elif isinstance(error, DoorError):
        problem, advice = visit.text("badge.revoked"), visit.text("badge.revoked_advice")
    elif isinstance(error, RateLimitedError):
        advice = visit.text("badge.right_ones_open")
    response = _page(visit, error.status, found=None, problem=problem, advice=advice)
    if "retry_after_s" in error.params:
        response.headers["Retry-After"] = str(error.params["retry_after_s"])
    return response


def _page(visit: Visit, status: int, **values: object) -> web.Response:
    language = visit.language
    body = TEMPLATE.render(
        language=language, other=OTHER[language], t=TEXTS[language], time=visit.time, css=PAGE_CSS, switch={}, **values
    )
    response = web.Response(body=body.encode(), status=status, content_type="text/html", charset="utf-8")
    if language != visit.call.language:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=LANGUAGE_KEPT_S, samesite="Lax", httponly=True)
    return _private(response)


def _private(response: web.Response) -> web.Response:
    response.headers.update(HEADERS)
    return response


def _grouped(url: str) -> str:
    """The characters at the link's end in groups that can be read aloud."""
    text = url[-badge.CHARS :]
    return " ".join(text[at : at + CODE_GROUP] for at in range(0, len(text), CODE_GROUP))


SUMMARY = "The page behind a badge, for its holder"
ROUTES = (
    Route("GET", "/b/{badge}", opened, SUMMARY, answer=BadgePageView),
    Route("GET", "/B/{badge}", opened, "The same in capitals, as the QR code has it", answer=BadgePageView),
    Route("HEAD", "/b/{badge}", opened, "Link previews", answer=BadgePageView),
    Route("HEAD", "/B/{badge}", opened, "Link previews", answer=BadgePageView),
)
