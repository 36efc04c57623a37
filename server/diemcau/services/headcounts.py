"""Headcounts: said by a hall's operator, or told to the centre by telephone; kept apart from named people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.domain import names
from diemcau.domain.authority import Account, Action, Actor, Device, System, require, require_device
from diemcau.domain.models import CHECK_IN_STATES, DeviceKind, SessionState
from diemcau.errors import (
    DiemcauError,
    DoorError,
    NonceConflictError,
    NotFoundError,
    NotSignedInError,
    SessionClosedError,
    TooManyKeptError,
)
from diemcau.services import nonces
from diemcau.services.records import scope_for
from diemcau.services.sessions import visible
from diemcau.store import devices, door, headcounts, sessions
from diemcau.store.headcounts import Headcount
from diemcau.wire import headcounts as wire

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.store.door import DoorRow
    from diemcau.store.engine import Connection
    from diemcau.store.headcounts import PointRow


async def say(actor: Actor, context: Context, code: str, body: wire.HeadcountNew) -> wire.OwnHeadcount:
    """Keep a number that was counted in a hall; what holds for the hall then, which may have been counted later.

    A device says it of its own hall; staff say what the hall told them. The same nonce is the same headcount.

    Raises:
        NotFoundError: the point does not take part in the session.
        NotSignedInError, ForbiddenError: not the operator of this hall, nor a writer of its unit's attendance.
        DoorError: not_open: the session is a draft. SessionClosedError: the figures are frozen.
        NonceConflictError: this nonce was used for something else. TooManyKeptError: a program gone wrong.
    """
    hall = await _hall(actor, context, code, body.point.upper())
    saying = _Saying(actor, context, hall, body)
    latest = await context.writer.write(lambda connection: _keep(connection, saying))
    session = context.live.sessions.get(hall.session_id)
    if session is not None:
        session.set_headcount(hall.point_id, latest.number)
    return wire.OwnHeadcount(context.clock.now_ms(), _view(hall.point, latest))


async def of_point(actor: Actor, context: Context, code: str, point: str) -> wire.OwnHeadcount:
    """What holds for one hall: for its operator, or a member of staff for it.

    Raises:
        NotFoundError, NotSignedInError, ForbiddenError: see `say`.
    """
    hall = await _hall(actor, context, code, point)
    async with context.read() as connection:
        latest, _ = await headcounts.latest(connection, hall.session_id, hall.point_id)
    return wire.OwnHeadcount(context.clock.now_ms(), _view(hall.point, latest) if latest else None)


async def listed(
    actor: Actor, context: Context, code: str, unit: str | None, *, unreported: bool = False
) -> wire.HeadcountList:
    """Every hall in the actor's units (at and below `unit`) with its latest number; or only those that said nothing.

    Raises:
        NotFoundError: no such session or unit, or not the actor's to see.
        ForbiddenError: the unit is outside the actor's.
    """
    async with context.read() as connection:
        session = await visible(actor, connection, code)
        scope = await scope_for(actor, connection, unit)
        rows = await headcounts.points(connection, session.session_id, scope)
    items = [_point(row) for row in rows]
    silent = [item for item in items if not item.reported]
    now_ms = context.clock.now_ms()
    return wire.HeadcountList(now_ms, len(items), len(items) - len(silent), silent if unreported else items)


# --- parts ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Saying:
    """Who says what, of which hall."""

    actor: Actor
    context: Context
    hall: DoorRow
    body: wire.HeadcountNew


async def _hall(actor: Actor, context: Context, code: str, point: str) -> DoorRow:
    if not isinstance(actor, Account | Device | System):
        raise NotSignedInError
    row = await door.by_codes(context.engines, code, point)
    if row is None:
        raise NotFoundError(what="point", key=point)
    if isinstance(actor, Device):
        require_device(actor, row.point_id, DeviceKind.OPERATOR)
    else:
        require(actor, Action.ATTENDANCE_WRITE, row.unit_path)
    return row


async def _keep(connection: Connection, saying: _Saying) -> Headcount:
    """What holds for the hall afterwards; whatever is raised keeps nothing."""
    hall = saying.hall
    row = await _row(connection, saying)
    refusal = await _refusal(connection, hall)
    if refusal is not None or not await headcounts.insert(connection, row):
        known = await headcounts.by_nonce(connection, row.nonce)
        if known is None and refusal is not None:
            raise refusal
        if known is None or _content(known) != _content(row):
            raise NonceConflictError
    latest, said = await headcounts.latest(connection, hall.session_id, hall.point_id)
    if said > limits.HEADCOUNTS_A_POINT_MAX:
        raise TooManyKeptError(what="headcount", max=limits.HEADCOUNTS_A_POINT_MAX)
    assert latest is not None  # noqa: S101 one is kept
    return latest


async def _refusal(connection: Connection, hall: DoorRow) -> DiemcauError | None:
    """Why nothing new may be said of the session; what was kept before may still be sent again."""
    state = (await sessions.get(connection, hall.session, kept=True)).state
    if state is SessionState.CLOSED:
        return SessionClosedError(key=hall.session)
    return None if state in CHECK_IN_STATES else DoorError("not_open")


async def _row(connection: Connection, saying: _Saying) -> Headcount:
    actor, body = saying.actor, saying.body
    now_ms = saying.context.clock.now_ms()
    device = isinstance(actor, Device)
    return Headcount(
        session_id=saying.hall.session_id,
        point_id=saying.hall.point_id,
        nonce=nonces.read(body.nonce) if body.nonce else nonces.make(now_ms),
        number=body.number,
        source="operator" if device else "center",
        told_by=names.tidy(body.by),
        made_by=await devices.name(connection, actor.device_id) if isinstance(actor, Device) else _name(actor),
        at_ms=_plausible(body.at_ms, now_ms),
        server_ms=now_ms,
    )


def _plausible(at_ms: int | None, now_ms: int) -> int:
    """When it was counted; a clock that runs ahead must not make a number hold for ever."""
    if at_ms is None or not now_ms - limits.OFFLINE_AGE_MS_MAX <= at_ms <= now_ms:
        return now_ms
    return at_ms


def _content(row: Headcount) -> tuple[int, int, int, str, str]:
    """What a nonce stands for; not when, since a moment that is not plausible is corrected at each try."""
    return row.session_id, row.point_id, row.number, row.source, row.told_by


def _name(actor: Actor) -> str:
    return actor.name if isinstance(actor, Account | System) else ""


def _view(point: str, row: Headcount) -> wire.HeadcountView:
    source: wire.Source = "operator" if row.source == "operator" else "center"
    return wire.HeadcountView(point, row.number, source, row.told_by, row.made_by, row.at_ms, row.server_ms)


def _point(row: PointRow) -> wire.PointHeadcount:
    return wire.PointHeadcount(
        point=row.point,
        name=row.name,
        unit_name=row.unit_name,
        mode=row.mode,
        present=row.present,
        unlisted=row.unlisted,
        reported=row.figures.reported,
        contact_name=row.contact_name,
        contact_phone=row.contact_phone,
        headcount=_view(row.point, row.headcount) if row.headcount else None,
    )
