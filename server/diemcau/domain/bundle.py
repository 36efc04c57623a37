"""What an operator's device holds of its hall's list: each person sealed under their own badge (DESIGN.md §6). Pure.

    entry key   = HKDF-SHA256(token, salt of the bundle, "diemcau bundle 1"), 44 bytes: AES-256 key, 12-byte nonce
    entry       = first 8 bytes of SHA-256(token), AES-256-GCM of the person as JSON, filled up with spaces

So a device names exactly the people whose badge it has before it. Whoever steals the bundle learns how many badges
the hall has, and nothing of anybody: a token is 128 bits that only the server's key leads to, every entry is as long
as every other, and the order is that of the hashes. The nonce is never used twice with one key, because the salt of
every bundle is new. `tests/contract/bundle.json` is one that Python and TypeScript must both open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from diemcau.domain import badge

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

INFO = b"diemcau bundle 1"
SALT_BYTES = 16
PREFIX_BYTES = 8
KEY_BYTES = 32
NONCE_BYTES = 12
STEP_BYTES = 64
"""Entries are as long as the longest of their bundle, and that is rounded up: nobody's name shows in a length."""

PERSON_BYTES_MAX = 1024
"""One title of a whole paragraph would make a hall's bundle megabytes: title and unit are cut to fit into this."""


class Person(msgspec.Struct, frozen=True):
    """What an entry says of its person. `number`: on the hall's printed list."""

    code: str
    full_name: str
    title: str
    unit_name: str
    number: int


def prefix(token: bytes) -> bytes:
    """What an entry is found by: 8 bytes of the token's hash."""
    return badge.token_hash(token)[:PREFIX_BYTES]


def seal(people: Iterable[tuple[bytes, Person]], salt: bytes) -> list[tuple[bytes, bytes]]:
    """Prefix and sealed bytes of each person, given with their token; sorted, and all of one length."""
    plain = [(token, _written(person)) for token, person in people]
    longest = max((len(text) for _, text in plain), default=0)
    size = -(-longest // STEP_BYTES) * STEP_BYTES
    return sorted((prefix(token), _sealed(token, salt, text.ljust(size))) for token, text in plain)


def open_with(token: bytes, entries: Iterable[Sequence[bytes]], salt: bytes) -> Person | None:
    """The person whose badge this is; None when the bundle does not know them."""
    wanted = prefix(token)
    key, nonce = _key(token, salt)
    for found, sealed in entries:
        if found == wanted:
            try:
                return msgspec.json.decode(AESGCM(key).decrypt(nonce, sealed, None), type=Person)
            except InvalidTag:  # another badge whose hash begins alike
                continue
    return None


def _written(person: Person) -> bytes:
    text = msgspec.json.encode(person)
    for field in ("title", "unit_name"):
        value = getattr(person, field)
        while len(text) > PERSON_BYTES_MAX and value:
            value = value[: len(value) // 2]
            person = msgspec.structs.replace(person, **{field: value and f"{value}…"})
            text = msgspec.json.encode(person)
    return text


def _sealed(token: bytes, salt: bytes, text: bytes) -> bytes:
    key, nonce = _key(token, salt)
    return AESGCM(key).encrypt(nonce, text, None)


def _key(token: bytes, salt: bytes) -> tuple[bytes, bytes]:
    derived = HKDF(hashes.SHA256(), KEY_BYTES + NONCE_BYTES, salt, INFO).derive(token)
    return derived[:KEY_BYTES], derived[KEY_BYTES:]
