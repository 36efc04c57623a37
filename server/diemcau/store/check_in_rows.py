"""The statements of a batch of check-ins, and what they find; `check_ins` says in which order and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.domain.models import EventKind, Flag, SessionState
from diemcau.errors import NotFoundError
from diemcau.store.driver import Among, Each, insert_each
from diemcau.store.schema import (
    annulment,
    attendance,
    attendance_event,
    paper,
    session,
    session_point,
    spot_check_person,
    substitution,
    unlisted,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from diemcau.store.check_ins import CheckIn, Unlisted
    from diemcau.store.driver import Values

Place = tuple[int, int]
"""A session and a point of it."""

Person = tuple[int, int]
"""A session and an attendee; somebody on no list has the negative id of their row in `unlisted` instead."""

Typed = tuple[int, int, bytes]
"""Somebody on no list, as typed: session, point, key."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a batch must know of a session."""

    code: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What the log already says under a nonce."""

    fingerprint: bytes
    kind: EventKind
    person: Person | None
    point_id: int
    at_ms: int
    counted: bool
    held: bool
    number: int | None
    flags: tuple[Flag, ...]


@dataclass(slots=True)
class Entry:
    """What counts for one person. `gone`: they were checked out."""

    nonce: bytes
    point_id: int
    at_ms: int
    gone: bool = False


@dataclass(frozen=True, slots=True)
class UnlistedRow:
    """Somebody on no list. `person`: the attendee who they are by a clerk's word, else the row itself."""

    row_id: int
    person: Person
    salt: bytes
    entry: Entry | None


# --- what was known before ---------------------------------------------------------------------------------
_s, _e, _a, _u, _p = session.c, attendance_event.c, attendance.c, unlisted.c, session_point.c
SESSIONS = Among(sa.select(_s.id, _s.code, _s.state).order_by(_s.id).with_for_update(read=True), _s.id)
"""Locked against closing until the commit: whatever is counted was counted before it."""

KNOWN = Among(
    sa.select(
        _e.nonce,
        _e.fingerprint,
        _e.kind,
        _e.session_id,
        _e.attendee_id,
        _e.unlisted_id,
        _e.point_id,
        _e.happened_ms,
        _e.counted,
        _e.held,
        _e.number,
        _e.flags,
    ),
    _e.nonce,
)


SHEETS = Among(
    sa.select(paper.c.nonce, paper.c.undone_ms).order_by(paper.c.nonce).with_for_update(read=True), paper.c.nonce
)
"""Locked against being taken back until the commit: who is on a sheet is taken back with it, or not written at all."""


def sessions(connection: sa.Connection, session_ids: Iterable[int]) -> dict[int, Session]:
    """The sessions of a batch, as they are until it is committed."""
    found = SESSIONS.rows(connection, sorted(session_ids))
    return {session_id: Session(code, state == SessionState.CLOSED) for session_id, code, state in found}


def undone(connection: sa.Connection, sheets: Collection[bytes]) -> set[bytes]:
    """Those of these paper sheets that were taken back."""
    found = SHEETS.rows(connection, [bytearray(sheet) for sheet in sorted(sheets)])
    return {nonce for nonce, undone_ms in found if undone_ms is not None}


def known(connection: sa.Connection, nonces: Collection[bytes]) -> dict[bytes, Known]:
    """What the log already says under these nonces."""
    return {row[0]: _known(*row[1:]) for row in KNOWN.rows(connection, [bytearray(n) for n in sorted(nonces)])}


def _known(  # noqa: PLR0913 the columns of `KNOWN`
    fingerprint: bytes,
    kind: str,
    session_id: int,
    attendee_id: int | None,
    unlisted_id: int | None,
    point_id: int,
    at_ms: int,
    counted: int,
    held: int,
    number: int | None,
    flags: str,
) -> Known:
    who = attendee_id or (-unlisted_id if unlisted_id else None)
    person = (session_id, who) if who else None
    flagged = tuple(Flag(flag) for flag in flags.split())
    return Known(fingerprint, EventKind(kind), person, point_id, at_ms, bool(counted), bool(held), number, flagged)


