"""Pairing codes and the devices they made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.domain.authority import Device
from diemcau.domain.models import DeviceKind
from diemcau.errors import NotFoundError, PairingError
from diemcau.store.lookup import Lookup
from diemcau.store.schema import device, pairing, point, unit
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection, Engines


@dataclass(frozen=True, slots=True)
class Place:
    """A point and where it hangs in the tree: what authorizing and naming it need."""

    point_id: int
    code: str
    name: str
    unit_path: str


@dataclass(frozen=True, slots=True)
class PairingRow:
    """A pairing code as kept: only its hash."""

    code_hash: bytes
    point_id: int
    kind: DeviceKind
    made_by: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device in the list of its point."""

    device_id: int
    name: str
    kind: DeviceKind
    paired_ms: int
    seen_ms: int | None
    revoked_ms: int | None


BY_TOKEN = Lookup(
    sa.select(device.c.id, device.c.point_id, point.c.code, device.c.kind)
    .join(point, point.c.id == device.c.point_id)
    .where(device.c.token_hash == sa.bindparam("token_hash"), device.c.revoked_ms.is_(None))
)
NAME_OF_POINT = Lookup(sa.select(point.c.name).where(point.c.id == sa.bindparam("point_id")))


async def by_token(engines: Engines, token_hash: bytes) -> Device | None:
    """The device a token belongs to, unless it was revoked. Asked 31,000 times in a few seconds after a restart."""
    for device_id, point_id, code, kind in await engines.lookup(BY_TOKEN, token_hash=token_hash):
        return Device(device_id, point_id, code, DeviceKind(kind))
    return None


async def point_name(engines: Engines, point_id: int) -> str:
    """The name of a point."""
    for (name,) in await engines.lookup(NAME_OF_POINT, point_id=point_id):
        return str(name)
    return ""


async def name(connection: Connection, device_id: int) -> str:
    """The name that a device was given when it was paired; "" when there is no such device."""
    return (await connection.execute(sa.select(device.c.name).where(device.c.id == device_id))).scalar() or ""


async def place(connection: Connection, code: str) -> Place:
    """The point of this code.

    Raises:
        NotFoundError: there is none.
    """
    found = await places(connection, [code])
    if not found:
        raise NotFoundError(what="point", key=code)
    return found[0]


async def place_of(connection: Connection, point_id: int) -> Place:
    """The point of this id, which exists."""
    return _place((await connection.execute(_places().where(point.c.id == point_id))).one())


async def places(connection: Connection, codes: Iterable[str]) -> list[Place]:
    """The points of these codes that exist, by code."""
    wanted = sorted(set(codes))
    found: list[Place] = []
    for start in range(0, len(wanted), 500):
        query = _places().where(point.c.code.in_(wanted[start : start + 500])).order_by(point.c.code)
        found.extend(_place(row) for row in await connection.execute(query))
    return found


async def places_in(connection: Connection, scope: Scope, rows_max: int) -> list[Place]:
    """The first `rows_max` points in scope, unit by unit in the order of the tree, then by code."""
    query = _places().where(in_scope(unit.c.path, scope)).order_by(unit.c.path, point.c.code).limit(rows_max)
    return [_place(row) for row in await connection.execute(query)]


async def add_pairings(connection: Connection, rows: Sequence[PairingRow]) -> None:
    """Keep the hashes of fresh codes."""
    await connection.execute(
        sa.insert(pairing),
        [
            {
                "code_hash": row.code_hash,
                "point_id": row.point_id,
                "kind": row.kind,
                "made_by": row.made_by,
                "expires_ms": row.expires_ms,
            }
            for row in rows
        ],
    )


async def consume(connection: Connection, code_hash: bytes, now_ms: int) -> tuple[int, DeviceKind]:
    """Use up a code: the point and kind it was made for. Of two who try at once, one succeeds.

    Raises:
        PairingError: `pairing_unknown`, `pairing_used` or `pairing_expired`.
    """
    p = pairing.c
    taking = (
        sa.update(pairing)
        .where(p.code_hash == code_hash, p.used_ms.is_(None), p.expires_ms > now_ms)
        .values(used_ms=now_ms)
        .returning(p.point_id, p.kind)
    )
    taken = (await connection.execute(taking)).first()
    if taken is not None:
        return taken.point_id, DeviceKind(taken.kind)
    known = (await connection.execute(sa.select(p.used_ms).where(p.code_hash == code_hash))).first()
    if known is None:
        raise PairingError("pairing_unknown")
    raise PairingError("pairing_expired" if known.used_ms is None else "pairing_used")


async def insert(  # noqa: PLR0913 a row has this many columns
    connection: Connection, point_id: int, kind: DeviceKind, name: str, token_hash: bytes, now_ms: int
) -> int:
    """Add a device; its id."""
    values = {"point_id": point_id, "kind": kind, "name": name, "token_hash": token_hash, "paired_ms": now_ms}
    added = await connection.execute(sa.insert(device).values(**values).returning(device.c.id))
    device_id: int = added.scalar_one()
    return device_id


async def active(connection: Connection, point_id: int) -> int:
    """How many devices of this point are not revoked."""
    query = sa.select(sa.func.count()).where(device.c.point_id == point_id, device.c.revoked_ms.is_(None))
    count: int = (await connection.execute(query)).scalar_one()
    return count


async def listed(connection: Connection, point_id: int) -> list[DeviceRow]:
    """All devices of a point, the newest first."""
    query = sa.select(device).where(device.c.point_id == point_id).order_by(device.c.id.desc())
    return [
        DeviceRow(row.id, row.name, DeviceKind(row.kind), row.paired_ms, row.seen_ms, row.revoked_ms)
        for row in await connection.execute(query)
    ]


async def revoke(connection: Connection, point_id: int, device_id: int, now_ms: int) -> None:
    """Make a device's token useless; again is the same.

    Raises:
        NotFoundError: this point has no such device.
    """
    d = device.c
    ending = (
        sa.update(device)
        .where(d.id == device_id, d.point_id == point_id)
        .values(revoked_ms=sa.func.coalesce(d.revoked_ms, now_ms))
        .returning(d.id)
    )
    if (await connection.execute(ending)).first() is None:
        raise NotFoundError(what="device", key=str(device_id))


async def seen(connection: Connection, devices: Iterable[tuple[int, int]]) -> None:
    """Note when devices were last seen: pairs of id and time."""
    rows = [{"device": device_id, "at": at_ms} for device_id, at_ms in sorted(devices)]
    if rows:
        update = sa.update(device).where(device.c.id == sa.bindparam("device")).values(seen_ms=sa.bindparam("at"))
        await connection.execute(update, rows)


def _places() -> sa.Select[tuple[int, str, str, str]]:
    return sa.select(point.c.id, point.c.code, point.c.name, unit.c.path).join(unit, unit.c.id == point.c.unit_id)


def _place(row: sa.Row[tuple[int, str, str, str]]) -> Place:
    return Place(row.id, row.code, row.name, row.path)
