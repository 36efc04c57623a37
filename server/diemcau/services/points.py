"""Bridge points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau.domain.authority import Action, Actor, require
from diemcau.errors import InUseError
from diemcau.services import lists
from diemcau.services.context import Context
from diemcau.store import points
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.store.engine import Connection


async def listed(actor: Actor, context: Context, wanted: lists.Wanted) -> api.PointPage:
    """A page of points by unit and code.

    Raises:
        ForbiddenError: the actor may read no points, or none of the wanted unit.
        NotFoundError: no such unit.
    """
    async with context.read() as connection:
        asked = await lists.asked_for(actor, Action.POINTS_READ, connection, wanted, keys=2)
        rows = await points.listed(connection, asked)
    page = rows[: wanted.limit]
    following = lists.mark(page[-1].unit_path, page[-1].code) if len(rows) > len(page) else None
    return api.PointPage([_view(row) for row in page], following)


async def get(actor: Actor, context: Context, code: str) -> api.Point:
    """One point.

    Raises:
        NotFoundError: there is none.
        ForbiddenError: it is outside the actor's scope.
    """
    require(actor, Action.POINTS_READ)
    async with context.read() as connection:
        found = await points.get(connection, code)
    require(actor, Action.POINTS_READ, found.unit_path)
    return _view(found)


async def add(actor: Actor, context: Context, body: api.Point) -> api.Point:
    """Make a point.

    Raises:
        NotFoundError: no such unit.
        ForbiddenError: the unit is outside the actor's scope.
        ConflictError: the code is taken.
    """
    require(actor, Action.POINTS_WRITE)
    code = body.code.upper()
    values = lists.stored(body, "name", "code", "unit")

    async def work(connection: Connection) -> points.PointRow:
        unit = await lists.unit_for(actor, Action.POINTS_WRITE, connection, body.unit)
        await points.insert(connection, code, unit.unit_id, values)
        return await points.get(connection, code)

    return _view(await context.writer.write(work))


async def change(actor: Actor, context: Context, code: str, body: api.PointPatch) -> api.Point:
    """Change a point.

    Raises:
        NotFoundError: there is none.
        ForbiddenError: it is outside the actor's scope.
    """
    require(actor, Action.POINTS_WRITE)
    values = lists.stored(body, "name")

    async def work(connection: Connection) -> points.PointRow:
        found = await points.get(connection, code)
        require(actor, Action.POINTS_WRITE, found.unit_path)
        await points.update(connection, found.point_id, values)
        return await points.get(connection, code)

    return _view(await context.writer.write(work))


async def remove(actor: Actor, context: Context, code: str) -> None:
    """Delete a point that nothing refers to.

    Raises:
        NotFoundError: there is none.
        ForbiddenError: it is outside the actor's scope.
        InUseError: a session, an attendee or a device still belongs to it.
    """
    require(actor, Action.POINTS_WRITE)

    async def work(connection: Connection) -> None:
        found = await points.get(connection, code)
        require(actor, Action.POINTS_WRITE, found.unit_path)
        if by := await points.used_by(connection, found.point_id):
            raise InUseError(what="point", key=code, by=by)
        await points.delete(connection, found.point_id)

    await context.writer.write(work)


def _view(row: points.PointRow) -> api.Point:
    return api.Point(
        code=row.code,
        name=row.name,
        unit=row.unit_code,
        capacity=row.capacity,
        mode=row.mode,
        contact_name=row.contact_name,
        contact_phone=row.contact_phone,
        cluster=row.cluster,
        carrier=row.carrier,
        note=row.note,
    )
