"""Pairing codes and the devices they made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.domain.authority import Device
from diemcau.domain.models import DeviceKind
from diemcau.store.schema import device, point

if TYPE_CHECKING:
    from diemcau.store.engine import Connection


async def by_token(connection: Connection, token_hash: bytes) -> Device | None:
    """The device a token belongs to, unless it was revoked."""
    query = (
        sa.select(device.c.id, device.c.point_id, device.c.kind, point.c.code)
        .join(point, point.c.id == device.c.point_id)
        .where(device.c.token_hash == token_hash, device.c.revoked_ms.is_(None))
    )
    row = (await connection.execute(query)).first()
    return Device(row.id, row.point_id, row.code, DeviceKind(row.kind)) if row else None
