"""The attendance log as a file that answers for itself: written and verified line by line. Pure.

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
from diemcau.errors import EntryFlawError, FileFlawError, LogBrokenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diemcau.domain.minutes_file import Minutes
    from diemcau.domain.signed import Sign

VERSION = 1
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


class _Body(msgspec.Struct):
    """What a reader must know of a body (`log_chain.Body`); whatever else it says is hashed as it stands."""

    session: str
    writer: str
    position: int
    who: tuple[str, ...] = ()
    stands_for: tuple[str, ...] = ()


_LINE = msgspec.json.Decoder(Entry | Sealed)
_BODY = msgspec.json.Decoder(_Body)


class _Course:
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
        self._course = _Course(heading.chains)
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
            text, body = row.body.decode(), _BODY.decode(row.body)
        except (UnicodeDecodeError, msgspec.DecodeError):
            return None
        if (body.session, body.writer, body.position) != (self._heading.session, row.writer.hex(), row.position):
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


# --- verifying ---------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Seen:
    """What an intact log holds. `opened`: entries whose person is named."""

    heading: Heading
    entries: int = 0
    sealed: int = 0
    opened: int = 0


class Verifier:
    """Takes the lines of a file one by one, line ends included, and finds the first that is not as it must be.

    fingerprint: of the key that must have signed it. held_against: signed minutes that were verified with the
    same key; each chain that they froze must be the beginning of the log's.
    """

    def __init__(self, fingerprint: bytes, held_against: Iterable[Minutes] = ()) -> None:
        self._fingerprint = fingerprint
        self._minutes = list(held_against)
        self._frozen: dict[tuple[str, int], set[str]] = {}
        for chain in (chain for one in self._minutes for chain in one.chains):
            self._frozen.setdefault((chain.writer, chain.count), set()).add(chain.head)
        self._public_key = b""
        self._course = _Course(())
        self._digest = hashlib.sha256()
        self._lines = 0
        self._seen: Seen | None = None
        self._ended = False

    def line(self, line: bytes) -> None:
        """Verify the next line.

        Raises:
            FileFlawError, EntryFlawError: what is wrong with it, by line, writer and position.
        """
        if self._ended:
            raise self._flaw("flaw.after_end")
        if not line.endswith(b"\n"):
            raise self._flaw("flaw.unended")
        if self._seen is None:
            self._first(line[:-1])
        elif self._course.chain is None:
            self._last(line[:-1])
        else:
            self._one(self._seen, line[:-1])
        self._digest.update(line)
        self._lines += 1

    def finish(self) -> Seen:
        """What the file holds, now that it is over.

        Raises:
            FileFlawError, EntryFlawError: it is empty, or its end is missing.
        """
        if self._seen is None:
            raise self._flaw("flaw.empty")
        if not self._ended:
            raise self._flaw("flaw.end_missing")
        return self._seen

    def _first(self, line: bytes) -> None:
        heading, public_key = opened_by_key(line, Heading, self._fingerprint)
        if any(minutes.session != heading.session for minutes in self._minutes):
            raise self._flaw("flaw.other_session")
        counts = {chain.writer: chain.count for chain in heading.chains}
        if any(count > counts.get(writer, 0) for writer, count in self._frozen):
            raise self._flaw("flaw.less_than_minutes")
        self._public_key = public_key
        self._course = _Course(heading.chains)
        self._seen = Seen(heading)

    def _one(self, seen: Seen, line: bytes) -> None:
        try:
            read = _LINE.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._flaw("flaw.unreadable") from None
        if msgspec.json.encode(read) != line:
            raise self._flaw("flaw.unreadable")
        chain = self._course.chain
        if chain is None or (read.writer, read.position) != (chain.writer, self._course.position):
            raise self._flaw("flaw.out_of_place")
        if isinstance(read, Entry):
            body_digest = self._entry(seen, read)
        else:
            body_digest = signed.unhex(read.body_sha256, log_chain.HASH_BYTES) or b""
            seen.sealed += 1
        if self._course.step(body_digest) != read.hash:
            raise self._flaw("flaw.hash")
        if self._frozen.get((read.writer, read.position), {read.hash}) != {read.hash}:
            raise self._flaw("flaw.not_as_frozen")
        if not self._course.ends_well():
            raise EntryFlawError(line=self._lines + 1, what="flaw.head", writer=read.writer, position=read.position)
        seen.entries += 1

    def _entry(self, seen: Seen, read: Entry) -> bytes:
        """The digest of a body that belongs where it stands and whose openings are true."""
        body_bytes = read.body.encode()
        try:
            body = _BODY.decode(body_bytes)
        except msgspec.DecodeError:
            raise self._flaw("flaw.body") from None
        if (body.session, body.writer, body.position) != (seen.heading.session, read.writer, read.position):
            raise self._flaw("flaw.body")
        if not _opens(read.opening, body.who) or not _opens(read.stands_for, body.stands_for):
            raise self._flaw("flaw.opening")
        seen.opened += read.opening is not None
        return log_chain.digest(body_bytes)

    def _last(self, line: bytes) -> None:
        end, unsealed = signed.decode(line, End), signed.unseal(line)
        if end is None or unsealed is None:
            raise self._flaw("flaw.unreadable")
        if not signed.signed_by(self._public_key, *unsealed):
            raise self._flaw("flaw.signature")
        if self._seen is None or end.chains != self._seen.heading.chains or end.lines != self._lines:
            raise self._flaw("flaw.count")
        if end.sha256 != self._digest.hexdigest():
            raise self._flaw("flaw.digest")
        self._ended = True

    def _flaw(self, what: str) -> FileFlawError:
        """The flaw of the line at hand; with its place in a chain where it should have one."""
        chain, line = self._course.chain, self._lines + 1
        if chain is None:
            return FileFlawError(line=line, what=what)
        return EntryFlawError(line=line, what=what, writer=chain.writer, position=self._course.position)


def opened_by_key(line: bytes, shape: type[signed.S], fingerprint: bytes) -> tuple[signed.S, bytes]:
    """A file's first line, signed by the key of this fingerprint, and that key.

    Raises:
        FileFlawError: not as we write it, signed by another key, or changed since.
    """
    read, unsealed = signed.decode(line, shape), signed.unseal(line)
    if read is None or unsealed is None:
        raise FileFlawError(line=1, what="flaw.unreadable")
    public_key = signed.unhex(getattr(read, "public_key", ""), 32)
    if public_key is None or signed.fingerprint(public_key) != fingerprint:
        raise FileFlawError(line=1, what="flaw.other_key")
    if not signed.signed_by(public_key, *unsealed):
        raise FileFlawError(line=1, what="flaw.signature")
    if getattr(read, "version", None) != VERSION:
        raise FileFlawError(line=1, what="flaw.version")
    return read, public_key


def _opens(opening: Opening | None, who: Sequence[str]) -> bool:
    """Whether what is said of a person is what was committed to."""
    if opening is None:
        return True
    salt = signed.unhex(opening.salt, SALT_BYTES)
    if salt is None or len(who) != len(log_chain.FIELDS):
        return False
    values = (opening.code, opening.full_name, opening.phone)
    told = [(field, value, mark) for field, value, mark in zip(log_chain.FIELDS, values, who, strict=True)]
    if all(value is None for value in values):
        return False
    return all(value is None or log_chain.commit(salt, field, value).hex() == mark for field, value, mark in told)
