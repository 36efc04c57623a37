"""A phone's browser without JavaScript: one connection, forms as the page has them, nothing more."""

from __future__ import annotations

import asyncio
import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from multidict import CIMultiDictProxy

PATIENCE_S = 30.0
"""A person scans again when a page has not come by then."""

AGENT = "Mozilla/5.0 (Linux; Android 9; SM-A105G) AppleWebKit/537.36 Chrome/96.0 Mobile Safari/537.36 Zalo android"
FORMS = re.compile(r"<form\b.*?</form>", re.DOTALL | re.IGNORECASE)
TAGS = re.compile(r"<style\b.*?</style>|<[^>]+>", re.DOTALL | re.IGNORECASE)
FORM_TAGS = re.compile(r"<(form|input|button)\b([^>]*)>")
ATTRIBUTES = re.compile(r"""([\w-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
TYPED = frozenset({"text", "search", "tel", ""})


@dataclass(slots=True)
class Form:
    """A form: `values` are what it sends as it stands, `fields` what a person may type into, `buttons` its taps."""

    action: str = ""
    method: str = "get"
    values: dict[str, str] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def tap(self) -> dict[str, str]:
        """What the first button adds when it is tapped."""
        return dict([button for button in self.buttons if button[0]][:1])


@dataclass(frozen=True, slots=True)
class Page:
    """What came back."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def forms(self) -> Iterator[Form]:
        """The forms, in the order of the page."""
        return map(parse_form, FORMS.findall(self.text))

    @property
    def words(self) -> str:
        """What a person reads."""
        return html.unescape(TAGS.sub(" ", self.text))

    @property
    def next(self) -> str:
        """Where a redirect leads; empty when this is none."""
        return self.headers.get("Location", "") if self.status in {302, 303} else ""


def parse_form(text: str) -> Form:
    """The form in `text`, which begins with its `<form` tag.

    Two expressions instead of a parser: a whole conference opens 150,000 pages on the cores of its server, and the
    pages are our own, with every `<` and `>` in a value escaped.
    """
    form = Form()
    for tag, inside in FORM_TAGS.findall(text):
        values = {name.lower(): html.unescape(a or b or c) for name, a, b, c in ATTRIBUTES.findall(inside)}
        name, value, kind = values.get("name", ""), values.get("value", ""), values.get("type", "").lower()
        if tag == "form":
            form.action, form.method = values.get("action", ""), values.get("method", "get").lower()
        elif tag == "button" or kind == "submit":
            form.buttons.append((name, value))
        elif name:
            if kind in TYPED:
                form.fields.append(name)
            if kind not in {"checkbox", "radio"} or "checked" in values:
                form.values[name] = value
    return form


class Phone:
    """One phone: `async with Phone(connect, host) as phone:`; its connection ends with it.

    connect: the origin it really connects to; public: the origin in the QR, which goes into Host and Origin.
    """

    def __init__(self, connect: str, public: str) -> None:
        self._connect = connect
        self._headers = {
            "Host": public.partition("://")[2],
            "User-Agent": AGENT,
            "Accept": "text/html,application/xhtml+xml",
            "Accept-Language": "vi-VN,vi;q=0.9",
        }
        self._post_headers = {
            **self._headers,
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": public,
        }
        self.requests = 0

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=1),
            cookie_jar=aiohttp.CookieJar(unsafe=True),  # the address of the server has no name
            timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def get(self, path: str) -> Page:
        """Open a link."""
        return await self._request("GET", path, None)

    async def submit(self, form: Form, answers: Mapping[str, str]) -> Page:
        """Send a form with what was typed; a redirect is returned, not followed."""
        return await self._request("POST", form.action, urlencode({**form.values, **answers}).encode())

    async def tap_and_lose_line(self, form: Form) -> None:
        """Send a form on a connection of its own that is gone before the answer comes."""
        address = self._connect.partition("://")[2]
        host, _, port = address.rpartition(":")
        body = urlencode({**form.values, **form.tap}).encode()
        head = [f"POST {form.action} HTTP/1.1", *(f"{name}: {value}" for name, value in self._post_headers.items())]
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write("\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body)
        await writer.drain()
        writer.close()
        self.requests += 1

    async def _request(self, method: str, path: str, body: bytes | None) -> Page:
        self.requests += 1
        headers = self._headers if body is None else self._post_headers
        async with self._http.request(
            method, self._connect + path, data=body, headers=headers, allow_redirects=False
        ) as response:
            return Page(response.status, response.headers, (await response.read()).decode())
