"""Checking in at the door: scan, say who, tap once, receipt (DESIGN.md §6).

Between the steps everything travels sealed in the page's own forms; the server keeps only the count of failures.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.domain import door_code, names, networks
from diemcau.domain.door_code import Verdict
from diemcau.domain.models import CHECK_IN_STATES, Flag, SessionState
from diemcau.errors import DoorError, MalformedError, NotFoundError
from diemcau.services import counted, door_people
from diemcau.services.arrivals import Arrival, Visitor
from diemcau.services.claims import Claim, Intent, Memory, Receipt
from diemcau.services.seals import open_sealed, seal
from diemcau.store import door
from diemcau.store.check_ins import Unlisted
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.domain.authority import Actor
    from diemcau.services.context import Context
    from diemcau.store.check_ins import Outcome
    from diemcau.store.door import DoorRow, Person

NAMES_NOBODY = frozenset({"unknown_attendee", "ambiguous_name"})
"""Answers that led nowhere: they count against the claim, the door and the network."""

SPOT_CODE_LATE_MS = limits.DOOR_STEPS_VALID * limits.DOOR_STEP_S * 1000
"""A spot-check's last code, scanned in its last moment, is good for as long as any other."""


@dataclass(frozen=True, slots=True)
class Done:
    """A durable check-in, and what the phone may remember of it."""

    entry: api.CheckedIn
    memory: str


NOBODY = Visitor()


async def open_door(actor: Actor, context: Context, code: str, visitor: Visitor = NOBODY) -> api.DoorOpened:
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
    verdict, step, spot_check_id = await _match(context, row, decoded[1], now_ms)
    if verdict is Verdict.INVALID:
        _slow(context, "door-code", row, visitor)
        raise DoorError("code_invalid")
    if verdict is Verdict.EXPIRED:
        raise DoorError("code_expired")
    _require_open(row, now_ms)
    claim = Claim(row.door_id, secrets.token_bytes(8), now_ms, 0, step, spot_check_id)
    return await _offered(context, row, claim, visitor)


async def resume(actor: Actor, context: Context, claim_text: str, visitor: Visitor | None = None) -> api.DoorOpened:
    """The form once more under the same claim: after "not me", or for the next person.

    visitor: given where the person whom the phone remembers is to be offered again.

    Raises:
        DoorError: claim_expired, claim_used_up, not_open, closed.
    """
    del actor
    claim, row = await _claimed(context, claim_text)
    return await _offered(context, row, claim, visitor) if visitor else _opened(context, row, claim)


async def identify(actor: Actor, context: Context, body: api.WhoAmI, visitor: Visitor = NOBODY) -> api.Identified:
    """Who stands at the door: by full name within this hall's list, or by code, telephone or badge from anywhere.

    Raises:
        MalformedError: nothing was typed.
        DoorError: unknown_attendee, ambiguous_name (both count against the claim), revoked, claim_expired,
            claim_used_up, not_open, closed.
        RateLimitedError: too many wrong names at this door; a right one is never refused for that.
    """
    claim, row = await _claimed(context, body.claim)
    try:
        found = await door_people.find(actor, context, row, body)
    except DoorError as error:
        if error.code in NAMES_NOBODY:
            context.failures.add(claim)
            _slow(context, "door-name", row, visitor)
        raise
    person = found.person
    if not found.proved and not context.failures.may_see(claim, person.attendee_id):
        raise DoorError("claim_used_up", tries=limits.CLAIM_FAILURES_MAX)
    return api.Identified(
        confirm=seal(context.keys, Intent(claim, person.attendee_id, found.shown, found.proved)),
        masked=names.mask(person.full_name),
        claim=body.claim,
        session=row.session,
        title=row.title,
        point=row.point,
        point_name=row.point_name,
        spot_check=claim.spot_check_id is not None,
        full_name=person.full_name if found.proved else None,
    )


