"""The page behind an attendee's badge: their QR, their sessions, what was recorded. No script; JSON under `Accept`."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

import qrcode
from aiohttp import web
from markupsafe import Markup
from qrcode.constants import ERROR_CORRECT_M

from diemcau import limits
from diemcau.domain import badge, networks
from diemcau.errors import DiemcauError, DoorError, NotFoundError, RateLimitedError
from diemcau.services import absence_requests, badges
from diemcau.services.absence_requests import Asked
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
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    # The address is the badge: it must not travel on to anywhere else. (Without any referrer a browser would send its
    # form as from nowhere, and who is signed in here too would be refused.)
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}
TEMPLATE = ENVIRONMENT.get_template("badge.html")


async def opened(call: Call[None]) -> web.Response:
    """The holder's own page."""
    return await _shown(await Visit.of(call))


async def submitted(call: Call[None]) -> web.Response:
    """Their form came back: an absence asked for, or taken back. Then the page again, by GET."""
    visit = await Visit.of(call)
    fields, session = visit.fields, visit.fields.get("session", "").upper()
    try:
        _, holder = await badges.holder_of(call.actor, call.context, *_badge(visit))
        if fields.get("do") == "withdraw":
            await absence_requests.withdraw(call.actor, call.context, holder, session)
        else:
            asked = Asked(fields.get("reason", ""), fields.get("text", ""), fields.get("substitute", ""))
            await absence_requests.ask(call.actor, call.context, holder, session, asked)
    except DiemcauError as error:
        if visit.wants_json:
            raise
        return await _shown(visit, error)
    if visit.wants_json:
        return await _shown(visit)
    return _private(web.Response(status=303, headers={"Location": call.request.rel_url.raw_path}))


async def _shown(visit: Visit, trouble: DiemcauError | None = None) -> web.Response:
    """The page, or why there is none; trouble: what became of the form that was sent."""
    call = visit.call
    try:
        found = await badges.opened(call.actor, call.context, *_badge(visit), visit.language)
    except DiemcauError as error:
        if visit.wants_json:
            raise
        return _refused(visit, error)
    if visit.wants_json:
        return _private(json_answer(found))
    problem = describe(trouble, visit.language).title if trouble else ""
    status = trouble.status if trouble else 200
    limit = limits.TEXT_CHARS_MAX
    return _page(
        visit, status, found=found, qr=drawn(found.url), code=_grouped(found.url), problem=problem, chars=limit
    )


def _badge(visit: Visit) -> tuple[str, str]:
    """What the address says, and where the reader comes from."""
    near = networks.prefix(visit.visitor.address, networks.NEAR).hex()
    return visit.call.request.match_info["badge"], near


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
FORM = "The holder asks to be absent from a session, or takes that back"
ROUTES = (
    Route("GET", "/b/{badge}", opened, SUMMARY, answer=BadgePageView),
    Route("GET", "/B/{badge}", opened, "The same in capitals, as the QR code has it", answer=BadgePageView),
    Route("POST", "/b/{badge}", submitted, FORM, answer=BadgePageView),
    Route("POST", "/B/{badge}", submitted, FORM, answer=BadgePageView),
    Route("HEAD", "/b/{badge}", opened, "Link previews", answer=BadgePageView),
    Route("HEAD", "/B/{badge}", opened, "Link previews", answer=BadgePageView),
)
