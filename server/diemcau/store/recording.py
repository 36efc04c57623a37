"""What recording a check-in asks of the database: which hall, whose badge, who has this code.

Each is one indexed statement. On SQLite a look-up takes microseconds, so a few are simply asked one after the other;
on PostgreSQL each costs a round trip, so many are always asked at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from diemcau.store.lookup import Lookup, Search
from diemcau.store.schema import (
    attendance_event,
    attendee,
    badge,
    invitation,
    point,
    session,
    session_point,
    session_state,
    unit,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from diemcau.store.engine import Engines


class Held(NamedTuple):
    """A session: when it began to be, to take check-ins (None: it never did), to run.

    unit_path: who organizes it; listed: somebody is invited to it.
    """

    session_id: int
    state: str
    made_ms: int
    starts_ms: int
    unit_path: str
    opened_ms: int | None
    listed: bool


class Hall(NamedTuple):
    """A point."""

    point_id: int
    code: str
    name: str
    unit_path: str


class Known(NamedTuple):
    """Somebody on the list. `invited` None: not to this session; `point_id`: the hall they are summoned to.

    salt: `attendee.salt`; revoked_ms: of the badge they were found by.
    """

    attendee_id: int
    code: str
    full_name: str
    title: str
    phone: str
    salt: bytes
    unit_code: str
    unit_name: str
    unit_path: str
    invited: int | None
    point_id: int | None
    revoked_ms: int | None


# --- halls -------------------------------------------------------------------------------------------------
_organizer = unit.alias("organizer")
_SESSION = (
    sa.select(
        session.c.id,
        session.c.state,
        session.c.made_ms,
        session.c.starts_ms,
        sa.func.coalesce(_organizer.c.path, ""),
        sa.select(sa.func.max(session_state.c.at_ms))
        .where(session_state.c.session_id == session.c.id, session_state.c.to_state == "open")
        .scalar_subquery(),
        sa.exists().where(invitation.c.session_id == session.c.id),
    )
    .outerjoin(_organizer, _organizer.c.id == session.c.unit_id)
    .where(session.c.code == sa.bindparam("session"))
)
SESSION = Lookup(_SESSION)
HALLS = Search.over(
    _SESSION.add_columns(point.c.id, point.c.code, point.c.name, unit.c.path)
    .join(session_point, session_point.c.session_id == session.c.id)
    .join(point, point.c.id == session_point.c.point_id)
    .join(unit, unit.c.id == point.c.unit_id),
    point.c.code,
    sa.Text(),
)
POINTS = Search.over(
    sa.select(point.c.id, point.c.code, point.c.name, unit.c.path).join(unit, unit.c.id == point.c.unit_id),
    point.c.id,
    sa.BigInteger(),
)
_SESSION_COLUMNS = len(Held._fields)
HALLS_KEPT_MAX = 50_000
"""A device asks about its own hall with every scan; whoever makes up codes fills no memory with them."""


async def places(engines: Engines, session_code: str, codes: Collection[str]) -> tuple[Held | None, dict[str, Hall]]:
    """The session, if there is one, and those of its points that are among these codes."""
    kept = engines.kept
    if kept is None or not codes:
        return await _places(engines, session_code, codes)
    session: Held | None = None
    halls: dict[str, Hall] = {}
    for code in codes:
        found: tuple[Held | None, dict[str, Hall]] | None = kept.get((session_code, code))
        if found is None:
            found = await _places(engines, session_code, (code,))
            if len(kept) < HALLS_KEPT_MAX:
                kept[session_code, code] = found
        session = found[0]
        halls |= found[1]
    return session, halls


async def _places(engines: Engines, session_code: str, codes: Collection[str]) -> tuple[Held | None, dict[str, Hall]]:
    rows = await engines.found(HALLS, codes, session=session_code)
    if not rows:
        only = await engines.lookup(SESSION, session=session_code)
        return (Held._make(only[0]) if only else None), {}
    halls = {row[0]: Hall._make(row[1 + _SESSION_COLUMNS :]) for row in rows}
    return Held._make(rows[0][1 : 1 + _SESSION_COLUMNS]), halls


async def points(engines: Engines, point_ids: Collection[int]) -> dict[int, Hall]:
    """Points by id, whatever they take part in."""
    return {row[0]: Hall._make(row[1:]) for row in await engines.found(POINTS, point_ids)}


# --- people ------------------------------------------------------------------------------------------------
_PERSON = (
    sa.select(
        attendee.c.id,
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
    .join(unit, unit.c.id == attendee.c.unit_id)
    .outerjoin(
        invitation,
        sa.and_(invitation.c.attendee_id == attendee.c.id, invitation.c.session_id == sa.bindparam("session_id")),
    )
)
BY_CODE = Search.over(_PERSON.add_columns(sa.null()), attendee.c.code, sa.Text())
BY_BADGE = Search.over(
    _PERSON.add_columns(badge.c.revoked_ms).join(badge, badge.c.attendee_id == attendee.c.id),
    badge.c.token_hash,
    sa.LargeBinary(),
)


async def by_code(engines: Engines, session_id: int, codes: Collection[str]) -> dict[str, Known]:
    """The people of these attendee codes, wherever they are summoned, if at all."""
    return _known(await engines.found(BY_CODE, codes, session_id=session_id))


async def by_badge(engines: Engines, session_id: int, token_hashes: Collection[bytes]) -> dict[bytes, Known]:
    """The holders of these badges, revoked ones included."""
    return _known(await engines.found(BY_BADGE, token_hashes, session_id=session_id))


def _known(rows: Iterable[tuple[Any, ...]]) -> dict[Any, Known]:
    return {row[0]: Known._make(row[1:]) for row in rows}


# --- nonces ------------------------------------------------------------------------------------------------
RECORDED = Search.over(sa.select(attendance_event.c.id), attendance_event.c.nonce, sa.LargeBinary())


async def recorded(engines: Engines, nonces: Collection[bytes]) -> set[bytes]:
    """Those of these nonces that the log has."""
    return {row[0] for row in await engines.found(RECORDED, nonces)}
