"""Review lists: what a clerk or an organizer looks at, and answers with a match, an annul or a note (DESIGN.md §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, get_args

from diemcau.domain import names
from diemcau.domain.authority import Account, Action, Actor, Scope, require
from diemcau.domain.models import Flag
from diemcau.errors import ForbiddenError, MalformedError, NotFoundError
from diemcau.services import events, lists, nonces
from diemcau.services.sessions import visible
from diemcau.store import events as log
from diemcau.store import points, review
from diemcau.store.review import Asked
from diemcau.wire import check_ins as wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diemcau.services.context import Context
    from diemcau.services.lists import Wanted
    from diemcau.store.engine import Connection
    from diemcau.store.events import EventRow
    from diemcau.store.review import AnomalyRow, UnlistedRow
    from diemcau.store.sessions import SessionRow

ANOMALY_KEYS = 3


class Which(NamedTuple):
    """Which of the people on no list: open, matched or all, of one hall (code) or of all."""

    state: str = "open"
    point: str | None = None


# --- people on no list -----------------------------------------------------------------------------------------
async def unlisted(actor: Actor, context: Context, session: str, wanted: Wanted, which: Which) -> wire.UnlistedPage:
    """A page of the people on no list in the actor's halls, and of those matched to the actor's people.

    Raises:
        NotFoundError: no such session or hall, or not the actor's to see.
        MalformedError: not one of the states; `after` did not come from a page of this list.
    """
    if which.state not in get_args(review.State):
        raise MalformedError(field="state", reason=" | ".join(get_args(review.State)))
    state: review.State = which.state  # type: ignore[assignment]  # just checked
    async with context.read() as connection:
        asked = await _asked(actor, connection, session, wanted)
        if which.point is not None:
            await points.get(connection, which.point)
        rows = await review.unlisted_people(connection, asked, state, which.point)
    page = rows[: wanted.limit]
    following = lists.mark(str(page[-1].unlisted_id)) if len(rows) > len(page) else None
    return wire.UnlistedPage([_unlisted(row) for row in page], following)


def _unlisted(row: UnlistedRow) -> wire.UnlistedView:
    return wire.UnlistedView(
        id=row.unlisted_id,
        name=row.name,
        unit_text=row.unit_text,
        point=row.point,
        point_name=row.point_name,
        at_ms=row.at_ms,
        nonce=nonces.write(row.nonce) if row.nonce else None,
        stands_for_text=row.stands_for_text,
        unknown_badge=row.unknown_badge,
        flags=row.flags.split(),
        matched=events.person(row.matched) if row.matched else None,
    )


# --- two halls, flags --------------------------------------------------------------------------------------------
async def two_halls(actor: Actor, context: Context, session: str, wanted: Wanted) -> wire.TwoHallsPage:
    """A page of the people who were seen in more than one hall, with every entry that stands, the counted one first.

    The person, or one of the halls, is the actor's. Who is another unit's and counts in another unit's hall may have
    been seen in a third one: that is told to those it concerns (I5).

    Raises:
        NotFoundError, MalformedError: see `unlisted`.
    """
    async with context.read() as connection:
        asked = await _asked(actor, connection, session, wanted)
        found = await review.in_two_halls(connection, asked)
        people = found[: wanted.limit]
        entries = await review.entries_of(connection, asked.session_id, people)
    items = [_in_two_halls(entries[person], asked.scope) for person in people]
    following = lists.mark(str(people[-1])) if len(found) > len(people) else None
    return wire.TwoHallsPage(items, following)


def _in_two_halls(entries: list[EventRow], scope: Scope) -> wire.TwoHalls:
    counted, who = entries[0], entries[0].person
    ours = scope.covers(counted.point_path) or (who is not None and scope.covers(who.path))
    told = [row for row in entries if ours or row is counted or scope.covers(row.point_path)]
    return wire.TwoHalls(events.person(who) if who else wire.PersonView(""), [events.view(row) for row in told])


async def flagged(actor: Actor, context: Context, session: str, wanted: Wanted, flag: str = "") -> wire.EventPage:
    """A page of the events with a flag (any, without one named) in the actor's halls or of the actor's people.

    Raises:
        NotFoundError, MalformedError: see `unlisted`.
    """
    async with context.read() as connection:
        asked = await _asked(actor, connection, session, wanted)
        rows = await review.flagged(connection, asked, _flag(flag))
    page = rows[: wanted.limit]
    following = lists.mark(str(page[-1].event_id)) if len(rows) > len(page) else None
    return wire.EventPage([events.view(row) for row in page], following)


def _flag(text: str) -> Flag | None:
    try:
        return Flag(text) if text else None
    except ValueError:
        raise MalformedError(field="flag", reason=" | ".join(Flag)) from None


async def _asked(actor: Actor, connection: Connection, session: str, wanted: Wanted) -> Asked:
    row = await visible(actor, connection, session)
    scope = require(actor, Action.ATTENDANCE_READ)
    return Asked(row.session_id, scope, wanted.limit + 1, lists.read_number(wanted.after))


# --- anomalies -------------------------------------------------------------------------------------------------
async def anomalies(actor: Actor, context: Context, session: str, wanted: Wanted) -> wire.AnomalyPage:
    """A page of what is odd in the actor's halls; who answers for the whole session also sees what is of no hall.

    Raises:
        NotFoundError, MalformedError: see `unlisted`.
    """
    async with context.read() as connection:
        row = await visible(actor, connection, session)
        scope = require(actor, Action.ATTENDANCE_READ)
        asked = Asked(row.session_id, scope, wanted.limit + 1)
        everywhere = scope.covers(row.unit_path)
        rows = await review.anomalies(connection, asked, _after(wanted.after), everywhere=everywhere)
        page = rows[: wanted.limit]
        named = await _named(connection, row, page)
    last = page[-1] if len(rows) > len(page) else None
    keys = (int(last.reviewed_ms is not None), last.last_ms, last.anomaly_id) if last else ()
    following = lists.mark(*(str(key) for key in keys)) if last else None
    return wire.AnomalyPage([_anomaly(one, named) for one in page], following)


async def reviewed(
    actor: Actor, context: Context, session: str, anomaly_id: int, body: wire.Reviewed
) -> wire.AnomalyView:
    """Say that somebody looked at an anomaly, and what they found; a later word replaces an earlier one.

    Raises:
        NotFoundError: no such session or anomaly.
        ForbiddenError: its hall is not one that the actor corrects.
    """
    scope = require(actor, Action.ATTENDANCE_WRITE)
    now_ms, by = context.clock.now_ms(), actor.name if isinstance(actor, Account) else ""

    async def work(connection: Connection) -> tuple[AnomalyRow, Mapping[bytes, EventRow]]:
        row = await visible(actor, connection, session)
        found = await review.one_anomaly(connection, row.session_id, anomaly_id)
        if found is None:
            raise NotFoundError(what="anomaly", key=str(anomaly_id))
        if not scope.covers(row.unit_path if found.path is None else found.path):
            raise ForbiddenError
        await review.mark_reviewed(connection, anomaly_id, now_ms, by, names.tidy(body.note))
        now = await review.one_anomaly(connection, row.session_id, anomaly_id)
        return now or found, await _named(connection, row, [found])

    return _anomaly(*await context.writer.write(work))


async def _named(connection: Connection, session: SessionRow, rows: list[AnomalyRow]) -> dict[bytes, EventRow]:
    """The check-ins that these anomalies are about."""
    return await log.by_nonce(connection, session.session_id, {nonce for row in rows for nonce in row.nonces})


def _anomaly(row: AnomalyRow, named: Mapping[bytes, EventRow]) -> wire.AnomalyView:
    people = dict.fromkeys(named[nonce].person for nonce in row.nonces if nonce in named)
    return wire.AnomalyView(
        id=row.anomaly_id,
        kind=row.kind,
        first_ms=row.first_ms,
        last_ms=row.last_ms,
        count=row.count,
        point=row.point,
        point_name=row.point_name,
        people=[events.person(person) for person in people if person is not None],
        reviewed_ms=row.reviewed_ms,
        reviewed_by=row.reviewed_by,
        note=row.note,
    )


def _after(after: str) -> tuple[int, int, int] | None:
    keys = lists.read_mark(after, ANOMALY_KEYS)
    if keys is None:
        return None
    reviewed_before, last_ms, anomaly_id = (lists.read_number(lists.mark(key)) or 0 for key in keys)
    return reviewed_before, last_ms, anomaly_id
