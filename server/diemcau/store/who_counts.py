"""Who counts, as the log says it: which entry of each person stands, and the figures that follow (I2, I3).

Recording writes what counts as it comes; a correction or a revision settles it anew here, from the events:

- An event *stands* unless it was taken back; one that came after closing stands once a revision has applied it.
- A person on no list counts by their earliest entry that stands.
- A match stands as long as an entry of the person it matched stands that was there before it; the earliest decides.
- A person on the list counts by the entry that counted so far if it stands, else by their earliest one that does.
- A place taken by a substitute stays with who took it if they still count, else it goes to the earliest who does.

Settling twice changes nothing more. Rows are locked before the log is read, in the order that `event_log` names, so
that what two servers do at once is seen by the one that comes second.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from diemcau.domain.models import EventKind
from diemcau.store import driver
from diemcau.store.schema import (
    annulment,
    attendance,
    attendance_event,
    late_entry,
    session_point,
    substitution,
    unlisted,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

ARRIVALS = (EventKind.CHECK_IN, EventKind.SPOT_CHECK)
"""What counts who comes: a spot-check whose code somebody scanned says that they are there."""

ENTRIES = (*ARRIVALS, EventKind.MATCH)
IDS_A_QUERY = 500
"""People settled at once: bound parameters of one statement, far below what SQLite takes."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Whom something may concern: attendees, people on no list, attendees whose place is taken; ids."""

    people: set[int] = field(default_factory=set)
    unlisted: set[int] = field(default_factory=set)
    places: set[int] = field(default_factory=set)


class Counts(NamedTuple):
    """People counted at a point, and people on no list there, after the commit."""

    present: int
    unlisted: int


class _Entry(NamedTuple):
    """An event that stands and may count."""

    event_id: int
    nonce: bytes
    kind: str
    attendee_id: int | None
    unlisted_id: int | None
    stands_for_id: int | None
    point_id: int
    happened_ms: int
    flags: str


@dataclass(frozen=True, slots=True)
class _Settling:
    """One settling: where, and by how much it changes the figures of each point (present, unlisted)."""

    connection: sa.Connection
    session_id: int
    changes: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))


def settle(connection: sa.Connection, session_id: int, touched: Touched) -> dict[int, Counts]:
    """Make what counts of these people what the log says; the figures of the points where that changed any."""
    settling = _Settling(connection, session_id)
    for ids in _slices(touched.unlisted):
        _settle_unlisted(settling, ids, touched)
    for ids in _slices(touched.people):
        _settle_people(settling, ids, touched)
    for ids in _slices(touched.places):
        _settle_places(settling, ids)
    return _count(settling)


def stands(e: Any) -> sa.ColumnElement[bool]:  # noqa: ANN401 a table or an alias of it
    """The condition that an event was not taken back and does not wait for a revision."""
    annuls, late = annulment.alias(), late_entry.alias()  # whatever the query around may join
    taken_back = sa.exists().where(annuls.c.nonce == e.c.nonce)
    applied = sa.exists().where(late.c.nonce == e.c.nonce)
    return sa.and_(sa.not_(taken_back), sa.or_(sa.not_(e.c.held), applied))


def is_entry(e: Any) -> sa.ColumnElement[bool]:  # noqa: ANN401 as above
    """The condition that a standing event may count its person: an arrival, or a match that stands."""
    earlier, of = attendance_event.alias("earlier"), unlisted.alias()
    matched = (
        sa.exists()
        .where(of.c.id == e.c.unlisted_id, of.c.attendee_id == e.c.attendee_id)
        .where(earlier.c.unlisted_id == e.c.unlisted_id, earlier.c.kind.in_(ARRIVALS), earlier.c.id < e.c.id)
        .where(stands(earlier))
    )
    return sa.or_(e.c.kind.in_(ARRIVALS), sa.and_(e.c.kind == EventKind.MATCH, matched))


def counts(e: Any) -> sa.ColumnElement[bool]:  # noqa: ANN401 as above
    """The condition that an event is what counts of its person."""
    a, u = attendance.alias().c, unlisted.alias().c
    by_name = sa.exists().where(a.session_id == e.c.session_id, a.attendee_id == e.c.attendee_id, a.nonce == e.c.nonce)
    as_typed = sa.exists().where(u.id == e.c.unlisted_id, u.nonce == e.c.nonce)
    return sa.or_(by_name, as_typed)


