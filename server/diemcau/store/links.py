"""Links in the database: what stands at each point of a session, and every change of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from diemcau.domain.link_state import BLINDED, Transition
from diemcau.domain.models import LinkState, SessionState
from diemcau.store import headcounts
from diemcau.store.schema import link_transition, point, session, session_point, spot_check, unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.store.engine import Connection


class Standing(NamedTuple):
    """What the database holds of a point's link."""

    link: LinkState
    since_ms: int
    version: int


@dataclass(frozen=True, slots=True)
class LiveSessionRow:
    """A session as the live side needs it; `unit_path` "": the whole tree organizes it."""

    session_id: int
    code: str
    title: str
    state: SessionState
    starts_ms: int
    ends_ms: int
    unit_path: str
    spot_checks: int = 0


@dataclass(frozen=True, slots=True)
class LivePointRow:
    """A session's point as the live side needs it."""

    point_id: int
    code: str
    name: str
    unit_path: str
    link: LinkState
    since_ms: int
    version: int
    present: int
    invited: int
    unlisted: int
    headcount: int | None = None


async def blind(connection: Connection, now_ms: int) -> int:
    """The server was blind until now: every point that had a link in a session not yet closed becomes unknown.

    Returns how many did. The stored time is never earlier than the one before it.
    """
    sp, lt = session_point.c, link_transition.c
    open_sessions = sa.select(session.c.id).where(session.c.state != SessionState.CLOSED)
    linked = sa.and_(sp.link.in_(sorted(BLINDED)), sp.session_id.in_(open_sessions))
    at_ms = sa.case((sp.link_since_ms > now_ms, sp.link_since_ms), else_=now_ms)
    noticed = sa.select(
        sp.session_id,
        sp.point_id,
        sp.link,
        sa.literal(str(LinkState.UNKNOWN)),
        at_ms,
        sa.literal(now_ms, sa.BigInteger),
        sa.literal("restart"),
        sp.link_version + 1,
    ).where(linked)
    columns = [lt.session_id, lt.point_id, lt.from_link, lt.to_link, lt.at_ms, lt.noticed_ms, lt.cause, lt.version]
    await connection.execute(sa.insert(link_transition).from_select(columns, noticed))
    values = {"link": LinkState.UNKNOWN, "link_since_ms": at_ms, "link_version": sp.link_version + 1}
    changed = await connection.execute(sa.update(session_point).where(linked).values(**values))
    return changed.rowcount


async def append(
    connection: Connection, rows: Sequence[Transition]
) -> tuple[list[Transition], dict[tuple[int, int], Standing | None]]:
    """Store changes by compare-and-set: the rows that were, and what stands where one was refused.

    None stands where the session has no such point. A point's rows come in order, each from the version before;
    where the first is refused, so are the rest.
    """
    standing = await _standing(connection, rows)
    stored: list[Transition] = []
    final: dict[tuple[int, int], Transition] = {}
    refused: dict[tuple[int, int], Standing | None] = {}
    for row in rows:
        key = (row.session_id, row.point_id)
        now = standing.get(key)
        if key in refused or now is None or now.version != row.version - 1:
            refused[key] = now
            continue
        standing[key] = Standing(row.after, row.at_ms, row.version)
        final[key] = row
        stored.append(row)
    if stored:
        await _store(connection, stored, list(final.values()))
    return stored, refused


async def _standing(connection: Connection, rows: Sequence[Transition]) -> dict[tuple[int, int], Standing]:
    """What stands at the points of `rows`, locked until the transaction ends, in one order (no deadlocks)."""
    sp = session_point.c
    wanted: dict[int, set[int]] = {}
    for change in rows:
        wanted.setdefault(change.session_id, set()).add(change.point_id)
    found: dict[tuple[int, int], Standing] = {}
    for session_id, point_ids in sorted(wanted.items()):
        query = (
            sa.select(sp.point_id, sp.link, sp.link_since_ms, sp.link_version)
            .where(sp.session_id == session_id, sp.point_id.in_(sorted(point_ids)))
            .order_by(sp.point_id)
            .with_for_update()
        )
        for row in await connection.execute(query):
            found[session_id, row.point_id] = Standing(LinkState(row.link), row.link_since_ms, row.link_version)
    return found


