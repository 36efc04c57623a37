"""Badges: who holds which. Only a token's hash is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.store import name_search
from diemcau.store.lists import beyond
from diemcau.store.lookup import Lookup
from diemcau.store.schema import attendance, attendee, badge, invitation, point, session, unit
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection, Engines
    from diemcau.store.lists import Asked


@dataclass(frozen=True, slots=True)
class Holder:
    """The person of a badge, and whether one session summons them.

    salt: `attendee.salt`. point_id: the hall they are summoned to, if any is known.
    """

    attendee_id: int
    issue: int
    revoked: bool
    code: str
    full_name: str
    title: str
    phone: str
    salt: bytes
    unit_code: str
    unit_name: str
    unit_path: str
    invited: bool
    point_id: int | None


_HOLDER = (
    sa.select(
        attendee.c.id,
        badge.c.issue,
        badge.c.revoked_ms,
        attendee.c.code,
        attendee.c.full_name,
        attendee.c.title,
        attendee.c.phone,
        attendee.c.salt,
        unit.c.code,
        unit.c.name,
        unit.c.path,
        invitation.c.attendee_id,
        invitation.c.point_id,
    )
    .join(attendee, attendee.c.id == badge.c.attendee_id)
    .join(unit, unit.c.id == attendee.c.unit_id)
    .outerjoin(
        invitation,
        sa.and_(invitation.c.attendee_id == attendee.c.id, invitation.c.session_id == sa.bindparam("session_id")),
    )
)
OF_TOKEN = Lookup(_HOLDER.where(badge.c.token_hash == sa.bindparam("token_hash")))


async def holder(engines: Engines, session_id: int, token_hash: bytes) -> Holder | None:
    """Whose badge this is, revoked ones included; None for a token that nobody ever had."""
    rows = await engines.lookup(OF_TOKEN, session_id=session_id, token_hash=token_hash)
    return _holder(rows[0]) if rows else None


def _holder(row: tuple[Any, ...]) -> Holder:
    attendee_id, issue, revoked_ms, code, name, title, phone, salt, unit_code, unit_name, path, invited, hall = row
    return Holder(
        attendee_id=attendee_id,
        issue=issue,
        revoked=revoked_ms is not None,
        code=code,
        full_name=name,
        title=title,
        phone=phone,
        salt=salt,
        unit_code=unit_code,
        unit_name=unit_name,
        unit_path=path,
        invited=invited is not None,
        point_id=hall,
    )


# --- making and taking back --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Standing:
    """What badges a person had: the highest issue (0: never any), and the one that is good now."""

    attendee_id: int
    highest: int
    current: int | None


async def people_below(connection: Connection, scope: Scope) -> list[int]:
    """Ids of everybody whose unit is in scope."""
    query = (
        sa.select(attendee.c.id)
        .join(unit, unit.c.id == attendee.c.unit_id)
        .where(in_scope(unit.c.path, scope))
        .order_by(attendee.c.id)
    )
    return list((await connection.execute(query)).scalars())


async def standings(connection: Connection, attendee_ids: Sequence[int]) -> list[Standing]:
    """How these people stand, without those who are gone; at most a few thousand at a time."""
    current = sa.func.max(sa.case((badge.c.revoked_ms.is_(None), badge.c.issue)))
    query = (
        sa.select(attendee.c.id, sa.func.coalesce(sa.func.max(badge.c.issue), 0), current)
        .outerjoin(badge, badge.c.attendee_id == attendee.c.id)
        .where(attendee.c.id.in_(attendee_ids))
        .group_by(attendee.c.id)
    )
    return [Standing(*row) for row in await connection.execute(query)]


async def insert(connection: Connection, made: Collection[tuple[int, int, bytes]], now_ms: int) -> None:
    """Store new badges: attendee, issue, hash of the token."""
    if not made:
        return
    rows = [
        {"attendee_id": attendee_id, "issue": issue, "token_hash": token_hash, "made_ms": now_ms}
        for attendee_id, issue, token_hash in made
    ]
    await connection.execute(sa.insert(badge), rows)


async def revoke(connection: Connection, attendee_id: int, now_ms: int) -> bool:
    """Take back the badge that is good now; whether there was one."""
    taken = (
        sa.update(badge)
        .where(badge.c.attendee_id == attendee_id, badge.c.revoked_ms.is_(None))
        .values(revoked_ms=now_ms)
        .returning(badge.c.issue)
    )
    return (await connection.execute(taken)).first() is not None


# --- reading -----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class BadgeRow:
    """A badge that is good now, with its person."""

    attendee_id: int
    issue: int
    made_ms: int
    code: str
    full_name: str
    sort_key: str
    unit_code: str
    unit_name: str
    unit_path: str


_BADGES = (
    sa.select(
        attendee.c.id.label("attendee_id"),
        badge.c.issue,
        badge.c.made_ms,
        attendee.c.code,
        attendee.c.full_name,
        attendee.c.sort_key,
        unit.c.code.label("unit_code"),
        unit.c.name.label("unit_name"),
        unit.c.path.label("unit_path"),
    )
    .join(unit, unit.c.id == attendee.c.unit_id)
    .join(badge, sa.and_(badge.c.attendee_id == attendee.c.id, badge.c.revoked_ms.is_(None)))
)


async def listed(connection: Connection, asked: Asked) -> list[BadgeRow]:
    """A page of the badges in scope, by unit, Vietnamese given name and code."""
    keys = (unit.c.path, attendee.c.sort_key, attendee.c.code)
    query = (
        _BADGES.where(
            in_scope(unit.c.path, asked.scope),
            await name_search.found(connection, asked.q),
            beyond(asked.after, *keys),
        )
        .order_by(*keys)
        .limit(asked.rows)
    )
    return [BadgeRow(**row) for row in (await connection.execute(query)).mappings()]


async def of_attendee(connection: Connection, attendee_id: int) -> BadgeRow | None:
    """The badge of this person that is good now."""
    row = (await connection.execute(_BADGES.where(attendee.c.id == attendee_id))).mappings().first()
    return BadgeRow(**row) if row else None


@dataclass(frozen=True, slots=True)
class HolderSession:
    """A session that a person is summoned to or was counted in; points are None where there is none."""

    session: str
    title: str
    starts_ms: int
    ends_ms: int
    state: str
    point: str | None
    point_name: str | None
    checked_in_ms: int | None
    checked_in_point_name: str | None


async def sessions_of(connection: Connection, attendee_id: int, rows: int) -> list[HolderSession]:
    """The person's sessions, the latest start first."""
    i, t, s = invitation.c, attendance.c, session.c
    hall, seat = point.alias("hall"), point.alias("seat")
    theirs = sa.union(
        sa.select(i.session_id).where(i.attendee_id == attendee_id),
        sa.select(t.session_id).where(t.attendee_id == attendee_id),
    )
    query = (
        sa.select(
            s.code.label("session"),
            s.title,
            s.starts_ms,
            s.ends_ms,
            s.state,
            hall.c.code.label("point"),
            hall.c.name.label("point_name"),
            t.at_ms.label("checked_in_ms"),
            seat.c.name.label("checked_in_point_name"),
        )
        .outerjoin(invitation, sa.and_(i.session_id == s.id, i.attendee_id == attendee_id))
        .outerjoin(attendance, sa.and_(t.session_id == s.id, t.attendee_id == attendee_id))
        .outerjoin(hall, hall.c.id == i.point_id)
        .outerjoin(seat, seat.c.id == t.point_id)
        .where(s.id.in_(theirs))
        .order_by(s.starts_ms.desc(), s.code)
        .limit(rows)
    )
    return [HolderSession(**row) for row in (await connection.execute(query)).mappings()]
