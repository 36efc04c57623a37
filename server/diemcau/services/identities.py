"""Who sent this request: tokens and cookies become actors, remembered for a few seconds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from diemcau.domain.authority import Account, Actor, Anonymous, Device
from diemcau.services.context import token_hash
from diemcau.store import accounts, devices

if TYPE_CHECKING:
    from diemcau.services.context import Context

REMEMBERED_S = 10.0
"""A role, unit or token that changes is felt everywhere within this time (DESIGN.md §6)."""

REMEMBERED_MAX = 100_000
DEVICE_PREFIX = "dcd_"
ACCOUNT_PREFIX = "dca_"


NOBODY = (0.0, None)


@dataclass(slots=True)
class Identities:
    """Actors by token hash, each with the moment it must be looked up again."""

    _known: OrderedDict[bytes, tuple[float, Actor]] = field(default_factory=OrderedDict)

    def forget(self) -> None:
        """Look everybody up anew: roles, units or tokens changed."""
        self._known.clear()

    def recall(self, key: bytes, now_s: float) -> Actor | None:
        """The actor remembered for `key`, if still fresh."""
        until_s, actor = self._known.get(key, NOBODY)
        return actor if until_s > now_s else None

    def remember(self, key: bytes, actor: Actor, now_s: float) -> None:
        """Remember `actor` for a few seconds."""
        self._known[key] = (now_s + REMEMBERED_S, actor)
        self._known.move_to_end(key)
        while len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)


def recalled(context: Context, token: str) -> Actor | None:
    """Whom `token` belongs to, if that was looked up within the last seconds."""
    return context.identities.recall(token_hash(token), context.clock.monotonic_s())


async def identify(actor: Anonymous, context: Context, token: str | None) -> Actor:
    """The account or device that `token` belongs to; `actor` itself when it is unknown, expired or revoked."""
    if not token or len(token) > 200:
        return actor
    key = token_hash(token)
    now_s = context.clock.monotonic_s()
    remembered = context.identities.recall(key, now_s)
    if remembered is not None:
        return remembered
    found: Account | Device | None = None
    if token.startswith(DEVICE_PREFIX):
        found = await devices.by_token(context.engines, key)
    elif token.startswith(ACCOUNT_PREFIX):
        async with context.read() as connection:
            found = await accounts.by_credential(connection, key, context.clock.now_ms())
    if found is not None:
        context.identities.remember(key, found, now_s)
    return found or actor
