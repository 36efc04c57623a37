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
from diemcau.domain import networks
from diemcau.errors import DiemcauError, DoorError, MalformedError, OverloadedError, RateLimitedError
from diemcau.services import check_in
from diemcau.services.arrivals import Visitor
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

PHONE_COOKIE = "diemcau_phone"
"""What a phone remembers of who checked in with it; sealed, and sent to both spellings of a door's address."""

FORM_FIELDS_MAX = 10
FEW_TRIES = 3
"""From here on the page says how many wrong names are left."""

ASKED_AGAIN = frozenset({"malformed", "unknown_attendee", "ambiguous_name", "revoked", "rate_limited"})
"""Errors that the form itself shows, with what was typed, to be corrected rather than typed again."""


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
    def visitor(self) -> Visitor:
        """What the phone brings along by itself."""
        request = self.call.request
        address = networks.behind_proxy(request.remote or "", request.headers.get("X-Forwarded-For", ""))
        return Visitor(address, request.cookies.get(PHONE_COOKIE, ""))

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
    code = call.request.match_info["code"]
    return _begun(visit, await check_in.open_door(call.actor, call.context, code, visit.visitor))


async def submitted(visit: Visit) -> web.Response:
    """A form came back: a tap, a name, name and unit, or a claim for the next name."""
    call, fields = visit.call, visit.fields
    if "confirm" in fields:
        done = await check_in.confirm(call.actor, call.context, fields["confirm"], visit.visitor)
        return _recorded(visit, done)
    if "unit" in fields:
        return await _enlisted(visit)
    if "who" in fields and "guest" not in fields:
        return await _identified(visit)
    offered = visit.visitor if "remembered" in fields else None
    hall = await check_in.resume(call.actor, call.context, fields.get("claim", ""), offered)
    if "guest" in fields:
        return _guest(visit, hall, {"name": fields.get("who", "")})
    if "listed" in fields:
        return _who(visit, hall)
    response = _begun(visit, hall)
    if "forget" in fields:
        _keep(visit, response, PHONE_COOKIE, check_in.forget(call.context, visit.visitor))
    return response


async def receipt(visit: Visit) -> web.Response:
    """The receipt, as often as it is opened."""
    call = visit.call
    entry = await check_in.receipt(call.actor, call.context, call.request.match_info["receipt"])
    headline, when = _headline(visit, entry)
    return visit.answer(
        entry,
        "receipt",
        headline=headline,
        when=when,
        earlier=visit.time(entry.earlier_ms, "%H:%M") if entry.earlier_ms is not None else "",
        next_claim=call.request.cookies.get(CLAIM_COOKIE),
        switch={},
    )


def _headline(visit: Visit, entry: api.CheckedIn) -> tuple[str, str]:
    """What was recorded, and when."""
    if entry.at_ms is None:
        return visit.text("door.done_before"), visit.text("door.done_before_text")
    time = visit.time(entry.at_ms, "%H:%M:%S")
    if entry.spot_check:
        return visit.text("door.done_spot_check"), time
    if entry.number is None:
        return visit.text("door.done"), time
    return visit.text("door.done"), visit.text("door.when", time=time, number=entry.number)


async def _identified(visit: Visit) -> web.Response:
    call, fields = visit.call, visit.fields
    who, number = fields["who"][: limits.WHO_CHARS_MAX], fields.get("number", "")[: limits.NAME_CHARS_MAX]
    body = api.WhoAmI(fields.get("claim", ""), who, number)
    try:
        found = await check_in.identify(call.actor, call.context, body, visit.visitor)
    except (MalformedError, DoorError, RateLimitedError) as error:
        if visit.wants_json or error.code not in ASKED_AGAIN:
            raise
        hall = await check_in.resume(call.actor, call.context, body.claim)
        return _who(visit, hall, error, {"who": who, "number": number})
    switch = {"claim": body.claim, "who": who, **({"number": number} if number else {})}
    return visit.answer(found, "confirm", remembered=False, switch=switch)


async def _enlisted(visit: Visit) -> web.Response:
    """Name and unit of somebody who is on no list."""
    call = visit.call
    typed = {name: visit.fields.get(name, "")[: limits.NAME_CHARS_MAX] for name in ("name", "unit", "stands_for")}
    body = api.Guest(visit.fields.get("claim", ""), **typed)
    try:
        done = await check_in.enlist(call.actor, call.context, body, visit.visitor)
    except MalformedError as error:
        if visit.wants_json:
            raise
        hall = await check_in.resume(call.actor, call.context, body.claim)
        return _guest(visit, hall, typed, visit.text(f"door.empty_{error.params['field']}"))
    return _recorded(visit, done)


