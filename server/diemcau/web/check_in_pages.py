"""The attendee's pages: scan, say who, tap, receipt. They need no script; programs get JSON under `Accept`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import msgspec
import structlog
from aiohttp import web

from diemcau import i18n, limits
from diemcau.errors import DiemcauError, DoorError, MalformedError, OverloadedError, RateLimitedError
from diemcau.services import check_in
from diemcau.web.calls import Call, Route, json_answer
from diemcau.web.pages import page
from diemcau.web.problems import describe
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.i18n import Language

log = structlog.get_logger()
LANGUAGE_COOKIE = "diemcau_language"
LANGUAGE_KEPT_S = 365 * 86_400
CLAIM_COOKIE = "diemcau_claim"
"""Lets the receipt offer "another person" on this phone only: a receipt that was sent on offers nothing."""

FORM_FIELDS_MAX = 10
FEW_TRIES = 3
"""From here on the page says how many wrong names are left."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a phone: its form's fields, and the language it is answered in."""

    call: Call[None]
    fields: dict[str, str]
    language: Language

    @classmethod
    async def of(cls, call: Call[None]) -> Visit:
        """Read the form. A language that was tapped counts at once and is kept."""
        fields = await _fields(call.request)
        tapped = fields.get("lang") or call.request.query.get("lang")
        return cls(call, fields, i18n.choose(call.request.headers.get("Accept-Language"), tapped or call.language))

    @property
    def wants_json(self) -> bool:
        """Whether a program asks."""
        return "application/json" in self.call.request.headers.get("Accept", "")

    def answer(self, answer: msgspec.Struct, name: str, status: int = 200, **values: object) -> web.Response:
        """`answer` as JSON, or as the page `name` around it."""
        if self.wants_json:
            return json_answer(answer)
        return self.page(name, status, hall=answer, **values)

    def page(self, name: str, status: int = 200, **values: object) -> web.Response:
        """A page in the visitor's language."""
        response = page(name, self.language, status, **values)
        if self.language != self.call.language:
            response.set_cookie(LANGUAGE_COOKIE, self.language, max_age=LANGUAGE_KEPT_S, samesite="Lax", httponly=True)
        return response

    def text(self, key: str, **params: str | float) -> str:
        """A text in the visitor's language."""
        return i18n.text(self.language, key, **params)

    def time(self, at_ms: float, form: str = "%H:%M") -> str:
        """The hall's local time."""
        return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(self.call.context.settings.timezone)).strftime(form)


Step = Callable[[Visit], Awaitable[web.Response]]


def for_people(step: Step) -> Callable[[Call[None]], Awaitable[web.Response]]:
    """Turn every error into a page that says what to do next; programs get the usual problem."""

    async def handle(call: Call[None]) -> web.Response:
        visit = await Visit.of(call)
        try:
            return await step(visit)
        except DiemcauError as error:
            if visit.wants_json:
                raise
            return _refused(visit, error)
        except Exception:
            if visit.wants_json:
                raise
            log.exception("a page failed", method=call.request.method, path=call.request.rel_url.raw_parts[1])
            return _refused(visit, DiemcauError())

    return handle


async def opened(visit: Visit) -> web.Response:
    """Scan: swap the code for a claim and ask who it is. Records nothing."""
    call = visit.call
    return _who(visit, await check_in.open_door(call.actor, call.context, call.request.match_info["code"]))


async def submitted(visit: Visit) -> web.Response:
    """A form came back: a tap, a name, or a claim for the next name."""
    call, fields = visit.call, visit.fields
    if "confirm" in fields:
        return await _confirmed(visit)
    if "who" in fields:
        return await _identified(visit)
    return _who(visit, await check_in.resume(call.actor, call.context, fields.get("claim", "")))


async def receipt(visit: Visit) -> web.Response:
    """The receipt, as often as it is opened."""
    call = visit.call
    entry = await check_in.receipt(call.actor, call.context, call.request.match_info["receipt"])
    if entry.at_ms is None or entry.number is None:
        headline, when = visit.text("door.done_before"), visit.text("door.done_before_text")
    else:
        headline = visit.text("door.done")
        when = visit.text("door.when", time=visit.time(entry.at_ms, "%H:%M:%S"), number=entry.number)
    return visit.answer(
        entry,
        "receipt",
        headline=headline,
        when=when,
        next_claim=call.request.cookies.get(CLAIM_COOKIE),
        switch={},
    )


