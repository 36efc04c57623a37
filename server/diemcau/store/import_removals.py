"""People and points that a list no longer names: what refers to them, and removing them with what belongs to them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.store.schema import (
    absence,
    attendance_event,
    attendee,
    badge,
    device,
    invitation,
    pairing,
    point,
    session,
    session_point,
    unit,
    unlisted,
)
from diemcau.store.session_points import recount_invited
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection

TABLES = {"points": point, "attendees": attendee}
HOLDS = {
    "attendees": (
        attendance_event.c.attendee_id,
        attendance_event.c.stands_for_id,
        unlisted.c.attendee_id,
        absence.c.attendee_id,
        absence.c.substitute_id,
    ),
    "points": (session_point.c.point_id, attendance_event.c.point_id, attendee.c.point_id, device.c.point_id),
}
"""What keeps a row: whoever counts, stands for somebody, was matched, or asked to be excused stays on the list."""

Belongings = tuple[list[tuple[int, bytes, int, int | None]], list[tuple[int, int | None, int | None]]]


@dataclass(slots=True)
class Removal:
    """What was removed: whole rows, and by id the badges and invitations that went with them.

    held: (code) of those that stay because something refers to them. `sessions`: whose invitations changed.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    belongings: dict[int, Belongings] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)


async def page(connection: Connection, what: str, scope: Scope, after: int, limit: int) -> list[tuple[int, str]]:
    """Ids and codes of the points or people in scope, in the order of their ids."""
    table = TABLES[what]
    query = (
        sa.select(table.c.id, table.c.code)
        .join(unit, unit.c.id == table.c.unit_id)
        .where(in_scope(unit.c.path, scope), table.c.id > after)
        .order_by(table.c.id)
        .limit(limit)
    )
    return [(row.id, row.code) for row in await connection.execute(query)]


async def in_use(connection: Connection, what: str, ids: Collection[int], *, drafts_hold: bool) -> set[int]:
    """Those of `ids` that something refers to; an invitation to a draft session only where `drafts_hold`."""
    used: set[int] = set()
    for column in HOLDS[what]:
        used.update((await connection.execute(sa.select(column).where(column.in_(ids)).distinct())).scalars())
    if what == "attendees":
        query = sa.select(invitation.c.attendee_id).where(invitation.c.attendee_id.in_(ids)).distinct()
        if not drafts_hold:
            query = query.join(session, session.c.id == invitation.c.session_id).where(session.c.state != "draft")
        used.update((await connection.execute(query)).scalars())
    return used


async def held(connection: Connection, what: str, ids: Sequence[int]) -> list[str]:
    """The codes of those of `ids` that a list which no longer names them leaves in place."""
    code = TABLES[what].c.code
    used = await in_use(connection, what, ids, drafts_hold=False)
    return list((await connection.execute(sa.select(code).where(TABLES[what].c.id.in_(used)).order_by(code))).scalars())


async def remove(connection: Connection, what: str, ids: Sequence[int], *, drafts_hold: bool) -> Removal:
    """Remove the rows of `ids` that nothing refers to, with badges and with invitations to draft sessions."""
    table, done = TABLES[what], Removal()
    used = await in_use(connection, what, ids, drafts_hold=drafts_hold)
    rows = (await connection.execute(sa.select(table).where(table.c.id.in_(ids)))).mappings().all()
    done.held = [row["code"] for row in rows if row["id"] in used]
    done.rows = [dict(row) for row in rows if row["id"] not in used]
    gone = [row["id"] for row in done.rows]
    if not gone:
        return done
    if what == "attendees":
        await _take_belongings(connection, gone, done)
    else:
        await connection.execute(sa.delete(pairing).where(pairing.c.point_id.in_(gone)))
    await connection.execute(sa.delete(table).where(table.c.id.in_(gone)))
    for session_id in done.sessions:
        await recount_invited(connection, session_id)
    return done


async def _take_belongings(connection: Connection, gone: Sequence[int], done: Removal) -> None:
    b, i = badge.c, invitation.c
    badges = sa.select(b.attendee_id, b.issue, b.token_hash, b.made_ms, b.revoked_ms).where(b.attendee_id.in_(gone))
    for person, *one in (await connection.execute(badges)).all():
        done.belongings.setdefault(person, ([], []))[0].append(tuple(one))
    invited = sa.select(i.attendee_id, i.session_id, i.point_id, i.number).where(i.attendee_id.in_(gone))
    for person, session_id, point_id, number in (await connection.execute(invited)).all():
        done.belongings.setdefault(person, ([], []))[1].append((session_id, point_id, number))
        done.sessions.add(session_id)
    await connection.execute(sa.delete(badge).where(b.attendee_id.in_(gone)))
    await connection.execute(sa.delete(invitation).where(i.attendee_id.in_(gone)))
