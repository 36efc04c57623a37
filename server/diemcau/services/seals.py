"""Sealed letters to ourselves: what a form carries between two requests, so that the server remembers nothing.

AES-SIV under a key of its own per purpose: nobody can read a letter (it holds names), change it, or pass one purpose
off as another; equal contents make equal letters, so a check-in that is sent twice leads to one receipt.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

if TYPE_CHECKING:
    from diemcau.services.context import Keys

S = TypeVar("S", bound=msgspec.Struct)
LETTER_CHARS_MAX = 2000
"""The longest holds a name of 200 letters, up to 800 bytes."""


def seal(keys: Keys, content: msgspec.Struct) -> str:
    """`content` as text that only `open_sealed` with the same keys and type can read."""
    purpose = type(content).__name__
    sealed = _cipher(keys.derive(purpose)).encrypt(msgspec.msgpack.encode(content), [purpose.encode()])
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def open_sealed(keys: Keys, text: str, shape: type[S]) -> S | None:
    """What was sealed as `shape`; None for anything else."""
    if len(text) > LETTER_CHARS_MAX or not text.isascii():
        return None
    purpose = shape.__name__
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        content = _cipher(keys.derive(purpose)).decrypt(sealed, [purpose.encode()])
    except (binascii.Error, InvalidTag, ValueError):
        return None
    return msgspec.msgpack.decode(content, type=shape)


@lru_cache(64)
def _cipher(key: bytes) -> AESSIV:
    """A phone's journey opens and seals ten letters, and making the cipher takes twice as long as using it."""
    return AESSIV(key)
