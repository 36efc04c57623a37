"""Check-ins in the database: what one batch of the writer does inside its transaction (DESIGN.md §6a)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from diemcau.domain.log_chain import commitments
from diemcau.domain.models import EventKind, Flag, Source
from diemcau.errors import NotFoundError
from diemcau.store import check_in_rows as rows
from diemcau.store import driver, event_log
from diemcau.store.check_in_rows import Entry, Known, Person, Place, Session, Typed, UnlistedRow
from diemcau.store.event_log import NewEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa


COUNTING = frozenset({EventKind.CHECK_IN, EventKind.SPOT_CHECK})
FACTS = frozenset({Source.PAPER, Source.IMPORT})


class Listed(Struct, frozen=True, gc=False):
    """A person on the list, with what the log commits to. `salt`: `attendee.salt` mixed with the server's key."""

    attendee_id: int
    code: str
    full_name: str
    phone: str
    salt: bytes


class Unlisted(Struct, frozen=True, gc=False):
    """A person on no list, or a badge that nobody knows. `key` 16 bytes over what was typed; `salt` for a new row."""

    key: bytes
    name: str
    name_folded: str
    unit_text: str
    salt: bytes
    stands_for_text: str = ""
    badge_hash: bytes | None = None


class CheckIn(Struct, frozen=True):
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

    @property
    def place(self) -> Place:
        """Where the counters stand."""
        return self.session_id, self.point_id

    @property
    def is_fact(self) -> bool:
        """What happened all the same when the session is closed: recorded offline, on paper, or by an account."""
        return self.offline or self.account_id is not None or self.source in FACTS


