"""Check-ins in the database: the batch that the writer commits, and what the door looks up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from diemcau.domain.models import Flag, Source
from diemcau.store.schema import attendance, attendance_event, session_point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.store.engine import Connection


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One person at one door. `nonce` 16 bytes in UUIDv7 order, `fingerprint` 16 bytes over its content."""

    session_id: int
    attendee_id: int
    point_id: int
    nonce: bytes
    fingerprint: bytes
    source: Source
    server_ms: int
    at_ms: int
    flags: tuple[Flag, ...] = ()
    offline: bool = False
    device_id: int | None = None
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a check-in once it was durable.

    result: accepted (counted now), duplicate (the person was counted before; see `point_id`, `at_ms`),
        conflict (the nonce is known with another content; nothing was written).
    replayed: this very nonce was recorded before; the answer is the first one's.
    point_id, at_ms, number: of the entry that counts.
    present: people counted at this check-in's own point after the commit (None unless it was counted now).
    """

    check_in: CheckIn
    result: Literal["accepted", "duplicate", "conflict"]
    point_id: int
    at_ms: int
    number: int | None
    replayed: bool = False
    present: int | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """An event that was recorded before under the same nonce."""

    fingerprint: bytes
    number: int | None


@dataclass(frozen=True, slots=True)
class _Written:
    """What one batch did and found."""

    known: dict[bytes, _Known]
    fresh: dict[bytes, CheckIn]
    won: set[bytes]
    numbers: dict[bytes, int]
    present: dict[tuple[int, int], int]
    counted: dict[tuple[int, int], _Counted]


@dataclass(frozen=True, slots=True)
class _Counted:
    nonce: bytes
    point_id: int
    at_ms: int


async def record(connection: Connection, items: Sequence[CheckIn]) -> list[Outcome]:
    """Write a batch inside the caller's transaction; outcomes come in the order of `items`.

    The order of work keeps concurrent writers from deadlocking (all claims sorted) and I2 true: known nonces
    are answered from the log, counted rows are claimed, losers are re-read, counters follow, events come last.
    """
    known = await _events_by_nonce(connection, [item.nonce for item in items])
    fresh: dict[bytes, CheckIn] = {}
    for item in items:
        if item.nonce not in known:
            fresh.setdefault(item.nonce, item)
    won = await _claim(connection, list(fresh.values()))
    present = await _count(connection, [fresh[nonce] for nonce in won])
    numbers = _number([fresh[nonce] for nonce in fresh if nonce in won], present)
    await _append(connection, fresh, won, numbers)
    counted = await _counted(connection, items)
    written = _Written(known, fresh, won, numbers, present, counted)
    return [_outcome(item, written) for item in items]


async def _events_by_nonce(connection: Connection, nonces: list[bytes]) -> dict[bytes, _Known]:
    e = attendance_event.c
    query = sa.select(e.nonce, e.fingerprint, e.number).where(e.nonce.in_(nonces))
    return {row.nonce: _Known(row.fingerprint, row.number) for row in await connection.execute(query)}


async def _claim(connection: Connection, items: list[CheckIn]) -> set[bytes]:
    """Insert counted rows, sorted; the nonces of those that were first."""
    if not items:
        return set()
    first: dict[tuple[int, int], CheckIn] = {}
    for item in items:
        first.setdefault((item.session_id, item.attendee_id), item)
    rows = [
        {
            "session_id": item.session_id,
            "attendee_id": item.attendee_id,
            "nonce": item.nonce,
            "point_id": item.point_id,
            "at_ms": item.at_ms,
            "flags": " ".join(item.flags),
        }
        for _, item in sorted(first.items())
    ]
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(attendance).on_conflict_do_nothing().returning(attendance.c.nonce)
    return set((await connection.execute(insert, rows)).scalars())


async def _count(connection: Connection, won: list[CheckIn]) -> dict[tuple[int, int], int]:
    """Raise the counters of the points, sorted; people present there now."""
    added: dict[tuple[int, int], int] = {}
    for item in won:
        key = (item.session_id, item.point_id)
        added[key] = added.get(key, 0) + 1
    present: dict[tuple[int, int], int] = {}
    s = session_point.c
    for (session_id, point_id), count in sorted(added.items()):
        update = (
            sa.update(session_point)
            .where(s.session_id == session_id, s.point_id == point_id)
            .values(present=s.present + count)
            .returning(s.present)
        )
        present[session_id, point_id] = (await connection.execute(update)).scalar_one()
    return present


def _number(won: list[CheckIn], present: dict[tuple[int, int], int]) -> dict[bytes, int]:
    """The how-manieth at its point each counted check-in is, in the order they came."""
    numbers: dict[bytes, int] = {}
    left = dict(present)
    for item in reversed(won):
        key = (item.session_id, item.point_id)
        numbers[item.nonce] = left[key]
        left[key] -= 1
    return numbers


async def _append(
    connection: Connection, fresh: dict[bytes, CheckIn], won: set[bytes], numbers: dict[bytes, int]
) -> None:
    if not fresh:
        return
    await connection.execute(
        sa.insert(attendance_event),
        [
            {
                "session_id": item.session_id,
                "nonce": nonce,
                "fingerprint": item.fingerprint,
                "kind": "check_in",
                "attendee_id": item.attendee_id,
                "point_id": item.point_id,
                "device_id": item.device_id,
                "account_id": item.account_id,
                "source": item.source,
                "server_ms": item.server_ms,
                "at_ms": item.at_ms,
                "offline": item.offline,
                "counted": nonce in won,
                "number": numbers.get(nonce),
                "flags": " ".join(item.flags),
            }
            for nonce, item in sorted(fresh.items())
        ],
    )


async def _counted(connection: Connection, items: Sequence[CheckIn]) -> dict[tuple[int, int], _Counted]:
    """The entry that counts, per (session, attendee)."""
    by_session: dict[int, set[int]] = {}
    for item in items:
        by_session.setdefault(item.session_id, set()).add(item.attendee_id)
    a = attendance.c
    counted: dict[tuple[int, int], _Counted] = {}
    for session_id, attendees in by_session.items():
        query = sa.select(a.attendee_id, a.nonce, a.point_id, a.at_ms).where(
            a.session_id == session_id, a.attendee_id.in_(attendees)
        )
        for row in await connection.execute(query):
            counted[session_id, row.attendee_id] = _Counted(row.nonce, row.point_id, row.at_ms)
    return counted


def _outcome(item: CheckIn, written: _Written) -> Outcome:
    before = written.known.get(item.nonce)
    fingerprint = before.fingerprint if before else written.fresh[item.nonce].fingerprint
    entry = written.counted.get((item.session_id, item.attendee_id))
    if fingerprint != item.fingerprint or entry is None:
        return Outcome(item, "conflict", item.point_id, item.at_ms, None)
    number = before.number if before else written.numbers.get(item.nonce)
    result: Literal["accepted", "duplicate"] = "accepted" if entry.nonce == item.nonce else "duplicate"
    replayed = before is not None or written.fresh[item.nonce] is not item
    counted_now = item.nonce in written.won and not replayed
    present = written.present[item.session_id, item.point_id] if counted_now else None
    return Outcome(item, result, entry.point_id, entry.at_ms, number, replayed, present)
