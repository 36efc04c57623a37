"""Rosters as a report: before a list is printed, everybody on it has the number that they keep."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from diemcau.domain.authority import Action, Actor, require
from diemcau.errors import NotFoundError
from diemcau.services.sessions import visible
from diemcau.store import report_rows, rosters

if TYPE_CHECKING:
    from diemcau.services.context import Context


async def number_lists(actor: Actor, context: Context, code: str, point: str | None) -> None:
    """Give a number to everybody on the halls' lists (one hall's, where `point` names it) who has none yet.

    A hall a write: seven hundred halls that were never printed hold nobody's check-in up.

    Raises:
        NotFoundError: no such session, or the point does not take part in it.
        ForbiddenError: the actor may read no attendance.
    """
    require(actor, Action.ATTENDANCE_READ)
    async with context.read() as connection:
        session = await visible(actor, connection, code)
        if point is not None and await rosters.hall(connection, code, point) is None:
            raise NotFoundError(what="point", key=point)
        halls = await report_rows.unnumbered(connection, session.session_id, point)
    for hall in halls:
        await context.writer.write(partial(rosters.ensure_numbers, session_id=session.session_id, point_id=hall))