async def _store(connection: Connection, stored: list[Transition], final: list[Transition]) -> None:
    await connection.execute(
        sa.insert(link_transition),
        [
            {
                "session_id": row.session_id,
                "point_id": row.point_id,
                "device_id": row.device_id,
                "from_link": row.before,
                "to_link": row.after,
                "at_ms": row.at_ms,
                "noticed_ms": row.noticed_ms,
                "cause": row.cause,
                "version": row.version,
            }
            for row in stored
        ],
    )
    sp = session_point.c
    update = (
        sa.update(session_point)
        .where(sp.session_id == sa.bindparam("in_session"), sp.point_id == sa.bindparam("at_point"))
        .values(link=sa.bindparam("to"), link_since_ms=sa.bindparam("at"), link_version=sa.bindparam("becomes"))
    )
    await connection.execute(
        update,
        [
            {
                "in_session": row.session_id,
                "at_point": row.point_id,
                "to": row.after,
                "at": row.at_ms,
                "becomes": row.version,
            }
            for row in sorted(final)
        ],
    )


async def transitions(connection: Connection, session_id: int, point_id: int) -> list[Transition]:
    """Every change at one point of a session, in order."""
    lt = link_transition.c
    query = sa.select(link_transition).where(lt.session_id == session_id, lt.point_id == point_id).order_by(lt.version)
    return [
        Transition(
            row.session_id,
            row.point_id,
            row.device_id,
            LinkState(row.from_link),
            LinkState(row.to_link),
            row.at_ms,
            row.noticed_ms,
            row.cause,
            row.version,
        )
        for row in await connection.execute(query)
    ]


async def open_sessions(connection: Connection) -> list[int]:
    """The ids of all sessions that are not closed."""
    query = sa.select(session.c.id).where(session.c.state != SessionState.CLOSED).order_by(session.c.id)
    return list((await connection.execute(query)).scalars())


async def session_id_of(connection: Connection, code: str) -> int | None:
    """The id of the session of this code."""
    session_id: int | None = (await connection.execute(sa.select(session.c.id).where(session.c.code == code))).scalar()
    return session_id


async def live_session(connection: Connection, session_id: int) -> LiveSessionRow | None:
    """A session; None when there is no such one."""
    checks = sa.select(sa.func.count()).where(spot_check.c.session_id == session_id).scalar_subquery()
    query = (
        sa.select(session, unit.c.path, checks.label("checks"))
        .outerjoin(unit, unit.c.id == session.c.unit_id)
        .where(session.c.id == session_id)
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    state = SessionState(row.state)
    times = (row.starts_ms, row.ends_ms)
    return LiveSessionRow(row.id, row.code, row.title, state, *times, row.path or "", row.checks)


async def live_points(connection: Connection, session_id: int) -> list[LivePointRow]:
    """All points of a session, by code."""
    sp = session_point.c
    told = headcounts.latest_of_all(session_id)
    query = (
        sa.select(
            sp.point_id,
            point.c.code,
            point.c.name,
            unit.c.path,
            sp.link,
            sp.link_since_ms,
            sp.link_version,
            sp.present,
            sp.invited,
            sp.unlisted,
            told.c.number.label("headcount"),
        )
        .join(point, point.c.id == sp.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .outerjoin(told, told.c.point_id == sp.point_id)
        .where(sp.session_id == session_id)
        .order_by(point.c.code)
    )
    return [_live_point(row) for row in await connection.execute(query)]


def _live_point(row: sa.Row[*tuple[Any, ...]]) -> LivePointRow:
    return LivePointRow(
        row.point_id,
        row.code,
        row.name,
        row.path,
        LinkState(row.link),
        row.link_since_ms,
        row.link_version,
        row.present,
        row.invited,
        row.unlisted,
        row.headcount,
    )
