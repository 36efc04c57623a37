"""Absences: who asked to stay away from which session, what became of it, and the reasons to choose from.

`excused` is what the figures read. A decision before closing sets it at once; one that comes later sets `held`, and
the next revision lets it tell (`apply_held`), together with its event of the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.domain.absence import DEFAULT_REASONS, LIVE, default_name, is_excused
from diemcau.domain.models import AbsenceState, SessionState
from diemcau.store import corrections, driver, event_log
from diemcau.store.lists import Asked, beyond, matches
from diemcau.store.schema import (
    absence,
    absence_reason,
    attendance,
    attendee,
    invitation,
    point,
    session,
    session_option,
    session_point,
    substitution,
    unit,
)
from diemcau.store.units import PATH_DIGITS, in_scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection
    from diemcau.store.event_log import NewEvent

_x = absence.c
_stand_in = attendee.alias("stand_in")


# --- people ------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Summoned:
    """Somebody whom a session summons, as the log commits to them. salt: `attendee.salt`. point: their hall, if any."""

    attendee_id: int
    code: str
    full_name: str
    phone: str
    salt: bytes
    unit_path: str
    point_id: int | None
    point: str | None


async def summoned(connection: Connection, session_id: int, code: str) -> Summoned | None:
    """The person of this code, if the session summons them; with the hall they are summoned to, else their own."""
    a, i = attendee.c, invitation.c
    query = (
        sa.select(a.id, a.code, a.full_name, a.phone, a.salt, unit.c.path, point.c.id, point.c.code)
        .join(unit, unit.c.id == a.unit_id)
        .join(invitation, sa.and_(i.session_id == session_id, i.attendee_id == a.id))
        .outerjoin(point, point.c.id == sa.func.coalesce(i.point_id, a.point_id))
        .where(a.code == code)
    )
    row = (await connection.execute(query)).first()
    return Summoned(*row) if row else None


async def hall_for(connection: Connection, session_id: int, unit_path: str) -> tuple[int, str] | None:
    """The session's hall nearest to a unit in the tree (id, code), for the event of who has none of their own."""
    sp = session_point.c
    step = PATH_DIGITS + 1
    for end in range(len(unit_path), -1, -step):
        query = (
            sa.select(point.c.id, point.c.code)
            .join(session_point, sp.point_id == point.c.id)
            .join(unit, unit.c.id == point.c.unit_id)
            .where(sp.session_id == session_id, unit.c.path.startswith(unit_path[:end], autoescape=True))
            .order_by(unit.c.path, point.c.code)
            .limit(1)
        )
        row = (await connection.execute(query)).first()
        if row:
            return row[0], row[1]
    return None


async def person_id(connection: Connection, code: str, scope: Scope) -> int | None:
    """The attendee of this code, if their unit is in scope."""
    query = (
        sa.select(attendee.c.id)
        .join(unit, unit.c.id == attendee.c.unit_id)
        .where(attendee.c.code == code, in_scope(unit.c.path, scope))
    )
    return (await connection.execute(query)).scalar()


# --- reading -----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class AbsenceRow:
    """A person's absence as it stands. reason_name: None for a reason that is gone.

    substitute: as typed, or the name of who is listed, with their code. came, taken: counted in the session, or
    somebody took their place, so that the figures do not call them excused.
    """

    attendee_id: int
    code: str
    full_name: str
    sort_key: str
    title: str
    unit_code: str
    unit_name: str
    unit_path: str
    point_name: str | None
    state: AbsenceState
    reason: str
    reason_name: str | None
    text: str
    requested_ms: int
    requested_by: str
    late: bool
    substitute: str
    substitute_code: str | None
    decided_ms: int | None
    decided_by: str
    note: str
    held: bool
    excused: bool
    came: bool
    taken: bool