# --- people on no list -------------------------------------------------------------------------------------
ADD_UNLISTED = insert_each(
    unlisted,
    (
        "session_id",
        "point_id",
        "key",
        "name",
        "name_folded",
        "unit_text",
        "stands_for_text",
        "badge_hash",
        "salt",
        "at_ms",
        "flags",
    ),
    key=("session_id", "point_id", "key"),
    keep=True,
)
UNLISTED = Among(
    sa.select(_u.key, _u.id, _u.salt, _u.nonce, _u.at_ms, _u.attendee_id)
    .where(_u.session_id == sa.bindparam("session"), _u.point_id == sa.bindparam("point"))
    .order_by(_u.key)
    .with_for_update(),
    _u.key,
)
COUNT_UNLISTED = Each(
    {"id": _u.id.type, "nonce": _u.nonce.type, "at_ms": _u.at_ms.type, "flags": sa.Text()},
    lambda v: sa.update(unlisted).where(_u.id == v["id"]).values(nonce=v["nonce"], at_ms=v["at_ms"], flags=v["flags"]),
)


def type_in(connection: sa.Connection, people: Mapping[Typed, tuple[CheckIn, Unlisted]]) -> dict[Typed, UnlistedRow]:
    """The rows of people on no list, made where there are none yet, and locked against being matched."""
    new = [
        (
            *typed,
            who.name,
            who.name_folded,
            who.unit_text,
            who.stands_for_text,
            who.badge_hash,
            who.salt,
            item.happened_ms,
            " ".join(item.flags),
        )
        for typed, (item, who) in sorted(people.items())
    ]
    ADD_UNLISTED.run(connection, new)
    keys: dict[Place, list[bytes]] = {}
    for session_id, point_id, key in sorted(people):
        keys.setdefault((session_id, point_id), []).append(key)
    found: dict[Typed, UnlistedRow] = {}
    for (session_id, point_id), here in keys.items():
        for key, row_id, salt, nonce, at_ms, matched in UNLISTED.rows(
            connection, here, session=session_id, point=point_id
        ):
            person = session_id, matched or -row_id
            entry = Entry(nonce, point_id, at_ms) if nonce else None
            found[session_id, point_id, key] = UnlistedRow(row_id, person, salt, entry)
    return found


# --- who counts --------------------------------------------------------------------------------------------
CLAIM = insert_each(
    attendance,
    ("session_id", "attendee_id", "nonce", "point_id", "at_ms", "flags"),
    keep=True,
    usual={"flags": ""},
)
ENTRIES = Among(
    sa.select(_a.attendee_id, _a.nonce, _a.point_id, _a.at_ms, _a.left_ms).where(
        _a.session_id == sa.bindparam("session")
    ),
    _a.attendee_id,
)
ENTRIES_UNLISTED = Among(
    sa.select(_u.id, _u.nonce, _u.point_id, _u.at_ms, _a.nonce, _a.point_id, _a.at_ms)
    .select_from(
        sa.outerjoin(unlisted, attendance, sa.and_(_a.session_id == _u.session_id, _a.attendee_id == _u.attendee_id))
    )
    .where(_u.session_id == sa.bindparam("session")),
    _u.id,
)
TAKE_PLACES = insert_each(substitution, ("session_id", "attendee_id", "nonce"), keep=True)


def claim(connection: sa.Connection, first: Collection[tuple[Person, CheckIn]]) -> dict[Person, Entry]:
    """Count these attendees, each by the check-in beside them; returns what counts for those who did before."""
    mine = sorted(first, key=_person)
    written = CLAIM.run(
        connection,
        [(*who, bytearray(item.nonce), item.point_id, item.happened_ms, " ".join(item.flags)) for who, item in mine],
    )
    if written == len(mine):
        return {}
    nonces = {who: item.nonce for who, item in first}
    return {who: entry for who, entry in entries(connection, nonces).items() if entry.nonce != nonces[who]}


def _person(claimed: tuple[Person, CheckIn]) -> Person:
    return claimed[0]


def count_unlisted(connection: sa.Connection, people: Iterable[tuple[int, CheckIn]]) -> None:
    """Count people on no list, row ids, each by the check-in beside them; their rows are locked."""
    new = [(row_id, item.nonce, item.happened_ms, " ".join(item.flags)) for row_id, item in people]
    COUNT_UNLISTED.run(connection, sorted(new))