def _entries(
    settling: _Settling, column: sa.Column[Any], ids: Sequence[int], condition: sa.ColumnElement[bool]
) -> dict[int, list[_Entry]]:
    """The standing events of each of `ids` that fit `condition`, in the order of the log."""
    e = attendance_event.c
    query = (
        sa.select(
            column,
            e.id,
            e.nonce,
            e.kind,
            e.attendee_id,
            e.unlisted_id,
            e.stands_for_id,
            e.point_id,
            e.happened_ms,
            e.flags,
        )
        .where(e.session_id == settling.session_id, column.in_(ids), stands(attendance_event), condition)
        .order_by(e.id)
    )
    found: dict[int, list[_Entry]] = defaultdict(list)
    for owner, event_id, nonce, *rest in settling.connection.execute(query):
        found[owner].append(_Entry(event_id, bytes(nonce), *rest))
    return found


# --- people on no list ---------------------------------------------------------------------------------------
def _settle_unlisted(settling: _Settling, ids: Sequence[int], touched: Touched) -> None:
    """Point each at the entry and the match that stand; whom that may concern is added to `touched`."""
    u, e = unlisted.c, attendance_event.c
    locked = sa.select(u.id, u.point_id, u.nonce, u.attendee_id).where(u.id.in_(ids)).order_by(u.id).with_for_update()
    rows = settling.connection.execute(locked).all()
    told = _entries(settling, e.unlisted_id, ids, e.kind.in_(ENTRIES))
    for row in rows:
        entries = [entry for entry in told[row.id] if entry.kind != EventKind.MATCH]
        matches = [entry for entry in told[row.id] if entry.kind == EventKind.MATCH]
        entry = _kept(row.nonce, entries)
        match = next((m for m in matches if entries and entries[0].event_id < m.event_id), None)
        who = match.attendee_id if match else None
        touched.people.update({row.attendee_id, who} - {None})
        settling.changes[row.point_id][1] += int(entry is not None and who is None)
        settling.changes[row.point_id][1] -= int(row.nonce is not None and row.attendee_id is None)
        if (entry and entry.nonce) != row.nonce or who != row.attendee_id:
            _point_unlisted_at(settling, row.id, entry, who)
    touched.places.update(_stood_for(settling, ids))


def _point_unlisted_at(settling: _Settling, unlisted_id: int, entry: _Entry | None, attendee_id: int | None) -> None:
    values: dict[str, Any] = {"nonce": None, "attendee_id": attendee_id}
    if entry:
        values |= {"nonce": entry.nonce, "at_ms": entry.happened_ms, "flags": entry.flags}
    settling.connection.execute(sa.update(unlisted).where(unlisted.c.id == unlisted_id).values(**values))


def _stood_for(settling: _Settling, ids: Sequence[int]) -> Iterable[int]:
    """Whose places these people on no list were said to take, by whatever event."""
    e = attendance_event.c
    query = sa.select(e.stands_for_id).where(e.unlisted_id.in_(ids), e.stands_for_id.is_not(None)).distinct()
    return settling.connection.execute(query).scalars()


# --- people on the list --------------------------------------------------------------------------------------
def _settle_people(settling: _Settling, ids: Sequence[int], touched: Touched) -> None:
    """Let each count by an entry that stands; whose places they take is added to `touched`."""
    a, e = attendance.c, attendance_event.c
    locked = (
        sa.select(a.attendee_id, a.nonce, a.point_id, a.left_ms)
        .where(a.session_id == settling.session_id, a.attendee_id.in_(ids))
        .order_by(a.attendee_id)
        .with_for_update()
    )
    rows = {row.attendee_id: row for row in settling.connection.execute(locked)}
    told = _entries(settling, e.attendee_id, ids, sa.or_(e.kind == EventKind.CHECK_OUT, is_entry(attendance_event)))
    missing: dict[int, tuple[_Entry, int | None]] = {}
    for attendee_id in ids:
        row, events = rows.get(attendee_id), told[attendee_id]
        touched.places.update(event.stands_for_id for event in events if event.stands_for_id is not None)
        entry = _kept(row.nonce if row else None, [event for event in events if event.kind != EventKind.CHECK_OUT])
        left_ms = _left_ms(events)
        if row is None and entry:
            missing[attendee_id] = entry, left_ms
        elif row is not None:
            _correct(settling, row, entry, left_ms)
    _claim(settling, missing)


def _left_ms(events: Sequence[_Entry]) -> int | None:
    """When they left; None for who is there: the last that happened was not a check-out."""
    last = max(events, key=lambda event: (event.happened_ms, event.event_id), default=None)
    return last.happened_ms if last and last.kind == EventKind.CHECK_OUT else None


def _correct(settling: _Settling, row: sa.Row[*tuple[Any, ...]], entry: _Entry | None, left_ms: int | None) -> None:
    """Make a counted row what it should be; None: nothing of this person stands any more."""
    a = attendance.c
    mine = sa.and_(a.session_id == settling.session_id, a.attendee_id == row.attendee_id)
    if entry is None:
        settling.connection.execute(sa.delete(attendance).where(mine))
        settling.changes[row.point_id][0] -= 1
        return
    values: dict[str, Any] = {} if left_ms == row.left_ms else {"left_ms": left_ms}
    if entry.nonce != row.nonce:
        values |= _counted(entry)
        settling.changes[row.point_id][0] -= 1
        settling.changes[entry.point_id][0] += 1
    if values:
        settling.connection.execute(sa.update(attendance).where(mine).values(**values))


