"""A session's points with their doors, and its invitations."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from diemcau.store import frozen_places
from diemcau.store.schema import (
    attendance_event,
    attendee,
    instance,
    invitation,
    link_transition,
    point,
    session_point,
    unit,
)
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection

DOOR_KEY_BYTES = 32
DOOR_ID_HIGHEST = "door_id_highest"
"""The row of `instance` that counts door ids; it never goes back, whatever is deleted."""

CODES_A_QUERY = 5_000
"""Bound parameters in one statement; SQLite takes 32,766."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A session in the figures of its halls."""

    points: int = 0
    invited: int = 0
    present: int = 0
    unlisted: int = 0


async def figures(connection: Connection, session_ids: Sequence[int], scope: Scope) -> dict[int, Figures]:
    """Per session: the points in scope, the people who sit in them (on no list: apart), and those invited to them.

    Invited people who have no hall in the session are added where their unit is in scope, so that over the
    whole tree `invited` is the number of invitations.
    """
    sp = session_point.c
    halls = (
        sa.select(
            sp.session_id, sa.func.count(), sa.func.sum(sp.invited), sa.func.sum(sp.present), sa.func.sum(sp.unlisted)
        )
        .join(point, point.c.id == sp.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .where(sp.session_id.in_(session_ids), in_scope(unit.c.path, scope))
        .group_by(sp.session_id)
    )
    unplaced = (
        sa.select(invitation.c.session_id, sa.func.count())
        .join(attendee, attendee.c.id == invitation.c.attendee_id)
        .join(unit, unit.c.id == attendee.c.unit_id)
        .where(
            invitation.c.session_id.in_(session_ids),
            invitation.c.point_id.is_(None),
            in_scope(unit.c.path, scope),
        )
        .group_by(invitation.c.session_id)
    )
    found = {row[0]: Figures(*row[1:]) for row in await connection.execute(halls)}
    for session_id, count in await connection.execute(unplaced):
        before = found.get(session_id, Figures())
        found[session_id] = replace(before, invited=before.invited + count)
    return found


# --- points ------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class PointRow:
    """A session's point with its unit."""

    code: str
    name: str
    mode: str
    cluster: str
    carrier: str
    contact_name: str
    contact_phone: str
    capacity: int
    invited: int
    unit_code: str
    unit_name: str
    unit_path: str


async def points(connection: Connection, session_id: int, scope: Scope) -> list[PointRow]:
    """The session's points in scope, by unit and code; once figures are frozen, by the unit they had then."""
    p, u = point.c, unit.c
    places = await frozen_places.of(connection, session_id)
    query = (
        sa.select(
            p.code,
            p.name,
            p.mode,
            p.cluster,
            p.carrier,
            p.contact_name,
            p.contact_phone,
            p.capacity,
            session_point.c.invited,
            u.code.label("unit_code"),
            u.name.label("unit_name"),
            u.path.label("unit_path"),
        )
        .select_from(places.of_point(session_point, session_point.c.point_id))
        .where(session_point.c.session_id == session_id, in_scope(u.path, scope))
        .order_by(u.path, p.code)
    )
    return [PointRow(**row) for row in (await connection.execute(query)).mappings()]


async def points_below(connection: Connection, scope: Scope) -> set[int]:
    """Ids of all points whose unit is in scope."""
    query = sa.select(point.c.id).join(unit, unit.c.id == point.c.unit_id).where(in_scope(unit.c.path, scope))
    return set((await connection.execute(query)).scalars())


async def points_by_code(connection: Connection, codes: Collection[str], scope: Scope) -> dict[str, int]:
    """Ids of the points of these codes that exist in scope."""
    return await _by_code(connection, point, codes, scope)


async def chosen(connection: Connection, session_id: int, scope: Scope) -> set[int]:
    """Ids of the session's points in scope."""
    query = (
        sa.select(point.c.id)
        .join(session_point, session_point.c.point_id == point.c.id)
        .join(unit, unit.c.id == point.c.unit_id)
        .where(session_point.c.session_id == session_id, in_scope(unit.c.path, scope))
    )
    return set((await connection.execute(query)).scalars())


async def count(connection: Connection, session_id: int) -> int:
    """How many points the session has, in the whole tree."""
    query = sa.select(sa.func.count()).select_from(session_point).where(session_point.c.session_id == session_id)
    return int((await connection.execute(query)).scalar_one())


async def used(connection: Connection, session_id: int, point_ids: Collection[int]) -> str | None:
    """The code of one of these points where someone checked in; None when nobody did."""
    seen = (
        sa.select(point.c.id, point.c.code)
        .join(attendance_event, attendance_event.c.point_id == point.c.id)
        .where(attendance_event.c.session_id == session_id)
        .distinct()
        .order_by(point.c.code)
    )
    return next((row.code for row in await connection.execute(seen) if row.id in point_ids), None)


async def add_points(connection: Connection, session_id: int, point_ids: Collection[int], now_ms: int) -> None:
    """Give each point a door of its own and seat the invited people whose home it is.

    A point that was in the session before goes on counting where its log of links ended.
    """
    if not point_ids:
        return
    versions = await _link_versions(connection, session_id)
    first = await _new_doors(connection, len(point_ids))
    keys = secrets.token_bytes(DOOR_KEY_BYTES * len(point_ids))
    await connection.execute(
        sa.insert(session_point),
        [
            {
                "session_id": session_id,
                "point_id": point_id,
                "door_id": first + index,
                "door_key": keys[index * DOOR_KEY_BYTES : (index + 1) * DOOR_KEY_BYTES],
                "link_since_ms": now_ms,
                "link_version": versions.get(point_id, 0),
            }
            for index, point_id in enumerate(sorted(point_ids))
        ],
    )
    await _seat(connection, session_id)


async def _new_doors(connection: Connection, count: int) -> int:
    """The first of `count` ids that no door ever had: a code on an old photograph must not name another hall."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    highest = sa.select(sa.func.coalesce(sa.func.max(session_point.c.door_id), 0)).scalar_subquery()
    key = instance.c.key == DOOR_ID_HIGHEST
    begun = dialect.insert(instance).values(key=DOOR_ID_HIGHEST, value=sa.cast(highest, sa.Text))
    await connection.execute(begun.on_conflict_do_nothing())
    raised = sa.cast(sa.cast(instance.c.value, sa.BigInteger) + count, sa.Text)
    now = await connection.execute(sa.update(instance).where(key).values(value=raised).returning(instance.c.value))
    return int(now.scalar_one()) - count + 1


async def _link_versions(connection: Connection, session_id: int) -> dict[int, int]:
    """The last version in the log of links of each point that has one."""
    lt = link_transition.c
    query = sa.select(lt.point_id, sa.func.max(lt.version)).where(lt.session_id == session_id).group_by(lt.point_id)
    return {row[0]: row[1] for row in await connection.execute(query)}


async def remove_points(connection: Connection, session_id: int, point_ids: Collection[int]) -> None:
    """Take points out of the session; who was invited to them stays invited, without a hall or a number in one."""
    for some in _slices(sorted(point_ids)):
        await connection.execute(
            sa.update(invitation)
            .where(invitation.c.session_id == session_id, invitation.c.point_id.in_(some))
            .values(point_id=None, number=None)
        )
        await connection.execute(
            sa.delete(session_point).where(session_point.c.session_id == session_id, session_point.c.point_id.in_(some))
        )


async def _seat(connection: Connection, session_id: int) -> None:
    """Invited people without a hall go to their home point where the session has it."""
    home = (
        sa.select(attendee.c.point_id)
        .join(
            session_point,
            sa.and_(session_point.c.session_id == session_id, session_point.c.point_id == attendee.c.point_id),
        )
        .where(attendee.c.id == invitation.c.attendee_id)
        .scalar_subquery()
    )
    await connection.execute(
        sa.update(invitation)
        .where(invitation.c.session_id == session_id, invitation.c.point_id.is_(None))
        .values(point_id=home)
    )
    await recount_invited(connection, session_id)


# --- invitations -------------------------------------------------------------------------------------------
async def invite_below(connection: Connection, session_id: int, scope: Scope) -> int:
    """Invite everyone whose unit is in scope; how many were added."""
    return await _invite(connection, session_id, in_scope(unit.c.path, scope))


async def invite(connection: Connection, session_id: int, attendee_ids: Collection[int]) -> int:
    """Invite these people; how many were added."""
    added = 0
    for some in _slices(sorted(attendee_ids)):
        added += await _invite(connection, session_id, attendee.c.id.in_(some))
    return added


async def _invite(connection: Connection, session_id: int, condition: sa.ColumnElement[bool]) -> int:
    """In one statement, whatever the number: 52,000 people in well under a second."""
    before = await invited(connection, session_id)
    people = (
        sa.select(
            sa.literal(session_id, sa.BigInteger),
            attendee.c.id,
            session_point.c.point_id,
            attendee.c.name_folded,
        )
        .join(unit, unit.c.id == attendee.c.unit_id)
        .outerjoin(
            session_point,
            sa.and_(session_point.c.session_id == session_id, session_point.c.point_id == attendee.c.point_id),
        )
        .where(condition, attendee.c.id > 0)  # SQLite cannot parse ON CONFLICT behind a SELECT without WHERE
        .order_by(attendee.c.id)
    )
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    columns = ["session_id", "attendee_id", "point_id", "name_folded"]
    await connection.execute(dialect.insert(invitation).from_select(columns, people).on_conflict_do_nothing())
    return await invited(connection, session_id) - before


async def invited(connection: Connection, session_id: int) -> int:
    """How many people are invited, in the whole tree."""
    query = sa.select(sa.func.count()).select_from(invitation).where(invitation.c.session_id == session_id)
    return int((await connection.execute(query)).scalar_one())


async def recount_invited(connection: Connection, session_id: int) -> None:
    """Make `session_point.invited` true again."""
    people = (
        sa.select(sa.func.count())
        .select_from(invitation)
        .where(invitation.c.session_id == session_id, invitation.c.point_id == session_point.c.point_id)
        .scalar_subquery()
    )
    await connection.execute(
        sa.update(session_point).where(session_point.c.session_id == session_id).values(invited=people)
    )


async def attendees_by_code(connection: Connection, codes: Collection[str], scope: Scope) -> dict[str, int]:
    """Ids of the people of these codes that exist in scope."""
    return await _by_code(connection, attendee, codes, scope)


async def _by_code(connection: Connection, table: sa.Table, codes: Collection[str], scope: Scope) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in _slices(sorted(codes)):
        query = (
            sa.select(table.c.code, table.c.id)
            .join(unit, unit.c.id == table.c.unit_id)
            .where(table.c.code.in_(some), in_scope(unit.c.path, scope))
        )
        found.update({row.code: row.id for row in await connection.execute(query)})
    return found


def _slices(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), CODES_A_QUERY):
        yield items[start : start + CODES_A_QUERY]
