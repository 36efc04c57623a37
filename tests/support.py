"""What tests share: clients that speak to a server, and how accounts come to be."""

from __future__ import annotations

import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

import diemcau
from diemcau import errors
from diemcau.app import Server
from diemcau.clock import ManualClock
from diemcau.domain.authority import System
from diemcau.services.accounts import add, issue_token
from diemcau.services.context import Context
from diemcau.wire import api

PASSWORD = "correct horse battery"
NOW_MS = 1_770_000_000_000


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Client:
    """Speaks to the server under test as one person or device would."""

    http: aiohttp.ClientSession
    origin: str
    token: str | None = None

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Status and decoded answer (text where it is not JSON)."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers.update(options.pop("headers", {}))
        async with self.http.request(
            method, self.origin + path, json=body, headers=headers, allow_redirects=False, **options
        ) as response:
            text = await response.text(errors="replace")  # photographs are none
            is_json = response.content_type.endswith("json") and text
            return response.status, (await response.json(content_type=None)) if is_json else text

    async def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The answer of a call that must succeed."""
        status, answer = await self.call(method, path, body, **options)
        assert status < 400, (method, path, status, answer)
        return answer

    def signed_in(self, token: str | None) -> Client:
        """The same server, someone else."""
        return Client(self.http, self.origin, token)


@dataclass(slots=True)
class Running:
    """A whole server on loopback, with an administrator's client and the door to more accounts."""

    server: Server
    context: Context
    admin: Client
    clock: ManualClock

    async def account(self, name: str, *grants: api.GrantView) -> Client:
        """A new account's client."""
        await add(System(), self.context, api.AccountNew(name, PASSWORD, list(grants)))
        return self.admin.signed_in(await issue_token(System(), self.context, name))

    @property
    def anonymous(self) -> Client:
        """Nobody's client."""
        return self.admin.signed_in(None)


Start = Callable[..., Awaitable[Running]]


SERVER = Path(diemcau.__file__).parent


def error_codes() -> set[str]:
    """Every code an error can carry: class codes and those given where an error is raised."""
    codes = {
        kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DiemcauError)
    }
    raised = re.compile(r"\b(?:PairingError|DoorError|StartError)\(\s*\"([a-z_]+)\"")
    for path in SERVER.rglob("*.py"):
        codes |= set(raised.findall(path.read_text(encoding="utf-8")))
    return codes | set(errors.DoorError.STATUS)
