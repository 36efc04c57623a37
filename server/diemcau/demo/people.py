"""Plays the phones: each person's whole way from the scan to the receipt, over real HTTP and one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from diemcau.demo.arrivals import Mishap, Visit, mistyped
from diemcau.demo.browser import Form, Page, Phone
from diemcau.demo.errors import DemoError
from diemcau.domain.names import mask

if TYPE_CHECKING:
    from collections.abc import Callable

    from diemcau.clock import Clock
    from diemcau.demo.doors import Doors
    from diemcau.demo.ledger import Ledger

ATTEMPTS = 4
"""A person whose page does not come scans again, three times at most."""

BUSY = frozenset({429, 503})
BUSY_WAIT_S_MAX = 10.0


class StrandedError(Exception):
    """A person did not get to a receipt; says on which page they stand."""


@dataclass(slots=True)
class People:
    """Plays visits. `at_once` phones at most have a page open; others wait at the door."""

    connect: str
    public: str
    doors: Doors
    ledger: Ledger
    clock: Clock
    at_once: int = 128
    page_bytes: int = 0
    _awaited: int = 0
    _enough: asyncio.Event = field(default_factory=asyncio.Event)
    _gate: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._gate = asyncio.Semaphore(self.at_once)

    async def play(self, visits: Iterable[Visit], due_s: Callable[[Visit], float]) -> None:
        """Let everybody come when `due_s` says (seconds from now; the past means at once); returns when all are in."""
        began_s = self.clock.monotonic_s()
        async with asyncio.TaskGroup() as group:
            for visit in visits:
                wait_s = due_s(visit) - (self.clock.monotonic_s() - began_s)
                if wait_s > 0:
                    await asyncio.sleep(wait_s)
                await self._gate.acquire()
                group.create_task(self._come(visit))

    async def arrived(self, count: int) -> None:
        """Wait until so many people have begun to check in."""
        self._awaited = count
        if self.ledger.begun < count:
            await self._enough.wait()

    async def _come(self, visit: Visit) -> None:
        """One visit with its mishap; never raises: what goes wrong stands in the ledger."""
        self.ledger.begun += 1 if visit.companion is None else 2
        if self._awaited and self.ledger.begun >= self._awaited:
            self._enough.set()
        began_s = self.clock.monotonic_s()
        try:
            await self._visit(visit)
            self.ledger.journey_ms.append((self.clock.monotonic_s() - began_s) * 1000)
            if visit.mishap is Mishap.TWICE:
                await self._again(visit, visit.hall, visit.typed)
            elif visit.mishap is Mishap.TWO_HALLS:
                await self._again(visit, visit.other_hall, visit.person.code)
        except StrandedError as error:
            self.ledger.failure(f"{visit.person.code} ({visit.mishap}, {visit.hall}): {error}")
        finally:
            self.ledger.done += 1 if visit.companion is None else 2
            self._gate.release()

    async def _again(self, visit: Visit, hall: str, typed: str) -> None:
        """The same person scans once more: a receipt again, and still one person."""
        await self._visit(Visit(visit.person, hall, visit.at_s, typed))
        self.ledger.repeats[visit.mishap] += 1

    async def _visit(self, visit: Visit) -> None:
        trouble = ""
        for _attempt in range(ATTEMPTS):
            self.ledger.visits += 1
            try:
                async with Phone(self.connect, self.public) as phone:
                    try:
                        await self._walk(phone, visit)
                    finally:
                        self.ledger.requests += phone.requests
            except (aiohttp.ClientError, TimeoutError, OSError, DemoError) as error:
                trouble = repr(error)
            else:
                return
        raise StrandedError(trouble)

    async def _walk(self, phone: Phone, visit: Visit) -> None:
        """Scan, say who, confirm, receipt; then perhaps the same for a colleague."""
        if visit.mishap is Mishap.OLD_CODE:
            old = await self._patiently(phone, await self.doors.old_code(visit.hall))
            self._refused(visit.mishap, old)
        page = await self._patiently(phone, await self.doors.code(visit.hall))
        self.page_bytes = self.page_bytes or len(page.text.encode())
        receipt = await self._check_in(phone, visit, page)
        if visit.companion:
            page = await phone.submit(_form(receipt, typing=False), {})
            await self._check_in(phone, visit.companion, page)
            self.ledger.repeats[visit.mishap] += 1

    async def _check_in(self, phone: Phone, visit: Visit, page: Page) -> Page:
        """From the page that asks for a name to the receipt."""
        form = _form(page, typing=True)
        if visit.mishap is Mishap.TYPO:
            page = await phone.submit(form, {form.fields[0]: mistyped(visit.person.full_name)})
            self._refused(visit.mishap, page)
            form = _form(page, typing=True)
        page = await phone.submit(form, {form.fields[0]: visit.typed})
        if mask(visit.person.full_name) not in page.words:
            raise StrandedError(f"not asked whether they are {mask(visit.person.full_name)}: {_told(page)}")
        return await self._confirm(phone, visit, _form(page, typing=False))

    async def _confirm(self, phone: Phone, visit: Visit, form: Form) -> Page:
        if visit.mishap is Mishap.LOST_ANSWER:
            await phone.tap_and_lose_line(form)
            self.ledger.repeats[visit.mishap] += 1
        began_s = self.clock.monotonic_s()
        page = await phone.submit(form, form.tap)
        self.ledger.confirm_ms.append((self.clock.monotonic_s() - began_s) * 1000)
        receipt = page.next
        if not receipt:
            raise StrandedError(_told(page))
        self.ledger.acknowledged(visit.person.code, visit.hall, receipt)
        if visit.mishap is Mishap.REPLAY:
            _same(receipt, (await phone.submit(form, form.tap)).next)
            self.ledger.repeats[visit.mishap] += 1
        page = await phone.get(receipt)
        if page.status != 200:
            raise StrandedError(_told(page))
        return page

    async def _patiently(self, phone: Phone, code: str) -> Page:
        """Open the scanned link; wait as told when the server is busy."""
        page = await phone.get(f"/C/{code}")
        for _attempt in range(ATTEMPTS):
            if page.status not in BUSY:
                break
            await asyncio.sleep(min(float(page.headers.get("Retry-After", 1)), BUSY_WAIT_S_MAX))
            page = await phone.get(f"/C/{code}")
        return page

    def _refused(self, what: str, page: Page) -> None:
        """The page must have said no, politely."""
        if not 400 <= page.status < 500:
            raise StrandedError(f"{what} was not refused: {_told(page)}")
        self.ledger.refusals[what] += 1


def _form(page: Page, *, typing: bool) -> Form:
    """The form that asks for a name, or the one that asks for a tap."""
    for form in page.forms:
        if bool(form.fields) is typing:
            return form
    raise StrandedError(_told(page))


def _same(receipt: str, again: str) -> None:
    if again != receipt:
        raise StrandedError(f"a second tap gave another receipt: {receipt} ≠ {again}")


def _told(page: Page) -> str:
    return f"{page.status} {' '.join(page.words.split())[:160]}"