def _counted(entry: _Entry) -> dict[str, Any]:
    return {"nonce": entry.nonce, "point_id": entry.point_id, "at_ms": entry.happened_ms, "flags": entry.flags}


CLAIM = driver.insert_each(
    attendance, ("session_id", "attendee_id", "nonce", "point_id", "at_ms", "flags", "left_ms"), keep=True
)


def _claim(settling: _Settling, missing: Mapping[int, tuple[_Entry, int | None]]) -> None:
    """Count who was not counted, unless another server did meanwhile: its row is locked then, and stays."""
    rows = [
        (settling.session_id, attendee_id, *_counted(entry).values(), left_ms)
        for attendee_id, (entry, left_ms) in sorted(missing.items())
    ]
    with driver.errors(settling.connection):
        CLAIM.run(settling.connection, rows)
    a = attendance.c
    query = sa.select(a.attendee_id, a.nonce).where(
        a.session_id == settling.session_id, a.attendee_id.in_(sorted(missing))
    )
    for attendee_id, nonce in settling.connection.execute(query) if missing else ():
        entry = missing[attendee_id][0]
        settling.changes[entry.point_id][0] += int(bytes(nonce) == entry.nonce)


def claim(connection: sa.Connection, session_id: int, row: driver.Row) -> int | None:
    """Count a person by an event that is about to be written: the how-manieth they are at its point.

    None: another entry counts, and is locked now. row: attendee, nonce, point, happened_ms and flags.
    """
    attendee_id, nonce, point_id = row[:3]
    with driver.errors(connection):
        CLAIM.run(connection, [(session_id, *row, None)])
    a = attendance.c
    query = sa.select(a.nonce).where(a.session_id == session_id, a.attendee_id == attendee_id)
    if bytes(connection.execute(query).scalar_one()) != nonce:
        return None
    settling = _Settling(connection, session_id)
    settling.changes[point_id][0] += 1
    return _count(settling)[point_id].present


# --- places --------------------------------------------------------------------------------------------------
TAKE = driver.insert_each(substitution, ("session_id", "attendee_id", "nonce"), keep=True)


def _settle_places(settling: _Settling, ids: Sequence[int]) -> None:
    s, e = substitution.c, attendance_event.c
    locked = (
        sa.select(s.attendee_id, s.nonce)
        .where(s.session_id == settling.session_id, s.attendee_id.in_(ids))
        .order_by(s.attendee_id)
        .with_for_update()
    )
    rows = {attendee_id: bytes(nonce) for attendee_id, nonce in settling.connection.execute(locked)}
    told = _entries(settling, e.stands_for_id, ids, sa.and_(e.kind.in_(ENTRIES), counts(attendance_event)))
    free: list[driver.Row] = []
    for attendee_id in ids:
        entry = _kept(rows.get(attendee_id), told[attendee_id])
        mine = sa.and_(s.session_id == settling.session_id, s.attendee_id == attendee_id)
        if entry is None:
            settling.connection.execute(sa.delete(substitution).where(mine))
        elif attendee_id not in rows:
            free.append((settling.session_id, attendee_id, entry.nonce))
        elif entry.nonce != rows[attendee_id]:
            settling.connection.execute(sa.update(substitution).where(mine).values(nonce=entry.nonce))
    with driver.errors(settling.connection):
        TAKE.run(settling.connection, free)


# --- parts ---------------------------------------------------------------------------------------------------
def _kept(nonce: bytes | None, entries: Sequence[_Entry]) -> _Entry | None:
    """The entry that counts already if it stands, else the earliest; None: none stands."""
    return next((entry for entry in entries if entry.nonce == nonce), entries[0] if entries else None)


def _count(settling: _Settling) -> dict[int, Counts]:
    """Move the counters, sorted by point."""
    sp = session_point.c
    counts: dict[int, Counts] = {}
    for point_id, (present, apart) in sorted(settling.changes.items()):
        if present or apart:
            moved = (
                sa.update(session_point)
                .where(sp.session_id == settling.session_id, sp.point_id == point_id)
                .values(present=sp.present + present, unlisted=sp.unlisted + apart)
                .returning(sp.present, sp.unlisted)
            )
            counts[point_id] = Counts(*settling.connection.execute(moved).one())
    return counts


def _slices(ids: Collection[int]) -> Iterator[Sequence[int]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), IDS_A_QUERY):
        yield ordered[start : start + IDS_A_QUERY]
