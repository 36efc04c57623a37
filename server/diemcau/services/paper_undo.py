"""Taking a whole paper sheet back: every entry under it is annulled in one transaction, or none is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diemcau import limits
from diemcau.domain import log_chain, names
from diemcau.domain.authority import Actor, Device, System
from diemcau.domain.models import EventKind, SessionState
from diemcau.errors import ForbiddenError, MalformedError
from diemcau.services import board, nonces
from diemcau.services.papers import desk_of_sheet, event_of, view_of
from diemcau.store import corrections, event_log, papers

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.services.papers import Desk
    from diemcau.store.corrections import Entry
    from diemcau.store.engine import Connection
    from diemcau.store.event_log import NewEvent
    from diemcau.store.papers import PaperRow
    from diemcau.wire import papers as wire


async def undo(actor: Actor, context: Context, code: str, nonce: str, reason: str) -> wire.PaperView:
    """Take back every entry of a sheet that still stands; who else was entered for the same person counts instead.

    A sheet that was taken back already answers as it stands. After closing the annuls wait for the next revision.

    Raises:
        ForbiddenError: an operator's device that did not enter the sheet, or later than `limits.ANNUL_OWN_S`.
        MalformedError: an empty reason.
        NotSignedInError, NotFoundError: see `papers.enter`.
    """
    desk, row = await desk_of_sheet(actor, context, code, nonce)
    now_ms = context.clock.now_ms()
    tidied = names.tidy(reason)
    if not tidied or "\0" in tidied:
        raise MalformedError(field="reason", reason="reason.empty")
    if isinstance(actor, Device) and (
        row.device_id != actor.device_id or now_ms > row.made_ms + limits.ANNUL_OWN_S * 1000
    ):
        raise ForbiddenError

    async def work(connection: Connection) -> None:
        state = await connection.run_sync(corrections.state_of, desk.session.session_id)
        if await papers.hold(connection, row.paper_id) is not None:
            return
        closed = state is SessionState.CLOSED
        entries = await papers.standing(connection, row.nonce)
        events = _annuls(context, desk, row, entries, now_ms)
        events = [msgspec.structs.replace(event, reason=tidied, held=closed) for event in events]
        await connection.run_sync(event_log.append, context.writer.writer_id, events)
        if not closed:
            annuls = [event.nonce for event in events if event.kind is EventKind.ANNUL]
            await connection.run_sync(corrections.apply, desk.session.session_id, annuls)
        await papers.undo(connection, row.paper_id, now_ms)

    await context.writer.write(work)
    await board.refresh(System(), context, desk.session.session_id)
    return await view_of(actor, context, code, nonce)


def _annuls(context: Context, desk: Desk, row: PaperRow, entries: list[Entry], now_ms: int) -> list[NewEvent]:
    """An annul for each entry, and one for the sheet itself, sorted by nonce."""
    own = nonces.make(now_ms)
    sheet = event_of(desk, own, nonces.fingerprint(context.keys, "undo", row.nonce, own), now_ms, "undo")
    found = [msgspec.structs.replace(sheet, of_nonce=row.nonce)]
    for entry in entries:
        nonce = nonces.make(now_ms)
        event = event_of(desk, nonce, nonces.fingerprint(context.keys, "annul", entry.nonce, nonce), now_ms)
        found.append(
            msgspec.structs.replace(
                event,
                kind=EventKind.ANNUL,
                of_nonce=entry.nonce,
                attendee_id=entry.attendee_id,
                unlisted_id=entry.unlisted_id,
                who=_who(context, desk, entry),
            )
        )
    return sorted(found, key=lambda event: event.nonce)


def _who(context: Context, desk: Desk, entry: Entry) -> tuple[str, ...]:
    """The commitments to whom an entry is about, under the salt that its own event used."""
    salt = entry.salt
    if entry.attendee_id is not None:
        salt = context.keys.sign("log-salt", entry.salt + desk.session.session_id.to_bytes(8, "big"))
    return log_chain.commitments(salt, (entry.code, entry.full_name, entry.phone))
