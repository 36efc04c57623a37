"""What takes entries back or says who somebody was: annuls, matches, and what a revision applies (I2, I4).

Nothing of the log changes. A correction is an event that names another; `apply` makes it tell, at once or, where it
came after closing, when a revision does. These functions run inside a job of the writer, by `run_sync`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from msgspec.structs import replace

from diemcau import limits
from diemcau.domain.models import EventKind, Flag, SessionState, SpotMode
from diemcau.errors import AlreadyMatchedError, NonceConflictError, NotFoundError
from diemcau.store import driver, event_log
from diemcau.store.schema import (
    annulment,
    attendance,
    attendance_event,
    attendee,
    late_entry,
    point,
    session,
    spot_check,
    spot_check_person,
    unit,
    unlisted,
)
from diemcau.store.who_counts import ARRIVALS, Counts, Touched, claim, settle, stands

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from diemcau.store.engine import Connection
    from diemcau.store.event_log import NewEvent

NONCES_A_QUERY = 500
SCANNED_LATE_MS = (limits.DOOR_STEPS_VALID * limits.DOOR_STEP_S + limits.CLAIM_VALID_S) * 1000
"""Who scanned a spot-check's last code in its last moment may tap so much later."""

Key = TypeVar("Key", bytes, int)
_e = attendance_event.c


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that may be taken back. `person_path`: of the attendee's unit; None for people on no list.

    code, full_name, phone, salt: of whom it is about, as the log commits to them; empty for nobody.
    """

    nonce: bytes
    fingerprint: bytes
    kind: EventKind
    point_id: int
    point: str
    point_path: str
    server_ms: int
    of_nonce: bytes | None
    device_id: int | None
    attendee_id: int | None
    unlisted_id: int | None
    person_path: str | None
    code: str
    full_name: str
    phone: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class Apart:
    """Somebody on no list. `at_ms`, `flags`: of their entry; `attendee_id`: who they are by a clerk's word."""

    unlisted_id: int
    name: str
    point_id: int
    point: str
    point_path: str
    at_ms: int
    flags: str
    attendee_id: int | None


@dataclass(frozen=True, slots=True)
class Done:
    """A correction: its nonce, whether it waits for a revision, whether it was made before.

    counts: the figures it changed; entry: what counts of the person now, None while it waits.
    """

    nonce: bytes
    held: bool
    replayed: bool = False
    counts: Mapping[int, Counts] = field(default_factory=dict)
    entry: bytes | None = None


# --- looking -------------------------------------------------------------------------------------------------
_home = unit.alias("home")
ENTRY: sa.Select[Any] = (
    sa.select(
        _e.nonce,
        _e.fingerprint,
        _e.kind,
        _e.point_id,
        point.c.code,
        unit.c.path,
        _e.server_ms,
        _e.of_nonce,
        _e.device_id,
        _e.attendee_id,
        _e.unlisted_id,
        _home.c.path,
        sa.func.coalesce(attendee.c.code, ""),
        sa.func.coalesce(attendee.c.full_name, unlisted.c.name, ""),
        sa.func.coalesce(attendee.c.phone, ""),
        sa.func.coalesce(attendee.c.salt, unlisted.c.salt, sa.literal(b"")),
    )
    .select_from(attendance_event)
    .join(point, point.c.id == _e.point_id)
    .join(unit, unit.c.id == point.c.unit_id)
    .outerjoin(attendee, attendee.c.id == _e.attendee_id)
    .outerjoin(_home, _home.c.id == attendee.c.unit_id)
    .outerjoin(unlisted, unlisted.c.id == _e.unlisted_id)
)


async def find(connection: Connection, session_id: int, nonce: bytes) -> Entry | None:
    """The event of this nonce in this session."""
    row = (await connection.execute(ENTRY.where(_e.session_id == session_id, _e.nonce == nonce))).first()
    if row is None:
        return None
    nonce, fingerprint, kind, *rest = row
    return Entry(nonce, fingerprint, EventKind(kind), *rest)


