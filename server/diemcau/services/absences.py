"""Absences (vắng có lý do): asked for with a reason, decided by somebody, both with a trace (I3, I4, I5).

Staff enter and decide them for the people of their own units; the attendee asks on their badge's page
(`absence_requests`). Every decision is an event of the attendance log, in the transaction that makes it; one that
comes after closing waits for the next revision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from diemcau.domain import absence, names
from diemcau.domain.authority import Account, Action, Actor, Anonymous, Scope, System, require
from diemcau.domain.log_chain import commitments
from diemcau.domain.models import AbsenceState, EventKind, Source
from diemcau.errors import ConflictError, ForbiddenError, MalformedError, NoPointsError, NotFoundError
from diemcau.services import counted, lists, nonces
from diemcau.services.sessions import visible
from diemcau.store import absences, session_options
from diemcau.store.event_log import NewEvent
from diemcau.wire import absences as wire

if TYPE_CHECKING:
    from diemcau.i18n import Language
    from diemcau.services.context import Context
    from diemcau.store.absences import AbsenceRow, Summoned
    from diemcau.store.engine import Connection
    from diemcau.store.sessions import SessionRow


@dataclass(frozen=True, slots=True)
class Filter:
    """Which absences a list shows: of one state, or those asked for late; the defaults are all."""

    state: AbsenceState | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision: what, and why."""

    state: AbsenceState
    note: str = ""


# --- reading -----------------------------------------------------------------------------------------------
async def listed(  # noqa: PLR0913 a list, its filter, and the reader's language
    actor: Actor,
    context: Context,
    code: str,
    wanted: lists.Wanted,
    only: Filter | None = None,
    language: Language = "vi",
) -> wire.AbsencePage:
    """A page of the absences of the actor's people, by unit and Vietnamese given name.

    Raises:
        NotFoundError: no such session or unit.
        ForbiddenError: the unit is outside the actor's scope.
    """
    only = only or Filter()
    async with context.read() as connection:
        session = await visible(actor, connection, code)
        asked = await lists.asked_for(actor, Action.ATTENDANCE_READ, connection, wanted, keys=3)
        rows = await absences.page(connection, session.session_id, asked, only.state, late=only.late)
        counts = await absences.counts(connection, session.session_id, asked.scope)
    page = rows[: wanted.limit]
    last = page[-1] if page and len(rows) > len(page) else None
    following = lists.mark(last.unit_path, last.sort_key, last.code) if last else None
    told = wire.AbsenceCounts(
        counts.requested, counts.approved, counts.refused, counts.withdrawn, counts.late, counts.held
    )
    return wire.AbsencePage([view(row, language) for row in page], told, following)


# --- asking and deciding -------------------------------------------------------------------------------------
async def add(
    actor: Actor, context: Context, code: str, body: wire.AbsenceNew, language: Language = "vi"
) -> wire.AbsenceView:
    """Enter an absence for somebody who is summoned, and decide it at once where `state` says so.

    Raises:
        NotFoundError: no such session or substitute, or not the actor's to see.
        MalformedError: not summoned to this session, or a reason that is not offered.
        ForbiddenError: not a writer of attendance for this person's unit.
        ConflictError: they asked already, or are approved.
        NoPointsError: a session without points has no hall for the log to name.
    """
    scope = require(actor, Action.ATTENDANCE_WRITE)
    now_ms = context.clock.now_ms()

    async def work(connection: Connection) -> AbsenceRow:
        session = await visible(actor, connection, code)
        who = await _person(connection, session, body.attendee.upper(), scope)
        values = await asked(actor, connection, session, (body.reason, body.text), now_ms)
        values |= await _substitute(connection, scope, who, body.substitute, body.substitute_name)
        if not await connection.run_sync(absences.request, session.session_id, who.attendee_id, values):
            raise ConflictError(what="absence", key=who.code)
        if body.state == "approved":
            await decide(
                actor, connection, context, (session, who), Decided(AbsenceState.APPROVED, names.tidy(body.note))
            )
        return await _row_of(connection, session, who)

    return view(await context.writer.write(work), language)


