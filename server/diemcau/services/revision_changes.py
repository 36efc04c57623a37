"""What a revision of frozen figures changed: of whom, by which events, who made them and why.

The figures of a revision differ from those before by exactly these changes (`services.revising` finds them): a person
moves from one status to another in the figures of one unit, the one that counted them when these were first frozen.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from diemcau.domain.authority import Action, Actor, require
from diemcau.domain.minutes_file import Frozen
from diemcau.domain.models import EventKind, Source
from diemcau.errors import NotFoundError
from diemcau.services import lists, minutes, sessions
from diemcau.store import minutes as stored_minutes
from diemcau.store import revision_changes as stored
from diemcau.store import units
from diemcau.wire.minutes import RevisionChange, RevisionChanges, RevisionEvent, UnitChange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diemcau.domain.minutes_file import Minutes
    from diemcau.services.context import Context
    from diemcau.services.lists import Wanted
    from diemcau.store.revision_changes import CauseRow, ChangeRow


async def listed(actor: Actor, context: Context, code: str, revision: int, wanted: Wanted) -> RevisionChanges:
    """What revision `revision` changed, in the figures of the actor's units; of the first one, nothing.

    Raises:
        NotFoundError: no such session, not the actor's to see, or no such revision.
        ForbiddenError: not a reader of attendance.
        MalformedError: `after` did not come from a page of this list.
    """
    scope = require(actor, Action.ATTENDANCE_READ)
    after = lists.read_number(wanted.after) or 0
    async with context.read() as connection:
        session = await sessions.visible(actor, connection, code)
        everyone = await units.all_of(connection, scope)
        found = {one.revision: one for one in await stored_minutes.all_of(connection, session.session_id)}
        if revision not in found:
            raise NotFoundError(what="minutes", key=f"{code}/{revision}")
        asked = (session.session_id, revision, scope, after, wanted.limit + 1)
        rows = await stored.page(connection, *asked)
        page = rows[: wanted.limit]
        causes = await stored.causes(connection, session.session_id, revision, page)
    now = found[revision]
    before = found.get(revision - 1)
    read = [await asyncio.to_thread(one.signed.read) for one in (now, before) if one is not None]
    names = {unit.code: unit.name for unit in everyone}
    own = None if scope.covers(session.unit_path) else set(names)
    return RevisionChanges(
        revision=revision,
        at_ms=now.at_ms,
        made_by=now.made_by,
        reason=now.reason,
        figures=minutes.figures_of(read[0], own),
        previous=minutes.figures_of(read[1], own) if before else None,
        units=_units(read[0], read[1], names) if before else [],
        items=[_view(row, causes[row.attendee_id, row.unlisted_id]) for row in page],
        next=lists.mark(str(page[-1].number)) if len(rows) > len(page) else None,
    )


def _units(now: Minutes, before: Minutes, names: Mapping[str, str]) -> list[UnitChange]:
    """The units whose own figures changed, in the order of the minutes."""
    old = {row.unit: row.figures for row in before.units}
    new = {row.unit: row.figures for row in now.units}
    none = Frozen(excused=0)
    changed = [code for code in {**new, **old} if code in names and new.get(code, none) != old.get(code, none)]
    return [
        UnitChange(
            unit=code,
            name=names[code],
            before=minutes.told(old.get(code, none)),
            after=minutes.told(new.get(code, none)),
        )
        for code in changed
    ]


def _view(row: ChangeRow, causes: Sequence[CauseRow]) -> RevisionChange:
    events = [
        RevisionEvent(
            kind=EventKind(cause.kind),
            source=Source(cause.source),
            by=cause.by,
            point_name=cause.point_name,
            at_ms=cause.happened_ms,
            server_ms=cause.server_ms,
            reason=cause.reason,
        )
        for cause in causes
    ]
    return RevisionChange(
        code=row.code,
        full_name=row.full_name,
        title=row.title,
        unit=row.unit_code,
        unit_name=row.unit_name,
        before=row.before,
        after=row.after,
        events=events,
    )
