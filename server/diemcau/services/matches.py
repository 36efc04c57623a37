"""Saying who somebody on no list was: somebody on the list, or a new person of a unit (DESIGN.md §6, I2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from diemcau import limits
from diemcau.domain import names
from diemcau.domain.authority import Account, Action, Actor, Scope, System, require
from diemcau.domain.log_chain import commitments
from diemcau.domain.models import EventKind, Flag, Source
from diemcau.errors import AlreadyMatchedError, ForbiddenError, MalformedError, NotFoundError
from diemcau.services import board, counted, events, lists, nonces
from diemcau.services.sessions import visible
from diemcau.store import corrections, people, recording
from diemcau.store import events as log
from diemcau.store.corrections import Done
from diemcau.store.event_log import NewEvent
from diemcau.store.recording import Known
from diemcau.wire import check_ins as wire

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.store.check_ins import Listed
    from diemcau.store.corrections import Apart
    from diemcau.store.engine import Connection
    from diemcau.store.sessions import SessionRow
    from diemcau.store.units import UnitRow

OUTGROWN = frozenset({Flag.UNLISTED, Flag.UNKNOWN_BADGE, Flag.WRONG_POINT, Flag.NOT_INVITED, Flag.AFTER_CLOSING})
"""What was odd about an entry for as long as nobody knew whose it was."""

STEM_CHARS_MAX = limits.CODE_CHARS_MAX - len("-X9999")


class _Matching(NamedTuple):
    """One request: who matches whom, where and when. known: those it names, by code; listed: the session has a list."""

    context: Context
    actor: Actor
    session: SessionRow
    apart: Apart
    body: wire.MatchRequest
    known: dict[str, Known]
    now_ms: int
    nonce: bytes
    listed: bool

    @property
    def fingerprint(self) -> bytes:
        """What the match's nonce vouches for: the request as it was given."""
        body = self.body
        given = (body.attendee, body.unit, body.full_name, body.title, body.stands_for)
        place = (self.session.session_id, self.apart.point_id, "match", self.apart.unlisted_id)
        return nonces.fingerprint(self.context.keys, *place, *given)


async def match(
    actor: Actor, context: Context, session: str, unlisted_id: int, body: wire.MatchRequest
) -> wire.Matched:
    """Say who an unlisted person is; they count as that person from then on, once (I2).

    The hall and the person must both be the actor's. After closing it waits for the next revision.

    Raises:
        NotFoundError: no such session, unlisted person, attendee or unit, or nothing of them stands any more.
        ForbiddenError: the hall, the person or the unit lies outside the actor's.
        AlreadyMatchedError: somebody said before that they are somebody else.
        MalformedError: not one of attendee and unit, no name, or a place that nobody can take.
        NonceConflictError: the correction's nonce stands for something else.
    """
    scope = require(actor, Action.ATTENDANCE_WRITE)
    async with context.read() as connection:
        row = await visible(actor, connection, session)
        apart = await corrections.apart(connection, row.session_id, unlisted_id)
    if apart is None:
        raise NotFoundError(what="unlisted", key=str(unlisted_id))
    if not scope.covers(apart.point_path):
        raise ForbiddenError
    if (body.attendee is None) == (body.unit is None):
        raise MalformedError(field="attendee | unit", reason="reason.one_of")
    now_ms = context.clock.now_ms()
    codes = {code.upper() for code in (body.attendee, body.stands_for) if code is not None}
    known = await recording.by_code(context.engines, row.session_id, codes) if codes else {}
    nonce = nonces.read(body.nonce) if body.nonce else nonces.make(now_ms)
    held, _ = await recording.places(context.engines, session, ())
    matching = _Matching(context, actor, row, apart, body, known, now_ms, nonce, held is not None and held.listed)
    who = _listed(matching, scope)
    stands_for = _stands_for(matching, scope)
    done = await context.writer.write(lambda connection: _work(connection, matching, who, stands_for))
    board.counts_changed(System(), context, row.session_id, done.counts)
    return await _answer(context, row.session_id, done)


# --- who is meant ----------------------------------------------------------------------------------------------
def _listed(matching: _Matching, scope: Scope) -> Known | None:
    """The attendee who is named; None where a new one is to be made."""
    if matching.body.attendee is None:
        return None
    code = matching.body.attendee.upper()
    if code not in matching.known:
        raise NotFoundError(what="attendee", key=code)
    if not scope.covers(matching.known[code].unit_path):
        raise ForbiddenError
    return matching.known[code]


def _stands_for(matching: _Matching, scope: Scope) -> Known | None:
    """Whose place they take: somebody summoned to the session, whom the actor answers for."""
    body = matching.body
    if body.stands_for is None:
        return None
    found = matching.known.get(body.stands_for.upper())
    if found is None or found.invited is None or body.stands_for.upper() == (body.attendee or "").upper():
        raise MalformedError(field="stands_for", reason="reason.not_summoned")
    if not scope.covers(found.unit_path):
        raise ForbiddenError
    return found