async def change(  # noqa: PLR0913 whose absence from what, and the reader's language
    actor: Actor, context: Context, code: str, attendee: str, body: wire.AbsencePatch, language: Language = "vi"
) -> wire.AbsenceView:
    """Decide an absence, or correct what was asked. The same decision again changes nothing and is not logged.

    Raises:
        NotFoundError: no such session, absence or substitute, or not the actor's to see.
        MalformedError: a reason that is not offered, or a note without a decision.
        ForbiddenError: not a writer of attendance for this person's unit.
        NoPointsError: see `add`.
    """
    scope = require(actor, Action.ATTENDANCE_WRITE)
    if body.state is msgspec.UNSET and body.note is not msgspec.UNSET:
        raise MalformedError(field="state", reason="reason.empty")

    async def work(connection: Connection) -> AbsenceRow:
        session = await visible(actor, connection, code)
        who = await _person(connection, session, attendee, scope)
        if await connection.run_sync(absences.current, session.session_id, who.attendee_id) is None:
            raise NotFoundError(what="absence", key=attendee)
        row = await _row_of(connection, session, who)
        values = await _corrected(connection, scope, who, body)
        await connection.run_sync(absences.change, session.session_id, who.attendee_id, values)
        if body.state is not msgspec.UNSET:
            note = row.note if body.note is msgspec.UNSET and row.state == body.state else names.tidy(body.note or "")
            if (row.state, row.note) != (body.state, note):
                await decide(actor, connection, context, (session, who), Decided(AbsenceState(body.state), note))
        return await _row_of(connection, session, who)

    return view(await context.writer.write(work), language)


async def _corrected(connection: Connection, scope: Scope, who: Summoned, body: wire.AbsencePatch) -> dict[str, Any]:
    """The columns that a change names, without its decision."""
    values: dict[str, Any] = {}
    if body.reason is not msgspec.UNSET:
        values["reason"] = await _reason_offered(connection, body.reason)
    if body.text is not msgspec.UNSET:
        values["text"] = names.tidy(body.text)
    if body.substitute is not msgspec.UNSET or body.substitute_name is not msgspec.UNSET:
        values |= await _substitute(connection, scope, who, body.substitute or None, body.substitute_name or "")
    return values


# --- parts, shared with `absence_requests` ---------------------------------------------------------------------
async def asked(
    actor: Actor, connection: Connection, session: SessionRow, why: tuple[str, str], now_ms: int
) -> dict[str, Any]:
    """The columns of a request by staff or, where the actor is nobody, by the attendee. why: a reason's code, and text.

    Raises:
        MalformedError: a reason that is not offered.
    """
    options = await session_options.get(connection, session.session_id)
    return {
        "reason": await _reason_offered(connection, why[0]),
        "text": names.tidy(why[1]),
        "requested_ms": now_ms,
        "requested_by": _name(actor),
        "late": absence.is_late(now_ms, options.absence_deadline_ms, session.starts_ms),
    }


async def _reason_offered(connection: Connection, code: str) -> str:
    """The code of a reason that may be chosen.

    Raises:
        MalformedError: there is none such.
    """
    wanted = code.upper()
    if not any(row.code == wanted and not row.retired for row in await absences.reasons(connection)):
        raise MalformedError(field="reason", reason="absence.no_such_reason")
    return wanted


