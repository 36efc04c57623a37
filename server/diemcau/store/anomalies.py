"""Anomalies in the database: one row for what is odd of one key, whichever server found it, however often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from diemcau.domain.anomalies import Finding
from diemcau.domain.models import AnomalyKind
from diemcau.store.schema import anomaly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.store.engine import Connection

NONCE_BYTES = 16


async def record(connection: Connection, findings: Sequence[Finding]) -> None:
    """Add the findings to what is known; who reviewed an anomaly, and their note, stay. `key`: 16 bytes."""
    for finding in sorted(findings, key=lambda found: (found.session_id, found.kind, found.key)):
        a = anomaly.c
        same = (a.session_id == finding.session_id, a.kind == finding.kind, a.key == finding.key)
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        new = {"session_id": finding.session_id, "kind": finding.kind, "key": finding.key, **_values(finding)}
        added = dialect.insert(anomaly).values(new).on_conflict_do_nothing().returning(a.id)
        if (await connection.execute(added)).first():
            continue
        known = (await connection.execute(sa.select(anomaly).where(*same).with_for_update())).one()
        together = _finding(known).with_later(finding)
        await connection.execute(sa.update(anomaly).where(a.id == known.id).values(_values(together)))


def _values(finding: Finding) -> dict[str, Any]:
    return {
        "point_id": finding.point_id,
        "first_ms": finding.first_ms,
        "last_ms": finding.last_ms,
        "count": finding.count,
        "nonces": b"".join(finding.nonces),
    }


def _finding(row: sa.Row[Any]) -> Finding:
    nonces = tuple(row.nonces[start : start + NONCE_BYTES] for start in range(0, len(row.nonces), NONCE_BYTES))
    count = row._mapping["count"]  # noqa: SLF001 the documented way; `row.count` is a tuple's own method
    kind = AnomalyKind(row.kind)
    return Finding(row.session_id, kind, row.key, row.point_id, row.first_ms, row.last_ms, count, nonces)
