"""Badges: what an attendee's own QR says (DESIGN.md §6).

A token is the first 16 bytes of HMAC-SHA256 of the attendee's id (8 bytes, big-endian) and the badge's issue (4 bytes)
under the badge key. So it can be printed again at any time, while the database holds nothing but its SHA-256. It is
written as 26 base32 characters; their 130 bits hold 128, the 2 spare ones are zero.
`tests/contract/bundle.json` holds examples that Python and TypeScript must both read alike.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

CHARS = 26
TOKEN_BYTES = 16
LINK = re.compile(r"(?:https?://[^/\s]{1,253})?/b/(?P<badge>[^/?#]*)/?(?:[?#].*)?", re.IGNORECASE)
"""A whole link, of whichever host: a server may have been known by another name when the badge was printed."""

TYPED_CHARS_MAX = 400
"""A link with the longest host and a mark that some messenger hung on its end."""

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
LETTERS = frozenset(BASE32)
DIGITS = str.maketrans(BASE32, "0123456789abcdefghijklmnopqrstuv")
"""To the digits of Python's own numbers to the base 32: ten times as fast as `base64`, for whole queues of scans."""

SEPARATORS = str.maketrans("018", "OIB", " -\t")
"""Spaces and dashes mean nothing. Base32 has no 0, 1 and 8: whoever types one read an O, an I or a B."""


def token(key: bytes, attendee_id: int, issue: int) -> bytes:
    """The 16 bytes of the badge of this attendee. `issue` counts from 1 and rises when a badge is made anew."""
    message = attendee_id.to_bytes(8, "big") + issue.to_bytes(4, "big")
    return hmac.digest(key, message, "sha256")[:TOKEN_BYTES]


def token_hash(token: bytes) -> bytes:
    """What the database and bundles know of a token: SHA-256, 32 bytes. It is 128 random bits, so no salt is needed."""
    return hashlib.sha256(token).digest()


def encode(token: bytes) -> str:
    """A token as its 26 characters, in capitals: a QR code then needs fewer dots."""
    return base64.b32encode(token).decode().rstrip("=")


def decode(text: str) -> bytes | None:
    """The token of exactly 26 characters, in whichever case; None for what can never have been one."""
    if len(text) != CHARS or not text.isascii():
        return None
    upper = text.upper()
    if not LETTERS.issuperset(upper):
        return None
    number = int(upper.translate(DIGITS), 32)
    return None if number & 0b11 else (number >> 2).to_bytes(TOKEN_BYTES, "big")  # spare bits that are not zero


def parse(text: str) -> bytes | None:
    """The token in what was scanned or typed: a link, or the characters with or without spaces and dashes.

    A long name typed without diacritics can read as a token too. Whoever allows both looks the token up first
    and takes a token that nobody ever had for a name.
    """
    scanned = decode(text)
    if scanned is not None or len(text) > TYPED_CHARS_MAX:
        return scanned
    typed = text.strip()
    link = LINK.fullmatch(typed)
    return decode((link["badge"] if link else typed).upper().translate(SEPARATORS))


def link(origin: str, token: bytes) -> str:
    """What the QR says: in capitals, as the door's, so that it stays coarse and can be read from afar."""
    return f"{origin.upper()}/B/{encode(token)}"
