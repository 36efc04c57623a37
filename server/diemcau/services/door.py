"""The door of a hall: what its display needs to show the rotating code."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.domain import door_code
from diemcau.domain.authority import Action, Actor, Anonymous, Device, require, require_device
from diemcau.errors import NotFoundError, NotSignedInError
from diemcau.store import door
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.store.door import DoorRow

BEHIND_MS = 2_000
"""Displays run this far behind the server, so that no code is shown before every server knows it."""


async def door_of(actor: Actor, context: Context, session: str, point: str, *, key_is_safe: bool) -> api.Door:
    """The door of `point` in `session`: its key where that is safe, else codes for two minutes.

    Raises:
        NotSignedInError: nobody said who they are.
        ForbiddenError: another point's device, or an account that may not make devices there.
        NotFoundError: the point does not take part in the session.
    """
    if isinstance(actor, Anonymous):
        raise NotSignedInError
    row = await door.by_codes(context.engines, session, point)
    if row is None:
        raise NotFoundError(what="point", key=point)
    if isinstance(actor, Device):
        require_device(actor, row.point_id)
    else:
        require(actor, Action.DEVICES_WRITE, row.unit_path)
    now_ms = context.clock.now_ms()
    spot = await _spot(context, row, now_ms)
    return api.Door(
        session=row.session,
        title=row.title,
        state=row.state,
        point=row.point,
        point_name=row.point_name,
        door_id=row.door_id,
        step_s=limits.DOOR_STEP_S,
        server_ms=now_ms,
        url_prefix=f"{context.settings.origin.upper()}/C/",
        present=row.present,
        invited=row.invited,
        key=base64.b64encode(row.key).decode() if key_is_safe else None,
        codes=[] if key_is_safe else _codes(row, spot, now_ms - BEHIND_MS),
        spot=spot,
    )


async def _spot(context: Context, row: DoorRow, now_ms: int) -> api.DoorSpot | None:
    """The spot-check for which this door shows codes of its own now: the youngest, if there are several."""
    checks = await door.spot_checks(context.engines, row.session_id, row.point_id, now_ms)
    return next((api.DoorSpot(check_id, ends_ms) for check_id, _, ends_ms in checks), None)


def _codes(row: DoorRow, spot: api.DoorSpot | None, from_ms: int) -> list[api.DoorCode]:
    """The codes of the next two minutes; `from_ms` of each is where its step begins."""
    first = door_code.step_of(from_ms)
    last = door_code.step_of(from_ms + limits.DOOR_CODES_AHEAD_S * 1000)
    codes: list[api.DoorCode] = []
    for step in range(first, last + 1):
        begins_ms = step * door_code.STEP_MS
        checked = spot.id if spot and begins_ms < spot.until_ms else None
        codes.append(api.DoorCode(door_code.encode(row.door_id, row.key, step, checked), begins_ms))
    return codes
