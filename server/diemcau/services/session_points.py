"""A session's points and invitations: chosen by unit or one by one, and how the points are grouped on a board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.domain.authority import Action, Actor, Scope, System, require
from diemcau.domain.models import PointMode, SessionState
from diemcau.errors import ForbiddenError, InUseError, MalformedError, NoPointsError, NotFoundError
from diemcau.services import board
from diemcau.services.sessions import visible, writable
from diemcau.store import session_points, units
from diemcau.store.session_points import Figures
from diemcau.wire import api

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from diemcau.services.context import Context
    from diemcau.store.engine import Connection

    ReadByCode = Callable[[Connection, Collection[str], Scope], Awaitable[dict[str, int]]]


async def listed(actor: Actor, context: Context, code: str, unit: str | None = None) -> api.SessionPoints:
    """The session's points inside the actor's units, or of `unit` and below, with their groups on the board.

    Raises:
        NotFoundError: no such session or unit, or not the actor's to see.
        ForbiddenError: the unit is outside the actor's scope.
    """
    async with context.read() as connection:
        row = await visible(actor, connection, code)
        scope = require(actor, Action.POINTS_READ)
        if unit is not None:
            scope = scope.narrowed((await units.get(connection, unit)).path)
            if not scope.paths:
                raise ForbiddenError
        found = await session_points.points(connection, row.session_id, scope)
        by_path = {unit.path: unit for unit in await units.all_of(connection, Scope(("",)))}
    base = _common([point.unit_path for point in found])
    items: list[api.SessionPointView] = []
    for point in found:
        group = by_path[_below(base, point.unit_path)]
        items.append(
            api.SessionPointView(
                point=point.code,
                name=point.name,
                unit=point.unit_code,
                unit_name=point.unit_name,
                group=group.code,
                group_name=group.name,
                mode=PointMode(point.mode),
                cluster=point.cluster,
                carrier=point.carrier,
                contact_name=point.contact_name,
                contact_phone=point.contact_phone,
                capacity=point.capacity,
                invited=point.invited,
            )
        )
    return api.SessionPoints(items)


async def choose(actor: Actor, context: Context, code: str, body: api.PointsChoice) -> api.Changed:
    """Make the session's points inside the actor's units exactly these: all below a unit, or one by one.

    Raises:
        InUseError: someone checked in at a point that would go.
        NoPointsError: a session that is open would be left without points.
        SessionClosedError: the figures are frozen.
        NotFoundError: no such session, unit or point inside the actor's units.
        MalformedError: neither or both of `unit` and `points`.
    """

    async def work(connection: Connection) -> tuple[int, api.Changed]:
        row = await writable(actor, connection, code)
        scope = require(actor, Action.SESSIONS_WRITE)
        if body.points is None:
            wanted = await session_points.points_below(connection, await _below_unit(connection, scope, body.unit))
        else:
            wanted = await _ids(connection, session_points.points_by_code, "point", body.points, scope)
        if len(wanted) > limits.SESSION_POINTS_MAX:
            raise MalformedError(field="points", reason=f"≤ {limits.SESSION_POINTS_MAX}")
        before = await session_points.chosen(connection, row.session_id, scope)
        gone, new = before - wanted, wanted - before
        if gone and (used := await session_points.used(connection, row.session_id, gone)):
            raise InUseError(what="point", key=used, by="what.check_in")
        await session_points.remove_points(connection, row.session_id, gone)
        await session_points.add_points(connection, row.session_id, new, context.clock.now_ms())
        if row.state is not SessionState.DRAFT and not await session_points.count(connection, row.session_id):
            raise NoPointsError(key=code)
        return row.session_id, api.Changed(len(new), len(gone), len(wanted))

    require(actor, Action.SESSIONS_WRITE)
    _one_of(body.unit, body.points, "points")
    session_id, changed = await context.writer.write(work)
    await board.refresh(System(), context, session_id)
    return changed


async def invite(actor: Actor, context: Context, code: str, body: api.InvitationsChoice) -> api.Changed:
    """Invite everyone below a unit, or one by one; each to their home point where the session has it.

    Raises:
        SessionClosedError: the figures are frozen.
        NotFoundError: no such session, unit or attendee inside the actor's units.
        MalformedError: neither or both of `unit` and `attendees`.
    """

    async def work(connection: Connection) -> tuple[int, api.Changed]:
        row = await writable(actor, connection, code)
        scope = require(actor, Action.SESSIONS_WRITE)
        if body.attendees is None:
            below = await _below_unit(connection, scope, body.unit)
            added = await session_points.invite_below(connection, row.session_id, below)
        else:
            people = await _ids(connection, session_points.attendees_by_code, "attendee", body.attendees, scope)
            added = await session_points.invite(connection, row.session_id, set(people))
        await session_points.recount_invited(connection, row.session_id)
        figures = await session_points.figures(connection, [row.session_id], scope)
        return row.session_id, api.Changed(added, 0, figures.get(row.session_id, Figures()).invited)

    require(actor, Action.SESSIONS_WRITE)
    _one_of(body.unit, body.attendees, "attendees")
    session_id, changed = await context.writer.write(work)
    await board.refresh(System(), context, session_id)
    return changed


async def _below_unit(connection: Connection, scope: Scope, code: str | None) -> Scope:
    """The subtree of a unit inside the scope."""
    unit = await units.get(connection, (code or "").upper())
    if not scope.covers(unit.path):
        raise NotFoundError(what="unit", key=unit.code)
    return Scope((unit.path,))


async def _ids(connection: Connection, read: ReadByCode, what: str, codes: list[str], scope: Scope) -> set[int]:
    wanted = {code.upper() for code in codes}
    found = await read(connection, wanted, scope)
    if missing := sorted(wanted - found.keys()):
        raise NotFoundError(what=what, key=missing[0])
    return set(found.values())


def _one_of(unit: str | None, codes: list[str] | None, field: str) -> None:
    if (unit is None) == (codes is None):
        raise MalformedError(field=f"unit | {field}", reason="reason.one_of")


def _common(paths: list[str]) -> str:
    """The deepest unit that has all of `paths` at or below it; "" when they share none."""
    if not paths:
        return ""
    low, high = min(paths), max(paths)
    steps = 0
    while (end := low.find(".", steps)) >= 0 and low[: end + 1] == high[: end + 1]:
        steps = end + 1
    return low[:steps]


def _below(base: str, path: str) -> str:
    """The unit one level below `base` on the way to `path`; `base` itself for what lies directly in it."""
    return path[: path.find(".", len(base)) + 1] if len(path) > len(base) else base