async def _made(connection: Connection, matching: _Matching) -> Known:
    """A new person of a unit of the actor's, under a code that shows where they came from."""
    body = matching.body
    unit = await lists.unit_for(matching.actor, Action.ATTENDANCE_WRITE, connection, body.unit or "")
    require(matching.actor, Action.PEOPLE_WRITE, unit.path)
    full_name = names.tidy(body.full_name or matching.apart.name)
    if not full_name:
        raise MalformedError(field="full_name", reason="reason.empty")
    code = await _free_code(connection, unit)
    title = names.tidy(body.title)
    await people.insert(connection, code, {"full_name": full_name, "title": title, "unit_id": unit.unit_id})
    made = await people.get(connection, code)
    salt = await corrections.salt_of(connection, made.attendee_id)
    home = (unit.code, unit.name, unit.path)
    return Known(made.attendee_id, code, full_name, title, "", salt, *home, None, None, None)


async def _free_code(connection: Connection, unit: UnitRow) -> str:
    """The unit's code, X for whoever was added on the day, and the next number: HN-001-X01."""
    stem = f"{unit.code[:STEM_CHARS_MAX]}-X"
    taken = await corrections.codes_from(connection, stem)
    numbers = [int(code[len(stem) :]) for code in taken if code[len(stem) :].isdecimal()]
    return f"{stem}{max(numbers, default=0) + 1:02}"


# --- writing ---------------------------------------------------------------------------------------------------
async def _work(connection: Connection, matching: _Matching, who: Known | None, stands_for: Known | None) -> Done:
    """The match and, where there is none yet, the person, in one transaction."""
    session_id, unlisted_id = matching.session.session_id, matching.apart.unlisted_id
    known = await connection.run_sync(corrections.known, matching.nonce, matching.fingerprint)
    before = await connection.run_sync(corrections.match_before, session_id, unlisted_id)
    if known or (before is not None and who is not None and before[1] == who.attendee_id):
        nonce = matching.nonce if known or before is None else before[0]
        return await connection.run_sync(corrections.repeated, session_id, nonce)
    if before is not None:
        raise AlreadyMatchedError
    person = who or await _made(connection, matching)
    writer_id = matching.context.writer.writer_id
    return await connection.run_sync(corrections.match, writer_id, _event(matching, person, stands_for))


def _event(matching: _Matching, person: Known, stands_for: Known | None) -> NewEvent:
    session, apart, keys = matching.session, matching.apart, matching.context.keys
    who = counted.listed(keys, session.session_id, person)
    stood = counted.listed(keys, session.session_id, stands_for) if stands_for else None
    actor = matching.actor
    return NewEvent(
        session_id=session.session_id,
        session=session.code,
        nonce=matching.nonce,
        fingerprint=matching.fingerprint,
        kind=EventKind.MATCH,
        source=Source.MANUAL,
        point_id=apart.point_id,
        point=apart.point,
        server_ms=matching.now_ms,
        at_ms=matching.now_ms,
        happened_ms=apart.at_ms,
        counted=False,
        attendee_id=person.attendee_id,
        unlisted_id=apart.unlisted_id,
        stands_for_id=stood.attendee_id if stood else None,
        account_id=actor.account_id if isinstance(actor, Account) else None,
        by=actor.name if isinstance(actor, Account | System) else "",
        who=_commitments(who),
        stands_for=_commitments(stood) if stood else (),
        flags=" ".join(_flags(matching, person, stands_for)),
        reason=names.tidy(matching.body.reason),
    )


def _commitments(who: Listed) -> tuple[str, ...]:
    return commitments(who.salt, (who.code, who.full_name, who.phone))


def _flags(matching: _Matching, person: Known, stands_for: Known | None) -> list[Flag]:
    """What stays odd about the entry, and what is odd now that it is known whose it is."""
    flags = [Flag(flag) for flag in matching.apart.flags.split() if flag not in OUTGROWN]
    if person.invited is None:
        flags[:0] = [Flag.NOT_INVITED] if matching.listed else []
    elif person.point_id not in {None, matching.apart.point_id}:
        flags.insert(0, Flag.WRONG_POINT)
    if stands_for is not None and Flag.SUBSTITUTE not in flags:
        flags.append(Flag.SUBSTITUTE)
    return flags


# --- answering -------------------------------------------------------------------------------------------------
async def _answer(context: Context, session_id: int, done: Done) -> wire.Matched:
    named = [done.nonce, *([done.entry] if done.entry else [])]
    async with context.read() as connection:
        found = await log.by_nonce(connection, session_id, named)
    row = found[done.nonce]
    return wire.Matched(
        nonce=nonces.write(done.nonce),
        result="accepted" if done.entry in {None, done.nonce} else "duplicate",
        person=events.person(row.person) if row.person else wire.PersonView(""),
        held=done.held,
        replayed=done.replayed,
        check_in=events.check_in(found[done.entry]) if done.entry else None,
    )