async def _identified(visit: Visit) -> web.Response:
    call, fields = visit.call, visit.fields
    who = fields["who"][: limits.NAME_CHARS_MAX]
    body = api.WhoAmI(fields.get("claim", ""), who)
    try:
        found = await check_in.identify(call.actor, call.context, body)
    except (MalformedError, DoorError, RateLimitedError) as error:
        if visit.wants_json or error.code not in {"malformed", "unknown_attendee", "ambiguous_name", "rate_limited"}:
            raise
        return _who(visit, await check_in.resume(call.actor, call.context, body.claim), error, who)
    return visit.answer(found, "confirm", switch={"claim": body.claim, "who": who})


async def _confirmed(visit: Visit) -> web.Response:
    call = visit.call
    entry = await check_in.confirm(call.actor, call.context, visit.fields["confirm"])
    if visit.wants_json:
        return json_answer(entry)
    response = web.Response(status=303, headers={"Location": f"/c/r/{entry.receipt}", "Cache-Control": "no-store"})
    if entry.next_claim:
        response.set_cookie(
            CLAIM_COOKIE,
            entry.next_claim,
            max_age=limits.CLAIM_VALID_S,
            path="/c/",
            httponly=True,
            samesite="Lax",
            secure=call.context.settings.secure,
        )
    else:
        response.del_cookie(CLAIM_COOKIE, path="/c/")
    return response


def _who(visit: Visit, hall: api.DoorOpened, error: DiemcauError | None = None, typed: str = "") -> web.Response:
    """The form that asks for a name; after an error with what was typed, to be corrected rather than typed again."""
    problem, advice = _told(visit, error) if error else ("", "")
    if error and not advice and hall.tries_left <= FEW_TRIES:
        advice = visit.text("door.tries_left", count=hall.tries_left)
    response = visit.answer(
        hall,
        "who",
        error.status if error else 200,
        problem=problem,
        advice=advice,
        typed=typed,
        switch={"claim": hall.claim},
    )
    return _waits(response, error) if error else response


def _refused(visit: Visit, error: DiemcauError) -> web.Response:
    """A page that says what is wrong and what to do next."""
    problem, advice = _told(visit, error)
    again = visit.fields if isinstance(error, OverloadedError) else None
    switch: dict[str, str] | None = {} if visit.call.request.method == "GET" else None
    response = visit.page(
        "refused", error.status, hall=None, problem=problem, advice=advice, again=again, switch=switch
    )
    return _waits(response, error)


def _told(visit: Visit, error: DiemcauError) -> tuple[str, str]:
    """What is wrong, and what else may help."""
    if isinstance(error, MalformedError):
        return visit.text("door.empty"), ""
    if "tries" in error.params:
        return visit.text("door.too_many_tries"), ""
    problem = describe(error, visit.language).title
    if isinstance(error, RateLimitedError):
        return problem, visit.text("door.right_ones_pass")
    if isinstance(error, OverloadedError):
        return problem, visit.text("door.nothing_lost")
    if error.code == "not_open":
        opens_ms = error.params.get("opens_ms")
        at = visit.text("door.opens_at", time=visit.time(float(opens_ms))) if opens_ms else ""
        return problem, at or visit.text("door.opens_later")
    return problem, ""


def _waits(response: web.Response, error: DiemcauError) -> web.Response:
    if "retry_after_s" in error.params:
        response.headers["Retry-After"] = str(error.params["retry_after_s"])
    return response


async def _fields(request: web.Request) -> dict[str, str]:
    """The fields of a form, or of a flat JSON object; what cannot be read is no field."""
    if request.method != "POST":
        return {}
    raw = await request.read()
    try:
        if request.content_type == "application/json":
            return msgspec.json.decode(raw, type=dict[str, str])
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX))
    except (msgspec.DecodeError, ValueError):
        return {}


ROUTES = (
    Route("GET", "/c/{code}", for_people(opened), "Scan the door code", answer=api.DoorOpened),
    Route("GET", "/C/{code}", for_people(opened), "The same in capitals, as the QR code has it", answer=api.DoorOpened),
    Route("HEAD", "/c/{code}", for_people(opened), "Link previews", answer=api.DoorOpened),
    Route("HEAD", "/C/{code}", for_people(opened), "Link previews", answer=api.DoorOpened),
    Route("POST", "/c/check-in", for_people(submitted), "Say who, and tap"),
    Route("GET", "/c/r/{receipt}", for_people(receipt), "The receipt", answer=api.CheckedIn),
)
