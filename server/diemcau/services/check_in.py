"""Checking in at the door: scan, say who, tap once, receipt (DESIGN.md §6).

Between the steps everything travels sealed in the page's own forms; the server keeps only the count of failures.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec

from diemcau import limits
from diemcau.domain import door_code, names
from diemcau.domain.door_code import Verdict
from diemcau.domain.models import CHECK_IN_STATES, Flag, SessionState, Source
from diemcau.errors import DoorError, MalformedError, NotFoundError
from diemcau.services.claims import Claim, Intent, Receipt
from diemcau.services.seals import open_sealed, seal
from diemcau.store import door
from diemcau.store.check_ins import CheckIn, Listed
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.domain.authority import Actor
    from diemcau.services.context import Context
    from diemcau.store.check_ins import Outcome
    from diemcau.store.door import DoorRow, Person


async def open_door(actor: Actor, context: Context, code: str) -> api.DoorOpened:
    """Swap a scanned code for a claim; records nothing.

    Raises:
        DoorError: code_invalid, code_expired, not_open, closed.
        RateLimitedError: too many wrong codes for this door; a right one is never refused for that.
    """
    del actor
    now_ms = context.clock.now_ms()
    decoded = door_code.decode(code)
    row = await door.by_id(context.engines, decoded[0]) if decoded else None
    if decoded is None or row is None:
        raise DoorError("code_invalid")
    verdict = door_code.check(row.key, decoded[1], now_ms)
    if verdict is Verdict.INVALID:
        context.limiter.failed(f"door-code:{row.door_id}")
        context.limiter.check(f"door-code:{row.door_id}", limits.DOOR_FAILURES_PER_MINUTE_MAX)
        raise DoorError("code_invalid")
    if verdict is Verdict.EXPIRED:
        raise DoorError("code_expired")
    _require_open(row, now_ms)
    return _opened(context, row, Claim(row.door_id, secrets.token_bytes(8), now_ms))


async def resume(actor: Actor, context: Context, claim_text: str) -> api.DoorOpened:
    """The form once more under the same claim: after "not me", or for the next person.

    Raises:
        DoorError: claim_expired, claim_used_up, not_open, closed.
    """
    del actor
    claim, row = await _claimed(context, claim_text)
    return _opened(context, row, claim)


async def identify(actor: Actor, context: Context, body: api.WhoAmI) -> api.Identified:
    """Who stands at the door: by full name within this hall's list, or by attendee code from anywhere.

    Raises:
        MalformedError: nothing was typed.
        DoorError: unknown_attendee, ambiguous_name (both count against the claim), claim_expired, claim_used_up,
            not_open, closed.
        RateLimitedError: too many wrong names at this door; a right one is never refused for that.
    """
    del actor
    claim, row = await _claimed(context, body.claim)
    typed = names.tidy(body.who)
    if not typed:
        raise MalformedError(field="who", reason="reason.empty")
    people, by_name = await _found(context, row, typed)
    if len(people) != 1:
        context.failures.add(claim)
        context.limiter.failed(f"door-name:{row.door_id}")
        context.limiter.check(f"door-name:{row.door_id}", limits.DOOR_FAILURES_PER_MINUTE_MAX)
        raise DoorError("ambiguous_name" if people else "unknown_attendee")
    (person,) = people
    masked = names.mask(person.full_name)
    intent = Intent(claim, person.attendee_id, typed if by_name else masked, _flags(person, row))
    return api.Identified(
        confirm=seal(context.keys, intent),
        masked=masked,
        claim=body.claim,
        session=row.session,
        title=row.title,
        point=row.point,
        point_name=row.point_name,
    )


async def confirm(actor: Actor, context: Context, confirm_text: str) -> api.CheckedIn:
    """Record the person who was asked; returns once it is durable (I1).

    Sending it again is always safe: the same tap leads to the same receipt (I2). A form that was gone back to and
    used for somebody else takes the claim's next free place.

    Raises:
        DoorError: claim_expired, claim_used_up, code_invalid, not_open, closed.
        OverloadedError: nothing is known to be written; the same form may be sent again.
    """
    del actor
    intent = open_sealed(context.keys, confirm_text, Intent)
    if intent is None:
        raise DoorError("code_invalid")
    now_ms = context.clock.now_ms()
    row = await _door_of(context, intent.claim, now_ms)
    claim: Claim | None = intent.claim
    while claim is not None:
        outcome = await _record(context, row, intent, claim, now_ms)
        if outcome.result != "conflict":
            return _checked_in(context, row, _receipt(intent, outcome), claim)
        claim = claim.next
    raise DoorError("claim_used_up")


async def receipt(actor: Actor, context: Context, receipt_text: str) -> api.CheckedIn:
    """What a receipt says; valid for as long as the server keeps its secret.

    Raises:
        NotFoundError: not a receipt of this server.
    """
    del actor
    content = open_sealed(context.keys, receipt_text, Receipt)
    row = await door.by_id(context.engines, content.door_id) if content else None
    if content is None or row is None:
        raise NotFoundError(what="receipt", key=receipt_text[:8])
    return _checked_in(context, row, content, None)


# --- claims ------------------------------------------------------------------------------------------------
async def _claimed(context: Context, text: str) -> tuple[Claim, DoorRow]:
    claim = open_sealed(context.keys, text, Claim)
    if claim is None:
        raise DoorError("code_invalid")
    row = await _door_of(context, claim, context.clock.now_ms())
    if context.failures.count(claim) >= limits.CLAIM_FAILURES_MAX:
        raise DoorError("claim_used_up", tries=limits.CLAIM_FAILURES_MAX)
    return claim, row


async def _door_of(context: Context, claim: Claim, now_ms: int) -> DoorRow:
    if claim.expired(now_ms):
        raise DoorError("claim_expired")
    row = await door.by_id(context.engines, claim.door_id)
    if row is None:
        raise DoorError("code_invalid")
    _require_open(row, now_ms)
    return row


def _require_open(row: DoorRow, now_ms: int) -> None:
    if row.state is SessionState.CLOSED:
        raise DoorError("closed")
    if row.state not in CHECK_IN_STATES:
        opens_ms = row.starts_ms - limits.SESSION_OPENS_BEFORE_S * 1000
        raise DoorError("not_open", **({"opens_ms": opens_ms} if opens_ms > now_ms else {}))


def _opened(context: Context, row: DoorRow, claim: Claim) -> api.DoorOpened:
    return api.DoorOpened(
        claim=seal(context.keys, claim),
        session=row.session,
        title=row.title,
        point=row.point,
        point_name=row.point_name,
        people_left=limits.CLAIM_PERSONS_MAX - claim.person,
        tries_left=limits.CLAIM_FAILURES_MAX - context.failures.count(claim),
    )


# --- people ------------------------------------------------------------------------------------------------
async def _found(context: Context, row: DoorRow, typed: str) -> tuple[list[Person], bool]:
    """Who may be meant, and whether it was by name. Names hold no digits, so what does is tried as a code first."""
    code = "".join(typed.split()).upper()
    may_be_code = len(code) <= limits.CODE_CHARS_MAX and code.isascii()
    if may_be_code and any(char.isdigit() for char in code):
        person = await door.of_code(context.engines, row.session_id, code)
        if person:
            return [person], False
    folded = names.fold(typed)
    people = await door.named(context.engines, row.session_id, row.point_id, folded) if folded else []
    if not people and may_be_code and " " not in typed:
        person = await door.of_code(context.engines, row.session_id, code)
        return [person] if person else [], False
    return people, True


def _flags(person: Person, row: DoorRow) -> tuple[Flag, ...]:
    """What is odd about where they sit; never a reason to turn anybody away."""
    if not person.invited:
        return (Flag.NOT_INVITED,)
    if person.point_id is not None and person.point_id != row.point_id:
        return (Flag.WRONG_POINT,)
    return ()


# --- recording ---------------------------------------------------------------------------------------------
async def _record(context: Context, row: DoorRow, intent: Intent, claim: Claim, now_ms: int) -> Outcome:
    late = (Flag.LATE,) if now_ms > row.starts_ms else ()
    item = CheckIn(
        session_id=row.session_id,
        point_id=row.point_id,
        point=row.point,
        who=await _who(context, row.session_id, intent.attendee_id),
        nonce=_nonce(context, claim),
        fingerprint=_fingerprint(context, row, intent),
        source=Source.DOOR,
        server_ms=now_ms,
        at_ms=now_ms,
        happened_ms=now_ms,
        flags=intent.flags + late,
    )
    try:
        return await context.writer.check_in(item)
    except NotFoundError:  # the hall left the session between our look and the commit
        raise DoorError("code_invalid") from None


async def _who(context: Context, session_id: int, attendee_id: int) -> Listed:
    """The person, with the salt that keeps the log from naming them (DESIGN.md §6a)."""
    found = await door.log_identity(context.engines, attendee_id)
    if found is None:
        raise DoorError("unknown_attendee")
    code, full_name, phone, salt = found
    return Listed(
        attendee_id, code, full_name, phone, context.keys.sign("log-salt", salt + session_id.to_bytes(8, "big"))
    )


def _nonce(context: Context, claim: Claim) -> bytes:
    """16 bytes that only this claim and person lead to, as a UUIDv7 of the claim's time: one check-in each (I2)."""
    random = context.keys.sign("nonce", claim.claim_id + bytes([claim.person]), 10)
    version = bytes([0x70 | random[0] & 0x0F, random[1], 0x80 | random[2] & 0x3F])
    return claim.issued_ms.to_bytes(6, "big") + version + random[3:]


def _fingerprint(context: Context, row: DoorRow, intent: Intent) -> bytes:
    """What the nonce vouches for. The time is the server's own, so a retry may differ in it."""
    content = msgspec.msgpack.encode((row.session_id, row.point_id, "check_in", intent.attendee_id))
    return context.keys.sign("fingerprint", content)


def _receipt(intent: Intent, outcome: Outcome) -> Receipt:
    counted = outcome.result == "accepted"
    return Receipt(
        door_id=intent.claim.door_id,
        nonce=outcome.check_in.nonce,
        shown=intent.shown,
        at_ms=outcome.at_ms if counted else None,
        number=outcome.number if counted else None,
    )


def _checked_in(context: Context, row: DoorRow, content: Receipt, claim: Claim | None) -> api.CheckedIn:
    further = claim.next if claim else None
    return api.CheckedIn(
        receipt=seal(context.keys, content),
        result="duplicate" if content.at_ms is None else "accepted",
        shown=content.shown,
        session=row.session,
        title=row.title,
        point=row.point,
        point_name=row.point_name,
        at_ms=content.at_ms,
        number=content.number,
        next_claim=seal(context.keys, further) if further else None,
    )