def _recorded(visit: Visit, done: check_in.Done) -> web.Response:
    """The way to the receipt; the phone keeps what offers the next tap."""
    entry = done.entry
    response: web.Response
    if visit.wants_json:
        response = json_answer(entry)
    else:
        response = web.Response(status=303, headers={"Location": f"/c/r/{entry.receipt}", "Cache-Control": "no-store"})
        _keep(visit, response, CLAIM_COOKIE, entry.next_claim or "")
    _keep(visit, response, PHONE_COOKIE, done.memory)
    return response


KEPT = {CLAIM_COOKIE: ("/c/", limits.CLAIM_VALID_S), PHONE_COOKIE: ("/", limits.PHONE_REMEMBERED_S)}
"""Where each cookie is sent, and for how many seconds it is kept. Cookie paths mind capitals: /C/ is not /c/."""


def _keep(visit: Visit, response: web.Response, name: str, value: str) -> None:
    """Let the phone keep `value`, or nothing."""
    path, max_age_s = KEPT[name]
    if not value:
        response.del_cookie(name, path=path)
        return
    secure = visit.call.context.settings.secure
    response.set_cookie(name, value, max_age=max_age_s, path=path, httponly=True, samesite="Lax", secure=secure)


def _begun(visit: Visit, hall: api.DoorOpened) -> web.Response:
    """The first page after a scan: whom the phone remembers, a name, or name and unit where there is no list."""
    if hall.remembered and not visit.wants_json:
        found = _remembered(hall, hall.remembered)
        return visit.answer(found, "confirm", remembered=True, switch={"claim": hall.claim, "remembered": "1"})
    return _who(visit, hall) if hall.listed or visit.wants_json else _guest(visit, hall, {})


def _remembered(hall: api.DoorOpened, person: api.Remembered) -> api.Identified:
    return api.Identified(
        confirm=person.confirm,
        masked=person.masked,
        claim=hall.claim,
        session=hall.session,
        title=hall.title,
        point=hall.point,
        point_name=hall.point_name,
        spot_check=hall.spot_check,
    )


def _who(
    visit: Visit, hall: api.DoorOpened, error: DiemcauError | None = None, typed: dict[str, str] | None = None
) -> web.Response:
    """The form that asks for a name; after an error with what was typed, to be corrected rather than typed again."""
    problem, advice = _told(visit, error) if error else ("", "")
    if error and not advice and hall.tries_left <= FEW_TRIES:
        advice = visit.text("door.tries_left", count=hall.tries_left)
    by = error.params.get("by") if error else None
    response = visit.answer(
        hall,
        "who",
        error.status if error else 200,
        problem=problem,
        advice=advice,
        typed=typed or {"who": "", "number": ""},
        namesakes=by in {"name", "number"},
        strangers=not hall.listed or (error is not None and error.code in {"unknown_attendee", "rate_limited"}),
        switch={"claim": hall.claim, "listed": "1"},
    )
    return _waits(response, error) if error else response


def _guest(visit: Visit, hall: api.DoorOpened, typed: dict[str, str], problem: str = "") -> web.Response:
    """The form for whoever is on no list."""
    return visit.answer(
        hall,
        "guest",
        400 if problem else 200,
        problem=problem,
        typed={"name": "", "unit": "", "stands_for": "", **typed},
        switch={"claim": hall.claim, "guest": "1", "who": typed.get("name", "")},
    )


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
    if error.code == "ambiguous_name":
        return visit.text(f"door.ambiguous_{error.params['by']}"), ""
    return describe(error, visit.language).title, _advice(visit, error)


def _advice(visit: Visit, error: DiemcauError) -> str:
    if isinstance(error, RateLimitedError):
        return visit.text("door.right_ones_pass")
    if isinstance(error, OverloadedError):
        return visit.text("door.nothing_lost")
    if error.code != "not_open":
        return ""
    opens_ms = error.params.get("opens_ms")
    return visit.text("door.opens_at", time=visit.time(float(opens_ms))) if opens_ms else visit.text("door.opens_later")


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
    Route("POST", "/c/check-in", for_people(submitted), "Say who, and tap; or name and unit of who is on no list"),
    Route("GET", "/c/r/{receipt}", for_people(receipt), "The receipt", answer=api.CheckedIn),
)
