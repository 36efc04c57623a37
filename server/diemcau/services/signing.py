"""The server's signing key (Ed25519), derived from its one secret: logs and minutes carry its signature."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from diemcau.domain import signed
from diemcau.wire.minutes import SigningKey

if TYPE_CHECKING:
    from diemcau.domain.authority import Actor
    from diemcau.services.context import Context, Keys

PURPOSE = "log-signing"


@dataclass(frozen=True, slots=True)
class Signer:
    """The key as it is used. public_key: 32 raw bytes."""

    _key: Ed25519PrivateKey
    public_key: bytes

    @classmethod
    def of(cls, keys: Keys) -> Signer:
        """The signing key of this server's secret; the same secret always gives the same key."""
        key = Ed25519PrivateKey.from_private_bytes(keys.derive(PURPOSE))
        return cls(key, key.public_key().public_bytes_raw())

    def sign(self, body: bytes) -> bytes:
        """The signature, 64 bytes; the same for the same bytes."""
        return self._key.sign(body)

    @property
    def fingerprint(self) -> str:
        """What people compare and `diemcau verify --key` takes."""
        return signed.shown(signed.fingerprint(self.public_key))


async def public_key(actor: Actor, context: Context) -> SigningKey:
    """The public key, for everybody: a reader of a log must get it from the server, not from the file."""
    del actor
    signer = Signer.of(context.keys)
    return SigningKey(base64.b64encode(signer.public_key).decode(), signer.fingerprint)
