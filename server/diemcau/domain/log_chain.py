"""The attendance log as chains of hashes, and the commitments that stand for people in it (DESIGN.md §6a). Pure.

Each process that writes has one chain a session. An entry's hash covers the hash before it and its own body:

    hash(0) = 32 zero bytes            hash(n) = SHA-256(hash(n-1) + SHA-256(body(n)))

so that whoever may not see a body can still follow the chain through its SHA-256. Code, name and telephone stand
in a body only as commitments under a salt of the person's own: without the salt nobody can guess them, with it
anybody can check them, and once it is erased the log still verifies and names nobody.
"""

from __future__ import annotations

import hashlib

import msgspec

HASH_BYTES = 32
START = bytes(HASH_BYTES)
"""What stands before the first entry."""

COMMITMENT_BYTES = 24
"""96 bits against two openings of one commitment, which only whoever runs the server could prepare."""

FIELDS = ("code", "full_name", "phone")
"""What of a person is committed to, in this order."""


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is hashed of an event, encoded as JSON in this order of fields.

    writer, nonce, of: hex. who, stands_for: the hex commitments of `FIELDS`; empty: nobody. by: an account's name or
    `device:<id>`; empty: the attendee at the door. Times in ms: server_ms when it came, at_ms as the device said,
    happened_ms as best known; offset_ms server minus device clock. of: the event it corrects or the batch it is in.
    """

    session: str
    writer: str
    position: int
    nonce: str
    kind: str
    source: str
    point: str
    server_ms: int
    at_ms: int
    happened_ms: int
    counted: bool
    by: str = ""
    who: tuple[str, ...] = ()
    stands_for: tuple[str, ...] = ()
    offset_ms: int | None = None
    offline: bool = False
    held: bool = False
    number: int | None = None
    flags: str = ""
    of: str = ""
    reason: str = ""
    detail: str = ""


def commit(salt: bytes, field: str, value: str) -> bytes:
    """The commitment to one field of a person. `salt` 16 bytes; the lengths of field and value are unambiguous."""
    return hashlib.sha256(salt + field.encode() + b"\0" + value.encode()).digest()[:COMMITMENT_BYTES]


def commitments(salt: bytes, values: tuple[str, str, str]) -> tuple[str, ...]:
    """The hex commitments to a person's `FIELDS`; as `commit` of each, in one go: every check-in pays for it."""
    code, full_name, phone = values
    sha256, size = hashlib.sha256, 2 * COMMITMENT_BYTES
    return (
        sha256(salt + b"code\0" + code.encode()).hexdigest()[:size],
        sha256(salt + b"full_name\0" + full_name.encode()).hexdigest()[:size],
        sha256(salt + b"phone\0" + phone.encode()).hexdigest()[:size],
    )


def encode(body: Body) -> bytes:
    """The bytes that are hashed and stored."""
    return msgspec.json.encode(body)


def grown(before: bytes, body: Body) -> tuple[bytes, bytes]:
    """The bytes of a body and the hash of its entry, which follows `before`; what every event pays for, in one go."""
    encoded = msgspec.json.encode(body)
    return encoded, hashlib.sha256(before + hashlib.sha256(encoded).digest()).digest()


def digest(body: bytes) -> bytes:
    """What stands for a body in the chain: SHA-256, 32 bytes."""
    return hashlib.sha256(body).digest()


def link(before: bytes, body_digest: bytes) -> bytes:
    """The hash of the entry that follows `before`."""
    return hashlib.sha256(before + body_digest).digest()
