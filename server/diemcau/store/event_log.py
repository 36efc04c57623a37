"""The attendance log: the one place that writes events and moves the heads of their chains (DESIGN.md §6a).

Whoever corrects something appends an event in the same transaction as what it changes, in a job of the writer:

    async def work(connection: Connection) -> None:
        await connection.execute(sa.insert(annulment).values(...))
        await connection.run_sync(event_log.append, context.writer.writer_id, [NewEvent(kind=EventKind.ANNUL, ...)])

    await context.writer.write(work)

Positions and hashes come from the database, so a transaction that is tried again gets the right ones. Locks are
taken in one order everywhere: session, paper, unlisted, attendance, substitution, spot_check_person, session_point,
then the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from msgspec import Struct

from diemcau.domain import log_chain as chain
from diemcau.domain.models import EventKind, Source
from diemcau.store import driver
from diemcau.store.schema import attendance_event, log_chain

if TYPE_CHECKING:
    from collections.abc import Sequence


class NewEvent(Struct, frozen=True, gc=False):
    """An event before it has its place in the chain; the fields are those of the table and of `log_chain.Body`.

    session, point: their codes. who, stands_for: commitments (`log_chain.commitments`). by: an account's name or
    `device:<id>`; empty: the attendee at the door. flags: space-separated.
    """

    session_id: int
    session: str
    nonce: bytes
    fingerprint: bytes
    kind: EventKind
    source: Source
    point_id: int
    point: str
    server_ms: int
    at_ms: int
    happened_ms: int
    counted: bool
    attendee_id: int | None = None
    unlisted_id: int | None = None
    stands_for_id: int | None = None
    device_id: int | None = None
    account_id: int | None = None
    by: str = ""
    who: tuple[str, ...] = ()
    stands_for: tuple[str, ...] = ()
    offset_ms: int | None = None
    offline: bool = False
    held: bool = False
    number: int | None = None
    flags: str = ""
    of_nonce: bytes | None = None
    reason: str = ""
    detail: str = ""


COLUMNS = (
    "session_id",
    "nonce",
    "fingerprint",
    "kind",
    "attendee_id",
    "unlisted_id",
    "stands_for_id",
    "point_id",
    "device_id",
    "account_id",
    "source",
    "server_ms",
    "at_ms",
    "offset_ms",
    "happened_ms",
    "offline",
    "counted",
    "held",
    "number",
    "flags",
    "of_nonce",
    "reason",
    "writer",
    "position",
    "hash",
    "body",
)
USUAL: dict[str, object] = {
    "unlisted_id": None,
    "stands_for_id": None,
    "device_id": None,
    "account_id": None,
    "offset_ms": None,
    "offline": False,
    "held": False,
    "number": None,
    "flags": "",
    "of_nonce": None,
    "reason": "",
}
INSERT = driver.insert_each(attendance_event, COLUMNS, usual=USUAL)
MOVE_HEADS = driver.insert_each(log_chain, ("session_id", "writer", "count", "head"), replace=("count", "head"))
HEADS = driver.Among(
    sa.select(log_chain.c.session_id, log_chain.c.count, log_chain.c.head).where(
        log_chain.c.writer == sa.bindparam("writer")
    ),
    log_chain.c.session_id,
)


def append(connection: sa.Connection, writer_id: bytes, events: Sequence[NewEvent]) -> None:
    """Write `events`, in their order, to the end of this writer's chain of their sessions.

    Several at once are sorted by nonce by the caller, so that two servers never wait for one another in a circle.

    Raises:
        sqlalchemy.exc.IntegrityError: a nonce is there already; nothing of the transaction may be kept.
    """
    with driver.errors(connection):
        found = HEADS.rows(connection, sorted({event.session_id for event in events}), writer=writer_id)
        heads = {session_id: (count, bytes(head)) for session_id, count, head in found}
        writer = writer_id.hex()
        rows: list[driver.Row] = []
        for event in events:
            count, before = heads.get(event.session_id, (0, chain.START))
            position = count + 1
            body, linked = chain.grown(before, _body(event, writer, position))
            heads[event.session_id] = position, linked
            rows.append(_row(event, writer_id, position, linked, body))
        INSERT.run(connection, rows)
        MOVE_HEADS.run(connection, [(session_id, writer_id, *head) for session_id, head in sorted(heads.items())])


def _body(event: NewEvent, writer: str, position: int) -> chain.Body:
    """What is hashed. Positional, in the order of its fields: by name it takes eight times as long."""
    return chain.Body(
        event.session,
        writer,
        position,
        event.nonce.hex(),
        event.kind,
        event.source,
        event.point,
        event.server_ms,
        event.at_ms,
        event.happened_ms,
        event.counted,
        event.by,
        event.who,
        event.stands_for,
        event.offset_ms,
        event.offline,
        event.held,
        event.number,
        event.flags,
        event.of_nonce.hex() if event.of_nonce else "",
        event.reason,
        event.detail,
    )


def _row(event: NewEvent, writer_id: bytes, position: int, linked: bytes, body: bytes) -> driver.Row:
    """The values of `COLUMNS`."""
    return (
        event.session_id,
        bytearray(event.nonce),
        bytearray(event.fingerprint),
        event.kind.value,
        event.attendee_id,
        event.unlisted_id,
        event.stands_for_id,
        event.point_id,
        event.device_id,
        event.account_id,
        event.source.value,
        event.server_ms,
        event.at_ms,
        event.offset_ms,
        event.happened_ms,
        event.offline,
        event.counted,
        event.held,
        event.number,
        event.flags,
        bytearray(event.of_nonce) if event.of_nonce else None,
        event.reason,
        bytearray(writer_id),
        position,
        bytearray(linked),
        bytearray(body),
    )