class Outcome(Struct, frozen=True):
    """What became of a check-in once it was durable.

    result: accepted (stored; `counted` tells whether it counts), duplicate (stored, but the person was counted
        before; see `point_id`, `at_ms`), conflict (the nonce is known with another content), closed (the session is
        closed and this is no fact, see `CheckIn.is_fact`). Nothing was written of the last two.
    flags: as stored; held: it came after closing and waits for the next revision.
    replayed: this very nonce was recorded before; the answer is the first one's.
    point_id, at_ms: of the entry that counts (of its own where none does); at_ms is when it happened.
    number: the how-manieth it was at its own point when it was counted, among those on the list or those on none.
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


@dataclass(slots=True)
class _Batch:
    """What was known before, what is new, which of that counts, and the figures after it.

    numbers: by nonce, of those that count now; figures: present and unlisted, by place.
    """

    sessions: dict[int, Session]
    known: dict[bytes, Known]
    fresh: dict[bytes, CheckIn]
    typed: dict[Typed, UnlistedRow] = field(default_factory=dict)
    entries: dict[Person, Entry] = field(default_factory=dict)
    numbers: dict[bytes, int] = field(default_factory=dict)
    figures: dict[Place, list[int]] = field(default_factory=dict)

    def held(self, item: CheckIn) -> bool:
        """It came after closing: it is kept, and changes no figure before the next revision."""
        return self.sessions[item.session_id].closed

    def row(self, item: CheckIn) -> UnlistedRow | None:
        """The row of somebody on no list."""
        who = item.who
        return None if isinstance(who, Listed) else self.typed[item.session_id, item.point_id, who.key]

    def person(self, item: CheckIn) -> Person:
        """Who may be counted once (I2)."""
        who = item.who
        if isinstance(who, Listed):
            return item.session_id, who.attendee_id
        return self.typed[item.session_id, item.point_id, who.key].person

    def counted_now(self) -> list[CheckIn]:
        """Those that count by this batch, in the order they came; known once `_claim` is done."""
        return [
            item
            for item in self.fresh.values()
            if (entry := self.entries.get(self.person(item))) is not None and entry.nonce == item.nonce
        ]


def record(connection: sa.Connection, items: Sequence[CheckIn], writer_id: bytes) -> list[Outcome]:
    """Write a batch inside the caller's transaction; outcomes come in the order of `items`.

    Every process takes its locks in the order that `event_log` names, each kind sorted, so that concurrent batches
    never wait for one another in a circle. A nonce that another process wrote meanwhile violates its uniqueness:
    the caller retries, and then finds it known.

    Raises:
        NotFoundError: a session is gone, or a point does not belong to it (any more); nothing of the batch may be
            kept.
    """
    with driver.errors(connection):
        batch = _look(connection, items)
        if batch.fresh:
            _claim(connection, batch)
            counted_now = batch.counted_now()
            _take_places(connection, counted_now)
            _see(connection, batch)
            _count(connection, batch, counted_now)
            _append(connection, batch, writer_id)
            _leave(connection, batch, counted_now)
        _look_again(connection, batch)
    return [_outcome(item, batch) for item in items]


def _look(connection: sa.Connection, items: Sequence[CheckIn]) -> _Batch:
    """What is new and may be kept. A closed session takes facts only."""
    sessions = rows.sessions(connection, {item.session_id for item in items})
    known = rows.known(connection, {item.nonce for item in items})
    fresh: dict[bytes, CheckIn] = {}
    for item in items:
        session = sessions.get(item.session_id)
        if session is None:
            raise NotFoundError(what="session", key=str(item.session_id))
        if item.nonce not in known and (not session.closed or item.is_fact):
            fresh.setdefault(item.nonce, item)
    return _Batch(sessions, known, fresh)


def _claim(connection: sa.Connection, batch: _Batch) -> None:
    """Let everybody count by the first of their entries, unless something counts for them already."""
    typed: dict[Typed, tuple[CheckIn, Unlisted]] = {}
    for item in batch.fresh.values():
        if isinstance(item.who, Unlisted):
            typed.setdefault((item.session_id, item.point_id, item.who.key), (item, item.who))
    if typed:
        batch.typed = rows.type_in(connection, typed)
    first: dict[Person, CheckIn] = {}
    for item in batch.fresh.values():
        if item.kind in COUNTING and not batch.held(item):
            first.setdefault(batch.person(item), item)
    batch.entries = rows.claim(connection, {who: item for who, item in first.items() if who[1] > 0})
    new: list[driver.Row] = []
    for row in batch.typed.values():
        claimed = first.get(row.person)
        if row.person[1] > 0 or claimed is None:
            continue
        if row.entry is None:
            new.append((row.row_id, claimed.nonce, claimed.happened_ms, " ".join(claimed.flags)))
        batch.entries[row.person] = row.entry or Entry(claimed.nonce, claimed.point_id, claimed.happened_ms)
    rows.COUNT_UNLISTED.run(connection, sorted(new))


def _take_places(connection: sa.Connection, counted_now: list[CheckIn]) -> None:
    """Who stands for somebody takes that place, the first one only."""
    taken: dict[Person, bytes] = {}
    for item in counted_now:
        if item.stands_for is not None:
            taken.setdefault((item.session_id, item.stands_for.attendee_id), item.nonce)
    rows.TAKE_PLACES.run(connection, [(*place, nonce) for place, nonce in sorted(taken.items())])


def _see(connection: sa.Connection, batch: _Batch) -> None:
    """Who scanned the code of a spot-check was seen by it."""
    seen: dict[tuple[int, int], CheckIn] = {}
    for item in batch.fresh.values():
        _, who = batch.person(item)
        if item.spot_check_id is not None and who > 0 and not batch.held(item):
            seen.setdefault((item.spot_check_id, who), item)
    found = [(*key, item.point_id, False, True, item.happened_ms) for key, item in sorted(seen.items(), key=_first)]
    rows.SEE.run(connection, found)


def _first(pair: tuple[tuple[int, int], CheckIn]) -> tuple[int, int]:
    return pair[0]


def _count(connection: sa.Connection, batch: _Batch, counted_now: list[CheckIn]) -> None:
    """Raise the counters and give numbers, in the order they came."""
    batch.figures = rows.figures(connection, {item.place for item in batch.fresh.values()})
    for item in counted_now:
        figures = batch.figures[item.place]
        which = 0 if batch.person(item)[1] > 0 else 1
        figures[which] += 1
        batch.numbers[item.nonce] = figures[which]
    raised = sorted({item.place for item in counted_now})
    rows.SET_FIGURES.run(connection, [(*place, *batch.figures[place]) for place in raised])


def _append(connection: sa.Connection, batch: _Batch, writer_id: bytes) -> None:
    """Write the log, sorted by nonce."""
    fresh = sorted(batch.fresh.items())
    event_log.append(connection, writer_id, [_event(item, batch) for _, item in fresh])


def _event(item: CheckIn, batch: _Batch) -> NewEvent:
    number = batch.numbers.get(item.nonce)
    row = batch.row(item)
    return NewEvent(
        session_id=item.session_id,
        session=batch.sessions[item.session_id].code,
        nonce=item.nonce,
        fingerprint=item.fingerprint,
        kind=item.kind,
        source=item.source,
        point_id=item.point_id,
        point=item.point,
        server_ms=item.server_ms,
        at_ms=item.at_ms,
        happened_ms=item.happened_ms,
        counted=number is not None,
        attendee_id=item.who.attendee_id if isinstance(item.who, Listed) else None,
        unlisted_id=row.row_id if row else None,
        stands_for_id=item.stands_for.attendee_id if item.stands_for else None,
        device_id=item.device_id,
        account_id=item.account_id,
        by=item.by,
        who=_commitments(item.who, row.salt if row else item.who.salt),
        stands_for=_commitments(item.stands_for, item.stands_for.salt) if item.stands_for else (),
        offset_ms=item.offset_ms,
        offline=item.offline,
        held=batch.held(item),
        number=number,
        flags=" ".join(_flags(item, batch)),
        of_nonce=item.of_nonce,
        reason=item.reason,
        detail=f"spot_check:{item.spot_check_id}" if item.spot_check_id is not None else "",
    )


def _commitments(who: Listed | Unlisted, salt: bytes) -> tuple[str, ...]:
    if isinstance(who, Listed):
        return commitments(salt, (who.code, who.full_name, who.phone))
    return commitments(salt, ("", who.name, ""))


def _flags(item: CheckIn, batch: _Batch) -> tuple[Flag, ...]:
    if batch.held(item) and Flag.AFTER_CLOSING not in item.flags:
        return (*item.flags, Flag.AFTER_CLOSING)
    return item.flags


def _leave(connection: sa.Connection, batch: _Batch, counted_now: list[CheckIn]) -> None:
    """Set who has left: whom this batch checks out, who came back, and who came in the queue behind a check-out."""
    concerned: set[Person] = set()
    for item in batch.fresh.values():
        if batch.held(item) or isinstance(item.who, Unlisted):
            continue
        entry = batch.entries.get(batch.person(item))
        if item.kind == EventKind.CHECK_OUT or (entry is not None and entry.gone):
            concerned.add(batch.person(item))
    delayed = {batch.person(item) for item in counted_now if item.offline}
    listed = {person for person in delayed if person[1] > 0}
    rows.set_left(connection, concerned | rows.checked_out(connection, listed - concerned))


def _look_again(connection: sa.Connection, batch: _Batch) -> None:
    """What counts for those about whom the batch did not decide: replays, check-outs."""
    people = {known.person for known in batch.known.values() if known.person is not None}
    people |= {batch.person(item) for item in batch.fresh.values() if item.kind not in COUNTING}
    batch.entries |= rows.entries(connection, people - batch.entries.keys())


def _outcome(item: CheckIn, batch: _Batch) -> Outcome:
    fresh = batch.fresh.get(item.nonce)
    known = batch.known.get(item.nonce) or (_known(fresh, batch) if fresh else None)
    if known is None:
        return Outcome(item, "closed", item.point_id, item.happened_ms, None)
    if known.fingerprint != item.fingerprint:
        return Outcome(item, "conflict", item.point_id, item.happened_ms, None)
    own = known.counted or known.held
    entry = None if own or known.person is None else batch.entries.get(known.person)
    figures = batch.figures[item.place] if fresh is item and known.counted else None
    listed = known.person is not None and known.person[1] > 0
    return Outcome(
        item,
        "accepted" if own or known.kind != EventKind.CHECK_IN else "duplicate",
        entry.point_id if entry else known.point_id,
        entry.at_ms if entry else known.at_ms,
        known.number,
        known.counted,
        known.held,
        known.flags,
        fresh is not item,
        figures[0] if figures and listed else None,
        figures[1] if figures and not listed else None,
    )


def _known(item: CheckIn, batch: _Batch) -> Known:
    """What the log says now of an item that is new in this batch."""
    number = batch.numbers.get(item.nonce)
    return Known(
        item.fingerprint,
        item.kind,
        batch.person(item),
        item.point_id,
        item.happened_ms,
        number is not None,
        batch.held(item),
        number,
        _flags(item, batch),
    )
