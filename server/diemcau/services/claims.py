"""What one scan of a door code is good for: five minutes, five people, five tries that led nowhere (DESIGN.md §6)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from diemcau import limits


class Claim(Struct, frozen=True, array_like=True):
    """A door code that was valid when it was scanned. `person` is whose turn it is, from 0.

    step: of the code, -1 where it is not known; spot_check_id: the code was that of a spot-check.
    """

    door_id: int
    claim_id: bytes
    issued_ms: int
    person: int = 0
    step: int = -1
    spot_check_id: int | None = None

    @property
    def next(self) -> Claim | None:
        """The same scan for the next person; None after the last."""
        if self.person + 1 >= limits.CLAIM_PERSONS_MAX:
            return None
        return msgspec.structs.replace(self, person=self.person + 1)

    def expired(self, now_ms: int) -> bool:
        """Whether its five minutes are over."""
        return now_ms - self.issued_ms > limits.CLAIM_VALID_S * 1000


class Intent(Struct, frozen=True, array_like=True):
    """A person who was found and is asked to tap. `shown` is the name their receipt may carry.

    proved: they showed their badge, so they may see what was recorded of them.
    """

    claim: Claim
    attendee_id: int
    shown: str
    proved: bool = False


class Receipt(Struct, frozen=True, array_like=True):
    """A check-in that is durable. Of a person who was there before it tells neither when nor where (no oracle).

    at_ms: None of such a person. spot_check: presence was confirmed. unlisted: they are on no list.
    earlier_point_id, earlier_ms: of the entry that counts, only for whoever showed their badge.
    """

    door_id: int
    nonce: bytes
    shown: str
    at_ms: int | None
    number: int | None
    spot_check: bool = False
    unlisted: bool = False
    earlier_point_id: int | None = None
    earlier_ms: int | None = None


class Memory(Struct, frozen=True, array_like=True):
    """What a phone keeps in a cookie: convenience, never authority (DESIGN.md §6).

    marker: tells this phone from others. attendee_id, code, shown: who used it first, to be offered at the next scan;
    0: nobody. session_id, first: who was the first to check in with it in the session it was last used in.
    """

    marker: bytes
    attendee_id: int = 0
    code: str = ""
    shown: str = ""
    session_id: int = 0
    first: bytes = b""

    @property
    def without_person(self) -> Memory:
        """After "not me": the phone is still the same one."""
        return Memory(self.marker, session_id=self.session_id, first=self.first)


@dataclass(slots=True)
class Failures:
    """Tries per claim that led nowhere, in memory; the oldest claims are forgotten first, long after they expired.

    A try is a wrong or ambiguous answer, and each different person who was shown and has not confirmed: so nobody
    reads a list of people off one scan by their codes. By claim: how many answers, then the ids of those shown.
    """

    _by_claim: OrderedDict[bytes, tuple[int, ...]] = field(default_factory=OrderedDict)

    def count(self, claim: Claim) -> int:
        """How often this claim led nowhere."""
        failed, *shown = self._of(claim)
        return failed + len(shown)

    def add(self, claim: Claim) -> None:
        """Count one more answer that was wrong or ambiguous."""
        failed, *shown = self._of(claim)
        self._keep(claim, (failed + 1, *shown))

    def may_see(self, claim: Claim, attendee_id: int) -> bool:
        """Whether this person may still be shown; counts them until they confirm. Whoever was shown costs nothing."""
        failed, *shown = self._of(claim)
        if attendee_id in shown:
            return True
        if failed + len(shown) >= limits.CLAIM_FAILURES_MAX:
            return False
        self._keep(claim, (failed, *shown, attendee_id))
        return True

    def confirmed(self, claim: Claim, attendee_id: int) -> None:
        """They were the right person after all."""
        failed, *shown = self._of(claim)
        if attendee_id in shown:
            shown.remove(attendee_id)
            self._keep(claim, (failed, *shown))

    def _of(self, claim: Claim) -> tuple[int, ...]:
        return self._by_claim.get(claim.claim_id, (0,))

    def _keep(self, claim: Claim, tries: tuple[int, ...]) -> None:
        if tries == (0,):
            del self._by_claim[claim.claim_id]
            return
        self._by_claim[claim.claim_id] = tries
        self._by_claim.move_to_end(claim.claim_id)
        while len(self._by_claim) > limits.CLAIMS_REMEMBERED_MAX:
            self._by_claim.popitem(last=False)
