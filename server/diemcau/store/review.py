"""What a person should look at: people on no list, people seen in two halls, flagged entries, anomalies. Read only.

Each list is found through an index of its own that holds nothing else, a page at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from diemcau.store import events
from diemcau.store.events import EventRow, Person
from diemcau.store.schema import anomaly, attendance, attendance_event, attendee, point, unit, unlisted
from diemcau.store.units import in_scope
from diemcau.store.who_counts import ENTRIES, is_entry, stands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.domain.authority import Scope
    from diemcau.domain.models import Flag
    from diemcau.store.engine import Connection

State = Literal["open", "matched", "all"]
NONCE_BYTES = 16
_e = attendance_event.c
_home = unit.alias("home")


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of a list: of a session, of what `scope` sees, behind the row with the number `after`."""

    session_id: int
    scope: Scope
    rows: int
    after: int | None = None


# --- people on no list -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class UnlistedRow:
    """Somebody on no list. `nonce`: of the entry that counts, None: none does; `matched`: who they are."""

    unlisted_id: int
    name: str
    unit_text: str
    stands_for_text: str
    point: str
    point_name: str
    at_ms: int
    nonce: bytes | None
    flags: str
    unknown_badge: bool
    matched: Person | None


async def unlisted_people(
    connection: Connection, asked: Asked, state: State, hall: str | None = None
) -> list[UnlistedRow]:
    """People on no list in halls of the scope, or who turned out to be of its units; the oldest first.

    open: those who count and of whom nobody said who they are; matched: the others whom somebody did.
    """
    u, a = unlisted.c, attendee.c
    query = (
        sa.select(
            u.id,
            u.name,
            u.unit_text,
            u.stands_for_text,
            point.c.code.label("point"),
            point.c.name.label("point_name"),
            u.at_ms,
            u.nonce,
            u.flags,
            u.badge_hash.is_not(None).label("unknown_badge"),
            a.full_name,
            a.code,
            a.title,
            _home.c.code.label("unit_code"),
            _home.c.name.label("unit_name"),
            _home.c.path,
        )
        .join(point, point.c.id == u.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .outerjoin(attendee, a.id == u.attendee_id)
        .outerjoin(_home, _home.c.id == a.unit_id)
        .where(u.session_id == asked.session_id, u.id > (asked.after or 0))
        .where(sa.or_(in_scope(unit.c.path, asked.scope), in_scope(_home.c.path, asked.scope)))
        .order_by(u.id)
        .limit(asked.rows)
    )
    if hall is not None:
        query = query.where(point.c.code == hall)
    if state == "open":
        query = query.where(u.nonce.is_not(None), u.attendee_id.is_(None))
    elif state == "matched":
        query = query.where(u.attendee_id.is_not(None))
    return [_unlisted(row) for row in await connection.execute(query)]


def _unlisted(row: sa.Row[*tuple[Any, ...]]) -> UnlistedRow:
    who = (row.full_name, row.code, row.title, row.unit_code, row.unit_name, row.path)
    return UnlistedRow(
        row.id,
        row.name,
        row.unit_text,
        row.stands_for_text,
        row.point,
        row.point_name,
        row.at_ms,
        bytes(row.nonce) if row.nonce else None,
        row.flags,
        bool(row.unknown_badge),
        Person(*who) if row.full_name is not None else None,
    )


# --- people in two halls ---------------------------------------------------------------------------------------
async def in_two_halls(connection: Connection, asked: Asked) -> list[int]:
    """Ids of people with an entry that stands in another hall than the one they are counted in, in their order.

    Such an entry was not counted when it came, or it would count still: the index of those is all that is read.
    The person, or one of the two halls, is in scope.
    """
    a, counted_hall, counted_unit = attendance.c, point.alias("counted_hall"), unit.alias("counted_unit")
    uncounted = sa.text("NOT attendance_event.counted")  # as the index has it, see `corrections`
    query = (
        sa.select(_e.attendee_id)
        .join(attendance, sa.and_(a.session_id == _e.session_id, a.attendee_id == _e.attendee_id))
        .join(attendee, attendee.c.id == _e.attendee_id)
        .join(_home, _home.c.id == attendee.c.unit_id)
        .join(point, point.c.id == _e.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .join(counted_hall, counted_hall.c.id == a.point_id)
        .join(counted_unit, counted_unit.c.id == counted_hall.c.unit_id)
        .where(_e.session_id == asked.session_id, uncounted, _e.attendee_id > (asked.after or 0))
        .where(_e.kind.in_(ENTRIES), _e.point_id != a.point_id, stands(attendance_event), is_entry(attendance_event))
        .where(sa.or_(*(in_scope(home.c.path, asked.scope) for home in (_home, unit, counted_unit))))
        .order_by(_e.attendee_id)
        .distinct()
        .limit(asked.rows)
    )
    return list((await connection.execute(query)).scalars())


async def entries_of(connection: Connection, session_id: int, people: Sequence[int]) -> dict[int, list[EventRow]]:
    """The entries of these people that stand: the one that counts first, then in the order of the log."""
    query = events.SELECTED.where(
        _e.session_id == session_id,
        _e.attendee_id.in_(people),
        _e.kind.in_(ENTRIES),
        stands(attendance_event),
        is_entry(attendance_event),
    )
    rows = [events.event(row) for row in await connection.execute(query)]
    found: dict[int, list[EventRow]] = {person: [] for person in people}
    for row in sorted(rows, key=lambda row: (not row.counted, row.event_id)):
        found[row.attendee_id or 0].append(row)
    return found


# --- flagged entries -------------------------------------------------------------------------------------------
async def flagged(connection: Connection, asked: Asked, flag: Flag | None) -> list[EventRow]:
    """Events with this flag, or with any, the newest first."""
    has_flags = sa.text("attendance_event.flags <> ''")  # as the index has it, see `corrections`
    query = events.SELECTED.where(_e.session_id == asked.session_id, has_flags, events.seen_in(asked.scope))
    if flag is not None:
        query = query.where((sa.literal(" ") + _e.flags + sa.literal(" ")).contains(f" {flag} ", autoescape=True))
    if asked.after is not None:
        query = query.where(_e.id < asked.after)
    return [events.event(row) for row in await connection.execute(query.order_by(_e.id.desc()).limit(asked.rows))]


# --- anomalies -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class AnomalyRow:
    """Something odd. `path`: of the hall's unit; None where it is of no single hall."""

    anomaly_id: int
    kind: str
    first_ms: int
    last_ms: int
    count: int
    nonces: tuple[bytes, ...]
    reviewed_ms: int | None
    reviewed_by: str
    note: str
    point: str | None
    point_name: str
    path: str | None


ANOMALIES = (
    sa.select(anomaly, point.c.code, point.c.name, unit.c.path)
    .outerjoin(point, point.c.id == anomaly.c.point_id)
    .outerjoin(unit, unit.c.id == point.c.unit_id)
)


async def anomalies(
    connection: Connection, asked: Asked, after: tuple[int, int, int] | None, *, everywhere: bool
) -> list[AnomalyRow]:
    """Those not reviewed first, then the newest; after: (reviewed 0 or 1, last_ms, id) of the row before.

    everywhere: also those of no single hall.
    """
    a = anomaly.c
    reviewed = sa.case((a.reviewed_ms.is_(None), 0), else_=1)
    here = in_scope(unit.c.path, asked.scope)
    query = (
        ANOMALIES.where(a.session_id == asked.session_id, sa.or_(here, a.point_id.is_(None)) if everywhere else here)
        .where(sa.true() if everywhere else a.point_id.is_not(None))
        .order_by(reviewed, a.last_ms.desc(), a.id.desc())
        .limit(asked.rows)
    )
    if after is not None:
        order = sa.tuple_(reviewed, -a.last_ms, -a.id)
        query = query.where(order > sa.tuple_(sa.literal(after[0]), sa.literal(-after[1]), sa.literal(-after[2])))
    return [_anomaly(row) for row in await connection.execute(query)]


async def one_anomaly(connection: Connection, session_id: int, anomaly_id: int) -> AnomalyRow | None:
    """One anomaly of this session."""
    query = ANOMALIES.where(anomaly.c.session_id == session_id, anomaly.c.id == anomaly_id)
    row = (await connection.execute(query)).first()
    return _anomaly(row) if row else None


async def mark_reviewed(connection: Connection, anomaly_id: int, now_ms: int, by: str, note: str) -> None:
    """Somebody looked at it."""
    values = {"reviewed_ms": now_ms, "reviewed_by": by, "note": note}
    await connection.execute(sa.update(anomaly).where(anomaly.c.id == anomaly_id).values(**values))


def _anomaly(row: sa.Row[*tuple[Any, ...]]) -> AnomalyRow:
    packed = bytes(row.nonces)
    return AnomalyRow(
        row.id,
        row.kind,
        row.first_ms,
        row.last_ms,
        row._mapping["count"],  # noqa: SLF001 a row has a method of that name
        tuple(packed[start : start + NONCE_BYTES] for start in range(0, len(packed), NONCE_BYTES)),
        row.reviewed_ms,
        row.reviewed_by,
        row.note,
        row.code,
        row.name or "",
        row.path,
    )
