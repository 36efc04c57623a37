"""The page behind an upload link: a unit's clerk chooses a file, sees what it would do, and confirms. No script.

There are no cookies and so nothing that another site could make a browser send along: who has the address has the
right, and each form goes back to that address.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog
from aiohttp import BodyPartReader, web
from markupsafe import Markup

from diemcau import i18n
from diemcau.domain import networks
from diemcau.errors import DiemcauError, ImportRejectedError, NotFoundError, TooLargeError
from diemcau.services import upload_links
from diemcau.services.upload_links import Checked, Opened, Sent
from diemcau.web.calls import Call, Route
from diemcau.web.check_in_pages import LANGUAGE_COOKIE, LANGUAGE_KEPT_S
from diemcau.web.pages import CSS, ENVIRONMENT, OTHER, TEXTS
from diemcau.web.problems import describe

if TYPE_CHECKING:
    from diemcau.i18n import Language

log = structlog.get_logger()
CHUNK_BYTES = 262_144
FINDINGS_SHOWN = 50
"""Rows to correct, on one page of a phone; whoever has more has chosen the wrong file."""

REF_CHARS_MAX = 64
PARTS_MAX = 4
NAME_CHARS_MAX = 200
OWN_CSS = (files("diemcau.web") / "templates" / "upload.css").read_text(encoding="utf-8").replace("\n", "")
PAGE_CSS = Markup(CSS + OWN_CSS)  # noqa: S704 our own files
STYLE_HASH = base64.b64encode(hashlib.sha256(PAGE_CSS.encode()).digest()).decode()
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    # The address is the right to hand in: it must not travel on to anywhere.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
TEMPLATE = ENVIRONMENT.get_template("upload.html")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who opened a link, and the language they read."""

    call: Call[None]
    sent: Sent
    language: Language

    @classmethod
    def of(cls, call: Call[None]) -> Reader:
        """From the request; its body is not read yet."""
        request = call.request
        address = networks.behind_proxy(request.remote or "", request.headers.get("X-Forwarded-For", ""))
        near = networks.prefix(address, networks.NEAR).hex()
        tapped = request.query.get("lang") or call.language
        language = i18n.choose(request.headers.get("Accept-Language"), tapped)
        return cls(call, Sent(request.match_info["token"], near), language)

    def time(self, at_ms: float) -> str:
        """Day and time where the conference is."""
        zone = ZoneInfo(self.call.context.settings.timezone)
        return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%H:%M %d/%m/%Y")

    def page(self, status: int, found: Opened | None, **values: object) -> web.Response:
        """The page."""
        shown = {"problem": "", "advice": "", "checked": None, "findings": [], "more": 0, **values}
        body = TEMPLATE.render(
            language=self.language,
            other=OTHER[self.language],
            t=TEXTS[self.language],
            time=self.time,
            css=PAGE_CSS,
            switch={} if self.call.request.method == "GET" else None,
            found=found,
            **shown,
        )
        response = web.Response(body=body.encode(), status=status, content_type="text/html", charset="utf-8")
        response.headers.update(HEADERS)
        if self.language != self.call.language:
            response.set_cookie(LANGUAGE_COOKIE, self.language, max_age=LANGUAGE_KEPT_S, samesite="Lax", httponly=True)
        return response


Step = Callable[[Reader], Awaitable[web.Response]]


def for_people(step: Step) -> Callable[[Call[None]], Awaitable[web.Response]]:
    """Turn every error into a page that says what to do next."""

    async def handle(call: Call[None]) -> web.Response:
        reader = Reader.of(call)
        try:
            return await step(reader)
        except DiemcauError as error:
            return await _refused(reader, error)
        except (web.HTTPException, ValueError, web.RequestPayloadError):  # no form, or one that broke off
            return await _refused(reader, NotFoundError(what="file"))

    return handle


async def opened(reader: Reader) -> web.Response:
    """For which session and unit, and what came already."""
    return reader.page(200, await _opened(reader))


async def submitted(reader: Reader) -> web.Response:
    """A file to check, or the word to take over the one that was checked."""
    found = await _opened(reader)
    multipart = await reader.call.request.multipart()
    for _ in range(PARTS_MAX):
        part = await multipart.next()
        if not isinstance(part, BodyPartReader):
            break
        if part.name == "file":
            return await _checked(reader, found, part)
        if part.name == "ref":
            ref = (await part.read_chunk(REF_CHARS_MAX)).decode("ascii", "replace")
            await upload_links.confirm(reader.call.actor, reader.call.context, reader.sent, ref)
            address = f"/u/{reader.sent.token}?done=1"
            return web.Response(status=303, headers={"Location": address, **HEADERS})
    raise NotFoundError(what="file")


async def _opened(reader: Reader) -> Opened:
    call, sent = reader.call, reader.sent
    return await upload_links.opened(call.actor, call.context, sent.token, sent.network)


async def _checked(reader: Reader, found: Opened, part: BodyPartReader) -> web.Response:
    name = (part.filename or "")[-NAME_CHARS_MAX:]
    if not name:
        return reader.page(400, found, problem=i18n.text(reader.language, "upload.no_file"))
    call = reader.call
    checked = await upload_links.check(call.actor, call.context, reader.sent, name, _chunks(part))
    if checked.ref:
        return reader.page(200, found, checked=checked)
    return _to_correct(reader, found, checked)


def _to_correct(reader: Reader, found: Opened, checked: Checked) -> web.Response:
    shown = [
        (finding, str(i18n.worded(reader.language, finding.reason))) for finding in checked.findings[:FINDINGS_SHOWN]
    ]
    return reader.page(
        422,
        found,
        problem=i18n.text(reader.language, "upload.rejected", count=checked.total),
        advice=i18n.text(reader.language, "upload.rejected_advice"),
        findings=shown,
        more=checked.total - len(shown),
    )


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(CHUNK_BYTES):
        yield chunk


async def _refused(reader: Reader, error: DiemcauError) -> web.Response:
    """What is wrong, with the form once more where the link is good."""
    if isinstance(error, NotFoundError) and error.params.get("what") == "upload_link":
        return _unknown(reader, error)
    try:
        found = await _opened(reader)
    except DiemcauError as gone:
        return _unknown(reader, gone)
    if isinstance(error, ImportRejectedError):
        return _to_correct(reader, found, Checked(None, error.findings, error.total))
    problem = describe(error, reader.language).title
    if isinstance(error, NotFoundError):
        problem = i18n.text(reader.language, "upload.lost")
    elif isinstance(error, TooLargeError):
        problem = i18n.text(reader.language, "upload.too_large")
    response = reader.page(error.status, found, problem=problem)
    return _waits(response, error)


def _unknown(reader: Reader, error: DiemcauError) -> web.Response:
    problem, advice = describe(error, reader.language).title, ""
    if isinstance(error, NotFoundError):
        problem = i18n.text(reader.language, "upload.unknown")
        advice = i18n.text(reader.language, "upload.unknown_advice")
    return _waits(reader.page(error.status, None, problem=problem, advice=advice), error)


def _waits(response: web.Response, error: DiemcauError) -> web.Response:
    if "retry_after_s" in error.params:
        response.headers["Retry-After"] = str(error.params["retry_after_s"])
    return response


PATH = "/u/{token}"
ROUTES = (
    Route("GET", PATH, for_people(opened), "Hand in a unit's list: the page"),
    Route("HEAD", PATH, for_people(opened), "Link previews"),
    Route("POST", PATH, for_people(submitted), "Hand in a unit's list: a file, or the word to take it over"),
)
