"""Sessions: what they are, which state they are in, and every move they made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau import limits
from diemcau.domain.models import EventKind, SessionState
from diemcau.errors import NotFoundError
from diemcau.store.schema import (
    absence,
    attendance_event,
    headcount,
    invitation,
    link_transition,
    session,
    session_option,
    session_point,
    session_state,
    unit,
)
from diemcau.store.units import PATH_DIGITS, in_scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as stored. `unit_path` "" and `unit_code` None: the whole tree organizes it."""

    session_id: int
    code: str
    title: str
    conference: str
    program: str
    unit_code: str | None
    unit_path: str
    rehearsal: bool
    starts_ms: int
    ends_ms: int
    state: SessionState
    state_ms: int
    held: bool
    readable_roster: bool


SELECTED = sa.select(session, unit.c.code.label("unit_code"), unit.c.path.label("unit_path")).outerjoin(
    unit, unit.c.id == session.c.unit_id
)


async def get(connection: Connection, code: str, *, kept: bool = False) -> SessionRow:
    """The session of this code. kept: for a job of the writer; it stays as it is until the commit, for every server.

    Raises:
        NotFoundError: there is none.
    """
    query = SELECTED.where(session.c.code == code)
    if kept:
        query = query.with_for_update(of=session, key_share=True)
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotFoundError(what="session", key=code)
    return _row(row)


async def exists(connection: Connection, code: str) -> bool:
    """Whether the code is taken."""
    return (await connection.execute(sa.select(session.c.id).where(session.c.code == code))).first() is not None


async def page(connection: Connection, scope: Scope, after: tuple[int, str] | None, rows: int) -> list[SessionRow]:
    """Sessions whose organizing unit `scope` touches, the newest start first; after (starts_ms, code)."""
    query = SELECTED.where(_touches(scope)).order_by(session.c.starts_ms.desc(), session.c.code).limit(rows)
    if after:
        starts_ms, code = after
        query = query.where(
            sa.or_(
                session.c.starts_ms < starts_ms,
                sa.and_(session.c.starts_ms == starts_ms, session.c.code > code),
            )
        )
    return [_row(row) for row in await connection.execute(query)]


def _touches(scope: Scope) -> sa.ColumnElement[bool]:
    """The organizing unit is the whole tree, in scope, or above a part of it (`Scope.touches` in SQL)."""
    if scope.everything:
        return sa.true()
    step = PATH_DIGITS + 1
    above = {path[:end] for path in scope.paths for end in range(step, len(path), step)}
    return sa.or_(session.c.unit_id.is_(None), in_scope(unit.c.path, scope), unit.c.path.in_(sorted(above)))


async def insert(connection: Connection, values: Mapping[str, Any]) -> int:
    """Add a session in draft; its id. `values` are columns of `session`."""
    added = sa.insert(session).values(**values, state=SessionState.DRAFT).returning(session.c.id)
    session_id: int = (await connection.execute(added)).scalar_one()
    return session_id


async def update(connection: Connection, session_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of a session."""
    await connection.execute(sa.update(session).where(session.c.id == session_id).values(**values))


async def recorded(connection: Connection, session_id: int) -> bool:
    """Whether anything was written down about the session: a move, a link, a check-in. Records are kept (I4)."""
    for log in (session_state, link_transition, attendance_event, headcount):
        query = sa.select(log.c.id).where(log.c.session_id == session_id).limit(1)
        if (await connection.execute(query)).first() is not None:
            return True
    return False


async def delete(connection: Connection, session_id: int) -> None:
    """Remove a session with its points and invitations; the caller made sure that nothing is recorded of it."""
    await connection.execute(sa.delete(invitation).where(invitation.c.session_id == session_id))
    await connection.execute(sa.delete(session_point).where(session_point.c.session_id == session_id))
    for prepared in (absence, session_option):
        await connection.execute(sa.delete(prepared).where(prepared.c.session_id == session_id))
    await connection.execute(sa.delete(session).where(session.c.id == session_id))


async def move(connection: Connection, row: SessionRow, to: SessionState, now_ms: int, actor: str) -> bool:
    """Compare-and-set the state and append the move; False when someone else moved the session first."""
    changed = await connection.execute(
        sa.update(session)
        .where(session.c.id == row.session_id, session.c.state == row.state)
        .values(state=to, state_ms=now_ms, held=to is SessionState.DRAFT)
    )
    if changed.rowcount != 1:
        return False
    await connection.execute(
        sa.insert(session_state).values(
            session_id=row.session_id, from_state=row.state, to_state=to, at_ms=now_ms, actor=actor
        )
    )
    return True


async def moves(connection: Connection, session_id: int) -> list[tuple[str, str, int, str]]:
    """Every move (from, to, at_ms, actor) in order."""
    s = session_state.c
    query = sa.select(s.from_state, s.to_state, s.at_ms, s.actor).where(s.session_id == session_id).order_by(s.id)
    return [(row.from_state, row.to_state, row.at_ms, row.actor) for row in await connection.execute(query)]


async def checked_in(connection: Connection, session_ids: Sequence[int]) -> set[int]:
    """Those of these sessions of which the attendance log says that anybody came, taken back or not."""
    found: set[int] = set()
    for session_id in session_ids:
        e = attendance_event.c  # absences are decided weeks before
        query = sa.select(e.id).where(e.session_id == session_id, e.kind != EventKind.EXCUSE).limit(1)
        if (await connection.execute(query)).first() is not None:
            found.add(session_id)
    return found


async def due(connection: Connection, now_ms: int) -> list[SessionRow]:
    """Drafts that should open by themselves now: near their start, not over, not held, with at least one point."""
    has_points = sa.exists().where(session_point.c.session_id == session.c.id)
    query = SELECTED.where(
        session.c.state == SessionState.DRAFT,
        session.c.starts_ms <= now_ms + limits.SESSION_OPENS_BEFORE_S * 1000,
        session.c.ends_ms > now_ms,
        session.c.held.is_(sa.false()),
        has_points,
    )
    return [_row(row) for row in await connection.execute(query)]


def _row(row: sa.Row[tuple[Any, ...]]) -> SessionRow:
    return SessionRow(
        row.id,
        row.code,
        row.title,
        row.conference,
        row.program,
        row.unit_code,
        row.unit_path or "",
        row.rehearsal,
        row.starts_ms,
        row.ends_ms,
        SessionState(row.state),
        row.state_ms,
        row.held,
        row.readable_roster,
    )
