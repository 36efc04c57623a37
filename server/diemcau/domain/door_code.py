"""Door codes: what a hall's QR says, and for how long it is believed (DESIGN.md §6).

A code is 20 base32 characters: the door's id (4 bytes) and the first 8 bytes of HMAC-SHA256 of the step's number
(8 bytes, big-endian) under the door's key. A step lasts 15 seconds. The 100 bits hold 96; the 4 spare ones are zero.
During a spot-check the door shows other codes: the check's id (8 bytes, big-endian) follows the step in the HMAC.
`tests/contract/door_codes.json` holds examples that Python and TypeScript must both produce.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from enum import StrEnum

from diemcau import limits

CHARS = 20
DOOR_ID_BYTES = 4
TAG_BYTES = 8
STEP_MS = limits.DOOR_STEP_S * 1000
REMEMBERED_STEPS = limits.DOOR_EXPIRED_MEMORY_S // limits.DOOR_STEP_S


class Verdict(StrEnum):
    """What a code is worth now."""

    VALID = "valid"
    EXPIRED = "expired"
    INVALID = "invalid"


def step_of(at_ms: int) -> int:
    """The number of the step that `at_ms` lies in."""
    return at_ms // STEP_MS


def encode(door_id: int, key: bytes, step: int, spot_check_id: int | None = None) -> str:
    """The code that the door shows during `step`, or shows for a spot-check then."""
    raw = door_id.to_bytes(DOOR_ID_BYTES, "big") + _tag(key, step, spot_check_id)
    return base64.b32encode(raw).decode().rstrip("=")


def decode(text: str) -> tuple[int, bytes] | None:
    """Door id and tag, in whichever case the code was typed; None for what can never have been a code."""
    if len(text) != CHARS or not text.isascii():
        return None
    upper = text.upper()
    try:
        raw = base64.b32decode(upper + "====")
    except binascii.Error:
        return None
    if base64.b32encode(raw).decode().rstrip("=") != upper:  # spare bits that are not zero
        return None
    return int.from_bytes(raw[:DOOR_ID_BYTES], "big"), raw[DOOR_ID_BYTES:]


def check(key: bytes, tag: bytes, now_ms: int, spot_check_id: int | None = None) -> Verdict:
    """Whether a door with `key` showed `tag` lately, by server time only; see `match`."""
    return match(key, tag, now_ms, spot_check_id)[0]


def match(key: bytes, tag: bytes, now_ms: int, spot_check_id: int | None = None) -> tuple[Verdict, int]:
    """What `tag` is worth at a door with `key`, and the step it was shown in (-1: in none).

    Valid: the step of now, the four before it (whoever scanned in a step's last moment has another 60 s), and the
    next one, in case a display's clock runs a little ahead: nobody can make codes of the future without the key, so
    this costs nothing. Expired: any other step of the last hour.
    """
    now = step_of(now_ms)
    for age in (0, 1, -1, *range(2, REMEMBERED_STEPS + 1)):
        if hmac.compare_digest(_tag(key, now - age, spot_check_id), tag):
            return (Verdict.VALID if age <= limits.DOOR_STEPS_VALID else Verdict.EXPIRED), now - age
    return Verdict.INVALID, -1


def _tag(key: bytes, step: int, spot_check_id: int | None) -> bytes:
    message = max(step, 0).to_bytes(8, "big")
    if spot_check_id is not None:
        message += spot_check_id.to_bytes(8, "big")
    return hmac.digest(key, message, "sha256")[:TAG_BYTES]
