"""Bridge points, listed by unit and code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.domain.models import PointMode
from diemcau.domain.names import fold
from diemcau.errors import NotFoundError
from diemcau.store.lists import Asked, beyond, matches, refuse_taken
from diemcau.store.schema import (
    attendance_event,
    attendee,
    device,
    headcount,
    invitation,
    pairing,
    point,
    session_point,
    unit,
)
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from diemcau.store.engine import Connection


@dataclass(frozen=True, slots=True)
class PointRow:
    """A point as stored, with its unit's code and place in the tree."""

    point_id: int
    code: str
    name: str
    unit_id: int
    unit_code: str
    unit_path: str
    capacity: int
    mode: PointMode
    contact_name: str
    contact_phone: str
    cluster: str
    carrier: str
    note: str


QUERY = sa.select(point, unit.c.code.label("unit_code"), unit.c.path.label("unit_path")).join(
    unit, unit.c.id == point.c.unit_id
)


async def get(connection: Connection, code: str) -> PointRow:
    """The point of this code.

    Raises:
        NotFoundError: there is none.
    """
    row = (await connection.execute(QUERY.where(point.c.code == code))).first()
    if row is None:
        raise NotFoundError(what="point", key=code)
    return _row(row)


async def listed(connection: Connection, asked: Asked) -> list[PointRow]:
    """A page of the points in scope, by unit and code."""
    query = (
        QUERY.where(
            in_scope(unit.c.path, asked.scope),
            matches(asked.q, point.c.name_folded, point.c.code),
            beyond(asked.after, unit.c.path, point.c.code),
        )
        .order_by(unit.c.path, point.c.code)
        .limit(asked.rows)
    )
    return [_row(row) for row in await connection.execute(query)]


async def insert(connection: Connection, code: str, unit_id: int, values: dict[str, Any]) -> None:
    """Add a point; `values` are its other columns.

    Raises:
        ConflictError: the code is taken.
    """
    await refuse_taken(connection, point, code)
    await connection.execute(sa.insert(point).values(code=code, unit_id=unit_id, **_with_folded(values)))


async def update(connection: Connection, point_id: int, values: dict[str, Any]) -> None:
    """Change columns of a point."""
    if values:
        await connection.execute(sa.update(point).where(point.c.id == point_id).values(**_with_folded(values)))


async def used_by(connection: Connection, point_id: int) -> str | None:
    """What still refers to the point (a word of the dictionary, `what.…`); None when nothing does."""
    references = (
        ("session", session_point.c.point_id),
        ("session", invitation.c.point_id),
        ("session", attendance_event.c.point_id),
        ("session", headcount.c.point_id),
        ("attendee", attendee.c.point_id),
        ("device", device.c.point_id),
    )
    for what, column in references:
        if (await connection.execute(sa.select(1).where(column == point_id).limit(1))).first():
            return what
    return None


async def delete(connection: Connection, point_id: int) -> None:
    """Remove a point that nothing refers to, and the pairing codes made for it."""
    await connection.execute(sa.delete(pairing).where(pairing.c.point_id == point_id))
    await connection.execute(sa.delete(point).where(point.c.id == point_id))


def _with_folded(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "name_folded": fold(values["name"])} if "name" in values else values


def _row(row: sa.Row[Any]) -> PointRow:
    return PointRow(
        point_id=row.id,
        code=row.code,
        name=row.name,
        unit_id=row.unit_id,
        unit_code=row.unit_code,
        unit_path=row.unit_path,
        capacity=row.capacity,
        mode=PointMode(row.mode),
        contact_name=row.contact_name,
        contact_phone=row.contact_phone,
        cluster=row.cluster,
        carrier=row.carrier,
        note=row.note,
    )