def _rows(session_id: int) -> sa.Select[Any]:
    a, u, i, t, s = attendee.c, unit.c, invitation.c, attendance.c, substitution.c
    return (
        sa.select(
            a.id.label("attendee_id"),
            a.code,
            a.full_name,
            a.sort_key,
            a.title,
            u.code.label("unit_code"),
            u.name.label("unit_name"),
            u.path.label("unit_path"),
            point.c.name.label("point_name"),
            _x.state,
            _x.reason,
            absence_reason.c.name.label("reason_name"),
            _x.text,
            _x.requested_ms,
            _x.requested_by,
            _x.late,
            sa.func.coalesce(_stand_in.c.full_name, _x.substitute).label("substitute"),
            _stand_in.c.code.label("substitute_code"),
            _x.decided_ms,
            _x.decided_by,
            _x.note,
            _x.held,
            _x.excused,
            t.attendee_id.is_not(None).label("came"),
            s.attendee_id.is_not(None).label("taken"),
        )
        .select_from(absence)
        .join(attendee, a.id == _x.attendee_id)
        .join(unit, u.id == a.unit_id)
        .outerjoin(invitation, sa.and_(i.session_id == _x.session_id, i.attendee_id == _x.attendee_id))
        .outerjoin(point, point.c.id == sa.func.coalesce(i.point_id, a.point_id))
        .outerjoin(absence_reason, absence_reason.c.code == _x.reason)
        .outerjoin(_stand_in, _stand_in.c.id == _x.substitute_id)
        .outerjoin(attendance, sa.and_(t.session_id == _x.session_id, t.attendee_id == _x.attendee_id))
        .outerjoin(substitution, sa.and_(s.session_id == _x.session_id, s.attendee_id == _x.attendee_id))
        .where(_x.session_id == session_id)
    )


def _row(row: sa.RowMapping) -> AbsenceRow:
    return AbsenceRow(**{**row, "state": AbsenceState(row["state"])})


async def page(
    connection: Connection, session_id: int, asked: Asked, state: AbsenceState | None = None, *, late: bool = False
) -> list[AbsenceRow]:
    """A page of the absences of people in scope, by unit, Vietnamese given name and code."""
    keys = (unit.c.path, attendee.c.sort_key, attendee.c.code)
    query = _rows(session_id).where(
        in_scope(unit.c.path, asked.scope),
        matches(asked.q, attendee.c.name_folded, attendee.c.code),
        beyond(asked.after, *keys),
    )
    if state is not None:
        query = query.where(_x.state == state)
    if late:
        query = query.where(_x.late.is_(sa.true()))
    found = await connection.execute(query.order_by(*keys).limit(asked.rows))
    return [_row(row) for row in found.mappings()]


async def get(connection: Connection, session_id: int, attendee_id: int) -> AbsenceRow | None:
    """One person's absence."""
    row = (await connection.execute(_rows(session_id).where(_x.attendee_id == attendee_id))).mappings().first()
    return _row(row) if row else None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many absences there are in each state; late: asked for late, in whatever state; held: wait to tell."""

    requested: int = 0
    approved: int = 0
    refused: int = 0
    withdrawn: int = 0
    late: int = 0
    held: int = 0


async def counts(connection: Connection, session_id: int, scope: Scope) -> Counts:
    """Of the people in scope."""

    def how_many(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)

    query = (
        sa.select(
            *(how_many(_x.state == state) for state in AbsenceState),
            how_many(_x.late.is_(sa.true())),
            how_many(_x.held.is_(sa.true())),
        )
        .select_from(absence)
        .join(attendee, attendee.c.id == _x.attendee_id)
        .join(unit, unit.c.id == attendee.c.unit_id)
        .where(_x.session_id == session_id, in_scope(unit.c.path, scope))
    )
    return Counts(*(int(number) for number in (await connection.execute(query)).one()))


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A session that summons somebody, with their absence from it. `state` None: never asked; came: counted there."""

    session_id: int
    session: str
    session_state: str
    starts_ms: int
    deadline_ms: int | None
    came: bool
    state: str | None
    reason: str | None
    reason_name: str | None
    text: str | None
    late: bool | None
    note: str | None


async def own(connection: Connection, attendee_id: int) -> list[OwnRow]:
    """Every session that summons this person."""
    i, s, o, t = invitation.c, session.c, session_option.c, attendance.c
    query = (
        sa.select(
            s.id,
            s.code,
            s.state,
            s.starts_ms,
            o.absence_deadline_ms,
            t.attendee_id.is_not(None),
            _x.state,
            _x.reason,
            absence_reason.c.name,
            _x.text,
            _x.late,
            _x.note,
        )
        .select_from(invitation)
        .join(session, s.id == i.session_id)
        .outerjoin(session_option, o.session_id == s.id)
        .outerjoin(attendance, sa.and_(t.session_id == s.id, t.attendee_id == i.attendee_id))
        .outerjoin(absence, sa.and_(_x.session_id == s.id, _x.attendee_id == i.attendee_id))
        .outerjoin(absence_reason, absence_reason.c.code == _x.reason)
        .where(i.attendee_id == attendee_id)
    )
    return [OwnRow(*row) for row in await connection.execute(query)]


# --- writing, in a job of the writer ---------------------------------------------------------------------------
REQUEST = ("reason", "text", "requested_ms", "requested_by", "late", "substitute", "substitute_id")
FRESH = driver.insert_each(absence, ("session_id", "attendee_id", "state", *REQUEST), keep=True)


