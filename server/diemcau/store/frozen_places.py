"""Where the figures count people and halls: their unit as it stands, or, once figures are frozen, as it stood then.

Somebody who moves to another unit after closing stays where the signed minutes counted them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from diemcau.store.schema import (
    attendance,
    attendee,
    frozen_person,
    frozen_point,
    invitation,
    point,
    session_point,
    unit,
    unlisted,
)

if TYPE_CHECKING:
    from diemcau.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Places:
    """Joins that lead from units to the people and halls of a session, or back."""

    session_id: int
    frozen: bool

    @property
    def sort_key(self) -> sa.ColumnElement[str]:
        """By which a unit's people are ordered."""
        return frozen_person.c.sort_key if self.frozen else attendee.c.sort_key

    def people(self) -> sa.FromClause:
        """Units with all people that are theirs."""
        if not self.frozen:
            return unit.join(attendee, attendee.c.unit_id == unit.c.id)
        f = frozen_person.c
        theirs = sa.and_(f.session_id == self.session_id, f.unit_id == unit.c.id)
        return unit.join(frozen_person, theirs).join(attendee, attendee.c.id == f.attendee_id)

    def of_person(self, source: sa.FromClause, attendee_id: sa.ColumnElement[int]) -> sa.FromClause:
        """`source` with the unit of each person."""
        if not self.frozen:
            return source.join(attendee, attendee.c.id == attendee_id).join(unit, unit.c.id == attendee.c.unit_id)
        f = frozen_person.c
        theirs = sa.and_(f.session_id == self.session_id, f.attendee_id == attendee_id)
        return source.join(frozen_person, theirs).join(unit, unit.c.id == f.unit_id)

    def of_point(self, source: sa.FromClause, point_id: sa.ColumnElement[int]) -> sa.FromClause:
        """`source` with each point and its unit."""
        joined = source.join(point, point.c.id == point_id)
        if not self.frozen:
            return joined.join(unit, unit.c.id == point.c.unit_id)
        f = frozen_point.c
        theirs = sa.and_(f.session_id == self.session_id, f.point_id == point_id)
        return joined.join(frozen_point, theirs).join(unit, unit.c.id == f.unit_id)


async def of(connection: Connection, session_id: int) -> Places:
    """Those of this session."""
    frozen = sa.exists().where(frozen_point.c.session_id == session_id)
    return Places(session_id, bool((await connection.execute(sa.select(frozen))).scalar_one()))


async def keep(connection: Connection, session_id: int) -> None:
    """Remember where everybody invited or counted belongs now, and every hall; what is remembered already stays."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    number = sa.literal(session_id, sa.BigInteger)
    i, t, w, sp = invitation.c, attendance.c, unlisted.c, session_point.c
    for who in (i.attendee_id, t.attendee_id):
        people = (
            sa.select(number, attendee.c.id, attendee.c.unit_id, attendee.c.sort_key)
            .join(who.table, who == attendee.c.id)
            .where(who.table.c.session_id == session_id)
            .order_by(attendee.c.id)
        )
        columns = ["session_id", "attendee_id", "unit_id", "sort_key"]
        await connection.execute(dialect.insert(frozen_person).from_select(columns, people).on_conflict_do_nothing())
    for where in (sp.point_id, w.point_id):
        halls = (
            sa.select(number, point.c.id, point.c.unit_id)
            .join(where.table, where == point.c.id)
            .where(where.table.c.session_id == session_id)
            .distinct()
            .order_by(point.c.id)
        )
        columns = ["session_id", "point_id", "unit_id"]
        await connection.execute(dialect.insert(frozen_point).from_select(columns, halls).on_conflict_do_nothing())
