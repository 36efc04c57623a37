"""Minutes: the figures as they were frozen, every revision of them, and what waits for the next one.

The figures of the whole session are for those who answer for its organizing unit; anybody else who reads attendance
sees the same revisions with the figures of their own units, and does not get the file.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import UNSET

from diemcau.domain import names
from diemcau.domain.authority import Action, Actor, System, require
from diemcau.domain.minutes_file import Frozen, Minutes
from diemcau.domain.models import SessionState
from diemcau.errors import ForbiddenError, MalformedError, NotFoundError, NotFrozenError, NothingWaitingError
from diemcau.services import board, freezing, sessions
from diemcau.services.exports import Export, temporary
from diemcau.services.log_export import named
from diemcau.services.signing import Signer
from diemcau.store import minutes as stored_minutes
from diemcau.store import units
from diemcau.wire.minutes import MinutesFigures, MinutesList, MinutesView, RevisionRequest, UnsentAtFreezing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from diemcau.i18n import Language
    from diemcau.services.context import Context
    from diemcau.store.engine import Connection
    from diemcau.store.minutes import Stored

CONTENT_TYPE = "application/json"


# --- revising ----------------------------------------------------------------------------------------------
async def revise(actor: Actor, context: Context, code: str, body: RevisionRequest) -> MinutesView:
    """Count what came after closing, and freeze and sign the figures anew; the revision before stays as it was.

    Raises:
        NothingWaitingError: nothing came since.
        NotFrozenError: the session is not closed.
        MalformedError: no reason.
        ForbiddenError, NotFoundError: not the organizer's, not there.
    """
    reason = names.tidy(body.reason)
    if not reason:
        raise MalformedError(field="reason", reason="reason.empty")
    require(actor, Action.SESSIONS_WRITE)

    async def work(connection: Connection) -> int:
        session = await sessions.writable(actor, connection, code, closed=True)
        if session.state is not SessionState.CLOSED:
            raise NotFrozenError(key=code)
        if not await stored_minutes.waiting_by_unit(connection, session.session_id, stored_minutes.EVERYTHING):
            raise NothingWaitingError(key=code)
        await freezing.freeze(actor, context, connection, session, reason)
        return session.session_id

    await board.refresh(System(), context, await context.writer.write(work))
    return (await listed(actor, context, code)).items[0]


# --- reading -----------------------------------------------------------------------------------------------
async def listed(actor: Actor, context: Context, code: str) -> MinutesList:
    """Every revision, the newest first, with the figures of the whole session or of the actor's own units.

    Raises:
        NotFoundError: no such session, or not the actor's to see.
        ForbiddenError: not a reader of attendance.
    """
    scope = require(actor, Action.ATTENDANCE_READ)
    async with context.read() as connection:
        session = await sessions.visible(actor, connection, code)
        whole = scope.covers(session.unit_path)
        own = None if whole else {unit.code for unit in await units.all_of(connection, scope)}
        stored = await stored_minutes.all_of(connection, session.session_id)
        seen = stored_minutes.EVERYTHING if whole else scope
        waiting = await stored_minutes.waiting_by_unit(connection, session.session_id, seen)
    signer = Signer.of(context.keys)
    items = await asyncio.to_thread(_views, stored, own, signer.public_key)
    return MinutesList(items, sum(waiting.values()), signer.fingerprint)


def _views(stored: list[Stored], own: Collection[str] | None, public_key: bytes) -> list[MinutesView]:
    """The newest first; each with the figures before it. own: the units whose figures are told, None for all."""
    figures = [figures_of(one.signed.read(), own) for one in stored]
    return [
        MinutesView(
            revision=one.revision,
            at_ms=one.at_ms,
            made_by=one.made_by,
            figures=now,
            reason=one.reason,
            sha256=one.signed.sha256,
            previous=before,
            intact=one.signed.signed_by(public_key),
            unsent=_unsent(one.signed.read()) if own is None else [],
        )
        for one, now, before in zip(stored, figures, [*figures, None][1:], strict=True)
    ]


def figures_of(minutes: Minutes, own: Collection[str] | None) -> MinutesFigures:
    """What minutes say of the whole session or, where `own` names units, of these alone."""
    if own is None:
        return told(minutes.figures)
    return told(sum((row.figures for row in minutes.units if row.unit in own), Frozen()))


def _unsent(minutes: Minutes) -> list[UnsentAtFreezing]:
    unsent = [] if minutes.unsent is UNSET else minutes.unsent
    return [UnsentAtFreezing(one.point, one.known, one.waiting, one.told_ms) for one in unsent]


def told(figures: Frozen) -> MinutesFigures:
    """Frozen figures as the API tells them."""
    return MinutesFigures(
        points=figures.points,
        summoned=figures.summoned,
        present=figures.present,
        late=figures.late,
        substituted=figures.substituted,
        excused=figures.excused or 0,
        unexcused=figures.unexcused,
        guests=figures.guests,
        unlisted=figures.unlisted,
        waiting=figures.waiting,
    )


@asynccontextmanager
async def made(actor: Actor, context: Context, code: str, language: Language = "vi") -> AsyncIterator[Export]:
    """The newest minutes as the signed file.

    Raises:
        NotFoundError: no such session, or its figures were never frozen.
        ForbiddenError: the actor does not answer for the whole session.
    """
    scope = require(actor, Action.ATTENDANCE_READ)
    async with context.read() as connection:
        session = await sessions.visible(actor, connection, code)
        if not scope.covers(session.unit_path):
            raise ForbiddenError
        stored = await stored_minutes.latest(connection, session.session_id)
    if stored is None:
        raise NotFoundError(what="minutes", key=code)
    with temporary(".json") as path:
        await asyncio.to_thread(path.write_bytes, stored.signed.file)
        parts = [session.code, str(stored.revision)]
        yield named(context, path, ("minutes", ".json", CONTENT_TYPE), parts, language)