async def decide(
    actor: Actor, connection: Connection, context: Context, of: tuple[SessionRow, Summoned], decided: Decided
) -> None:
    """Decide an absence and append that to the log, in this job of the writer. of: the session and the person.

    An actor who is nobody is the attendee with their badge: the log names no account then.

    Raises:
        NoPointsError: the session has no hall that the event could name.
    """
    session, who = of
    hall = (who.point_id, who.point) if who.point_id is not None and who.point is not None else None
    hall = hall or await absences.hall_for(connection, session.session_id, who.unit_path)
    if hall is None:
        raise NoPointsError(key=session.code)
    now_ms = context.clock.now_ms()
    nonce = nonces.make(now_ms)
    listed_ = counted.listed(context.keys, session.session_id, who)
    event = NewEvent(
        session_id=session.session_id,
        session=session.code,
        nonce=nonce,
        fingerprint=nonces.fingerprint(context.keys, session.session_id, who.attendee_id, "excuse", nonce),
        kind=EventKind.EXCUSE,
        source=Source.BADGE if isinstance(actor, Anonymous) else Source.MANUAL,
        point_id=hall[0],
        point=hall[1],
        server_ms=now_ms,
        at_ms=now_ms,
        happened_ms=now_ms,
        counted=False,
        attendee_id=who.attendee_id,
        account_id=actor.account_id if isinstance(actor, Account) else None,
        by="" if isinstance(actor, Anonymous) else _name(actor),
        who=commitments(listed_.salt, (listed_.code, listed_.full_name, listed_.phone)),
        reason=decided.note,
        detail=decided.state.value,
    )
    writer_id = context.writer.writer_id
    await connection.run_sync(absences.decide, writer_id, event, decided.state, _name(actor))


async def _row_of(connection: Connection, session: SessionRow, who: Summoned) -> AbsenceRow:
    """An absence that is there.

    Raises:
        NotFoundError: it is not.
    """
    row = await absences.get(connection, session.session_id, who.attendee_id)
    if row is None:
        raise NotFoundError(what="absence", key=who.code)
    return row


def view(row: AbsenceRow, language: Language) -> wire.AbsenceView:
    """An absence as staff read it."""
    return wire.AbsenceView(
        attendee=row.code,
        full_name=row.full_name,
        unit=row.unit_code,
        unit_name=row.unit_name,
        state=row.state,
        reason=row.reason,
        reason_name=absence.reason_name(row.reason, row.reason_name or row.reason, language),
        requested_ms=row.requested_ms,
        requested_by=row.requested_by,
        title=row.title,
        point_name=row.point_name or "",
        text=row.text,
        late=row.late,
        substitute=row.substitute,
        substitute_code=row.substitute_code,
        decided_ms=row.decided_ms,
        decided_by=row.decided_by,
        note=row.note,
        held=row.held,
        excused=row.excused,
        came=row.came,
        taken=row.taken,
    )


# --- parts ---------------------------------------------------------------------------------------------------
async def _person(connection: Connection, session: SessionRow, code: str, scope: Scope) -> Summoned:
    """Somebody whom the session summons and for whom the actor may write.

    Raises:
        MalformedError: not summoned, or not there.
        ForbiddenError: of another unit.
    """
    who = await absences.summoned(connection, session.session_id, code)
    if who is None:
        raise MalformedError(field="attendee", reason="absence.not_summoned")
    if not scope.covers(who.unit_path):
        raise ForbiddenError
    return who


async def _substitute(
    connection: Connection, scope: Scope, who: Summoned, code: str | None, name: str
) -> dict[str, Any]:
    """The columns of who is to come instead: somebody on a list of the actor's units, a name, or nobody.

    Raises:
        MalformedError: both, or the absent person themselves.
        NotFoundError: no such person, or not theirs to see.
    """
    typed = names.tidy(name)
    if code is None:
        return {"substitute": typed, "substitute_id": None}
    if typed:
        raise MalformedError(field="substitute_name", reason="absence.one_substitute")
    found = await absences.person_id(connection, code.upper(), scope)
    if found is None:
        raise NotFoundError(what="attendee", key=code.upper())
    if found == who.attendee_id:
        raise MalformedError(field="substitute", reason="absence.themselves")
    return {"substitute": "", "substitute_id": found}


def _name(actor: Actor) -> str:
    """Whom the absence names: an account, or that it was the attendee."""
    return actor.name if isinstance(actor, Account | System) else absence.BY_HOLDER
