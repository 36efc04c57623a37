"""Minutes (biên bản): the figures of a session as they were frozen, signed, each revision naming the one before. Pure.

One line of JSON (docs/log.md). Figures and the ends of the log's chains, no person's name: whoever holds the minutes
can show later that the log still begins with exactly what was counted then.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from diemcau.domain import signed
from diemcau.domain.log_file import Chain
from diemcau.errors import FileFlawError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diemcau.domain.signed import Sign


class Frozen(msgspec.Struct, frozen=True):
    """Figures as they were frozen: halls, then people; `waiting`: entries that came after closing, not counted here.

    summoned = present + substituted + excused + unexcused; late are among the present; guests and unlisted stand apart.
    excused is unset, and not written, in minutes that were signed before absences could be approved.
    """

    points: int = 0
    summoned: int = 0
    present: int = 0
    late: int = 0
    substituted: int = 0
    excused: int | msgspec.UnsetType = msgspec.UNSET
    unexcused: int = 0
    guests: int = 0
    unlisted: int = 0
    waiting: int = 0

    def __add__(self, other: Frozen) -> Frozen:
        told = {name: getattr(self, name) + getattr(other, name) for name in _FIGURES}
        return Frozen(**told, excused=_plus(self.excused, other.excused))


_FIGURES = tuple(name for name in Frozen.__struct_fields__ if name != "excused")


def _plus(mine: int | msgspec.UnsetType, theirs: int | msgspec.UnsetType) -> int | msgspec.UnsetType:
    """The sum; of two that are unset, unset."""
    if mine is msgspec.UNSET:
        return theirs
    return mine if theirs is msgspec.UNSET else mine + theirs


class UnitFigures(msgspec.Struct, frozen=True):
    """What one unit holds itself, without the units below it: its people, and the halls that are its own."""

    unit: str
    figures: Frozen


class Unsent(msgspec.Struct, frozen=True):
    """The queue of a hall's device when the figures were frozen: `waiting` entries as it told at `told_ms`.

    known: it was heard then; of one that was silent nobody knew what it held, whatever it had told before.
    """

    point: str
    known: bool
    waiting: int | None = None
    told_ms: int | None = None


class Minutes(msgspec.Struct, frozen=True, tag="diemcau-minutes", forbid_unknown_fields=True):
    """One revision. `previous`: SHA-256 of the file before it, hex, empty for the first. `by`: an account's name.

    unsent: queues of halls that were not sent then, or may not have been; unset in minutes from before it was told.
    """

    version: int
    session: str
    title: str
    unit: str | None
    revision: int
    at_ms: int
    by: str
    reason: str
    public_key: str
    previous: str
    figures: Frozen
    units: list[UnitFigures]
    chains: list[Chain]
    unsent: list[Unsent] | msgspec.UnsetType = msgspec.UNSET
    signature: str = ""

    def adds_up(self) -> bool:
        """Whether the figures are the sum of the units', and the parts of the summoned their sum (I3)."""
        whole = self.figures
        people = whole.present + whole.substituted + (whole.excused or 0) + whole.unexcused
        return whole == sum((row.figures for row in self.units), Frozen()) and people == whole.summoned


@dataclass(frozen=True, slots=True)
class SignedMinutes:
    """The bytes that were signed, and their signature."""

    body: bytes
    signature: bytes

    @property
    def file(self) -> bytes:
        """The file as it is exported."""
        return signed.seal(self.body, self.signature) + b"\n"

    @property
    def sha256(self) -> str:
        """Of the file, hex: what the next revision names, and what `sha256sum` says."""
        return hashlib.sha256(self.file).hexdigest()

    def signed_by(self, public_key: bytes) -> bool:
        """Whether the holder of this key signed exactly these bytes."""
        return signed.signed_by(public_key, self.body, self.signature)

    def read(self) -> Minutes:
        """What they say."""
        return msgspec.json.decode(self.body, type=Minutes)


def make(minutes: Minutes, sign: Sign) -> SignedMinutes:
    """Sign minutes.

    Raises:
        ValueError: the figures do not add up; such minutes must not leave the house.
    """
    if not minutes.adds_up():
        raise ValueError(f"the figures of {minutes.session} do not add up: {minutes.figures}")
    body = msgspec.json.encode(minutes)[: -len(b',"signature":""}')] + b"}"
    return SignedMinutes(body, sign(body))


def verify(content: bytes, fingerprint: bytes, earlier: Iterable[Minutes] = ()) -> Minutes:
    """The minutes in a file, held against earlier ones of the same session that were verified themselves.

    Raises:
        FileFlawError: the first line is not as it was signed, or something follows it.
    """
    line, end, rest = content.partition(b"\n")
    if not content:
        raise FileFlawError(line=1, what="flaw.empty")
    minutes, _ = signed.opened_by_key(line, Minutes, fingerprint)
    if not end:
        raise FileFlawError(line=1, what="flaw.unended")
    if rest:
        raise FileFlawError(line=2, what="flaw.after_end")
    if not minutes.adds_up():
        raise FileFlawError(line=1, what="flaw.sum")
    if (minutes.revision == 1) is not (minutes.previous == ""):
        raise FileFlawError(line=1, what="flaw.previous")
    for one in earlier:
        hold(minutes, one)
    return minutes


def hold(minutes: Minutes, earlier: Minutes) -> None:
    """Hold two minutes of one key against each other.

    The later of two revisions must name the earlier one, where it follows it directly, and contain its chains.

    A revision is frozen once: two that differ under one number cannot both be what was handed out.

    Raises:
        FileFlawError: they contradict each other.
    """
    if minutes.session != earlier.session:
        raise FileFlawError(line=1, what="flaw.other_session")
    first, second = sorted((minutes, earlier), key=lambda one: one.revision)
    if second.revision == first.revision and second != first:
        raise FileFlawError(line=1, what="flaw.same_revision")
    if second.revision == first.revision + 1:
        body = msgspec.json.encode(first)
        if second.previous != hashlib.sha256(body + b"\n").hexdigest():
            raise FileFlawError(line=1, what="flaw.previous")
    ends = {chain.writer: chain for chain in second.chains}
    for chain in first.chains:
        end = ends.get(chain.writer)
        if end is None or end.count < chain.count:
            raise FileFlawError(line=1, what="flaw.less_than_minutes")
        if end.count == chain.count and end.head != chain.head:
            raise FileFlawError(line=1, what="flaw.previous")
