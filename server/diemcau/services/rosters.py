"""A hall's list for its own staff, and the sealed bundle that lets its device name people offline (DESIGN.md §6)."""

from __future__ import annotations

import asyncio
import base64
import secrets
from typing import TYPE_CHECKING

from diemcau.domain import badge, bundle
from diemcau.domain.authority import Action, Actor, Anonymous, Device, Scope, require, require_device
from diemcau.domain.models import DeviceKind, SessionState
from diemcau.errors import NotFoundError, NotSignedInError, SessionClosedError
from diemcau.services.badges import PURPOSE
from diemcau.store import rosters
from diemcau.wire import badges as wire

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.store.rosters import Hall, RosterRow

EVERYBODY = Scope(("",))
"""Who stands on the hall's list is the hall's own matter: its operator sees guests of other units too."""


async def roster(actor: Actor, context: Context, session: str, point: str) -> wire.Roster:
    """The hall's list by number. Accounts see those of its people whose unit they answer for (I5).

    Raises:
        NotSignedInError: nobody said who they are.
        ForbiddenError: a display, another point's device, or an account without the hall's unit in its scope.
        NotFoundError: the point does not take part in the session.
    """
    hall = await _hall(actor, context, session, point)
    if isinstance(actor, Device):
        require_device(actor, hall.point_id, DeviceKind.OPERATOR)
        scope = EVERYBODY
    else:
        scope = require(actor, Action.ATTENDANCE_READ, hall.unit_path)
    rows = await _numbered(context, hall, scope)
    return wire.Roster(hall.session, hall.point, [_entry(row) for row in rows])


async def sealed(actor: Actor, context: Context, session: str, point: str) -> wire.Bundle:
    """The hall's people who have a badge, each sealed under it, for the operator's device.

    The list in clear comes along only where the session allows it.

    Raises:
        NotSignedInError, ForbiddenError: not an operator's device of this point.
        NotFoundError: the point does not take part in the session.
        SessionClosedError: the figures are frozen; what a device holds is to be erased, not fetched.
    """
    hall = await _hall(actor, context, session, point)
    require_device(actor, hall.point_id, DeviceKind.OPERATOR)
    if hall.state is SessionState.CLOSED:
        raise SessionClosedError(key=hall.session)
    rows = await _numbered(context, hall, EVERYBODY)
    salt = secrets.token_bytes(bundle.SALT_BYTES)
    key = context.keys.derive(PURPOSE)
    # 2,000 people take 20 ms: long enough for everybody else to notice.
    entries = await asyncio.to_thread(_entries, key, rows, salt)
    return wire.Bundle(
        session=hall.session,
        point=hall.point,
        made_ms=context.clock.now_ms(),
        salt=base64.b64encode(salt).decode(),
        entries=entries,
        roster=[_entry(row) for row in rows] if hall.readable_roster else None,
    )


async def _hall(actor: Actor, context: Context, session: str, point: str) -> Hall:
    if isinstance(actor, Anonymous):
        raise NotSignedInError
    async with context.read() as connection:
        hall = await rosters.hall(connection, session, point)
    if hall is None:
        raise NotFoundError(what="point", key=point)
    return hall


async def _numbered(context: Context, hall: Hall, scope: Scope) -> list[RosterRow]:
    """The hall's list; whoever has no number yet is given one first."""
    async with context.read() as connection:
        complete = await rosters.numbered(connection, hall.session_id, hall.point_id)
    if not complete:
        await context.writer.write(
            lambda connection: rosters.ensure_numbers(connection, hall.session_id, hall.point_id)
        )
    async with context.read() as connection:
        return await rosters.listed(connection, hall, scope)


def _entries(key: bytes, rows: list[RosterRow], salt: bytes) -> list[wire.SealedEntry]:
    people = [
        (
            badge.token(key, row.attendee_id, row.badge_issue),
            bundle.Person(row.code, row.full_name, row.title, row.unit_name, row.number),
        )
        for row in rows
        if row.badge_issue is not None
    ]
    return [
        wire.SealedEntry(base64.b64encode(found).decode(), base64.b64encode(text).decode())
        for found, text in bundle.seal(people, salt)
    ]


def _entry(row: RosterRow) -> wire.RosterEntry:
    return wire.RosterEntry(row.number, row.code, row.full_name, row.title, row.unit_name, row.at_ms)
