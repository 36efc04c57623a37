"""Quick reports as they were made: numbered within a session, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.store.schema import quick_report, unit

if TYPE_CHECKING:
    from collections.abc import Collection

    from diemcau.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Stored:
    """One report. `body`: JSON."""

    session_id: int
    number: int
    at_ms: int
    made_by: str
    body: bytes


async def highest(connection: Connection, session_id: int) -> int:
    """The number of the last one; 0 before the first."""
    query = sa.select(sa.func.max(quick_report.c.number)).where(quick_report.c.session_id == session_id)
    return (await connection.execute(query)).scalar() or 0


async def insert(connection: Connection, row: Stored) -> None:
    """Keep a report."""
    await connection.execute(
        sa.insert(quick_report).values(
            session_id=row.session_id, number=row.number, at_ms=row.at_ms, made_by=row.made_by, body=row.body
        )
    )


async def get(connection: Connection, session_id: int, number: int) -> Stored | None:
    """One report."""
    q = quick_report.c
    query = sa.select(quick_report).where(q.session_id == session_id, q.number == number)
    row = (await connection.execute(query)).first()
    return Stored(*row) if row else None


async def of_session(connection: Connection, session_id: int) -> list[Stored]:
    """All reports of a session, in the order of their numbers."""
    query = sa.select(quick_report).where(quick_report.c.session_id == session_id).order_by(quick_report.c.number)
    return [Stored(*row) for row in await connection.execute(query)]


async def paths(connection: Connection, codes: Collection[str]) -> dict[str, str]:
    """Where these units hang now, by code; those that are no more are left out."""
    query = sa.select(unit.c.code, unit.c.path).where(unit.c.code.in_(sorted(codes)))
    return {row.code: row.path for row in await connection.execute(query)}
