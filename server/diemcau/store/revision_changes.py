"""What a revision of frozen figures changed, person by person: found around the revision itself, kept, read again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.domain.models import EventKind
from diemcau.store import frozen_places
from diemcau.store.schema import (
    account,
    attendance_event,
    attendee,
    device,
    late_entry,
    point,
    revision_change,
    unit,
    unlisted,
)
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection

IDS_A_QUERY = 500
_e = attendance_event.c
_of = attendance_event.alias("of")


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom what waits may concern: ids of attendees and of people on no list."""

    people: frozenset[int]
    unlisted: frozenset[int]


@dataclass(frozen=True, slots=True)
class Change:
    """One person in the figures of one unit, before and after; one of the two ids is set."""

    attendee_id: int | None
    unlisted_id: int | None
    unit_id: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change with who and where; `code` empty for people on no list, `title` is then what they wrote as unit."""

    number: int
    attendee_id: int | None
    unlisted_id: int | None
    code: str
    full_name: str
    title: str
    unit_code: str
    unit_name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class CauseRow:
    """An event that a revision applied. `by`: an account or device by name, "" for people at the door."""

    kind: str
    source: str
    by: str
    point_name: str
    happened_ms: int
    server_ms: int
    reason: str


# --- around a revision -------------------------------------------------------------------------------------
async def concerned(connection: Connection, session_id: int) -> Concerned:
    """Whom the entries that wait may concern: themselves, whom they match, and whose places these take."""
    held: sa.ColumnElement[bool] = sa.literal_column("attendance_event.held")  # as the partial index has it
    waits = sa.and_(_e.session_id == session_id, held, ~sa.exists().where(late_entry.c.nonce == _e.nonce))
    both = [column for source in (_e, _of.c) for column in (source.attendee_id, source.stands_for_id)]
    query = (
        sa.select(*both, _e.unlisted_id, _of.c.unlisted_id)
        .select_from(attendance_event)
        .outerjoin(_of, _of.c.nonce == _e.of_nonce)
        .where(waits)
    )
    people: set[int | None] = set()
    apart: set[int | None] = set()
    for *some, first, second in await connection.execute(query):
        people.update(some)
        apart.update((first, second))
    for some in _slices(apart):
        people.update(await _ids(connection, unlisted.c.attendee_id, unlisted.c.id.in_(some)))
        people.update(await _ids(connection, _e.attendee_id, _e.unlisted_id.in_(some)))
        people.update(await _ids(connection, _e.stands_for_id, _e.unlisted_id.in_(some)))
    for some in _slices(people):
        mine = sa.and_(_e.session_id == session_id, _e.attendee_id.in_(some))
        people.update(await _ids(connection, _e.stands_for_id, mine))
    return Concerned(frozenset(_known(people)), frozenset(_known(apart)))


async def _ids(connection: Connection, column: sa.Column[Any], condition: sa.ColumnElement[bool]) -> list[int]:
    query = sa.select(column).where(condition, column.is_not(None)).distinct()
    return list((await connection.execute(query)).scalars())


async def apart(connection: Connection, session_id: int, unlisted_ids: Collection[int]) -> dict[int, int]:
    """Those on no list who are counted apart now, and the unit in whose figures."""
    places = await frozen_places.of(connection, session_id)
    w = unlisted.c
    found: dict[int, int] = {}
    for some in _slices(unlisted_ids):
        query = (
            sa.select(w.id, unit.c.id)
            .select_from(places.of_point(unlisted, w.point_id))
            .where(w.id.in_(some), w.nonce.is_not(None), w.attendee_id.is_(None))
        )
        found.update((row[0], row[1]) for row in await connection.execute(query))
    return found


async def insert(connection: Connection, session_id: int, revision: int, changes: Sequence[Change]) -> None:
    """Keep what a revision changed, in this order."""
    rows = [
        {
            "session_id": session_id,
            "revision": revision,
            "number": number,
            "attendee_id": change.attendee_id,
            "unlisted_id": change.unlisted_id,
            "unit_id": change.unit_id,
            "before": change.before,
            "after": change.after,
        }
        for number, change in enumerate(changes, 1)
    ]
    if rows:
        await connection.execute(sa.insert(revision_change), rows)


# --- reading -----------------------------------------------------------------------------------------------
async def page(  # noqa: PLR0913 a list has this many bounds
    connection: Connection, session_id: int, revision: int, scope: Scope, after: int, rows: int
) -> list[ChangeRow]:
    """A page of the changes in the figures of the scope, those behind number `after`."""
    c = revision_change.c
    query: sa.Select[Any] = (
        sa.select(
            c.number,
            c.attendee_id,
            c.unlisted_id,
            sa.func.coalesce(attendee.c.code, ""),
            sa.func.coalesce(attendee.c.full_name, unlisted.c.name, ""),
            sa.func.coalesce(attendee.c.title, unlisted.c.unit_text, ""),
            unit.c.code,
            unit.c.name,
            c.before,
            c.after,
        )
        .select_from(revision_change)
        .join(unit, unit.c.id == c.unit_id)
        .outerjoin(attendee, attendee.c.id == c.attendee_id)
        .outerjoin(unlisted, unlisted.c.id == c.unlisted_id)
        .where(c.session_id == session_id, c.revision == revision, c.number > after, in_scope(unit.c.path, scope))
        .order_by(c.number)
        .limit(rows)
    )
    return [ChangeRow(*row) for row in await connection.execute(query)]


async def causes(
    connection: Connection, session_id: int, revision: int, rows: Sequence[ChangeRow]
) -> dict[tuple[int | None, int | None], list[CauseRow]]:
    """For each of these changes, by its two ids, the events that this revision applied and that concern it."""
    people = [row.attendee_id for row in rows if row.attendee_id is not None]
    matched = await _matched(connection, session_id, people)
    strangers = [row.unlisted_id for row in rows if row.unlisted_id is not None] + list(matched)
    concerns = sa.or_(
        *(column.in_(people) for column in (_e.attendee_id, _e.stands_for_id, _of.c.attendee_id, _of.c.stands_for_id)),
        *(column.in_(strangers) for column in (_e.unlisted_id, _of.c.unlisted_id)),
    )
    query = (
        sa.select(
            _e.attendee_id,
            _e.stands_for_id,
            _of.c.attendee_id,
            _of.c.stands_for_id,
            _e.unlisted_id,
            _of.c.unlisted_id,
            _e.kind,
            _e.source,
            sa.func.coalesce(account.c.name, device.c.name, ""),
            point.c.name,
            _e.happened_ms,
            _e.server_ms,
            _e.reason,
        )
        .select_from(late_entry)
        .join(attendance_event, _e.nonce == late_entry.c.nonce)
        .join(point, point.c.id == _e.point_id)
        .outerjoin(_of, _of.c.nonce == _e.of_nonce)
        .outerjoin(account, account.c.id == _e.account_id)
        .outerjoin(device, device.c.id == _e.device_id)
        .where(late_entry.c.session_id == session_id, late_entry.c.revision == revision, concerns)
        .order_by(_e.id)
    )
    found: dict[tuple[int | None, int | None], list[CauseRow]] = defaultdict(list)
    for *ids, kind, source, by, place, happened_ms, server_ms, reason in await connection.execute(query):
        cause = CauseRow(kind, source, by, place, happened_ms, server_ms, reason)
        strange = _known(ids[4:])
        for person in _known(ids[:4]) | {person for stranger in strange for person in matched[stranger]}:
            found[person, None].append(cause)
        for stranger in strange:
            found[None, stranger].append(cause)
    return found


async def _matched(connection: Connection, session_id: int, people: Collection[int]) -> defaultdict[int, set[int]]:
    """By people on no list: as whom of these people anybody ever matched them."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    query = sa.select(_e.unlisted_id, _e.attendee_id).where(
        _e.session_id == session_id, _e.attendee_id.in_(people), _e.kind == EventKind.MATCH
    )
    for stranger, person in await connection.execute(query):
        found[stranger].add(person)
    return found


def _known(ids: Collection[int | None]) -> set[int]:
    return {one for one in ids if one is not None}


def _slices(ids: Collection[int | None]) -> Iterator[list[int]]:
    ordered = sorted(_known(ids))
    for start in range(0, len(ordered), IDS_A_QUERY):
        yield ordered[start : start + IDS_A_QUERY]
