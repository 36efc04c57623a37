"""Attendees, listed by unit and Vietnamese given name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.domain import phones
from diemcau.domain.names import fold, sort_key
from diemcau.errors import NotFoundError
from diemcau.store import name_search
from diemcau.store.lists import Asked, beyond, refuse_taken
from diemcau.store.schema import absence, attendance_event, attendee, badge, invitation, point, unit
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from diemcau.store.engine import Connection


@dataclass(frozen=True, slots=True)
class PersonRow:
    """An attendee as stored, with the codes of unit and home point."""

    attendee_id: int
    code: str
    full_name: str
    sort_key: str
    title: str
    unit_id: int
    unit_code: str
    unit_path: str
    point_id: int | None
    point_code: str | None
    phone: str


QUERY = (
    sa.select(
        attendee,
        unit.c.code.label("unit_code"),
        unit.c.path.label("unit_path"),
        point.c.code.label("point_code"),
    )
    .join(unit, unit.c.id == attendee.c.unit_id)
    .outerjoin(point, point.c.id == attendee.c.point_id)
)


async def get(connection: Connection, code: str) -> PersonRow:
    """The attendee of this code.

    Raises:
        NotFoundError: there is none.
    """
    row = (await connection.execute(QUERY.where(attendee.c.code == code))).first()
    if row is None:
        raise NotFoundError(what="attendee", key=code)
    return _row(row)


async def listed(connection: Connection, asked: Asked, point_id: int | None = None) -> list[PersonRow]:
    """A page of the attendees in scope (those of one home point when given), by unit, given name and code."""
    query = QUERY.where(
        in_scope(unit.c.path, asked.scope),
        await name_search.found(connection, asked.q),
        beyond(asked.after, unit.c.path, attendee.c.sort_key, attendee.c.code),
    )
    if point_id is not None:
        query = query.where(attendee.c.point_id == point_id)
    query = query.order_by(unit.c.path, attendee.c.sort_key, attendee.c.code).limit(asked.rows)
    return [_row(row) for row in await connection.execute(query)]


async def insert(connection: Connection, code: str, values: dict[str, Any]) -> None:
    """Add an attendee; `values` are the other columns.

    Raises:
        ConflictError: the code is taken.
    """
    await refuse_taken(connection, attendee, code)
    await connection.execute(sa.insert(attendee).values(code=code, **_with_keys(values)))


async def update(connection: Connection, attendee_id: int, values: dict[str, Any]) -> None:
    """Change columns of an attendee; invitations keep finding a person whose name changed."""
    if not values:
        return
    changed = _with_keys(values)
    await connection.execute(sa.update(attendee).where(attendee.c.id == attendee_id).values(**changed))
    if "name_folded" in changed:
        await connection.execute(
            sa.update(invitation)
            .where(invitation.c.attendee_id == attendee_id)
            .values(name_folded=changed["name_folded"])
        )


async def used_by(connection: Connection, attendee_id: int) -> str | None:
    """What still refers to the attendee (a word of the dictionary, `what.…`); None when nothing does."""
    event = attendance_event.c  # whoever counts has one
    absent = absence.c
    for column in (
        invitation.c.attendee_id,
        event.attendee_id,
        event.stands_for_id,
        absent.attendee_id,
        absent.substitute_id,
    ):
        if (await connection.execute(sa.select(1).where(column == attendee_id).limit(1))).first():
            return "session"
    return None


async def delete(connection: Connection, attendee_id: int) -> None:
    """Remove an attendee that nothing refers to, with their badges."""
    await connection.execute(sa.delete(badge).where(badge.c.attendee_id == attendee_id))
    await connection.execute(sa.delete(attendee).where(attendee.c.id == attendee_id))


def _with_keys(values: dict[str, Any]) -> dict[str, Any]:
    """The values with what is derived from them: how a person is found, and sorted."""
    derived: dict[str, Any] = {}
    if "full_name" in values:
        derived |= {"name_folded": fold(values["full_name"]), "sort_key": sort_key(values["full_name"])}
    if "phone" in values:
        derived["phone_digits"] = phones.digits(values["phone"])
    return {**values, **derived}


def _row(row: sa.Row[Any]) -> PersonRow:
    return PersonRow(
        attendee_id=row.id,
        code=row.code,
        full_name=row.full_name,
        sort_key=row.sort_key,
        title=row.title,
        unit_id=row.unit_id,
        unit_code=row.unit_code,
        unit_path=row.unit_path,
        point_id=row.point_id,
        point_code=row.point_code,
        phone=row.phone,
    )