def entries(connection: sa.Connection, people: Iterable[Person]) -> dict[Person, Entry]:
    """What counts for each of these people, as far as anything does."""
    listed: dict[int, list[int]] = {}
    others: dict[int, list[int]] = {}
    for session_id, who in people:
        (listed if who > 0 else others).setdefault(session_id, []).append(abs(who))
    found: dict[Person, Entry] = {}
    for session_id, ids in listed.items():
        for attendee_id, nonce, point_id, at_ms, left_ms in ENTRIES.rows(connection, ids, session=session_id):
            found[session_id, attendee_id] = Entry(nonce, point_id, at_ms, left_ms is not None)
    for session_id, ids in others.items():
        for row_id, *own, nonce, point_id, at_ms in ENTRIES_UNLISTED.rows(connection, ids, session=session_id):
            if nonce or own[0]:
                found[session_id, -row_id] = Entry(nonce, point_id, at_ms) if nonce else Entry(*own)
    return found


# --- figures -----------------------------------------------------------------------------------------------
FIGURES = Among(
    sa.select(_p.point_id, _p.present, _p.unlisted)
    .where(_p.session_id == sa.bindparam("session"))
    .order_by(_p.point_id)
    .with_for_update(key_share=True),
    _p.point_id,
)


def _set_figures(values: Values) -> sa.Update:
    here = sa.and_(_p.session_id == values["session_id"], _p.point_id == values["point_id"])
    return sa.update(session_point).where(here).values(present=values["present"], unlisted=values["unlisted"])


SET_FIGURES = Each(
    {"session_id": sa.BigInteger(), "point_id": sa.BigInteger(), "present": sa.Integer(), "unlisted": sa.Integer()},
    _set_figures,
)


def figures(connection: sa.Connection, places: Collection[Place]) -> dict[Place, list[int]]:
    """People counted at these places, on the list and on none; locked until the commit.

    Raises:
        NotFoundError: a point does not belong to its session (any more).
    """
    points: dict[int, list[int]] = {}
    for session_id, point_id in sorted(places):
        points.setdefault(session_id, []).append(point_id)
    found: dict[Place, list[int]] = {}
    for session_id, here in points.items():
        for point_id, *counted in FIGURES.rows(connection, here, session=session_id):
            found[session_id, point_id] = counted
    for place in places:
        if place not in found:
            raise NotFoundError(what="point", key=str(place[1]))
    return found


# --- spot-checks, check-outs --------------------------------------------------------------------------------
SEE = insert_each(
    spot_check_person,
    ("spot_check_id", "attendee_id", "point_id", "asked", "seen", "at_ms"),
    replace=("seen", "at_ms"),
)
CHECKED_OUT = Among(
    sa.select(_e.attendee_id).where(_e.session_id == sa.bindparam("session"), _e.kind == EventKind.CHECK_OUT.value),
    _e.attendee_id,
)
COMING_AND_GOING = (EventKind.CHECK_IN, EventKind.SPOT_CHECK, EventKind.MATCH, EventKind.CHECK_OUT)


def _set_left(values: Values) -> sa.Update:
    last = (
        sa.select(sa.case((_e.kind == EventKind.CHECK_OUT.value, _e.happened_ms)))
        .where(
            _e.session_id == _a.session_id,
            _e.attendee_id == _a.attendee_id,
            _e.kind.in_([kind.value for kind in COMING_AND_GOING]),
            ~sa.exists().where(annulment.c.nonce == _e.nonce),
        )
        .order_by(_e.happened_ms.desc(), _e.id.desc())
        .limit(1)
    )
    here = sa.and_(_a.session_id == values["session_id"], _a.attendee_id == values["attendee_id"])
    return sa.update(attendance).where(here).values(left_ms=last.scalar_subquery())


SET_LEFT = Each({"session_id": sa.BigInteger(), "attendee_id": sa.BigInteger()}, _set_left)


def set_left(connection: sa.Connection, people: Iterable[Person]) -> None:
    """Whether these attendees have left is what they did last, by when it happened, not by when it came."""
    SET_LEFT.run(connection, sorted(people))


def checked_out(connection: sa.Connection, people: Iterable[Person]) -> set[Person]:
    """Those of `people` who were ever checked out."""
    by_session: dict[int, list[int]] = {}
    for session_id, who in people:
        by_session.setdefault(session_id, []).append(who)
    return {
        (session_id, attendee_id)
        for session_id, ids in by_session.items()
        for (attendee_id,) in CHECKED_OUT.rows(connection, ids, session=session_id)
    }
