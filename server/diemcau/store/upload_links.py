"""Links by which a unit's clerk hands in their list: kept as hashes, good until they run out or are taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from diemcau.domain.models import SessionState
from diemcau.store.schema import session, unit, upload_link
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection

IDS_A_QUERY = 1000


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link with its session and unit."""

    link_id: int
    session_id: int
    session_code: str
    title: str
    conference: str
    starts_ms: int
    state: SessionState
    unit_id: int
    unit_code: str
    unit_name: str
    unit_path: str
    made_ms: int
    made_by: str
    expires_ms: int
    revoked_ms: int | None
    used_ms: int | None
    people: int | None


_L = upload_link.c
SELECTED = (
    sa.select(
        _L.id.label("link_id"),
        _L.session_id,
        session.c.code.label("session_code"),
        session.c.title,
        session.c.conference,
        session.c.starts_ms,
        session.c.state,
        _L.unit_id,
        unit.c.code.label("unit_code"),
        unit.c.name.label("unit_name"),
        unit.c.path.label("unit_path"),
        _L.made_ms,
        _L.made_by,
        _L.expires_ms,
        _L.revoked_ms,
        _L.used_ms,
        _L.people,
    )
    .join(session, session.c.id == _L.session_id)
    .join(unit, unit.c.id == _L.unit_id)
)


async def by_hash(connection: Connection, token_hash: bytes) -> LinkRow | None:
    """The link of this token's hash; None when nobody ever had it."""
    row = (await connection.execute(SELECTED.where(_L.token_hash == token_hash))).mappings().first()
    return _row(row) if row else None


async def listed(connection: Connection, session_id: int, scope: Scope) -> list[LinkRow]:
    """The session's links of units in scope, in the order of the tree, the newest of a unit first."""
    query = SELECTED.where(_L.session_id == session_id, in_scope(unit.c.path, scope)).order_by(
        unit.c.path, _L.id.desc()
    )
    return [_row(row) for row in (await connection.execute(query)).mappings()]


async def insert(
    connection: Connection, session_id: int, rows: Sequence[dict[str, Any]], made: dict[str, Any]
) -> dict[int, int]:
    """Add a link a row (unit_id, token_hash) with what `made` says of all; links by unit. Former ones are void."""
    await _void_former(connection, session_id, [row["unit_id"] for row in rows], made["made_ms"])
    await connection.execute(sa.insert(upload_link), [{**made, **row, "session_id": session_id} for row in rows])
    query = sa.select(_L.unit_id, _L.id).where(_L.session_id == session_id, _L.revoked_ms.is_(None))
    return {row.unit_id: row.id for row in await connection.execute(query)}


async def _void_former(connection: Connection, session_id: int, unit_ids: Collection[int], now_ms: int) -> None:
    every = sorted(unit_ids)
    for start in range(0, len(every), IDS_A_QUERY):
        some = every[start : start + IDS_A_QUERY]
        former = sa.update(upload_link).where(
            _L.session_id == session_id, _L.unit_id.in_(some), _L.revoked_ms.is_(None)
        )
        await connection.execute(former.values(revoked_ms=now_ms))


async def revoke(connection: Connection, link_id: int, now_ms: int) -> bool:
    """Take a link back; False when it was already."""
    query = sa.update(upload_link).where(_L.id == link_id, _L.revoked_ms.is_(None)).values(revoked_ms=now_ms)
    return cast("sa.CursorResult[Any]", await connection.execute(query)).rowcount > 0


async def used(connection: Connection, link_id: int, people: int, now_ms: int) -> None:
    """A list came in by this link."""
    await connection.execute(sa.update(upload_link).where(_L.id == link_id).values(used_ms=now_ms, people=people))


def _row(row: sa.RowMapping) -> LinkRow:
    return LinkRow(**{**row, "state": SessionState(row["state"])})
