"""Headcounts: only ever added; of a hall's, the one that was counted last holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from diemcau.domain.models import PointMode
from diemcau.domain.quick_report import PointFigures
from diemcau.store.schema import headcount, point, session_point, unit
from diemcau.store.units import PATH_DIGITS, in_scope

if TYPE_CHECKING:
    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Headcount:
    """One number that was said of a hall in a session. `at_ms`: when it was counted, as best known."""

    session_id: int
    point_id: int
    nonce: bytes
    number: int
    source: str
    told_by: str
    made_by: str
    at_ms: int
    server_ms: int


@dataclass(frozen=True, slots=True)
class PointRow:
    """A session's hall with its two measures."""

    point: str
    name: str
    mode: PointMode
    unit: str
    unit_name: str
    unit_path: str
    level: str
    contact_name: str
    contact_phone: str
    present: int
    unlisted: int
    headcount: Headcount | None

    @property
    def figures(self) -> PointFigures:
        """As the quick report takes it."""
        return PointFigures(
            center=self.mode is PointMode.CENTER,
            level=self.level,
            depth=len(self.unit_path) // (PATH_DIGITS + 1),
            checked_in=self.present,
            unlisted=self.unlisted,
            headcount=self.headcount.number if self.headcount else None,
        )


FIELDS = tuple(Headcount.__dataclass_fields__)
POINT_FIELDS = tuple(PointRow.__dataclass_fields__)[:-1]


async def insert(connection: Connection, row: Headcount) -> bool:
    """Keep a headcount; False where its nonce was used before, and nothing is changed then."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {field: getattr(row, field) for field in FIELDS}
    added = dialect.insert(headcount).values(**values).on_conflict_do_nothing().returning(headcount.c.id)
    return (await connection.execute(added)).first() is not None


async def by_nonce(connection: Connection, nonce: bytes) -> Headcount | None:
    """The headcount of this nonce."""
    row = (await connection.execute(sa.select(*_columns(headcount)).where(headcount.c.nonce == nonce))).first()
    return Headcount(*row) if row else None


async def latest(connection: Connection, session_id: int, point_id: int) -> tuple[Headcount | None, int]:
    """What holds for a hall: counted last, and said last where two were counted at once; and how many were said."""
    h = headcount.c
    query = (
        sa.select(*_columns(headcount), sa.func.count().over())
        .where(h.session_id == session_id, h.point_id == point_id)
        .order_by(h.at_ms.desc(), h.id.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return (Headcount(*row[:-1]), row[-1]) if row else (None, 0)


def latest_of_all(session_id: int) -> sa.Subquery:
    """What holds for each hall of a session, as rows to join."""
    h = headcount.c
    last = sa.func.row_number().over(partition_by=h.point_id, order_by=(h.at_ms.desc(), h.id.desc()))
    all_of_them = sa.select(headcount, last.label("place")).where(h.session_id == session_id).subquery()
    return sa.select(all_of_them).where(all_of_them.c.place == 1).subquery("told")


async def points(connection: Connection, session_id: int, scope: Scope) -> list[PointRow]:
    """The session's halls in scope with what holds for each, by unit and code."""
    p, u, sp = point.c, unit.c, session_point.c
    told = latest_of_all(session_id)
    own = (p.code, p.name, p.mode, u.code, u.name, u.path, u.level, p.contact_name, p.contact_phone)
    query = (
        sa.select(*own, sp.present, sp.unlisted, *_columns(told))
        .join(point, p.id == sp.point_id)
        .join(unit, u.id == p.unit_id)
        .outerjoin(told, told.c.point_id == sp.point_id)
        .where(sp.session_id == session_id, in_scope(u.path, scope))
        .order_by(u.path, p.code)
    )
    return [_point(tuple(row)) for row in await connection.execute(query)]


def _columns(table: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    return [table.c[field] for field in FIELDS]


def _point(row: tuple[Any, ...]) -> PointRow:
    own = dict(zip(POINT_FIELDS, row, strict=False))
    told = row[len(POINT_FIELDS) :]
    own["mode"] = PointMode(own["mode"])
    return PointRow(**own, headcount=Headcount(*told) if told[0] is not None else None)
