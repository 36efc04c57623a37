"""Whoever records check-ins in tests: an operator's device or an account, with nonces of its own and a clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from support import Client, Running

from diemcau.domain.authority import System
from diemcau.domain.models import DeviceKind
from diemcau.services import badges, devices, nonces
from diemcau.wire import api

NUMBERS = count(1)
CHECK_INS = "/api/v1/sessions/S1/check-ins"


def nonce(at_ms: int) -> str:
    """A nonce that no test has used."""
    return nonces.write(nonces.make(at_ms, next(NUMBERS).to_bytes(10, "big")))


def by_code(code: str) -> dict[str, str]:
    """Somebody on the list."""
    return {"type": "attendee", "code": code}


def by_badge(token: str) -> dict[str, str]:
    """Whoever's badge was scanned."""
    return {"type": "badge", "token": token}


def by_name(name: str, unit: str = "", stands_for: str = "") -> dict[str, str]:
    """Somebody typed in."""
    return {"type": "unlisted", "name": name, "unit": unit, "stands_for": stands_for}


@dataclass(slots=True)
class Desk:
    """Sends check-ins of one hall. behind_ms: how far its clock is behind the server's."""

    running: Running
    client: Client
    point: str = "HN-0002"
    behind_ms: int = 0
    defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def now_ms(self) -> int:
        """What its clock shows."""
        return self.running.clock.now_ms() - self.behind_ms

    def item(self, who: dict[str, str], **more: Any) -> dict[str, Any]:
        """A check-in that happens now, by this desk's clock."""
        plain = {"nonce": nonce(self.running.clock.now_ms()), "point": self.point, "who": who, "at_ms": self.now_ms}
        return plain | self.defaults | more

    async def send(self, *items: Any, session: str = "S1") -> Any:
        """The whole answer."""
        return await self.client.ok(
            "POST", f"/api/v1/sessions/{session}/check-ins", {"device_ms": self.now_ms, "items": list(items)}
        )

    async def results(self, *items: Any) -> list[dict[str, Any]]:
        """A result per item, with what is left out filled in."""
        absent = {"reason": "", "field": "", "flags": [], "counted": False, "held": False, "replayed": False}
        return [absent | result for result in (await self.send(*items))["items"]]

    async def record(self, who: dict[str, str], **more: Any) -> dict[str, Any]:
        """The result of one check-in."""
        (result,) = await self.results(self.item(who, **more))
        return result


async def paired(running: Running, point: str = "HN-0002", kind: DeviceKind = DeviceKind.OPERATOR) -> Client:
    """A new device of a hall."""
    made = await devices.make_pairing(System(), running.context, point, api.PairingNew(kind))
    pairing = await devices.pair(System(), running.context, api.PairRequest(made.code, "máy"))
    return running.admin.signed_in(pairing.token)


async def desk(running: Running, point: str = "HN-0002") -> Desk:
    """An operator's desk."""
    return Desk(running, await paired(running, point), point)


def staff(running: Running, client: Client, point: str = "HN-0002") -> Desk:
    """Somebody who signed in and enters by hand."""
    return Desk(running, client, point, defaults={"reason": "danh sách giấy"})


async def badge_of(running: Running, attendee: str) -> str:
    """The 26 characters of a person's badge, made where they have none."""
    return (await badges.issue_one(System(), running.context, attendee)).url.rpartition("/")[2]
