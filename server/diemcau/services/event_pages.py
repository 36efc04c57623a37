"""The attendance log, read by staff and by a hall's operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from diemcau.domain.authority import Action, Actor, Anonymous, Device, Scope, require
from diemcau.domain.models import DeviceKind
from diemcau.errors import ForbiddenError, MalformedError, NotFoundError, NotSignedInError
from diemcau.services import lists
from diemcau.services.events import view
from diemcau.services.sessions import visible
from diemcau.store import events, recording
from diemcau.wire import check_ins as wire

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.services.lists import Wanted
    from diemcau.store.events import EventRow

ID_DIGITS_MAX = 18


class Of(NamedTuple):
    """Whose events: of a hall, of a person; codes, None for all."""

    point: str | None = None
    attendee: str | None = None


async def listed(actor: Actor, context: Context, session: str, of: Of, wanted: Wanted) -> wire.EventPage:
    """A page of the log: events of the actor's people and halls; for an operator's device, of its own hall.

    Raises:
        NotFoundError: no such session, or not theirs to see.
        ForbiddenError: a display, or another hall than the device's own.
        MalformedError: `after` did not come from a page of this list.
    """
    before = _before(wanted.after)
    if isinstance(actor, Anonymous):
        raise NotSignedInError
    if isinstance(actor, Device):
        return await _of_hall(actor, context, session, of, (before, wanted.limit))
    async with context.read() as connection:
        row = await visible(actor, connection, session)
        scope = require(actor, Action.ATTENDANCE_READ)
        asked = events.Asked(row.session_id, scope, wanted.limit + 1, of.point, of.attendee, before)
        return _page(await events.page(connection, asked), wanted.limit)


async def _of_hall(
    actor: Device, context: Context, session: str, of: Of, page: tuple[int | None, int]
) -> wire.EventPage:
    if actor.kind is not DeviceKind.OPERATOR or of.point not in {None, actor.point_code}:
        raise ForbiddenError
    found, halls = await recording.places(context.engines, session, [actor.point_code])
    if found is None or not halls:
        raise NotFoundError(what="session", key=session)
    before, rows = page
    asked = events.Asked(found.session_id, Scope(("",)), rows + 1, actor.point_code, of.attendee, before)
    async with context.read() as connection:
        return _page(await events.page(connection, asked), rows)


def _page(rows: list[EventRow], limit: int) -> wire.EventPage:
    following = lists.mark(str(rows[limit - 1].event_id)) if len(rows) > limit else None
    return wire.EventPage([view(row) for row in rows[:limit]], following)


def _before(after: str) -> int | None:
    """The event that the page before ended with."""
    keys = lists.read_mark(after, keys=1)
    if keys is None:
        return None
    if not (keys[0].isascii() and keys[0].isdigit() and len(keys[0]) <= ID_DIGITS_MAX):
        raise MalformedError(field="after", reason="reason.not_a_page")
    return int(keys[0])