async def apart(connection: Connection, session_id: int, unlisted_id: int) -> Apart | None:
    """Somebody on no list."""
    u = unlisted.c
    query = (
        sa.select(u.id, u.name, u.point_id, point.c.code, unit.c.path, u.at_ms, u.flags, u.attendee_id)
        .join(point, point.c.id == u.point_id)
        .join(unit, unit.c.id == point.c.unit_id)
        .where(u.session_id == session_id, u.id == unlisted_id)
    )
    row = (await connection.execute(query)).first()
    return Apart(*row) if row else None


async def codes_from(connection: Connection, prefix: str) -> set[str]:
    """The attendee codes that begin so."""
    query = sa.select(attendee.c.code).where(attendee.c.code.startswith(prefix, autoescape=True))
    return set((await connection.execute(query)).scalars())


async def salt_of(connection: Connection, attendee_id: int) -> bytes:
    """What the log's commitments to a person begin with."""
    return bytes(
        (await connection.execute(sa.select(attendee.c.salt).where(attendee.c.id == attendee_id))).scalar_one()
    )


def known(connection: sa.Connection, nonce: bytes, fingerprint: bytes) -> bool:
    """Whether this correction was stored before.

    Raises:
        NonceConflictError: its nonce stands for something else.
    """
    found = connection.execute(sa.select(_e.fingerprint).where(_e.nonce == nonce)).scalar()
    if found is not None and found != fingerprint:
        raise NonceConflictError
    return found is not None


def state_of(connection: sa.Connection, session_id: int) -> SessionState:
    """The session's state, which stays so until the transaction ends: a correction comes before closing or after."""
    query = sa.select(session.c.state).where(session.c.id == session_id).with_for_update(read=True)
    return SessionState(connection.execute(query).scalar_one())


def counting(connection: sa.Connection, session_id: int, who: tuple[int | None, int | None]) -> bytes | None:
    """What counts now of an attendee or, where that is None, of somebody on no list; ids."""
    attendee_id, unlisted_id = who
    a = attendance.c
    query = sa.select(a.nonce).where(a.session_id == session_id, a.attendee_id == attendee_id)
    if attendee_id is None:
        query = sa.select(unlisted.c.nonce).where(unlisted.c.id == unlisted_id)
    found = connection.execute(query).scalar()
    return None if found is None else bytes(found)


# --- annuls --------------------------------------------------------------------------------------------------
def annul(connection: sa.Connection, writer_id: bytes, event: NewEvent) -> Done:
    """Take back what `event` names; after closing that waits for a revision. The first to take it back stays.

    Raises:
        NonceConflictError: the correction's nonce stands for something else.
    """
    held = state_of(connection, event.session_id) is SessionState.CLOSED
    known(connection, event.nonce, event.fingerprint)
    target, who = event.of_nonce or b"", (event.attendee_id, event.unlisted_id)
    before = _taken_back_by(connection, target)
    if before is None and not held and not _take_back(connection, event.session_id, [(target, event.nonce)]):
        before = _taken_back_by(connection, target)  # another server was faster by a moment
    if before is not None:
        nonce, waits = before
        return Done(nonce, waits, replayed=True, entry=None if waits else counting(connection, event.session_id, who))
    event_log.append(connection, writer_id, [held_event(event) if held else event])
    if held:
        return Done(event.nonce, held=True)
    counts = apply(connection, event.session_id, [event.nonce])
    return Done(event.nonce, held=False, counts=counts, entry=counting(connection, event.session_id, who))


def held_event(event: NewEvent) -> NewEvent:
    """The event as the log takes it after closing: it waits for the next revision, and says so."""
    flags = [flag for flag in event.flags.split() if flag != Flag.AFTER_CLOSING]
    return replace(event, held=True, flags=" ".join([*flags, Flag.AFTER_CLOSING]))


def _taken_back_by(connection: sa.Connection, nonce: bytes) -> tuple[bytes, bool] | None:
    """The event that takes this one back, and whether it still waits for a revision; None: nothing does."""
    by = connection.execute(sa.select(annulment.c.by_nonce).where(annulment.c.nonce == nonce)).scalar()
    if by is not None:
        return bytes(by), False
    query = sa.select(_e.nonce).where(_e.of_nonce == nonce, _e.kind == EventKind.ANNUL).order_by(_e.id).limit(1)
    waiting = connection.execute(query).scalar()
    return (bytes(waiting), True) if waiting is not None else None


