"""Check-ins in the database: what one batch of the writer does inside its transaction (DESIGN.md §6a)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from diemcau.domain.models import EventKind, Flag, Source
from diemcau.errors import NotFoundError
from diemcau.store.schema import attendance, attendance_event, session_point

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Listed:
    """A person on the list, with what the log commits to. `salt`: `attendee.salt` mixed with the server's key."""

    attendee_id: int
    code: str
    full_name: str
    phone: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A person on no list, or a badge that nobody knows. `key` 16 bytes over what was typed; `salt` for a new row."""

    key: bytes
    name: str
    name_folded: str
    unit_text: str
    salt: bytes
    stands_for_text: str = ""
    badge_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One person in one hall. `nonce` 16 bytes in UUIDv7 order, `fingerprint` 16 bytes over its content.

    at_ms: as the device said; happened_ms: as best known; offset_ms: server minus device clock.
    offline: recorded without the server's answer, so a fact: it is stored even after closing (held then).
    spot_check_id: the person scanned the code of this spot-check; who was not counted before is counted by it too.
    """

    session_id: int
    point_id: int
    point: str
    who: Listed | Unlisted
    nonce: bytes
    fingerprint: bytes
    source: Source
    server_ms: int
    at_ms: int
    happened_ms: int
    kind: EventKind = EventKind.CHECK_IN
    flags: tuple[Flag, ...] = ()
    offline: bool = False
    offset_ms: int | None = None
    device_id: int | None = None
    account_id: int | None = None
    by: str = ""
    reason: str = ""
    stands_for: Listed | None = None
    of_nonce: bytes | None = None
    spot_check_id: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a check-in once it was durable.

    result: accepted (stored; `counted` tells whether it counts), duplicate (stored, but the person was counted
        before; see `point_id`, `at_ms`), conflict (the nonce is known with another content), closed (the session is
        closed and this was not offline). Nothing was written of the last two.
    flags: as stored; held: it came after closing and waits for the next revision.
    replayed: this very nonce was recorded before; the answer is the first one's.
    point_id, at_ms, number: of the entry that counts (of its own where none does).
    present, unlisted: people counted at its own point after the commit; None where the figure did not change.
    """

    check_in: CheckIn
    result: Literal["accepted", "duplicate", "conflict", "closed"]
    point_id: int
    at_ms: int
    number: int | None
    counted: bool = False
    held: bool = False
    flags: tuple[Flag, ...] = ()
    replayed: bool = False
    present: int | None = None
    unlisted: int | None = None


@dataclass(frozen=True, slots=True)
class _Event:
    """What the log already says under a nonce."""

    fingerprint: bytes
    number: int | None


@dataclass(frozen=True, slots=True)
class _Counted:
    """The entry that counts for one person."""

    nonce: bytes
    point_id: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class _Batch:
    """What was known before, what is new, which of that won, and the figures after it."""

    known: dict[bytes, _Event]
    fresh: dict[bytes, CheckIn]
    won: set[bytes]
    present: dict[tuple[int, int], int]
    numbers: dict[bytes, int]
    counted: dict[tuple[int, int], _Counted]


def record(connection: sa.Connection, items: Sequence[CheckIn]) -> list[Outcome]:
    """Write a batch inside the caller's transaction; outcomes come in the order of `items`.

    Every process takes its locks in the same order (counted rows by person, counters by place, nonces), so that
    concurrent batches never wait for one another in a circle. A nonce that another process wrote meanwhile
    violates its uniqueness: the caller retries, and then finds it known.

    Raises:
        NotFoundError: a point does not belong to its session (any more); nothing of the batch may be kept.
    """
    known = _known(connection, {item.nonce for item in items})
    fresh: dict[bytes, CheckIn] = {}
    for item in items:
        if item.nonce not in known:
            fresh.setdefault(item.nonce, item)
    won = _claim(connection, fresh.values())
    counted_now = [item for item in fresh.values() if item.nonce in won]
    present = _count(connection, counted_now)
    numbers = _number(counted_now, present)
    _append(connection, fresh.values(), numbers)
    counted = {item.person: _Counted(item.nonce, item.point_id, item.at_ms) for item in counted_now}
    counted |= _counted_before(connection, {item.person for item in items} - counted.keys())
    batch = _Batch(known, fresh, won, present, numbers, counted)
    return [_outcome(item, batch) for item in items]


def _known(connection: sa.Connection, nonces: set[bytes]) -> dict[bytes, _Event]:
    e = attendance_event.c
    query = sa.select(e.nonce, e.fingerprint, e.number).where(e.nonce.in_(nonces))
    return {nonce: _Event(fingerprint, number) for nonce, fingerprint, number in connection.execute(query)}


def _claim(connection: sa.Connection, fresh: Iterable[CheckIn]) -> set[bytes]:
    """Insert counted rows, sorted by person; the nonces of those that were first."""
    first: dict[tuple[int, int], CheckIn] = {}
    for item in fresh:
        first.setdefault(item.person, item)
    if not first:
        return set()
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
    return set(connection.execute(insert, rows).scalars())


def _count(connection: sa.Connection, counted_now: list[CheckIn]) -> dict[tuple[int, int], int]:
    """Raise the counters, sorted by place; people present there now."""
    added: dict[tuple[int, int], int] = {}
    for item in counted_now:
        added[item.place] = added.get(item.place, 0) + 1
    present: dict[tuple[int, int], int] = {}
    for place, count in sorted(added.items()):
        values = {"in_session": place[0], "at_point": place[1], "count": count}
        now = connection.execute(RAISE_COUNTER, values).scalar_one_or_none()
        if now is None:
            raise NotFoundError(what="point", key=str(place[1]))
        present[place] = now
    return present


RAISE_COUNTER = (
    sa.update(session_point)
    .where(
        session_point.c.session_id == sa.bindparam("in_session"), session_point.c.point_id == sa.bindparam("at_point")
    )
    .values(present=session_point.c.present + sa.bindparam("count"))
    .returning(session_point.c.present)
)


def _number(counted_now: list[CheckIn], present: dict[tuple[int, int], int]) -> dict[bytes, int]:
    """The how-manieth at its point each counted check-in is, in the order they came."""
    numbers: dict[bytes, int] = {}
    left = dict(present)
    for item in reversed(counted_now):
        numbers[item.nonce] = left[item.place]
        left[item.place] -= 1
    return numbers


def _append(connection: sa.Connection, fresh: Iterable[CheckIn], numbers: dict[bytes, int]) -> None:
    """Write the log, sorted by nonce; `numbers` has those that count."""
    rows = [
        {
            "session_id": item.session_id,
            "nonce": item.nonce,
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
            "counted": item.nonce in numbers,
            "number": numbers.get(item.nonce),
            "flags": " ".join(item.flags),
        }
        for item in sorted(fresh, key=lambda item: item.nonce)
    ]
    if rows:
        connection.execute(sa.insert(attendance_event), rows)


def _counted_before(connection: sa.Connection, people: Iterable[tuple[int, int]]) -> dict[tuple[int, int], _Counted]:
    """The entries that count for people who were there before this batch."""
    by_session: dict[int, list[int]] = {}
    for session_id, attendee_id in people:
        by_session.setdefault(session_id, []).append(attendee_id)
    a = attendance.c
    counted: dict[tuple[int, int], _Counted] = {}
    for session_id, attendees in by_session.items():
        query = sa.select(a.attendee_id, a.nonce, a.point_id, a.at_ms).where(
            a.session_id == session_id, a.attendee_id.in_(attendees)
        )
        for attendee_id, nonce, point_id, at_ms in connection.execute(query):
            counted[session_id, attendee_id] = _Counted(nonce, point_id, at_ms)
    return counted


def _outcome(item: CheckIn, batch: _Batch) -> Outcome:
    before = batch.known.get(item.nonce)
    fingerprint = before.fingerprint if before else batch.fresh[item.nonce].fingerprint
    entry = batch.counted.get(item.person)
    if fingerprint != item.fingerprint or entry is None:
        return Outcome(item, "conflict", item.point_id, item.at_ms, None)
    replayed = before is not None or batch.fresh[item.nonce] is not item
    return Outcome(
        item,
        "accepted" if entry.nonce == item.nonce else "duplicate",
        entry.point_id,
        entry.at_ms,
        before.number if before else batch.numbers.get(item.nonce),
        replayed,
        batch.present[item.place] if item.nonce in batch.won and not replayed else None,
    )
