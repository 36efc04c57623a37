"""Nonces: the names that devices give to what they record, and what each vouches for (DESIGN.md §6a).

A nonce is a UUIDv7, 16 bytes, made before the first send and permanently unique. Its fingerprint tells a retry, which
is answered as the first time, from another content under the same nonce, which is refused.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from diemcau.services.context import Keys

Part = str | int | bytes | None


def read(text: str) -> bytes:
    """The 16 bytes of a nonce as the wire has it (`wire.check_ins.Nonce`)."""
    return bytes.fromhex(text.replace("-", ""))


def write(nonce: bytes) -> str:
    """A nonce as the wire has it: a UUID in lower case."""
    digits = nonce.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def make(now_ms: int, random: bytes | None = None) -> bytes:
    """A UUIDv7 of this moment. `random`: 10 bytes that make it; drawn where none are given."""
    drawn = random or secrets.token_bytes(10)
    version = bytes([0x70 | drawn[0] & 0x0F, drawn[1], 0x80 | drawn[2] & 0x3F])
    return (now_ms & 0xFFFF_FFFF_FFFF).to_bytes(6, "big") + version + drawn[3:]


def fingerprint(keys: Keys, *content: Part) -> bytes:
    """16 bytes over what a nonce vouches for: session, point, kind, who as they were given, when.

    Never `offline` nor the device's clock: a live check-in that is sent again from the queue is the same one.
    """
    return keys.sign("fingerprint", msgspec.msgpack.encode(content))