TAKE_BACK = driver.insert_each(annulment, ("nonce", "session_id", "by_nonce"), keep=True)


def _take_back(connection: sa.Connection, session_id: int, pairs: Sequence[tuple[bytes, bytes]]) -> bool:
    """Let events stand no more; pairs: of an event and who takes it back. False: somebody took one back before."""
    rows = [(nonce, session_id, by_nonce) for nonce, by_nonce in sorted(pairs)]
    with driver.errors(connection):
        return TAKE_BACK.run(connection, rows) == len(rows)


# --- matches -------------------------------------------------------------------------------------------------
def match_before(connection: sa.Connection, session_id: int, unlisted_id: int) -> tuple[bytes, int, bool] | None:
    """The match that says who somebody on no list is, or will with the next revision: nonce, attendee, waits.

    They are kept from being matched or counted by others until the transaction ends.
    """
    state_of(connection, session_id)
    locked = sa.select(unlisted.c.attendee_id).where(unlisted.c.id == unlisted_id).with_for_update()
    matched = connection.execute(locked).scalar()
    annuls = attendance_event.alias("annuls")
    taken_back = sa.or_(
        sa.exists().where(annulment.c.nonce == _e.nonce),
        sa.exists().where(annuls.c.of_nonce == _e.nonce, annuls.c.kind == EventKind.ANNUL),
    )
    waits = _waits(session_id)
    query = (
        sa.select(_e.nonce, _e.attendee_id, waits.label("waits"))
        .where(_e.unlisted_id == unlisted_id, _e.kind == EventKind.MATCH, sa.not_(taken_back))
        .where(sa.or_(waits, _e.attendee_id == matched))
        .order_by(_e.id)
        .limit(1)
    )
    row = connection.execute(query).first()
    return (bytes(row.nonce), row.attendee_id, bool(row.waits)) if row else None


def repeated(connection: sa.Connection, session_id: int, nonce: bytes) -> Done:
    """The answer for a match that was made before."""
    waits = _waits(session_id)
    row = connection.execute(sa.select(_e.attendee_id, waits.label("waits")).where(_e.nonce == nonce)).one()
    entry = None if row.waits else counting(connection, session_id, (row.attendee_id, None))
    return Done(nonce, bool(row.waits), replayed=True, entry=entry)


def match(connection: sa.Connection, writer_id: bytes, event: NewEvent) -> Done:
    """Say who somebody on no list is: they count by this unless they count already. What it names is found here.

    Raises:
        AlreadyMatchedError: somebody said before who they are.
        NotFoundError: nothing of them stands that could be matched.
    """
    unlisted_id, attendee_id = event.unlisted_id or 0, event.attendee_id or 0
    held = state_of(connection, event.session_id) is SessionState.CLOSED
    if match_before(connection, event.session_id, unlisted_id) is not None:
        raise AlreadyMatchedError
    first = _first_entry(connection, unlisted_id)
    if first is None:
        raise NotFoundError(what="check_in", key=str(unlisted_id))
    if held:
        event_log.append(connection, writer_id, [held_event(replace(event, of_nonce=first))])
        return Done(event.nonce, held=True)
    claimed = (attendee_id, event.nonce, event.point_id, event.happened_ms, event.flags)
    number = claim(connection, event.session_id, claimed)
    told = replace(event, of_nonce=first, counted=number is not None, number=number)
    event_log.append(connection, writer_id, [told])
    counts = apply(connection, event.session_id, [event.nonce])
    entry = counting(connection, event.session_id, (attendee_id, unlisted_id))
    return Done(event.nonce, held=False, counts=counts, entry=entry)


def _first_entry(connection: sa.Connection, unlisted_id: int) -> bytes | None:
    """The earliest entry of somebody on no list that was not taken back, though it may wait for a revision."""
    taken_back = sa.exists().where(annulment.c.nonce == _e.nonce)
    query = (
        sa.select(_e.nonce)
        .where(_e.unlisted_id == unlisted_id, _e.kind.in_(ARRIVALS), sa.not_(taken_back))
        .order_by(_e.id)
        .limit(1)
    )
    found = connection.execute(query).scalar()
    return None if found is None else bytes(found)


