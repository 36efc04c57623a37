"""What devices told of their own queues, and which devices may still hold entries of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from diemcau.domain.models import DeviceKind, SessionState
from diemcau.store.schema import (
    device,
    device_queue,
    point,
    session,
    session_point,
    session_state,
    unit,
)
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Told:
    """So many entries wait on a device; the oldest happened at `oldest_ms` by its clock; it said so at `told_ms`."""

    waiting: int
    oldest_ms: int | None
    told_ms: int


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """An operator's device of a session's hall, with what it last told, if it ever did."""

    device_id: int
    device: str
    seen_ms: int | None
    point: str
    point_name: str
    unit_name: str
    contact_name: str
    contact_phone: str
    told: Told | None


async def tell(connection: Connection, told: Iterable[tuple[int, Told]]) -> None:
    """Keep what devices told: pairs of id and what."""
    rows = [
        {"device_id": device_id, "waiting": one.waiting, "oldest_ms": one.oldest_ms, "told_ms": one.told_ms}
        for device_id, one in sorted(told, key=lambda pair: pair[0])
    ]
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    adding: Any = dialect.insert(device_queue)
    newer = {name: adding.excluded[name] for name in ("waiting", "oldest_ms", "told_ms")}
    await connection.execute(adding.on_conflict_do_update(index_elements=["device_id"], set_=newer), rows)


async def devices(connection: Connection, session_id: int, before_ms: int, scope: Scope) -> list[DeviceRow]:
    """The operators' devices of the session's halls in scope that were heard since it opened, or nearly so.

    before_ms: how long before its start technicians connect; whoever was heard since then took part.
    """
    d, q, s = device.c, device_queue.c, session.c
    opened = (
        sa.select(sa.func.min(session_state.c.at_ms))
        .where(session_state.c.session_id == session_id, session_state.c.to_state == SessionState.OPEN)
        .scalar_subquery()
    )
    begins = sa.case((opened < s.starts_ms - before_ms, opened), else_=s.starts_ms - before_ms)
    heard = sa.or_(d.seen_ms >= begins, q.told_ms >= begins)
    query = (
        sa.select(
            d.id,
            d.name,
            d.seen_ms,
            point.c.code,
            point.c.name,
            unit.c.name,
            point.c.contact_name,
            point.c.contact_phone,
            q.waiting,
            q.oldest_ms,
            q.told_ms,
        )
        .select_from(session)
        .join(session_point, session_point.c.session_id == s.id)
        .join(point, point.c.id == session_point.c.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .join(device, d.point_id == point.c.id)
        .outerjoin(device_queue, q.device_id == d.id)
        .where(s.id == session_id, d.kind == DeviceKind.OPERATOR, in_scope(unit.c.path, scope))
        .where(sa.or_(heard, q.waiting > 0))
        .order_by(unit.c.path, point.c.code, d.id)
    )
    return [
        DeviceRow(*row[:8], Told(*row[8:]) if row.told_ms is not None else None)
        for row in await connection.execute(query)
    ]
