"""Units: a tree of any depth, ordered as it was listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.domain.names import fold
from diemcau.errors import NotFoundError
from diemcau.store.lists import Asked, beyond, matches, refuse_taken
from diemcau.store.schema import account_grant, attendee, point, session, unit

if TYPE_CHECKING:
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
    """Add a unit below `parent` (None: at the top).

    Raises:
        ConflictError: the code is taken.
    """
    await refuse_taken(connection, unit, code)
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


async def listed(
    connection: Connection, asked: Asked, parent: UnitRow | None = None
) -> list[tuple[UnitRow, str | None]]:
    """A page of the units that an actor may see, each with its parent's code; parents before children.

    Visible are the units in scope and those above them. With `parent` only its direct children are listed.
    """
    above = {path[: end + 1] for path in asked.scope.paths for end, char in enumerate(path) if char == "."}
    parents = unit.alias("parents")
    query = (
        sa.select(unit, parents.c.code.label("parent_code"))
        .outerjoin(parents, parents.c.id == unit.c.parent_id)
        .where(
            sa.or_(in_scope(unit.c.path, asked.scope), unit.c.path.in_(sorted(above))),
            matches(asked.q, unit.c.name_folded, unit.c.code),
            beyond(asked.after, unit.c.path),
        )
        .order_by(unit.c.path)
        .limit(asked.rows)
    )
    if parent is not None:
        query = query.where(unit.c.parent_id == parent.unit_id)
    return [(_row(row), row.parent_code) for row in await connection.execute(query)]


async def code_of(connection: Connection, unit_id: int | None) -> str | None:
    """The code of a unit by its id; None for None."""
    code: str | None = await connection.scalar(sa.select(unit.c.code).where(unit.c.id == unit_id))
    return code


async def update(connection: Connection, unit_id: int, values: dict[str, Any]) -> None:
    """Change columns of a unit; its place in the tree is not one of them."""
    changed = {**values, "name_folded": fold(values["name"])} if "name" in values else values
    if changed:
        await connection.execute(sa.update(unit).where(unit.c.id == unit_id).values(**changed))


async def used_by(connection: Connection, unit_id: int) -> str | None:
    """What still refers to the unit (a word of the dictionary, `what.…`); None when nothing does."""
    references = (
        ("unit", unit.c.parent_id),
        ("unit", unit.c.predecessor_id),
        ("point", point.c.unit_id),
        ("attendee", attendee.c.unit_id),
        ("session", session.c.unit_id),
        ("account", account_grant.c.unit_id),
    )
    for what, column in references:
        if (await connection.execute(sa.select(1).where(column == unit_id).limit(1))).first():
            return what
    return None


async def delete(connection: Connection, unit_id: int) -> None:
    """Remove a unit that nothing refers to."""
    await connection.execute(sa.delete(unit).where(unit.c.id == unit_id))


def _row(row: sa.Row[tuple[object, ...]]) -> UnitRow:
    return UnitRow(row.id, row.code, row.name, row.parent_id, row.level, row.path)