async def confirm(actor: Actor, context: Context, confirm_text: str, visitor: Visitor = NOBODY) -> Done:
    """Record the person who was asked; returns once it is durable (I1).

    Sending it again is always safe: the same tap leads to the same receipt (I2). A form that was gone back to and
    used for somebody else takes the claim's next free place.

    Raises:
        DoorError: claim_expired, claim_used_up, code_invalid, unknown_attendee (taken off the list since), not_open,
            closed.
        OverloadedError: nothing is known to be written; the same form may be sent again.
    """
    del actor
    intent = open_sealed(context.keys, confirm_text, Intent)
    if intent is None:
        raise DoorError("code_invalid")
    row = await _door_of(context, intent.claim, context.clock.now_ms())
    person = await door.of_id(context.engines, row.session_id, intent.attendee_id)
    if person is None:
        raise DoorError("unknown_attendee")
    who = counted.listed(context.keys, row.session_id, person)
    arrival = Arrival(row, who, _place_flags(person, row), visitor, visitor.remembers(context))
    outcome, claim = await arrival.record(context, intent.claim)
    context.failures.confirmed(claim, person.attendee_id)
    receipt = _receipt(claim, outcome, intent.shown, proved=intent.proved)
    entry = await _checked_in(context, row, receipt, claim)
    shown = names.mask(person.full_name) if intent.proved else intent.shown
    return Done(entry, arrival.remembered(context, claim, Memory(b"", person.attendee_id, person.code, shown)))


async def enlist(actor: Actor, context: Context, body: api.Guest, visitor: Visitor = NOBODY) -> Done:
    """Record somebody who is on no list, by name and unit; a clerk matches or adds them later.

    Raises:
        MalformedError: name or unit is empty or too long.
        DoorError: claim_expired, claim_used_up, code_invalid, not_open, closed.
        OverloadedError: nothing is known to be written; the same form may be sent again.
    """
    del actor
    claim = _opened_claim(context, body.claim)
    row = await _door_of(context, claim, context.clock.now_ms())
    name, unit = _typed("name", body.name), _typed("unit", body.unit)
    stands_for = names.tidy(body.stands_for)[: limits.NAME_CHARS_MAX]
    who = counted.unlisted(context.keys, name, unit, stands_for)
    flags = (Flag.UNLISTED, *((Flag.SUBSTITUTE,) if stands_for else ()))
    arrival = Arrival(row, who, flags, visitor, visitor.remembers(context))
    outcome, claim = await arrival.record(context, claim)
    entry = await _checked_in(context, row, _receipt(claim, outcome, name, proved=False), claim)
    return Done(entry, arrival.remembered(context, claim))


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
    return await _checked_in(context, row, content, None)


def forget(context: Context, visitor: Visitor) -> str:
    """What the phone keeps after "not me": whom it remembered is gone."""
    memory = visitor.remembers(context)
    return seal(context.keys, memory.without_person) if memory else ""


# --- codes and claims --------------------------------------------------------------------------------------
async def _match(context: Context, row: DoorRow, tag: bytes, now_ms: int) -> tuple[Verdict, int, int | None]:
    """What the code is worth, its step, and the spot-check it belongs to."""
    verdict, step = door_code.match(row.key, tag, now_ms)
    if verdict is not Verdict.INVALID:
        return verdict, step, None
    since_ms = now_ms - limits.DOOR_EXPIRED_MEMORY_S * 1000
    for check_id, _, ends_ms in await door.spot_checks(context.engines, row.session_id, row.point_id, since_ms):
        verdict, step = door_code.match(row.key, tag, now_ms, check_id)
        if verdict is not Verdict.INVALID:
            over = now_ms > ends_ms + SPOT_CODE_LATE_MS
            return Verdict.EXPIRED if over else verdict, step, check_id
    return Verdict.INVALID, -1, None


