"""Absences as the attendee asks for them: on their badge's page, for themselves and nobody else.

What they see is of their own sessions; whoever has no badge learns nothing here that its page does not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.domain import absence, names
from diemcau.domain.authority import Anonymous
from diemcau.domain.models import AbsenceState, SessionState
from diemcau.errors import ConflictError, MalformedError, NotFoundError
from diemcau.services import absences as absences_by_staff
from diemcau.services.absences import Decided
from diemcau.store import absences, sessions
from diemcau.wire.absences import AbsenceReason, OwnAbsence

if TYPE_CHECKING:
    from diemcau.domain.authority import Actor
    from diemcau.i18n import Language
    from diemcau.services.context import Context
    from diemcau.store.absences import OwnRow
    from diemcau.store.badges import Holder
    from diemcau.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Asked:
    """What a holder typed into the form. substitute: a name; the list is not theirs to look into."""

    reason: str
    text: str = ""
    substitute: str = ""


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A holder's absence from one session. ask_by_ms: they may ask now, and are late after this; None: they may not."""

    absence: OwnAbsence | None
    ask_by_ms: int | None


@dataclass(frozen=True, slots=True)
class Own:
    """A holder's absences by the code of the session, and the reasons on offer."""

    sessions: dict[str, OwnSession]
    reasons: list[AbsenceReason]


async def own(actor: Actor, connection: Connection, attendee_id: int, language: Language) -> Own:
    """What the holder of a badge may see and do about their own absences."""
    del actor
    rows = await absences.own(connection, attendee_id)
    reasons = [
        AbsenceReason(row.code, absence.reason_name(row.code, row.name, language))
        for row in await absences.reasons(connection)
        if not row.retired
    ]
    return Own({row.session: _own(row, language) for row in rows}, reasons)


async def ask(actor: Actor, context: Context, holder: Holder, session: str, asked: Asked) -> None:
    """Ask to be absent from a session; asking twice leaves the first request as it is.

    Raises:
        NotFoundError: the session does not summon them.
        ConflictError: they are there already, or the figures are frozen; their unit's clerk can still enter it.
        MalformedError: no such reason, or a text that is too long.
        RateLimitedError: again and again within a minute.
    """
    del actor
    _slow(context, holder)
    text, substitute = _bounded("text", asked.text), _bounded("substitute", asked.substitute)
    now_ms = context.clock.now_ms()

    async def work(connection: Connection) -> None:
        row = await _open(connection, holder, session)
        found = await sessions.get(connection, row.session)
        values = await absences_by_staff.asked(Anonymous(), connection, found, (asked.reason, text), now_ms)
        typed = {"substitute": substitute, "substitute_id": None}
        await connection.run_sync(absences.request, row.session_id, holder.attendee_id, values | typed)

    await context.writer.write(work)


async def withdraw(actor: Actor, context: Context, holder: Holder, session: str) -> None:
    """Take one's own request back, or the absence that was approved: they will come after all.

    What nobody decided yet is withdrawn without a trace in the log; an approved absence is decided anew.

    Raises:
        NotFoundError: nothing to take back.
        ConflictError, RateLimitedError: see `ask`.
    """
    del actor
    _slow(context, holder)
    now_ms = context.clock.now_ms()

    async def work(connection: Connection) -> None:
        row = await _open(connection, holder, session, came=True)
        state = await connection.run_sync(absences.current, row.session_id, holder.attendee_id)
        if state is AbsenceState.REQUESTED:
            told = {"state": AbsenceState.WITHDRAWN, "decided_ms": now_ms, "decided_by": absence.BY_HOLDER}
            await connection.run_sync(absences.change, row.session_id, holder.attendee_id, told)
        elif state is AbsenceState.APPROVED:
            found = await sessions.get(connection, row.session)
            who = await absences.summoned(connection, row.session_id, holder.code)
            if who is not None:  # they are: `_open` found their invitation
                decided = Decided(AbsenceState.WITHDRAWN)
                await absences_by_staff.decide(Anonymous(), connection, context, (found, who), decided)
        elif state is None:
            raise NotFoundError(what="absence", key=session)

    await context.writer.write(work)


async def _open(connection: Connection, holder: Holder, session: str, *, came: bool = False) -> OwnRow:
    """The holder's session, where they may still change their mind; kept open until the commit."""
    row = next((row for row in await absences.own(connection, holder.attendee_id) if row.session == session), None)
    if row is None:
        raise NotFoundError(what="session", key=session)
    kept = await sessions.get(connection, session, kept=True)
    if kept.state is SessionState.CLOSED or (row.came and not came):
        raise ConflictError(what="absence", key=session)
    return row


def _slow(context: Context, holder: Holder) -> None:
    """Every change costs a transaction: somebody who presses and presses is told to wait."""
    key = f"absence:{holder.attendee_id}"
    context.limiter.check(key, limits.ABSENCES_ASKED_PER_MINUTE_MAX)
    context.limiter.failed(key)


def _bounded(field: str, text: str) -> str:
    typed = names.tidy(text)
    if len(typed) > limits.TEXT_CHARS_MAX:
        raise MalformedError(field=field, reason=f"≤ {limits.TEXT_CHARS_MAX}")
    return typed


def _own(row: OwnRow, language: Language) -> OwnSession:
    closed = row.session_state == SessionState.CLOSED
    may_ask = not closed and not row.came and row.state not in absence.LIVE
    told = None
    if row.state is not None:
        told = OwnAbsence(
            state=AbsenceState(row.state),
            reason_name=absence.reason_name(row.reason or "", row.reason_name or "", language),
            text=row.text or "",
            late=bool(row.late),
            note=row.note or "",
            may_withdraw=row.state in absence.LIVE and not closed,
        )
    deadline_ms = row.starts_ms if row.deadline_ms is None else row.deadline_ms
    return OwnSession(told, deadline_ms if may_ask else None)
