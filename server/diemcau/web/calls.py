"""One request, read and answered: the bridge between aiohttp and the services."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from aiohttp import web

from diemcau import i18n, limits
from diemcau.errors import MalformedError

if TYPE_CHECKING:
    from diemcau.domain.authority import Actor
    from diemcau.i18n import Language
    from diemcau.services.context import Context

JSON = "application/json"
CONTEXT: web.AppKey[Context] = web.AppKey("context")
B = TypeVar("B")


@dataclass(slots=True)
class Call(Generic[B]):
    """A request with everything a handler needs. `body` is decoded and validated, None where none is declared."""

    request: web.Request
    context: Context
    actor: Actor
    body: B

    @property
    def language(self) -> Language:
        """The reader's; found out only where something is told in words."""
        return language_of(self.request)

    def key(self, name: str) -> str:
        """A natural key from the path, in its stored (upper) case."""
        return self.request.match_info[name].upper()

    def text(self, name: str, default: str = "") -> str:
        """A query parameter."""
        return self.request.query.get(name, default)

    def code(self, name: str) -> str | None:
        """A natural key among the query parameters, in its stored (upper) case; None when absent or empty."""
        return self.request.query.get(name, "").strip().upper() or None

    def flag(self, name: str) -> bool:
        """A query parameter that is 1 or true."""
        return self.request.query.get(name, "").lower() in {"1", "true", "yes"}

    def page_rows(self) -> int:
        """How many rows a list answers (`limit`).

        Raises:
            MalformedError: not a whole number within bounds.
        """
        value = self.request.query.get("limit", str(limits.PAGE_ROWS_DEFAULT))
        digits = value.isascii() and value.isdigit() and len(value) <= len(str(limits.PAGE_ROWS_MAX))
        if not digits or not 1 <= int(value) <= limits.PAGE_ROWS_MAX:
            raise MalformedError(field="limit", reason=f"1 … {limits.PAGE_ROWS_MAX}")
        return int(value)


LISTED = ("unit", "q", "after", "limit")
"""What every list takes: rows of a unit and all below it, found by `q`, a page at a time."""

Answer = msgspec.Struct | web.StreamResponse | None
Handler = Callable[[Call[Any]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table: OpenAPI, the access test and the dispatcher all read it.

    body, answer: wire structs, None where there is none (or where the handler streams).
    status: of the ordinary answer; 204 is sent when the handler returns None.
    query: the parameters behind the question mark that the handler reads.
    mend: makes a body readable that otherwise is not JSON; tried once.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    body: type[msgspec.Struct] | None = None
    answer: type[msgspec.Struct] | None = None
    status: int = 200
    query: tuple[str, ...] = ()
    mend: Callable[[bytes], bytes] | None = None


async def read_body(request: web.Request, shape: type[B], mend: Callable[[bytes], bytes] | None = None) -> B:
    """The JSON body as `shape`; one that is not JSON gets a second chance after `mend`.

    Raises:
        MalformedError: not JSON, not this shape, or sent as something else; names the field.
    """
    if request.headers.get("Content-Type") != JSON and request.content_type != JSON:
        raise MalformedError(field="Content-Type", reason="application/json")
    try:
        return _decoded(await request.read(), shape, mend)
    except msgspec.ValidationError as error:
        reason, _, field = str(error).partition(" - at ")
        if "matching regex" in reason:  # codes are the only texts that must match one
            reason = "reason.bad_code"
        raise MalformedError(field=field.strip("`$.") or "body", reason=reason) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(field="body", reason=str(error)) from None


def _decoded(body: bytes, shape: type[B], mend: Callable[[bytes], bytes] | None) -> B:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if mend is None:
            raise
        return msgspec.json.decode(mend(body), type=shape)


def language_of(request: web.Request) -> Language:
    """The reader's language: their choice (cookie), else their browser's, else Vietnamese."""
    return i18n.choose(request.headers.get("Accept-Language"), request.cookies.get("diemcau_language"))


def json_answer(answer: msgspec.Struct, status: int = 200, content_type: str = JSON) -> web.Response:
    """A struct as JSON."""
    return web.Response(body=msgspec.json.encode(answer), status=status, content_type=content_type)
