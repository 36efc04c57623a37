"""A phone at the door: a browser without script that walks from the scan to the receipt."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

import sqlalchemy as sa
from sample import Sample
from support import Running

from diemcau.domain import door_code
from diemcau.store.schema import attendance_event

FORMS = re.compile(r"<form.*?</form>", re.DOTALL)
INPUTS = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


@dataclass(slots=True)
class Page:
    """What a phone got."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def words(self) -> str:
        """What a person reads."""
        return " ".join(html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", self.text, flags=re.DOTALL)).split())

    def forms(self) -> list[dict[str, str]]:
        """The hidden fields of each form in turn."""
        return [dict(INPUTS.findall(form)) for form in FORMS.findall(self.text)]

    def form_with(self, name: str) -> dict[str, str]:
        """The first form that carries the field `name`."""
        return next(form for form in self.forms() if name in form)


@dataclass(slots=True)
class Phone:
    """A browser: it keeps cookies, follows nothing by itself, and speaks one language."""

    running: Running
    conference: Sample
    language: str = "vi-VN,vi;q=0.9"
    cookies: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str) -> Page:
        """One request."""
        admin = self.running.admin
        sent = {"Accept": "text/html", "Accept-Language": self.language, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with admin.http.request(
            method, admin.origin + path, data=fields, headers=sent, allow_redirects=False
        ) as answer:
            for line in answer.headers.getall("Set-Cookie", []):
                for name, morsel in SimpleCookie(line).items():
                    self.cookies[name] = morsel.value
            return Page(answer.status, dict(answer.headers), await answer.text())

    def another(self) -> Phone:
        """Somebody else's phone."""
        return Phone(self.running, self.conference, self.language)

    def code(self, hall: str = "HN-0002", age_s: int = 0) -> str:
        """What the hall's display shows, or showed `age_s` ago."""
        step = door_code.step_of(self.running.clock.now_ms() - age_s * 1000)
        return door_code.encode(self.conference.door_ids[hall], self.conference.door_keys[hall], step)

    async def scan(self, hall: str = "HN-0002", age_s: int = 0) -> Page:
        """Point the camera at the hall's screen."""
        return await self.send("GET", f"/C/{self.code(hall, age_s)}")

    async def post(self, **fields: str) -> Page:
        """Send a form."""
        return await self.send("POST", "/c/check-in", fields)

    async def say(self, who: str, hall: str = "HN-0002") -> Page:
        """Scan and type."""
        scanned = await self.scan(hall)
        return await self.post(**scanned.form_with("claim"), who=who)

    async def check_in(self, who: str, hall: str = "HN-0002") -> Page:
        """The whole way to the receipt."""
        return await self.tap(await self.say(who, hall))

    async def tap(self, asked: Page) -> Page:
        """The button "Điểm danh" and the page it leads to."""
        sent = await self.post(**asked.form_with("confirm"))
        assert sent.status == 303, sent.words
        return await self.send("GET", sent.headers["Location"])


async def change(running: Running, statement: sa.Executable) -> None:
    """Change the database behind everybody's back."""
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(statement)


async def events(running: Running) -> list[sa.Row[Any]]:
    """The attendance log, in its order."""
    async with running.context.engines.read() as connection:
        return list(await connection.execute(sa.select(attendance_event).order_by(attendance_event.c.id)))
