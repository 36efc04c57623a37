"""Badges: who holds which. Only a token's hash is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.store.lookup import Lookup
from diemcau.store.schema import attendee, badge, invitation, unit

if TYPE_CHECKING:
    from collections.abc import Collection

    from diemcau.store.engine import Connection, Engines


@dataclass(frozen=True, slots=True)
class Holder:
    """The person of a badge, and whether one session summons them.

    salt: `attendee.salt`. point_id: the hall they are summoned to, if any is known.
    """

    attendee_id: int
    issue: int
    revoked: bool
    code: str
    full_name: str
    title: str
    phone: str
    salt: bytes
    unit_code: str
    unit_name: str
    unit_path: str
    invited: bool
    point_id: int | None


_HOLDER = (
    sa.select(
        badge.c.token_hash,
        attendee.c.id,
        badge.c.issue,
        badge.c.revoked_ms,
        attendee.c.code,
        attendee.c.full_name,
        attendee.c.title,
        attendee.c.phone,
        attendee.c.salt,
        unit.c.code,
        unit.c.name,
        unit.c.path,
        invitation.c.attendee_id,
        invitation.c.point_id,
    )
    .join(attendee, attendee.c.id == badge.c.attendee_id)
    .join(unit, unit.c.id == attendee.c.unit_id)
    .outerjoin(
        invitation,
        sa.and_(invitation.c.attendee_id == attendee.c.id, invitation.c.session_id == sa.bindparam("session_id")),
    )
)
OF_TOKEN = Lookup(_HOLDER.where(badge.c.token_hash == sa.bindparam("token_hash")))


async def holder(engines: Engines, session_id: int, token_hash: bytes) -> Holder | None:
    """Whose badge this is, revoked ones included; None for a token that nobody ever had."""
    rows = await engines.lookup(OF_TOKEN, session_id=session_id, token_hash=token_hash)
    return _holder(rows[0]) if rows else None


async def holders(connection: Connection, session_id: int, token_hashes: Collection[bytes]) -> dict[bytes, Holder]:
    """The same for a batch, by hash."""
    query = _HOLDER.where(badge.c.token_hash.in_(token_hashes))
    return {row[0]: _holder(tuple(row)) for row in await connection.execute(query, {"session_id": session_id})}


def _holder(row: tuple[Any, ...]) -> Holder:
    _, attendee_id, issue, revoked_ms, code, name, title, phone, salt, unit_code, unit_name, path, invited, hall = row
    return Holder(
        attendee_id=attendee_id,
        issue=issue,
        revoked=revoked_ms is not None,
        code=code,
        full_name=name,
        title=title,
        phone=phone,
        salt=salt,
        unit_code=unit_code,
        unit_name=unit_name,
        unit_path=path,
        invited=invited is not None,
        point_id=hall,
    )
