"""One line of JSON that carries its own Ed25519 signature, written in exactly one way. Pure.

What is signed is the line without its last member:

    {"type":"…",…,"signature":"<128 hex digits>"}       the line
    {"type":"…",…}                                      the bytes that were signed

Since every line is compared with how we would write it, a changed space is as visible as a changed figure.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from diemcau.errors import FileFlawError

if TYPE_CHECKING:
    from collections.abc import Callable

    Sign = Callable[[bytes], bytes]

S = TypeVar("S", bound=msgspec.Struct)
FINGERPRINT_BYTES = 32
GROUP_CHARS = 8
VERSION = 1
"""Of both formats."""

MARK = b',"signature":"'
PRIME = 2**255 - 19
SMALL_ORDER = 55188659117513257062467267217118295137698188065244968500265048394206261417927
"""The y of a point of order 8; the others of small order have -y, 0, 1 and -1 (RFC 8032, section 5.1)."""

SIGNATURE = re.compile(rb'[0-9a-f]{128}"\}')


def fingerprint(public_key: bytes) -> bytes:
    """What stands for a key where people compare it: SHA-256 of its 32 raw bytes."""
    return hashlib.sha256(public_key).digest()


def shown(fingerprint: bytes) -> str:
    """A fingerprint for people: 64 hex digits in eight groups, which a shell takes as one word."""
    digits = fingerprint.hex()
    return "-".join(digits[at : at + GROUP_CHARS] for at in range(0, len(digits), GROUP_CHARS))


def read_fingerprint(text: str) -> bytes | None:
    """The fingerprint that someone typed, in any case, with any spaces, colons or hyphens; None for anything else."""
    digits = re.sub(r"[\s:.-]", "", text)
    return bytes.fromhex(digits) if re.fullmatch(r"[0-9a-fA-F]{64}", digits) else None


def seal(body: bytes, signature: bytes) -> bytes:
    """The line, without its line end, of a signed JSON object."""
    return body[:-1] + MARK + signature.hex().encode() + b'"}'


def unseal(line: bytes) -> tuple[bytes, bytes] | None:
    """The signed bytes and the signature of a line; None when it does not end with a signature."""
    body, mark, rest = line.rpartition(MARK)
    if not mark or not SIGNATURE.fullmatch(rest):
        return None
    return body + b"}", bytes.fromhex(rest[:128].decode())


def weak(public_key: bytes) -> bool:
    """Whether anybody can sign in the name of this key: it is a point of small order, which nobody gets by chance."""
    y = (int.from_bytes(public_key, "little") & ~(1 << 255)) % PRIME
    return y in {0, 1, PRIME - 1, SMALL_ORDER, PRIME - SMALL_ORDER}


def signed_by(public_key: bytes, body: bytes, signature: bytes) -> bool:
    """Whether the holder of `public_key` signed these bytes; never where anybody could have."""
    if weak(public_key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, body)
    except (InvalidSignature, ValueError):
        return False
    return True


def decode(line: bytes, shape: type[S]) -> S | None:
    """The line as `shape`, if that is exactly how we would write it; None for anything else."""
    try:
        read = msgspec.json.decode(line, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return read if msgspec.json.encode(read) == line else None


def unhex(text: str, size: int) -> bytes | None:
    """`size` bytes from lower-case hex digits; None for anything else."""
    return bytes.fromhex(text) if re.fullmatch(r"[0-9a-f]*", text) and len(text) == 2 * size else None


def opened_by_key(line: bytes, shape: type[S], expected: bytes) -> tuple[S, bytes]:
    """A file's first line, signed by the key of the fingerprint `expected`, and that key.

    Raises:
        FileFlawError: not as we write it, signed by another key, or changed since.
    """
    read, unsealed = decode(line, shape), unseal(line)
    if read is None or unsealed is None:
        raise FileFlawError(line=1, what="flaw.unreadable")
    public_key = unhex(getattr(read, "public_key", ""), 32)
    if public_key is None or fingerprint(public_key) != expected:
        raise FileFlawError(line=1, what="flaw.other_key")
    if not signed_by(public_key, *unsealed):
        raise FileFlawError(line=1, what="flaw.signature")
    if getattr(read, "version", None) != VERSION:
        raise FileFlawError(line=1, what="flaw.version")
    return read, public_key
