"""The lines of a paper sheet, read one by one, and their answers: a bad line answers for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from diemcau.domain import names
from diemcau.errors import DiemcauError
from diemcau.services import nonces
from diemcau.wire import check_ins as wire
from diemcau.wire.papers import PaperNew, PaperPerson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diemcau.services.context import Keys
    from diemcau.services.nonces import Part
    from diemcau.store.check_ins import Outcome
    from diemcau.store.recording import Hall

PERSON = msgspec.json.Decoder(PaperPerson)
UNLISTED = msgspec.json.Decoder(wire.Unlisted)
NUL = b"\\u0000"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a sheet: somebody by code, or as typed. `identity`: what its fingerprint covers of them.

    refused: why it cannot be stored, if it cannot be read.
    """

    nonce: bytes
    identity: tuple[Part, ...] = ()
    code: str | None = None
    stands_for: str | None = None
    name: str = ""
    unit: str = ""
    stands_for_text: str = ""
    refused: str = ""

    @property
    def codes(self) -> list[str]:
        """The codes it names."""
        return [code for code in (self.code, self.stands_for) if code is not None]


def read(keys: Keys, sheet: bytes, body: PaperNew) -> list[Line]:
    """The lines of a sheet: first the people by code, then those on no list."""
    people = [_person(keys, sheet, raw) for raw in body.people]
    return people + [_unlisted(keys, sheet, raw) for raw in body.unlisted]


def answers(
    lines: Sequence[Line], told: Sequence[Outcome | DiemcauError | str], hall: Hall, halls: Mapping[int, Hall]
) -> list[wire.CheckInResult]:
    """A result a line: what became of it, or why it was refused."""
    return [_answer(line, one, hall, halls) for line, one in zip(lines, told, strict=True)]


def _answer(
    line: Line, told: Outcome | DiemcauError | str, hall: Hall, halls: Mapping[int, Hall]
) -> wire.CheckInResult:
    nonce = nonces.write(line.nonce)
    if isinstance(told, str | DiemcauError):
        return wire.CheckInResult(nonce, "refused", told if isinstance(told, str) else told.code)
    if told.result in {"conflict", "closed"}:
        return wire.CheckInResult(nonce, "refused", "conflict_nonce" if told.result == "conflict" else "closed")
    there = halls[told.point_id]
    reason = ""
    if told.result == "duplicate":
        reason = "already_here" if there.point_id == hall.point_id else "already_elsewhere"
    return wire.CheckInResult(
        nonce,
        "duplicate" if told.result == "duplicate" else "accepted",
        reason,
        flags=[str(flag) for flag in told.flags],
        counted=told.counted,
        held=told.held,
        replayed=told.replayed,
        check_in=wire.CheckInView(there.code, there.name, told.at_ms, number=told.number),
    )


def _person(keys: Keys, sheet: bytes, raw: msgspec.Raw) -> Line:
    try:
        person = PERSON.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _unreadable(keys, sheet, raw)
    code = person.code.upper()
    stands_for = person.stands_for.upper() if person.stands_for else None
    return Line(_nonce(keys, sheet, "attendee", code), ("attendee", code, stands_for), code=code, stands_for=stands_for)


def _unlisted(keys: Keys, sheet: bytes, raw: msgspec.Raw) -> Line:
    try:
        typed = UNLISTED.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _unreadable(keys, sheet, raw)
    name, unit, stands_for = names.tidy(typed.name), names.tidy(typed.unit), names.tidy(typed.stands_for)
    if not name or NUL in bytes(raw):
        return _unreadable(keys, sheet, raw)
    folded = (names.fold(name) or name, names.fold(unit))
    identity = ("unlisted", *folded, names.fold(stands_for))
    return Line(_nonce(keys, sheet, "unlisted", *folded), identity, name=name, unit=unit, stands_for_text=stands_for)


def _unreadable(keys: Keys, sheet: bytes, raw: msgspec.Raw) -> Line:
    return Line(_nonce(keys, sheet, "unreadable", bytes(raw)), refused="malformed")


def _nonce(keys: Keys, sheet: bytes, *who: Part) -> bytes:
    """A UUIDv7 of the sheet's own time that only this sheet and person lead to."""
    drawn = keys.sign("paper-line", msgspec.msgpack.encode((sheet, *who)), 10)
    return nonces.make(int.from_bytes(sheet[:6], "big"), drawn)
