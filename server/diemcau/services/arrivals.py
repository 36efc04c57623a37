"""Somebody who taps at a door: what is written of them, and what their phone may remember."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diemcau.domain import networks
from diemcau.domain.models import EventKind, Flag, Source
from diemcau.errors import DoorError, NotFoundError
from diemcau.services import nonces
from diemcau.services.anomalies import Trace
from diemcau.services.claims import Memory
from diemcau.services.seals import open_sealed, seal
from diemcau.store.check_ins import CheckIn, Listed, Unlisted

if TYPE_CHECKING:
    from diemcau.services.claims import Claim
    from diemcau.services.context import Context
    from diemcau.store.check_ins import Outcome
    from diemcau.store.door import DoorRow


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a phone brings along by itself: its address, and what it was given to remember. Neither proves anything."""

    address: str = ""
    memory: str = ""

    def remembers(self, context: Context) -> Memory | None:
        """What the phone was given, if it is ours."""
        return open_sealed(context.keys, self.memory, Memory) if self.memory else None


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who taps. flags: what is odd about them in this hall; never a reason to turn anybody away.

    memory: what their phone remembered before.
    """

    row: DoorRow
    who: Listed | Unlisted
    flags: tuple[Flag, ...]
    visitor: Visitor
    memory: Memory | None

    @property
    def identity(self) -> bytes:
        """Tells people apart."""
        return b"%d" % self.who.attendee_id if isinstance(self.who, Listed) else self.who.key

    async def record(self, context: Context, first: Claim) -> tuple[Outcome, Claim]:
        """Write it under the claim's next free place, which is returned; durable then (I1).

        Raises:
            DoorError: closed, claim_used_up, code_invalid (the hall left the session).
            OverloadedError: nothing is known to be written.
        """
        claim: Claim | None = first
        while claim is not None:
            outcome = await self._write(context, claim)
            if outcome.result == "closed":
                raise DoorError("closed")
            if outcome.result != "conflict":
                return outcome, claim
            claim = claim.next
        raise DoorError("claim_used_up")

    async def _write(self, context: Context, claim: Claim) -> Outcome:
        row, now_ms = self.row, context.clock.now_ms()
        late = (Flag.LATE,) if now_ms > row.starts_ms else ()
        shared = (Flag.SHARED_DEVICE,) if self._shares(claim) else ()
        kind = EventKind.CHECK_IN if claim.spot_check_id is None else EventKind.SPOT_CHECK
        item = CheckIn(
            session_id=row.session_id,
            point_id=row.point_id,
            point=row.point,
            who=self.who,
            nonce=_nonce(context, claim),
            # The time is the server's own and no part of what the nonce vouches for: a retry may differ in it.
            fingerprint=nonces.fingerprint(context.keys, row.session_id, row.point_id, kind, self.identity),
            source=Source.DOOR,
            server_ms=now_ms,
            at_ms=now_ms,
            happened_ms=now_ms,
            kind=kind,
            flags=(*self.flags, *late, *shared),
            spot_check_id=claim.spot_check_id,
        )
        context.anomalies.expect(item.nonce, self._trace(context, claim))
        try:
            return await context.writer.check_in(item)
        except NotFoundError:  # the hall left the session between our look and the commit
            raise DoorError("code_invalid") from None

    def _shares(self, claim: Claim) -> bool:
        """Whether somebody else used this scan, or this phone in this session, before."""
        memory = self.memory
        before = memory is not None and memory.session_id == self.row.session_id and memory.first != self.identity
        return before or claim.person > 0

    def _trace(self, context: Context, claim: Claim) -> Trace:
        """What the anomaly rules may know of a phone: keyed hashes, no address, no name."""
        far = networks.prefix(self.visitor.address, networks.FAR)
        return Trace(
            phone=context.keys.sign("phone", self._marker(claim)),
            network=context.keys.sign("network", far) if far else b"",
            step=claim.step,
            capacity=self.row.capacity,
            invited=self.row.invited,
        )

    def _marker(self, claim: Claim) -> bytes:
        """Tells this phone from others: where it keeps no cookie, this scan from others."""
        return self.memory.marker if self.memory else claim.claim_id

    def remembered(self, context: Context, claim: Claim, person: Memory | None = None) -> str:
        """What the phone keeps after this check-in: it stays its first owner's, until they say "not me".

        person: whoever tapped, if they are on the list.
        """
        before, session_id = self.memory, self.row.session_id
        owner = before if before and before.attendee_id else person
        content = Memory(
            marker=self._marker(claim),
            attendee_id=owner.attendee_id if owner else 0,
            code=owner.code if owner else "",
            shown=owner.shown if owner else "",
            session_id=session_id,
            first=before.first if before and before.session_id == session_id else self.identity,
        )
        return seal(context.keys, content)


def _nonce(context: Context, claim: Claim) -> bytes:
    """16 bytes that only this claim and person lead to, as a UUIDv7 of the claim's time: one check-in each (I2)."""
    return nonces.make(claim.issued_ms, context.keys.sign("nonce", claim.claim_id + bytes([claim.person]), 10))