def current(connection: sa.Connection, session_id: int, attendee_id: int) -> AbsenceState | None:
    """Where a person's absence stands, kept so until the commit; None for nobody who ever asked."""
    locked = sa.select(_x.state).where(_x.session_id == session_id, _x.attendee_id == attendee_id).with_for_update()
    found = connection.execute(locked).scalar()
    return None if found is None else AbsenceState(found)


def request(connection: sa.Connection, session_id: int, attendee_id: int, values: Mapping[str, Any]) -> bool:
    """Ask for an absence, again after one that was refused or withdrawn; False: one stands already.

    values: the columns of `REQUEST`.
    """
    seed_reasons(connection)
    row = (session_id, attendee_id, AbsenceState.REQUESTED.value, *(values[name] for name in REQUEST))
    with driver.errors(connection):
        if FRESH.run(connection, [row]):
            return True
    if current(connection, session_id, attendee_id) in LIVE:
        return False
    fresh = {"state": AbsenceState.REQUESTED, "decided_ms": None, "decided_by": "", "note": ""}
    change(connection, session_id, attendee_id, {**values, **fresh})
    return True


def change(connection: sa.Connection, session_id: int, attendee_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of an absence that are no decision."""
    mine = sa.and_(_x.session_id == session_id, _x.attendee_id == attendee_id)
    if values:
        connection.execute(sa.update(absence).where(mine).values(**values))


def decide(connection: sa.Connection, writer_id: bytes, event: NewEvent, state: AbsenceState, by: str) -> bool:
    """Decide an absence and say so in the log (I4); whether that waits for a revision.

    event: the decision, of the person it concerns; its `server_ms` and `reason` become the absence's.
    """
    held = corrections.state_of(connection, event.session_id) is SessionState.CLOSED
    values: dict[str, Any] = {
        "state": state,
        "decided_ms": event.server_ms,
        "decided_by": by,
        "note": event.reason,
    }
    values |= {"held": True} if held else {"excused": is_excused(state)}
    change(connection, event.session_id, event.attendee_id or 0, values)
    event_log.append(connection, writer_id, [corrections.held_event(event) if held else event])
    return held


def apply_held(connection: sa.Connection, session_id: int) -> None:
    """Let every decision that came after closing tell, with the revision that is being made. Safe to try again."""
    excused = sa.case((_x.state == AbsenceState.APPROVED, sa.true()), else_=sa.false())
    waiting = sa.and_(_x.session_id == session_id, _x.held.is_(sa.true()))
    connection.execute(sa.update(absence).where(waiting).values(excused=excused, held=False))


# --- reasons -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A reason, in the order of the list. retired: no longer offered, still told of old absences."""

    code: str
    name: str
    retired: bool = False


DEFAULTS = tuple(ReasonRow(code, default_name(code)) for code in DEFAULT_REASONS)
SEED = driver.insert_each(absence_reason, ("code", "name", "place"), keep=True)
PUT = driver.insert_each(
    absence_reason, ("code", "name", "place", "retired_ms"), replace=("name", "place", "retired_ms")
)
_ANY_REASON = sa.select(absence_reason.c.code).limit(1)


async def reasons(connection: Connection) -> list[ReasonRow]:
    """Every reason there ever was; those that this program brings along until somebody edits the list."""
    r = absence_reason.c
    query = sa.select(r.code, r.name, r.retired_ms.is_not(None)).order_by(r.place, r.code)
    found = [ReasonRow(code, name, bool(retired)) for code, name, retired in await connection.execute(query)]
    return found or list(DEFAULTS)


def seed_reasons(connection: sa.Connection) -> None:
    """Store the reasons that this program brings along, where none are stored: absences refer to them from now on."""
    if connection.execute(_ANY_REASON).first() is None:
        with driver.errors(connection):
            SEED.run(connection, [(reason.code, reason.name, place) for place, reason in enumerate(DEFAULTS)])


def put_reasons(connection: sa.Connection, wanted: Sequence[tuple[str, str]], now_ms: int) -> None:
    """Make these (code, name) the reasons that are offered, in this order; the others are retired."""
    seed_reasons(connection)
    r = absence_reason.c
    codes = [code for code, _ in wanted]
    retired = sa.update(absence_reason).where(r.code.not_in(codes), r.retired_ms.is_(None))
    connection.execute(retired.values(retired_ms=now_ms, place=len(codes)))
    with driver.errors(connection):
        PUT.run(connection, [(code, name, place, None) for place, (code, name) in enumerate(wanted)])
