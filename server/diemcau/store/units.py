"""Units: a tree of any depth, ordered as it was listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.domain.names import fold
from diemcau.errors import NotFoundError
from diemcau.store.schema import unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PATH_DIGITS = 6


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit as stored; `path` starts with its parent's path, so a subtree is a range of paths."""

    unit_id: int
    code: str
    name: str
    parent_id: int | None
    level: str
    path: str


def path_step(unit_id: int) -> str:
    """One step of a path: the id in six base-36 digits and a dot, so that paths sort in the order units were listed."""
    digits = ""
    for _ in range(PATH_DIGITS):
        unit_id, digit = divmod(unit_id, 36)
        digits = DIGITS[digit] + digits
    return digits + "."


def in_scope(column: sa.ColumnElement[str], scope: Scope) -> sa.ColumnElement[bool]:
    """The condition that a path column lies within `scope`."""
    if scope.everything:
        return sa.true()
    return sa.or_(sa.false(), *(sa.and_(column >= path, column < path[:-1] + "/") for path in scope.paths))


async def get(connection: Connection, code: str) -> UnitRow:
    """The unit of this code.

    Raises:
        NotFoundError: there is none.
    """
    row = (await connection.execute(sa.select(unit).where(unit.c.code == code))).first()
    if row is None:
        raise NotFoundError(what="unit", key=code)
    return _row(row)


async def all_of(connection: Connection, scope: Scope) -> list[UnitRow]:
    """Every unit in scope, parents before children."""
    query = sa.select(unit).where(in_scope(unit.c.path, scope)).order_by(unit.c.path)
    return [_row(row) for row in await connection.execute(query)]


async def insert(connection: Connection, code: str, name: str, parent: UnitRow | None, level: str) -> UnitRow:
    """Add a unit below `parent` (None: at the top)."""
    added = await connection.execute(
        sa.insert(unit)
        .values(
            code=code,
            name=name,
            name_folded=fold(name),
            parent_id=parent.unit_id if parent else None,
            level=level,
            path=f"new {code}",
        )
        .returning(unit.c.id)
    )
    unit_id = added.scalar_one()
    path = (parent.path if parent else "") + path_step(unit_id)
    await connection.execute(sa.update(unit).where(unit.c.id == unit_id).values(path=path))
    return UnitRow(unit_id, code, name, parent.unit_id if parent else None, level, path)


async def by_codes(connection: Connection, codes: Iterable[str]) -> dict[str, UnitRow]:
    """The units of these codes that exist."""
    wanted = list(codes)
    found: dict[str, UnitRow] = {}
    for start in range(0, len(wanted), 500):
        query = sa.select(unit).where(unit.c.code.in_(wanted[start : start + 500]))
        found.update({row.code: _row(row) for row in await connection.execute(query)})
    return found


def _row(row: sa.Row[tuple[object, ...]]) -> UnitRow:
    return UnitRow(row.id, row.code, row.name, row.parent_id, row.level, row.path)
