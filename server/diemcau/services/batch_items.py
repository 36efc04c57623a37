"""The items of a batch of check-ins, read one by one: what cannot be read answers for itself and stalls nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from diemcau import limits
from diemcau.domain import badge, names
from diemcau.services import nonces
from diemcau.wire.check_ins import BadgeHolder, CheckInItem, CheckInResult, Listed, Unlisted

if TYPE_CHECKING:
    from diemcau.services.nonces import Part

ITEM = msgspec.json.Decoder(CheckInItem)
NUL = b"\\u0000"
NAMED_FIELD = re.compile(r"field `(\w+)`")
"""Where msgspec names the field in its sentence, because there is no value to point at."""


class _Labelled(msgspec.Struct):
    """The nonce of an item of which nothing else may be readable."""

    nonce: str = ""


LABEL = msgspec.json.Decoder(_Labelled)


class Asked(NamedTuple):
    """An item that could be read.

    nonce: 16 bytes; point, code, stands_for: codes in capitals; badge: the token's hash; name, unit: as typed, tidied.
    identity: who, as they were given; what the fingerprint covers.
    """

    item: CheckInItem
    nonce: bytes
    point: str
    identity: tuple[Part, ...]
    code: str | None = None
    badge: bytes | None = None
    name: str = ""
    unit: str = ""
    stands_for: str | None = None


class UnreadableError(Exception):
    """An item whose field `field` cannot be taken; it never leaves this module."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(field)


def read(raw: msgspec.Raw) -> Asked | CheckInResult:
    """The item, or its refusal as `malformed`, under its own nonce where that can be read."""
    try:
        return _asked(ITEM.decode(raw), raw)
    except msgspec.ValidationError as error:
        return _malformed(raw, field_of(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _malformed(raw, "")
    except UnreadableError as error:
        return _malformed(raw, error.field)


def refused(nonce: str, reason: str, field: str = "") -> CheckInResult:
    """The answer for an item of which nothing is stored."""
    return CheckInResult(nonce, "refused", reason, field)


def field_of(error: msgspec.ValidationError) -> str:
    """Where in its object a value is missing or wrong: `who.name`; empty for the object itself."""
    sentence, _, path = str(error).partition(" - at ")
    named = NAMED_FIELD.search(sentence)
    parts = [path.strip("`$."), named[1] if named else ""]
    return ".".join(part for part in parts if part)


def _malformed(raw: msgspec.Raw, field: str) -> CheckInResult:
    try:
        nonce = LABEL.decode(raw).nonce
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        nonce = ""
    return refused(nonce if len(nonce) <= limits.NONCE_CHARS else "", "malformed", field)


def _asked(item: CheckInItem, raw: msgspec.Raw) -> Asked:
    if NUL in bytes(raw):
        _refuse_nul(item)
    who = item.who
    stands_for = item.stands_for.upper() if item.stands_for else None
    nonce, point = nonces.read(item.nonce), item.point.upper()
    if isinstance(who, BadgeHolder):
        token = badge.parse(who.token)
        if token is None:
            raise UnreadableError("who.token")
        key = badge.token_hash(token)
        return Asked(item, nonce, point, ("badge", key, stands_for), badge=key, stands_for=stands_for)
    if isinstance(who, Listed):
        code = who.code.upper()
        return Asked(item, nonce, point, ("attendee", code, stands_for), code=code, stands_for=stands_for)
    return _typed(who, Asked(item, nonce, point, (), stands_for=stands_for))


def _typed(who: Unlisted, asked: Asked) -> Asked:
    name, unit = names.tidy(who.name), names.tidy(who.unit)
    if not name:
        raise UnreadableError("who.name")
    folded = (names.fold(name) or name, names.fold(unit), names.fold(who.stands_for))
    return asked._replace(identity=("unlisted", *folded, asked.stands_for), name=name, unit=unit)


def _refuse_nul(item: CheckInItem) -> None:
    """The character NUL in any text: PostgreSQL takes none, and nobody types it."""
    if "\0" in item.reason:
        raise UnreadableError("reason")
    for field in item.who.__struct_fields__:
        if "\0" in getattr(item.who, field):
            raise UnreadableError(f"who.{field}")
