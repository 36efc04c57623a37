"""Pairing: single-use codes become devices with a token of their own, which may be revoked."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.domain import names
from diemcau.domain.authority import Account, Action, Actor, require
from diemcau.errors import MalformedError, NotFoundError, PairingError, TooManyDevicesError
from diemcau.services import link
from diemcau.services.context import Context, token_hash
from diemcau.services.identities import DEVICE_PREFIX
from diemcau.store import devices, units
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.domain.models import DeviceKind
    from diemcau.store.devices import Place
    from diemcau.store.engine import Connection

CODE_BYTES = 8
CODE_CHARS = 12
CODE_GROUP = 4
MISREAD = str.maketrans("018", "OIB", "- ")
"""Base32 has no 0, 1 and 8: whoever types one read an O, an I or a B."""


def new_code() -> str:
    """A fresh code: 12 base32 characters, 60 random bits."""
    return base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode()[:CODE_CHARS]


def shown(code: str) -> str:
    """A code as people read it: `XXXX-XXXX-XXXX`."""
    return "-".join(code[at : at + CODE_GROUP] for at in range(0, CODE_CHARS, CODE_GROUP))


def canonical(typed: str) -> str:
    """A code as it was made, from whatever case, dashes and spaces it was typed with."""
    return typed.upper().translate(MISREAD)


async def make_pairing(actor: Actor, context: Context, point: str, body: api.PairingNew) -> api.Pairing:
    """A code for one more device at `point`, shown once.

    Raises:
        ForbiddenError: the point lies outside the actor's units, or the actor may not pair devices.
        NotFoundError: no such point.
        TooManyDevicesError: the point has as many devices as it may.
    """
    require(actor, Action.DEVICES_WRITE)
    async with context.read() as connection:
        place = await devices.place(connection, point)
        require(actor, Action.DEVICES_WRITE, place.unit_path)
        await _room(connection, place.point_id, place.code)
    made = (await _make(actor, context, [place], body.kind))[0]
    return api.Pairing(made.code, made.expires_ms, made.url)


async def make_pairings(actor: Actor, context: Context, body: api.PairingsNew) -> api.PairingList:
    """A code for each point of a unit and all below it, or of a list.

    Raises:
        ForbiddenError: something lies outside the actor's units.
        NotFoundError: no such unit, or no such point (the first one is named).
        MalformedError: neither or both of `unit` and `points`, or more points than one call may name.
    """
    require(actor, Action.DEVICES_WRITE)
    async with context.read() as connection:
        if body.unit is not None and body.points is None:
            places = await _below(connection, actor, body.unit.upper())
        elif body.points is not None and body.unit is None:
            places = await _named(connection, actor, [code.upper() for code in body.points])
        else:
            raise MalformedError(field="unit", reason="reason.unit_or_points")
    return api.PairingList(await _make(actor, context, places, body.kind) if places else [])


async def pair(actor: Actor, context: Context, body: api.PairRequest) -> api.Paired:
    """Consume a code: the device's token, shown once. A code works once, whoever tries it how often.

    Raises:
        PairingError: the code is unknown, used or expired.
        RateLimitedError: too many wrong codes, by anyone, within a minute.
        TooManyDevicesError: the point has as many devices as it may; the code is not used up.
    """
    del actor
    context.limiter.check("pair", limits.PAIRING_FAILURES_PER_MINUTE_MAX)
    name = names.tidy(body.device)
    if not name:
        raise MalformedError(field="device", reason="reason.empty")
    code_hash = token_hash(canonical(body.code))
    token = DEVICE_PREFIX + secrets.token_urlsafe(32)

    async def work(connection: Connection) -> tuple[Place, DeviceKind]:
        now_ms = context.clock.now_ms()
        point_id, kind = await devices.consume(connection, code_hash, now_ms)
        place = await devices.place_of(connection, point_id)
        await _room(connection, point_id, place.code)
        await devices.insert(connection, point_id, kind, name, token_hash(token), now_ms)
        return place, kind

    try:
        place, kind = await context.writer.write(work)
    except PairingError as error:
        if error.code == "pairing_unknown":  # a used or expired code was no guess
            context.limiter.failed("pair")
        raise
    return api.Paired(token, place.code, place.name, kind)


async def listed(actor: Actor, context: Context, point: str) -> api.DeviceList:
    """The devices of a point, the newest first.

    Raises:
        ForbiddenError: the point lies outside the actor's units.
        NotFoundError: no such point.
    """
    require(actor, Action.POINTS_READ)
    async with context.read() as connection:
        place = await devices.place(connection, point)
        require(actor, Action.POINTS_READ, place.unit_path)
        rows = await devices.listed(connection, place.point_id)
    return api.DeviceList(
        [
            api.DeviceView(row.device_id, row.name, row.kind, row.paired_ms, row.seen_ms, row.revoked_ms is not None)
            for row in rows
        ]
    )


async def revoke(actor: Actor, context: Context, point: str, device_id: int) -> None:
    """End a device: its token is worth nothing from now on and its sockets are closed.

    Raises:
        ForbiddenError: the point lies outside the actor's units.
        NotFoundError: no such point, or it has no such device.
    """
    require(actor, Action.DEVICES_WRITE)
    async with context.read() as connection:
        place = await devices.place(connection, point)
        require(actor, Action.DEVICES_WRITE, place.unit_path)
    await context.writer.write(lambda c: devices.revoke(c, place.point_id, device_id, context.clock.now_ms()))
    context.identities.forget()
    link.revoke(context, device_id)


async def _below(connection: Connection, actor: Actor, unit_code: str) -> list[Place]:
    unit = await units.get(connection, unit_code)
    scope = require(actor, Action.DEVICES_WRITE, unit.path).narrowed(unit.path)
    places = await devices.places_in(connection, scope, limits.PAIRINGS_BULK_MAX + 1)
    if len(places) > limits.PAIRINGS_BULK_MAX:
        raise MalformedError(field="unit", reason="reason.too_many_points")
    return places


async def _named(connection: Connection, actor: Actor, codes: list[str]) -> list[Place]:
    if len(codes) > limits.PAIRINGS_BULK_MAX:
        raise MalformedError(field="points", reason="reason.too_many_points")
    places = await devices.places(connection, codes)
    for missing in sorted(set(codes) - {place.code for place in places})[:1]:
        raise NotFoundError(what="point", key=missing)
    for place in places:
        require(actor, Action.DEVICES_WRITE, place.unit_path)
    return places


async def _make(actor: Actor, context: Context, places: list[Place], kind: DeviceKind) -> list[api.PointPairing]:
    expires_ms = context.clock.now_ms() + limits.PAIRING_VALID_S * 1000
    by = actor.name if isinstance(actor, Account) else "system"
    codes = [new_code() for _ in places]
    rows = [
        devices.PairingRow(token_hash(code), place.point_id, kind, by, expires_ms)
        for code, place in zip(codes, places, strict=True)
    ]
    await context.writer.write(lambda c: devices.add_pairings(c, rows))
    return [
        api.PointPairing(place.code, place.name, shown(code), expires_ms, f"{context.settings.origin}/pair/{code}")
        for code, place in zip(codes, places, strict=True)
    ]


async def _room(connection: Connection, point_id: int, code: str) -> None:
    if await devices.active(connection, point_id) >= limits.DEVICES_PER_POINT_MAX:
        raise TooManyDevicesError(point=code, max=limits.DEVICES_PER_POINT_MAX)
