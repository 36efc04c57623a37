"""The attendance log as a file that answers for itself, written line by line; `log_verifier` reads it. Pure.

docs/log.md has the format, exactly enough to write another verifier. In short, JSON Lines:

    {"type":"diemcau-log",…}    the heading: which session, whose units, every chain's count and head; signed
    {"type":"entry",…}          an entry with the bytes that were hashed, and what opens its commitments
    {"type":"sealed",…}         an entry outside the reader's units: its place and its hashes
    {"type":"end",…}            the number of lines and the SHA-256 of all bytes before it; signed

Chains stand one after the other, by writer, each from position 1, so that every line has one right place: a missing,
doubled or moved line is named where it is, a changed byte in the line that holds it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from diemcau.domain import log_chain, signed
from diemcau.errors import LogBrokenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diemcau.domain.signed import Sign

SALT_BYTES = 16
LINE_BYTES_MAX = 16 * 1_048_576
"""The longest honest lines are minutes of 30,000 units, 7 MB; a reader takes no more into memory."""


class Chain(msgspec.Struct, frozen=True):
    """How many entries a writer made in the session, and the hash of the last; hex."""

    writer: str
    count: int
    head: str


class Heading(msgspec.Struct, frozen=True, tag="diemcau-log", forbid_unknown_fields=True):
    """The first line. `scope`: codes of the units it was made for, null for everything. `revision` 0: never frozen."""

    version: int
    session: str
    title: str
    made_ms: int
    revision: int
    public_key: str
    scope: list[str] | None
    chains: list[Chain]
    signature: str = ""


class Opening(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What opens a person's commitments: the salt, and those values that still are what was committed to."""

    salt: str
    code: str | None = None
    full_name: str | None = None
    phone: str | None = None


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, tag="entry", forbid_unknown_fields=True):
    """An entry in full. `hash`: of the chain up to it; `body`: the bytes that were hashed, as text."""

    writer: str
    position: int
    hash: str
    body: str
    opening: Opening | None = None
    stands_for: Opening | None = None


class Sealed(msgspec.Struct, frozen=True, tag="sealed", forbid_unknown_fields=True):
    """An entry of other units: enough to follow the chain, nothing of what it says."""

    writer: str
    position: int
    hash: str
    body_sha256: str


class End(msgspec.Struct, frozen=True, tag="end", forbid_unknown_fields=True):
    """The last line. `lines`: those before it; `sha256`: of all their bytes, line ends included."""

    chains: list[Chain]
    lines: int
    sha256: str
    signature: str = ""


class Gist(msgspec.Struct):
    """What a reader must know of a body (`log_chain.Body`); whatever else it says is hashed as it stands."""

    session: str
    writer: str
    position: int
    who: tuple[str, ...] = ()
    stands_for: tuple[str, ...] = ()


_GIST = msgspec.json.Decoder(Gist)


def gist(body: str) -> Gist | None:
    """What a body says; None for what never was one."""
    try:
        return _GIST.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None


class Course:
    """Where one stands among the chains: which entry must come next, and the hash it follows."""

    def __init__(self, chains: Iterable[Chain]) -> None:
        self._left = iter(chains)
        self._begin()

    def _begin(self) -> None:
        self.chain = next(self._left, None)
        self.position = 1
        self._hash = log_chain.START

    def step(self, body_digest: bytes) -> str:
        """The hash of the entry that was expected, now that its body is known."""
        self._hash = log_chain.link(self._hash, body_digest)
        return self._hash.hex()

    def ends_well(self) -> bool:
        """Go on to the next place; False when a chain ends with another head than it should."""
        chain = self.chain
        if chain is None or self.position < chain.count:
            self.position += 1
            return True
        well = self._hash.hex() == chain.head
        self._begin()
        return well


# --- writing -----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Person:
    """What may open a commitment: a person as the lists have them now, and the salt of their commitments."""

    salt: bytes
    code: str
    full_name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as stored. `inside`: the reader's units hold it; person, stands_for: whom they may see in it."""

    writer: bytes
    position: int
    hash: bytes
    body: bytes
    inside: bool
    person: Person | None = None
    stands_for: Person | None = None


class Builder:
    """Makes the lines of one file, and refuses to sign what does not follow from the stored chains."""

    def __init__(self, heading: Heading, sign: Sign) -> None:
        self._heading = heading
        self._sign = sign
        self._course = Course(heading.chains)
        self._digest = hashlib.sha256()
        self._lines = 0

    def first(self) -> bytes:
        """The heading's line."""
        return self._counted(self._signed(self._heading))

    def entry(self, row: Row) -> bytes:
        """The line of the next entry.

        Raises:
            LogBrokenError: the stored entry is not the one that must come here, or its hash does not follow.
        """
        writer, chain = row.writer.hex(), self._course.chain
        if chain is None or (writer, row.position) != (chain.writer, self._course.position):
            raise self._broken(writer, row.position)
        body_digest = log_chain.digest(row.body)
        right = self._course.step(body_digest) == row.hash.hex()
        line = self._full(row) if row.inside else Sealed(writer, row.position, row.hash.hex(), body_digest.hex())
        if not right or not line or not self._course.ends_well():
            raise LogBrokenError(session=self._heading.session, writer=writer, position=row.position)
        return self._counted(msgspec.json.encode(line))

    def last(self) -> bytes:
        """The end's line.

        Raises:
            LogBrokenError: the stored entries end before their chains do.
        """
        if self._course.chain is not None:
            raise self._broken(self._course.chain.writer, self._course.position)
        end = End(self._heading.chains, self._lines, self._digest.hexdigest())
        return self._signed(end) + b"\n"

    def _full(self, row: Row) -> Entry | None:
        try:
            text = row.body.decode()
        except UnicodeDecodeError:
            return None
        body = gist(text)
        if body is None or (body.session, body.writer, body.position) != (
            self._heading.session,
            row.writer.hex(),
            row.position,
        ):
            return None
        opening, stands_for = _opening(row.person, body.who), _opening(row.stands_for, body.stands_for)
        return Entry(body.writer, body.position, row.hash.hex(), text, opening, stands_for)

    def _broken(self, writer: str, position: int) -> LogBrokenError:
        """Name the entry that is missing where another one came instead, else the one that is too many."""
        chain = self._course.chain
        if chain is not None and (chain.writer, self._course.position) < (writer, position):
            writer, position = chain.writer, self._course.position
        return LogBrokenError(session=self._heading.session, writer=writer, position=position)

    def _signed(self, line: Heading | End) -> bytes:
        encoded = msgspec.json.encode(line)
        body = encoded[: -len(b',"signature":""}')] + b"}"
        return signed.seal(body, self._sign(body))

    def _counted(self, line: bytes) -> bytes:
        line += b"\n"
        self._digest.update(line)
        self._lines += 1
        return line


def _opening(person: Person | None, who: Sequence[str]) -> Opening | None:
    """What of a person still opens the commitments; None when nothing does."""
    if person is None or len(who) != len(log_chain.FIELDS):
        return None
    values = (person.code, person.full_name, person.phone)
    now = log_chain.commitments(person.salt, values)
    opened = [value if ours == theirs else None for value, ours, theirs in zip(values, now, who, strict=True)]
    return Opening(person.salt.hex(), *opened) if opened != [None, None, None] else None
