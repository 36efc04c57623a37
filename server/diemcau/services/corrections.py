"""Taking an entry back (DESIGN.md §6, I4): nothing recorded is changed or removed.

A correction is an event of its own that names who made it and why; what counts is settled from the events that stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.domain import names
from diemcau.domain.authority import Actor, System
from diemcau.domain.log_chain import commitments
from diemcau.domain.models import EventKind, Source
from diemcau.errors import AnnulTooLateError, ForbiddenError, MalformedError, NotAnnullableError, NotFoundError
from diemcau.services import board, events, nonces
from diemcau.services.recording import desk_of
from diemcau.store import corrections, sessions
from diemcau.store import events as log
from diemcau.store.event_log import NewEvent
from diemcau.wire import check_ins as wire

if TYPE_CHECKING:
    from diemcau.services.context import Context, Keys
    from diemcau.services.recording import Desk
    from diemcau.store.corrections import Entry
    from diemcau.store.sessions import SessionRow

ENTRIES = frozenset({EventKind.CHECK_IN, EventKind.CHECK_OUT, EventKind.SPOT_CHECK, EventKind.MATCH})
"""What may be taken back, where it is about one person."""


async def annul(actor: Actor, context: Context, session: str, nonce: bytes, body: wire.AnnulRequest) -> wire.Annulled:
    """Take an entry, a check-out or a match back; returns once that is durable. Doing it twice changes nothing more.

    An operator's device takes back what it recorded itself within `limits.ANNUL_OWN_S`; staff, what concerns the
    people of their units or, for people on no list, their halls. After closing it waits for the next revision.

    Raises:
        NotFoundError: no such session or event, or not the actor's to see.
        ForbiddenError, AnnulTooLateError: not theirs to take back, or not any more.
        NotAnnullableError: not an entry of a person.
        MalformedError: no reason. NonceConflictError: the correction's nonce stands for something else.
    """
    desk = desk_of(actor)
    reason = names.tidy(body.reason)
    if not reason:
        raise MalformedError(field="reason", reason="reason.empty")
    async with context.read() as connection:
        row = await sessions.get(connection, session)
        if not desk.sees.touches(row.unit_path):
            raise NotFoundError(what="session", key=session)
        target = await corrections.find(connection, row.session_id, nonce)
    if target is None:
        raise NotFoundError(what="check_in", key=nonces.write(nonce))
    now_ms = context.clock.now_ms()
    _require_own(desk, target, now_ms)
    own = nonces.read(body.nonce) if body.nonce else nonces.make(now_ms)
    event = _event(context.keys, desk, row, target, (own, now_ms, reason))
    writer = context.writer
    done = await writer.write(lambda c: c.run_sync(corrections.annul, writer.writer_id, event))
    board.counts_changed(System(), context, row.session_id, done.counts)
    return await _answer(context, row.session_id, nonce, done)


def _require_own(desk: Desk, target: Entry, now_ms: int) -> None:
    """Nothing where the entry is this desk's to take back."""
    if desk.device is not None:
        if target.device_id != desk.device.device_id:
            raise ForbiddenError
        if now_ms > target.server_ms + limits.ANNUL_OWN_S * 1000:
            raise AnnulTooLateError(minutes=limits.ANNUL_OWN_S // 60)
    elif not desk.scope.covers(target.point_path if target.person_path is None else target.person_path):
        raise ForbiddenError
    if target.kind not in ENTRIES or (target.attendee_id is None and target.unlisted_id is None):
        raise NotAnnullableError


def _event(keys: Keys, desk: Desk, row: SessionRow, target: Entry, made: tuple[bytes, int, str]) -> NewEvent:
    """The correction. made: its nonce, when, why."""
    nonce, now_ms, reason = made
    return NewEvent(
        session_id=row.session_id,
        session=row.code,
        nonce=nonce,
        fingerprint=nonces.fingerprint(keys, row.session_id, target.point_id, "annul", target.nonce),
        kind=EventKind.ANNUL,
        source=Source.MANUAL,
        point_id=target.point_id,
        point=target.point,
        server_ms=now_ms,
        at_ms=now_ms,
        happened_ms=now_ms,
        counted=False,
        attendee_id=target.attendee_id,
        unlisted_id=target.unlisted_id,
        device_id=desk.device.device_id if desk.device else None,
        account_id=desk.account_id,
        by=desk.by,
        who=_who(keys, row.session_id, target),
        of_nonce=target.nonce,
        reason=reason,
    )


def _who(keys: Keys, session_id: int, target: Entry) -> tuple[str, ...]:
    """The commitments to the person, under the salt that the entry itself was written with."""
    salt = target.salt
    if target.attendee_id is not None:
        salt = keys.sign("log-salt", salt + session_id.to_bytes(8, "big"))
    return commitments(salt, (target.code, target.full_name, target.phone))


async def _answer(context: Context, session_id: int, nonce: bytes, done: corrections.Done) -> wire.Annulled:
    promoted = None
    if done.entry is not None:
        async with context.read() as connection:
            found = await log.by_nonce(connection, session_id, [done.entry])
        promoted = events.check_in(found[done.entry])
    return wire.Annulled(nonces.write(done.nonce), nonces.write(nonce), done.held, done.replayed, promoted)
