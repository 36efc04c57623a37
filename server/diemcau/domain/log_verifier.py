"""Verifying an exported log: line by line, in bounded memory, to the first line that is not as it must be. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from diemcau.domain import log_chain, signed
from diemcau.domain.log_file import SALT_BYTES, Course, End, Entry, Heading, Opening, Sealed, gist
from diemcau.errors import EntryFlawError, FileFlawError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diemcau.domain.minutes_file import Minutes

_LINE = msgspec.json.Decoder(Entry | Sealed)


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
        self._course = Course(())
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
        heading, public_key = signed.opened_by_key(line, Heading, self._fingerprint)
        if any(minutes.session != heading.session for minutes in self._minutes):
            raise self._flaw("flaw.other_session")
        counts = {chain.writer: chain.count for chain in heading.chains}
        if any(count > counts.get(writer, 0) for writer, count in self._frozen):
            raise self._flaw("flaw.less_than_minutes")
        self._public_key = public_key
        self._course = Course(heading.chains)
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
        body, place = gist(read.body), (seen.heading.session, read.writer, read.position)
        if body is None or (body.session, body.writer, body.position) != place:
            raise self._flaw("flaw.body")
        if not _opens(read.opening, body.who) or not _opens(read.stands_for, body.stands_for):
            raise self._flaw("flaw.opening")
        seen.opened += read.opening is not None
        return log_chain.digest(read.body.encode())

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
