"""The log in a test's database, checked as `verify` would: every hash anew, every column against what was hashed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from diemcau.domain import log_chain
from diemcau.store.schema import attendance_event, session
from diemcau.store.schema import log_chain as heads

if TYPE_CHECKING:
    from diemcau.store.engine import Engines

SAME = (
    "kind",
    "source",
    "server_ms",
    "at_ms",
    "happened_ms",
    "counted",
    "offset_ms",
    "offline",
    "held",
    "number",
    "flags",
    "reason",
)
"""Columns that a body repeats under the same name."""


async def bodies(engines: Engines) -> list[log_chain.Body]:
    """Every event's body in the order of the log, once the chains and their heads are found whole."""
    e = attendance_event.c
    query = sa.select(attendance_event, session.c.code.label("session")).join(session, session.c.id == e.session_id)
    async with engines.read() as connection:
        rows = (await connection.execute(query.order_by(e.writer, e.session_id, e.position))).mappings().all()
        found = await connection.execute(sa.select(heads.c.session_id, heads.c.writer, heads.c["count"], heads.c.head))
        ends = {(session_id, bytes(writer)): (count, bytes(head)) for session_id, writer, count, head in found}
    last: dict[tuple[int, bytes], tuple[int, bytes]] = {}
    for row in rows:
        key = row["session_id"], bytes(row["writer"])
        count, before = last.get(key, (0, log_chain.START))
        assert row["position"] == count + 1, "a position is missing or doubled"
        assert log_chain.link(before, log_chain.digest(row["body"])) == row["hash"], "a hash does not follow"
        _check_body(row)
        last[key] = row["position"], bytes(row["hash"])
    assert ends == last, "a head is not where its chain ends"
    return [_body(row) for row in sorted(rows, key=lambda row: int(row["id"]))]


def _body(row: Any) -> log_chain.Body:
    return msgspec.json.decode(row["body"], type=log_chain.Body)


def _check_body(row: Any) -> None:
    body = _body(row)
    assert {name: getattr(body, name) for name in SAME} == {name: row[name] for name in SAME}
    assert (body.session, body.writer, body.position) == (row["session"], row["writer"].hex(), row["position"])
    assert (body.nonce, body.of) == (row["nonce"].hex(), row["of_nonce"].hex() if row["of_nonce"] else "")
