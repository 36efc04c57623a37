"""Attendees: the people on the lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from diemcau.domain.authority import Action, Actor, require
from diemcau.errors import InUseError
from diemcau.services import lists
from diemcau.services.context import Context
from diemcau.store import people, points
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.store.engine import Connection


async def listed(actor: Actor, context: Context, wanted: lists.Wanted, point: str | None = None) -> api.AttendeePage:
    """A page of attendees by unit and Vietnamese given name; with `point` those whose home point it is.

    Raises:
        ForbiddenError: the actor may read no people, or none of the wanted unit.
        NotFoundError: no such unit or point.
    """
    async with context.read() as connection:
        asked = await lists.asked_for(actor, Action.PEOPLE_READ, connection, wanted, keys=3)
        home = (await points.get(connection, point)).point_id if point is not None else None
        rows = await people.listed(connection, asked, home)
    page = rows[: wanted.limit]
    last = page[-1] if page else None
    following = lists.mark(last.unit_path, last.sort_key, last.code) if last and len(rows) > len(page) else None
    return api.AttendeePage([_view(row) for row in page], following)


async def get(actor: Actor, context: Context, code: str) -> api.Attendee:
    """One attendee.

    Raises:
        NotFoundError: there is none.
        ForbiddenError: the attendee's unit is outside the actor's scope.
    """
    require(actor, Action.PEOPLE_READ)
    async with context.read() as connection:
        found = await people.get(connection, code)
    require(actor, Action.PEOPLE_READ, found.unit_path)
    return _view(found)


async def add(actor: Actor, context: Context, body: api.Attendee) -> api.Attendee:
    """Put a person on the list.

    Raises:
        NotFoundError: no such unit or point.
        ForbiddenError: the unit is outside the actor's scope.
        ConflictError: the code is taken.
    """
    require(actor, Action.PEOPLE_WRITE)
    code = body.code.upper()
    values = lists.stored(body, "full_name", "code", "unit", "point")

    async def work(connection: Connection) -> people.PersonRow:
        placed = await _placed(connection, actor, body.unit, body.point)
        await people.insert(connection, code, {**values, **placed})
        return await people.get(connection, code)

    return _view(await context.writer.write(work))


async def change(actor: Actor, context: Context, code: str, body: api.AttendeePatch) -> api.Attendee:
    """Change a person; one may be moved only between units of one's own.

    Raises:
        NotFoundError: there is none, or no such unit or point.
        ForbiddenError: the unit, or the new one, is outside the actor's scope.
    """
    require(actor, Action.PEOPLE_WRITE)
    values = lists.stored(body, "full_name", "unit", "point")

    async def work(connection: Connection) -> people.PersonRow:
        found = await people.get(connection, code)
        require(actor, Action.PEOPLE_WRITE, found.unit_path)
        placed = await _placed(connection, actor, body.unit, body.point)
        await people.update(connection, found.attendee_id, {**values, **placed})
        return await people.get(connection, code)

    return _view(await context.writer.write(work))


async def remove(actor: Actor, context: Context, code: str) -> None:
    """Take a person off the list.

    Raises:
        NotFoundError: there is none.
        ForbiddenError: the attendee's unit is outside the actor's scope.
        InUseError: a session invited or recorded the person.
    """
    require(actor, Action.PEOPLE_WRITE)

    async def work(connection: Connection) -> None:
        found = await people.get(connection, code)
        require(actor, Action.PEOPLE_WRITE, found.unit_path)
        if by := await people.used_by(connection, found.attendee_id):
            raise InUseError(what="attendee", key=code, by=by)
        await people.delete(connection, found.attendee_id)

    await context.writer.write(work)


async def _placed(
    connection: Connection, actor: Actor, unit: str | msgspec.UnsetType, point: str | msgspec.UnsetType | None
) -> dict[str, Any]:
    """The columns that place a person; the home point may be any: a unit without a hall joins a host point."""
    placed: dict[str, Any] = {}
    if unit is not msgspec.UNSET:
        placed["unit_id"] = (await lists.unit_for(actor, Action.PEOPLE_WRITE, connection, unit)).unit_id
    if point is not msgspec.UNSET:
        placed["point_id"] = (await points.get(connection, point.upper())).point_id if point else None
    return placed


def _view(row: people.PersonRow) -> api.Attendee:
    return api.Attendee(row.code, row.full_name, row.title, row.unit_code, row.point_code, row.phone)