def _slow(context: Context, what: str, row: DoorRow, visitor: Visitor) -> None:
    """Count a failure of a network and a door. A network that failed too often no longer counts against its door.

    Raises:
        RateLimitedError: this failing answer is withheld, as all of them will be for a while.
    """
    near = networks.prefix(visitor.address, networks.NEAR).hex()
    for key, most in (
        (f"{what}:{row.door_id}:{near}", limits.NETWORK_FAILURES_PER_MINUTE_MAX),
        (f"{what}:{row.door_id}", limits.DOOR_FAILURES_PER_MINUTE_MAX),
    ):
        context.limiter.failed(key)
        context.limiter.check(key, most)


def _opened_claim(context: Context, text: str) -> Claim:
    claim = open_sealed(context.keys, text, Claim)
    if claim is None:
        raise DoorError("code_invalid")
    return claim


async def _claimed(context: Context, text: str) -> tuple[Claim, DoorRow]:
    claim = _opened_claim(context, text)
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


def _opened(context: Context, row: DoorRow, claim: Claim, remembered: api.Remembered | None = None) -> api.DoorOpened:
    return api.DoorOpened(
        claim=seal(context.keys, claim),
        session=row.session,
        title=row.title,
        point=row.point,
        point_name=row.point_name,
        people_left=limits.CLAIM_PERSONS_MAX - claim.person,
        tries_left=limits.CLAIM_FAILURES_MAX - context.failures.count(claim),
        listed=row.listed,
        spot_check=claim.spot_check_id is not None,
        remembered=remembered,
    )


async def _offered(context: Context, row: DoorRow, claim: Claim, visitor: Visitor) -> api.DoorOpened:
    """The claim, with the person whom the phone remembers, if they are still on the list of people."""
    memory = visitor.remembers(context)
    if memory is None or not memory.attendee_id:
        return _opened(context, row, claim)
    person = await door.of_id(context.engines, row.session_id, memory.attendee_id)
    if person is None or person.code != memory.code:
        return _opened(context, row, claim)
    intent = Intent(claim, person.attendee_id, memory.shown)
    return _opened(context, row, claim, api.Remembered(seal(context.keys, intent), names.mask(person.full_name)))


def _typed(field: str, text: str) -> str:
    tidied = names.tidy(text)
    if not tidied:
        raise MalformedError(field=field, reason="reason.empty")
    if len(tidied) > limits.NAME_CHARS_MAX:
        raise MalformedError(field=field, reason="reason.too_long")
    return tidied


def _place_flags(person: Person, row: DoorRow) -> tuple[Flag, ...]:
    if not row.listed:
        return ()
    if not person.invited:
        return (Flag.NOT_INVITED,)
    if person.point_id is not None and person.point_id != row.point_id:
        return (Flag.WRONG_POINT,)
    return ()


# --- receipts ----------------------------------------------------------------------------------------------
def _receipt(claim: Claim, outcome: Outcome, shown: str, *, proved: bool) -> Receipt:
    nonce = outcome.check_in.nonce
    unlisted = isinstance(outcome.check_in.who, Unlisted)
    if claim.spot_check_id is not None:  # says nothing of an earlier entry; the scan's time is the same at each retry
        return Receipt(claim.door_id, nonce, shown, claim.issued_ms, None, spot_check=True, unlisted=unlisted)
    if outcome.result == "duplicate":
        earlier = (outcome.point_id, outcome.at_ms) if proved else (None, None)
        return Receipt(claim.door_id, nonce, shown, None, None, False, unlisted, *earlier)
    number = None if unlisted else outcome.number
    return Receipt(claim.door_id, nonce, shown, outcome.at_ms, number, unlisted=unlisted)


async def _checked_in(context: Context, row: DoorRow, content: Receipt, claim: Claim | None) -> api.CheckedIn:
    further = claim.next if claim else None
    hall = content.earlier_point_id
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
        spot_check=content.spot_check,
        unlisted=content.unlisted,
        earlier_ms=content.earlier_ms,
        earlier_point_name=await door.point_name(context.engines, hall) if hall is not None else None,
    )
