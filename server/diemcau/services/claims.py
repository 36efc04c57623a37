"""What one scan of a door code is good for: five minutes, five people, five wrong names (DESIGN.md §6)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from msgspec import Struct

from diemcau import limits
from diemcau.domain.models import Flag


class Claim(Struct, frozen=True, array_like=True):
    """A door code that was valid when it was scanned. `person` is whose turn it is, from 0."""

    door_id: int
    claim_id: bytes
    issued_ms: int
    person: int = 0

    @property
    def next(self) -> Claim | None:
        """The same scan for the next person; None after the last."""
        if self.person + 1 >= limits.CLAIM_PERSONS_MAX:
            return None
        return Claim(self.door_id, self.claim_id, self.issued_ms, self.person + 1)

    def expired(self, now_ms: int) -> bool:
        """Whether its five minutes are over."""
        return now_ms - self.issued_ms > limits.CLAIM_VALID_S * 1000


class Intent(Struct, frozen=True, array_like=True):
    """A person who was found and is asked to tap. `shown` is the name their receipt may carry."""

    claim: Claim
    attendee_id: int
    shown: str
    flags: tuple[Flag, ...]


class Receipt(Struct, frozen=True, array_like=True):
    """A check-in that is durable. Of a person who was there before it tells neither when nor where (no oracle)."""

    door_id: int
    nonce: bytes
    shown: str
    at_ms: int | None
    number: int | None


@dataclass(slots=True)
class Failures:
    """Wrong names per claim, in memory; the oldest claims are forgotten first, long after they expired."""

    _by_claim: OrderedDict[bytes, int] = field(default_factory=OrderedDict)

    def count(self, claim: Claim) -> int:
        """How often this claim failed."""
        return self._by_claim.get(claim.claim_id, 0)

    def add(self, claim: Claim) -> None:
        """Count one more."""
        self._by_claim[claim.claim_id] = self.count(claim) + 1
        self._by_claim.move_to_end(claim.claim_id)
        while len(self._by_claim) > limits.CLAIMS_REMEMBERED_MAX:
            self._by_claim.popitem(last=False)
