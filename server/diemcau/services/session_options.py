"""A session's options: target rate, deadline for absences, what stands on its papers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from diemcau.domain import names
from diemcau.domain.authority import Action, Actor, require
from diemcau.services.sessions import visible, writable
from diemcau.store import session_options
from diemcau.wire.session_options import SessionOptions, SessionOptionsPatch

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.store.engine import Connection


async def get(actor: Actor, context: Context, code: str) -> SessionOptions:
    """What is set for a session.

    Raises:
        NotFoundError: no such session, or not the actor's to see.
    """
    async with context.read() as connection:
        session = await visible(actor, connection, code)
        return _view(await session_options.get(connection, session.session_id))


async def change(actor: Actor, context: Context, code: str, body: SessionOptionsPatch) -> SessionOptions:
    """Set what is given, at any time: papers are printed after closing too.

    Raises:
        NotFoundError, ForbiddenError: no such session, or not the actor's to change.
    """
    require(actor, Action.SESSIONS_WRITE)
    values: dict[str, Any] = {
        name: names.tidy(value) if isinstance(value, str) else value
        for name, value in msgspec.structs.asdict(body).items()
        if value is not msgspec.UNSET
    }

    async def work(connection: Connection) -> session_options.OptionsRow:
        session = await writable(actor, connection, code, closed=True)
        await connection.run_sync(session_options.put, session.session_id, values)
        return await session_options.get(connection, session.session_id)

    return _view(await context.writer.write(work))


def _view(row: session_options.OptionsRow) -> SessionOptions:
    return SessionOptions(
        target_rate=row.target_rate,
        absence_deadline_ms=row.absence_deadline_ms,
        document_number=row.document_number,
        document_date=row.document_date,
        place=row.place,
    )
