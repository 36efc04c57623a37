"""The list of queues that are not sent, for who is about to close a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau.domain.authority import Action, Actor, require
from diemcau.services.sessions import visible
from diemcau.services.unsent_queues import standing
from diemcau.wire.minutes import UnsentQueue, UnsentQueues

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.services.unsent_queues import Standing


async def listed(actor: Actor, context: Context, code: str) -> UnsentQueues:
    """The queues of the session's halls in the actor's units that are not sent, and those of which nothing is known.

    Raises:
        NotFoundError: no such session, or not the actor's to see.
        ForbiddenError: not a reader of points.
    """
    scope = require(actor, Action.POINTS_READ)
    async with context.read() as connection:
        session = await visible(actor, connection, code)
        found = await standing(actor, context, connection, session.session_id, scope)
    waiting = [one for one in found if one.known]
    return UnsentQueues(
        as_of_ms=context.clock.now_ms(),
        points=len({one.row.point for one in waiting}),
        waiting=sum(one.told.waiting for one in waiting if one.told),
        unknown=len({one.row.point for one in found} - {one.row.point for one in waiting}),
        items=[_view(one) for one in sorted(found, key=lambda one: not one.known)],
    )


def _view(one: Standing) -> UnsentQueue:
    row, told = one.row, one.told
    return UnsentQueue(
        point=row.point,
        point_name=row.point_name,
        unit_name=row.unit_name,
        contact_name=row.contact_name,
        contact_phone=row.contact_phone,
        device=row.device,
        known=one.known,
        waiting=told.waiting if told else None,
        oldest_ms=told.oldest_ms if told else None,
        told_ms=told.told_ms if told else None,
    )