# --- making it tell ------------------------------------------------------------------------------------------
def apply(connection: sa.Connection, session_id: int, nonces: Sequence[bytes]) -> dict[int, Counts]:
    """Make these events of the log tell, in its order; the figures of the points where that changed any.

    What annuls name stands no more; whom any of them concerns is settled anew. Applying twice changes nothing more.
    """
    rows = [row for some in _slices(nonces) for row in _about(connection, session_id, some)]
    taken_back: dict[bytes, bytes] = {}
    for row in sorted(rows, key=lambda row: int(row.id)):
        if row.kind == EventKind.ANNUL:
            taken_back.setdefault(bytes(row.of_nonce), bytes(row.nonce))
    _take_back(connection, session_id, list(taken_back.items()))
    touched = Touched()
    for some in _slices(list(taken_back)):
        rows += _about(connection, session_id, some)
    for row in rows:
        for found, column in ((touched.people, 4), (touched.unlisted, 5), (touched.places, 6)):
            if row[column] is not None:
                found.add(row[column])
    _unsee(connection, session_id, {row.attendee_id for row in rows if row.kind == EventKind.SPOT_CHECK} - {None})
    return settle(connection, session_id, touched)


def _unsee(connection: sa.Connection, session_id: int, people: Collection[int]) -> None:
    """Nobody was seen by the code of a spot-check whose every scan of theirs was taken back."""
    c, p, e = spot_check.c, spot_check_person.c, attendance_event
    scanned = sa.exists().where(
        e.c.session_id == session_id,
        e.c.attendee_id == p.attendee_id,
        e.c.kind == EventKind.SPOT_CHECK,
        e.c.happened_ms.between(c.started_ms, c.ends_ms + SCANNED_LATE_MS),
        stands(e),
    )
    codes = sa.select(c.id).where(c.session_id == session_id, c.mode == SpotMode.CODE, c.id == p.spot_check_id)
    for some in _slices(sorted(people)):
        unseen = sa.delete(spot_check_person).where(p.attendee_id.in_(some), codes.where(sa.not_(scanned)).exists())
        connection.execute(unseen)


def _about(connection: sa.Connection, session_id: int, nonces: Sequence[bytes]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Whom these events concern."""
    columns = (_e.id, _e.kind, _e.nonce, _e.of_nonce, _e.attendee_id, _e.unlisted_id, _e.stands_for_id)
    return connection.execute(sa.select(*columns).where(_e.session_id == session_id, _e.nonce.in_(nonces))).all()


# --- revisions -----------------------------------------------------------------------------------------------
def _waits(session_id: int) -> sa.ColumnElement[bool]:
    """The condition that an event came after closing and no revision applied it."""
    applied = sa.exists().where(late_entry.c.nonce == _e.nonce)
    # As the partial index has it: SQLAlchemy would write `held = 1` on SQLite.
    held: sa.ColumnElement[bool] = sa.literal_column("attendance_event.held")
    return sa.and_(_e.session_id == session_id, held, sa.not_(applied))


async def waiting(connection: Connection, session_id: int) -> int:
    """How many events wait for the next revision."""
    query = sa.select(sa.func.count()).select_from(attendance_event).where(_waits(session_id))
    return int((await connection.execute(query)).scalar_one())


def apply_held(connection: sa.Connection, session_id: int, revision: int) -> dict[int, Counts]:
    """Let everything that waits tell with this revision, in the order of the log; the figures that changed, by point.

    Nothing is skipped, whatever its id: what waits is what no revision applied. Safe to try again.
    """
    connection.execute(sa.select(session.c.id).where(session.c.id == session_id).with_for_update())
    nonces = [bytes(nonce) for nonce in connection.execute(sa.select(_e.nonce).where(_waits(session_id))).scalars()]
    rows = [{"nonce": nonce, "session_id": session_id, "revision": revision} for nonce in sorted(nonces)]
    if rows:
        connection.execute(sa.insert(late_entry), rows)
    return apply(connection, session_id, nonces)


def _slices(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    for start in range(0, len(keys), NONCES_A_QUERY):
        yield keys[start : start + NONCES_A_QUERY]
