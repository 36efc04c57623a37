"""Units: the tree that everything else hangs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau.domain.authority import Action, Actor, require
from diemcau.domain.names import tidy
from diemcau.errors import ForbiddenError, InUseError, MalformedError
from diemcau.services import lists
from diemcau.services.context import Context
from diemcau.store import units
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.store.engine import Connection


async def listed(actor: Actor, context: Context, wanted: lists.Wanted, parent: str | None = None) -> api.UnitPage:
    """A page of units in the order of the tree; those above the actor's own are there to show the way.

    Raises:
        ForbiddenError: the actor may read no units, or `parent` is outside what they may see.
        NotFoundError: no such unit.
    """
    scope = require(actor, Action.UNITS_READ)
    async with context.read() as connection:
        above = await units.get(connection, parent) if parent is not None else None
        if above is not None and not scope.touches(above.path):
            raise ForbiddenError
        asked = await lists.asked_for(actor, Action.UNITS_READ, connection, wanted, keys=1)
        rows = await units.listed(connection, asked, above)
    page = rows[: wanted.limit]
    following = lists.mark(page[-1][0].path) if len(rows) > len(page) else None
    return api.UnitPage([_view(row, code) for row, code in page], following)


async def get(actor: Actor, context: Context, code: str) -> api.Unit:
    """One unit.

    Raises:
        NotFoundError: there is none.
        ForbiddenError: it is neither in the actor's scope nor above it.
    """
    scope = require(actor, Action.UNITS_READ)
    async with context.read() as connection:
        found = await units.get(connection, code)
        if not scope.touches(found.path):
            raise ForbiddenError
        return _view(found, await units.code_of(connection, found.parent_id))


async def add(actor: Actor, context: Context, body: api.Unit) -> api.Unit:
    """Make a unit below its parent, after its siblings.

    Raises:
        ForbiddenError: the parent is outside the actor's scope; without one: not the whole tree.
        NotFoundError: no such parent.
        ConflictError: the code is taken.
    """
    require(actor, Action.UNITS_WRITE)
    code, name = body.code.upper(), tidy(body.name)
    if not name:
        raise MalformedError(field="name", reason="reason.empty")

    async def work(connection: Connection) -> api.Unit:
        parent = await units.get(connection, body.parent.upper()) if body.parent else None
        require(actor, Action.UNITS_WRITE, parent.path if parent else "")
        made = await units.insert(connection, code, name, parent, tidy(body.level))
        return _view(made, parent.code if parent else None)

    return await context.writer.write(work)


async def change(actor: Actor, context: Context, code: str, body: api.UnitPatch) -> api.Unit:
    """Change a unit's name or level.

    Raises:
        NotFoundError: there is none.
        ForbiddenError: it is outside the actor's scope.
    """
    values = lists.stored(body, "name")

    async def work(connection: Connection) -> None:
        found = await units.get(connection, code)
        require(actor, Action.UNITS_WRITE, found.path)
        await units.update(connection, found.unit_id, values)

    require(actor, Action.UNITS_WRITE)
    await context.writer.write(work)
    return await get(actor, context, code)


async def remove(actor: Actor, context: Context, code: str) -> None:
    """Delete a unit that nothing refers to.

    Raises:
        NotFoundError: there is none.
        ForbiddenError: it is outside the actor's scope.
        InUseError: units, points, attendees, sessions or accounts still belong to it.
    """

    async def work(connection: Connection) -> None:
        found = await units.get(connection, code)
        require(actor, Action.UNITS_WRITE, found.path)
        if by := await units.used_by(connection, found.unit_id):
            raise InUseError(what="unit", key=code, by=by)
        await units.delete(connection, found.unit_id)

    require(actor, Action.UNITS_WRITE)
    await context.writer.write(work)


def _view(row: units.UnitRow, parent: str | None) -> api.Unit:
    return api.Unit(row.code, row.name, parent, row.level)
