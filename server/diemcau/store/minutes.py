"""Minutes: the figures that are frozen, computed from the rows themselves, and every revision as it was signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.domain.attendance import Figures
from diemcau.domain.authority import Scope
from diemcau.domain.minutes_file import Frozen, SignedMinutes
from diemcau.errors import LogBrokenError
from diemcau.store import log, records
from diemcau.store.schema import attendance_event, late_entry, minutes, point, session, unit
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from diemcau.store.engine import Connection
    from diemcau.store.sessions import SessionRow

EVERYTHING = Scope(("",))


@dataclass(frozen=True, slots=True)
class Stored:
    """One revision as stored."""

    revision: int
    at_ms: int
    made_by: str
    reason: str
    signed: SignedMinutes


async def figures(connection: Connection, session_id: int) -> dict[str, Frozen]:
    """What each unit holds itself, by code: its people and its halls; units without any are left out."""
    own = await records.figures(connection, session_id, EVERYTHING)
    waiting = await waiting_by_unit(connection, session_id, EVERYTHING)
    found: dict[str, Frozen] = {}
    for path, code in await connection.execute(sa.select(unit.c.path, unit.c.code).order_by(unit.c.path)):
        row = own.get(path, Figures())
        figures = Frozen(
            points=row.points,
            summoned=row.summoned,
            present=row.present,
            late=row.late,
            substituted=row.substituted,
            excused=row.excused,
            unexcused=row.missing,
            guests=row.guests,
            unlisted=row.unlisted,
            waiting=waiting.get(path, 0),
        )
        if figures != Frozen(excused=0):
            found[code] = figures
    return found


async def waiting_by_unit(connection: Connection, session_id: int, scope: Scope) -> dict[str, int]:
    """Entries that came after closing and that no revision has applied, by the path of their hall's unit."""
    e = attendance_event.c
    held: sa.ColumnElement[bool] = sa.literal_column("attendance_event.held")  # as the partial index has it
    query = (
        sa.select(unit.c.path, sa.func.count().label("entries"))
        .select_from(attendance_event)
        .join(point, point.c.id == e.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .where(e.session_id == session_id, held, in_scope(unit.c.path, scope))
        .where(~sa.exists().where(late_entry.c.nonce == e.nonce))
        .group_by(unit.c.path)
    )
    return {row.path: row.entries for row in await connection.execute(query)}


# --- revisions ---------------------------------------------------------------------------------------------
async def begin(connection: Connection, session_id: int) -> int:
    """Lock the session against check-ins of other servers until the commit, and give its next revision's number."""
    s = session.c
    raised = sa.update(session).where(s.id == session_id).values(revision=s.revision + 1).returning(s.revision)
    revision: int = (await connection.execute(raised)).scalar_one()
    return revision


async def insert(connection: Connection, session_id: int, stored: Stored) -> None:
    """Keep a revision."""
    await connection.execute(
        sa.insert(minutes).values(
            session_id=session_id,
            revision=stored.revision,
            at_ms=stored.at_ms,
            made_by=stored.made_by,
            reason=stored.reason,
            body=stored.signed.body,
            signature=stored.signed.signature,
        )
    )


async def all_of(connection: Connection, session_id: int) -> list[Stored]:
    """Every revision, the newest first."""
    m = minutes.c
    query = sa.select(minutes).where(m.session_id == session_id).order_by(m.revision.desc())
    return [_stored(row) for row in await connection.execute(query)]


async def latest(connection: Connection, session_id: int) -> Stored | None:
    """The newest revision; None when the figures were never frozen."""
    m = minutes.c
    query = sa.select(minutes).where(m.session_id == session_id).order_by(m.revision.desc()).limit(1)
    row = (await connection.execute(query)).first()
    return _stored(row) if row else None


async def unchanged(connection: Connection, session: SessionRow) -> Stored | None:
    """The newest minutes of the session, if any, now that the log still has what they froze.

    Whoever rewrote entries together with every hash behind them is found here: they cannot change what was signed.

    Raises:
        LogBrokenError: an entry that was frozen is gone or another one.
    """
    newest = await latest(connection, session.session_id)
    for chain in newest.signed.read().chains if newest else ():
        found = await log.hash_at(connection, session.session_id, bytes.fromhex(chain.writer), chain.count)
        if found is None or found.hex() != chain.head:
            raise LogBrokenError(session=session.code, writer=chain.writer, position=chain.count)
    return newest


async def revision_of(connection: Connection, session_id: int) -> int:
    """How often the session's figures were frozen."""
    number: int = (
        await connection.execute(sa.select(session.c.revision).where(session.c.id == session_id))
    ).scalar_one()
    return number


def _stored(row: sa.Row[tuple[Any, ...]]) -> Stored:
    return Stored(row.revision, row.at_ms, row.made_by, row.reason, SignedMinutes(row.body, row.signature))
