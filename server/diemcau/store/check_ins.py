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


class CheckIn(Struct, frozen=True, gc=False):
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
    def is_fact(self) -> bool:
        """What happened all the same when the session is closed: recorded offline, on paper, or by an account."""
        return self.offline or self.account_id is not None or self.source in FACTS


class Outcome(Struct, frozen=True, gc=False):
    """What became of a check-in once it was durable.

    result: accepted (stored; `counted` tells whether it counts), duplicate (stored, but the person was counted
        before; see `point_id`, `at_ms`), conflict (the nonce is known with another content), closed (the session is
        closed and this is no fact, see `CheckIn.is_fact`; or its sheet was taken back). Nothing was written of the
        last two.
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


class _New(Struct, gc=False):
    """An item that nobody knew: whom it is about, and the number it counts by; None: it does not count.

    row: of somebody on no list. person: see `rows.Person`; who may be counted once (I2).
    """

    item: CheckIn
    session: Session
    person: Person
    row: UnlistedRow | None = None
    number: int | None = None

    @property
    def place(self) -> Place:
        """Where the counters stand."""
        return self.item.session_id, self.item.point_id

    @property
    def flags(self) -> tuple[Flag, ...]:
        """As the item has them; what came after closing is held until the next revision, and says so."""
        flags = self.item.flags
        if self.session.closed and Flag.AFTER_CLOSING not in flags:
            return (*flags, Flag.AFTER_CLOSING)
        return flags


@dataclass(slots=True)
class _Batch:
    """What was known before, what is new, who counts by it, and the figures after it.

    fresh: by nonce, in the order they came; entries: of people who counted before; counting: those who count now;
    figures: present and unlisted, by place.
    """

    known: dict[bytes, Known]
    fresh: dict[bytes, _New]
    entries: dict[Person, Entry] = field(default_factory=dict)
    counting: dict[Person, _New] = field(default_factory=dict)
    figures: dict[Place, list[int]] = field(default_factory=dict)

    def entry(self, person: Person | None) -> Entry | None:
        """What counts for somebody after the batch."""
        if person is None:
            return None
        now = self.counting.get(person)
        return Entry(now.item.nonce, now.item.point_id, now.item.happened_ms) if now else self.entries.get(person)


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
            _type_in(connection, batch)
            _claim(connection, batch)
            _take_places(connection, batch)
            _see(connection, batch)
            _count(connection, batch)
            event_log.append(connection, writer_id, [_event(new) for _, new in sorted(batch.fresh.items(), key=_nonce)])
            _leave(connection, batch)
        _look_again(connection, batch)
    return [_outcome(item, batch) for item in items]


def _nonce(pair: tuple[bytes, _New]) -> bytes:
    return pair[0]


def _look(connection: sa.Connection, items: Sequence[CheckIn]) -> _Batch:
    """What is new and may be kept. A closed session takes facts only, a sheet that was taken back nothing."""
    sessions = rows.sessions(connection, {item.session_id for item in items})
    known = rows.known(connection, {item.nonce for item in items})
    undone = rows.undone(connection, {item.of_nonce for item in items if item.of_nonce is not None})
    fresh: dict[bytes, _New] = {}
    for item in items:
        session = sessions.get(item.session_id)
        if session is None:
            raise NotFoundError(what="session", key=str(item.session_id))
        if item.nonce in known or item.nonce in fresh or (session.closed and not item.is_fact):
            continue
        if item.of_nonce in undone:
            continue
        who = item.who.attendee_id if isinstance(item.who, Listed) else 0
        fresh[item.nonce] = _New(item, session, (item.session_id, who))
    return _Batch(known, fresh)


def _type_in(connection: sa.Connection, batch: _Batch) -> None:
    """Find out who the people on no list are."""
    typed: dict[Typed, tuple[CheckIn, Unlisted]] = {}
    for new in batch.fresh.values():
        if isinstance(new.item.who, Unlisted):
            typed.setdefault((*new.place, new.item.who.key), (new.item, new.item.who))
    if not typed:
        return
    found = rows.type_in(connection, typed)
    for new in batch.fresh.values():
        if isinstance(new.item.who, Unlisted):
            new.row = found[*new.place, new.item.who.key]
            new.person = new.row.person


def _claim(connection: sa.Connection, batch: _Batch) -> None:
    """Let everybody count by the first of their entries, unless something counts for them already."""
    first: dict[Person, _New] = {}
    for new in batch.fresh.values():
        if new.item.kind is not EventKind.CHECK_OUT and not new.session.closed:
            first.setdefault(new.person, new)
    batch.entries = rows.claim(connection, [(who, new.item) for who, new in first.items() if who[1] > 0])
    guests = [(new.row, new.item) for new in first.values() if new.row is not None and new.person[1] < 0]
    if guests:
        rows.count_unlisted(connection, [(row.row_id, item) for row, item in guests if row.entry is None])
        batch.entries |= {row.person: row.entry for row, _ in guests if row.entry is not None}
    batch.counting = {who: new for who, new in first.items() if who not in batch.entries}


def _take_places(connection: sa.Connection, batch: _Batch) -> None:
    """Who stands for somebody takes that place, the first one only."""
    taken: dict[Person, bytes] = {}
    for new in batch.counting.values():
        item = new.item
        if item.stands_for is not None:
            taken.setdefault((item.session_id, item.stands_for.attendee_id), item.nonce)
    rows.TAKE_PLACES.run(connection, [(*place, nonce) for place, nonce in sorted(taken.items())])


def _see(connection: sa.Connection, batch: _Batch) -> None:
    """Who scanned the code of a spot-check was seen by it."""
    seen: dict[tuple[int, int], CheckIn] = {}
    for new in batch.fresh.values():
        item, who = new.item, new.person[1]
        if item.spot_check_id is not None and who > 0 and not new.session.closed:
            seen.setdefault((item.spot_check_id, who), item)
    found = ((*key, seen[key].point_id, False, True, seen[key].happened_ms) for key in sorted(seen))
    rows.SEE.run(connection, list(found))


def _count(connection: sa.Connection, batch: _Batch) -> None:
    """Raise the counters and give numbers, in the order they came."""
    batch.figures = rows.figures(connection, {new.place for new in batch.fresh.values()})
    raised: set[Place] = set()
    for new in batch.counting.values():
        place = new.place
        figures = batch.figures[place]
        which = 0 if new.person[1] > 0 else 1
        figures[which] += 1
        new.number = figures[which]
        raised.add(place)
    rows.SET_FIGURES.run(connection, [(*place, *batch.figures[place]) for place in sorted(raised)])


def _event(new: _New) -> NewEvent:
    """The event of an item. Positional, in the order of its fields: by name it takes eight times as long."""
    item, who, stood_for, row = new.item, new.item.who, new.item.stands_for, new.row
    return NewEvent(
        item.session_id,
        new.session.code,
        item.nonce,
        item.fingerprint,
        item.kind,
        item.source,
        item.point_id,
        item.point,
        item.server_ms,
        item.at_ms,
        item.happened_ms,
        new.number is not None,
        who.attendee_id if isinstance(who, Listed) else None,
        row.row_id if row else None,
        stood_for.attendee_id if stood_for else None,
        item.device_id,
        item.account_id,
        item.by,
        _commitments(who, row.salt if row else who.salt),
        _commitments(stood_for, stood_for.salt) if stood_for else (),
        item.offset_ms,
        item.offline,
        new.session.closed,
        new.number,
        " ".join(new.flags),
        item.of_nonce,
        item.reason,
        f"spot_check:{item.spot_check_id}" if item.spot_check_id is not None else "",
    )


def _commitments(who: Listed | Unlisted, salt: bytes) -> tuple[str, ...]:
    if isinstance(who, Listed):
        return commitments(salt, (who.code, who.full_name, who.phone))
    return commitments(salt, ("", who.name, ""))


def _leave(connection: sa.Connection, batch: _Batch) -> None:
    """Set who has left: whom this batch checks out, who came back, and who came in the queue behind a check-out."""
    gone = {who for who, entry in batch.entries.items() if entry.gone}
    concerned = {
        new.person
        for new in batch.fresh.values()
        if (new.item.kind is EventKind.CHECK_OUT or new.person in gone) and new.person[1] > 0 and not new.session.closed
    }
    delayed = {who for who, new in batch.counting.items() if new.item.offline and who[1] > 0}
    rows.set_left(connection, concerned | rows.checked_out(connection, delayed - concerned))


def _look_again(connection: sa.Connection, batch: _Batch) -> None:
    """What counts for those about whom the batch did not decide: replays, check-outs."""
    people = {known.person for known in batch.known.values() if known.person is not None}
    people |= {new.person for new in batch.fresh.values() if new.item.kind is EventKind.CHECK_OUT}
    people -= batch.counting.keys()
    batch.entries |= rows.entries(connection, people - batch.entries.keys())


# --- answers -----------------------------------------------------------------------------------------------
def _outcome(item: CheckIn, batch: _Batch) -> Outcome:
    new = batch.fresh.get(item.nonce)
    if new is not None and new.item is item and new.number is not None:
        return _counted(new, batch.figures[new.place])
    known = batch.known.get(item.nonce) or (_known(new) if new else None)
    if known is None:
        return Outcome(item, "closed", item.point_id, item.happened_ms, None)
    if known.fingerprint != item.fingerprint:
        return Outcome(item, "conflict", item.point_id, item.happened_ms, None)
    own = known.counted or known.held
    entry = None if own else batch.entry(known.person)
    return Outcome(
        item,
        "accepted" if own or known.kind is not EventKind.CHECK_IN else "duplicate",
        entry.point_id if entry else known.point_id,
        entry.at_ms if entry else known.at_ms,
        known.number,
        known.counted,
        known.held,
        known.flags,
        new is None or new.item is not item,
    )


def _counted(new: _New, figures: list[int]) -> Outcome:
    """The usual answer, and the only one that raises a figure."""
    item, listed = new.item, new.person[1] > 0
    return Outcome(
        item,
        "accepted",
        item.point_id,
        item.happened_ms,
        new.number,
        counted=True,
        flags=item.flags,
        present=figures[0] if listed else None,
        unlisted=None if listed else figures[1],
    )


def _known(new: _New) -> Known:
    """What the log says now of an item that is new in this batch."""
    item = new.item
    return Known(
        item.fingerprint,
        item.kind,
        new.person,
        item.point_id,
        item.happened_ms,
        new.number is not None,
        new.session.closed,
        new.number,
        new.flags,
    )
