"""Spot-checks: asked by the centre, answered by the halls, reported beside the attendance and never inside it."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from diemcau import limits
from diemcau.domain import log_chain, spot_check
from diemcau.domain.authority import Account, Action, Actor, Device, System, require, require_device
from diemcau.domain.models import CHECK_IN_STATES, DeviceKind, EventKind, SessionState, Source, SpotMode
from diemcau.errors import (
    DoorError,
    ForbiddenError,
    MalformedError,
    NoPointsError,
    NotFoundError,
    NotSignedInError,
    SessionClosedError,
    SpotCheckOverError,
    TooManySpotChecksError,
)
from diemcau.services import board, counted, nonces
from diemcau.services.sessions import visible, writable
from diemcau.store import devices, door, event_log, sessions, spot_checks, units
from diemcau.store.event_log import NewEvent
from diemcau.wire import spot_checks as wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.domain.authority import Scope
    from diemcau.domain.spot_check import Figures, Lot
    from diemcau.services.context import Context
    from diemcau.store.door import DoorRow
    from diemcau.store.engine import Connection
    from diemcau.store.sessions import SessionRow
    from diemcau.store.spot_checks import Answer, CheckRow, HallRow, PersonRow, TaskRow


# --- the centre --------------------------------------------------------------------------------------------
async def begin(actor: Actor, context: Context, code: str, body: wire.SpotCheckNew) -> wire.SpotCheckView:
    """Ask all halls of a unit (of the session, without one) now: a headcount and five names each, or a new code.

    Names are drawn among those who are counted there and did not check out, as one moment of the database has them.
    The halls of a very large session are asked in several transactions, so that no check-in waits.

    Raises:
        DoorError: not_open: the session is a draft. Any state from `open` to `ended` will do.
        SessionClosedError: the figures are frozen.
        NoPointsError: no hall there takes part.
        TooManySpotChecksError: the session has had as many as it may.
        ForbiddenError, NotFoundError: not the actor's session, or unit.
    """
    require(actor, Action.SESSIONS_WRITE)
    async with context.read() as connection:
        session = await _askable(actor, connection, code, kept=False)
        scope = await _scope(actor, Action.SESSIONS_WRITE, connection, body.unit)
        halls = await spot_checks.halls(connection, session.session_id, scope)
        lot = await _drawn(connection, session.session_id, body.mode)
    if not halls:
        raise NoPointsError(key=code)
    now_ms = context.clock.now_ms()
    ends_ms = now_ms + body.minutes * 60_000
    check = spot_checks.CheckRow(0, body.phase, body.mode, now_ms, ends_ms, _name(actor))
    drawn = {hall: lot.of(hall) for hall, _ in halls}
    some, *others = _slices(halls)

    async def work(connection: Connection) -> int:
        session = await _askable(actor, connection, code, kept=True)
        check_id = await spot_checks.insert(connection, session.session_id, check)
        await spot_checks.ask(connection, check_id, some, drawn)
        return check_id

    check_id = await context.writer.write(work)
    for more in others:
        await context.writer.write(partial(spot_checks.ask, check_id=check_id, asked=more, drawn=drawn))
    await board.refresh(System(), context, session.session_id)
    return await _view_of(actor, context, code, check_id)


async def listed(actor: Actor, context: Context, code: str) -> wire.SpotCheckList:
    """All spot-checks of a session, each with its totals over the halls inside the actor's units.

    Raises:
        NotFoundError: no such session, or not the actor's to see.
    """
    scope = require(actor, Action.ATTENDANCE_READ)
    async with context.read() as connection:
        session = await visible(actor, connection, code)
        rows = await spot_checks.of_session(connection, session.session_id)
        figures = await spot_checks.figures(connection, session.session_id, scope)
    return wire.SpotCheckList([_view(row, figures[row.check_id]) for row in rows if row.check_id in figures])


async def get(actor: Actor, context: Context, code: str, check_id: int, unit: str | None) -> wire.SpotCheckPoints:
    """One spot-check hall by hall, inside the actor's units or at and below `unit`.

    Raises:
        NotFoundError: no such session, spot-check or unit.
        ForbiddenError: the unit is outside the actor's.
    """
    async with context.read() as connection:
        session = await visible(actor, connection, code)
        scope = await _scope(actor, Action.ATTENDANCE_READ, connection, unit)
        check = await _check(connection, session.session_id, check_id)
        rows = await spot_checks.hall_rows(connection, check_id, scope)
    figures = spot_check.total(row.hall for row in rows)
    return wire.SpotCheckPoints(_view(check, figures), [_hall_view(row) for row in rows])


# --- the halls ---------------------------------------------------------------------------------------------
async def tasks(actor: Actor, context: Context, code: str, point: str) -> wire.SpotTasks:
    """What this hall is asked and may still answer, names included: for its operator, or a member of staff for it.

    Raises:
        NotFoundError: the point does not take part in the session.
        NotSignedInError, ForbiddenError: not the operator of this hall, nor a writer of its unit's attendance.
    """
    hall = await _hall(actor, context, code, point)
    now_ms = context.clock.now_ms()
    if hall.state is SessionState.CLOSED:
        return wire.SpotTasks(now_ms, [])
    since_ms = now_ms - spot_check.ANSWER_LATE_MS
    async with context.read() as connection:
        rows = await spot_checks.tasks(connection, hall.session_id, hall.point_id, since_ms)
        asked = await spot_checks.people(connection, [row.check.check_id for row in rows], hall.point_id)
    return wire.SpotTasks(now_ms, [_task(row, asked.get(row.check.check_id, [])) for row in rows])


async def answer(
    actor: Actor, context: Context, at: tuple[str, str], check_id: int, body: wire.SpotAnswer
) -> wire.SpotTask:
    """Take a hall's answer, in one piece or several; what is said again is no change and leaves no trace.

    `at`: session and point. Who is answered "not seen" is not confirmed, which is not absent.

    Raises:
        MalformedError: somebody who was not asked about, or both seen and not seen.
        SpotCheckOverError: half an hour after its end.
        SessionClosedError: the figures are frozen.
        NotFoundError: this hall was not asked.
        NotSignedInError, ForbiddenError: see `tasks`.
    """
    code, point = at
    hall = await _hall(actor, context, code, point)

    async def work(connection: Connection) -> wire.SpotTask:
        if (await sessions.get(connection, code)).state is SessionState.CLOSED:
            raise SessionClosedError(key=code)
        return await _answer(connection, _Answering(actor, context, hall), check_id, body)

    return await context.writer.write(work)


@dataclass(frozen=True, slots=True)
class _Answering:
    """Who answers, for which hall."""

    actor: Actor
    context: Context
    hall: DoorRow


async def _answer(connection: Connection, by: _Answering, check_id: int, body: wire.SpotAnswer) -> wire.SpotTask:
    now_ms = by.context.clock.now_ms()
    task = await spot_checks.hold(connection, check_id, by.hall.point_id)
    check = await spot_checks.get(connection, by.hall.session_id, check_id)
    if task is None or check is None:
        raise NotFoundError(what="spot_check", key=str(check_id))
    if not spot_check.answerable(check.ends_ms, now_ms):
        raise SpotCheckOverError
    people = (await spot_checks.people(connection, [check_id], by.hall.point_id)).get(check_id, [])
    said = _said(body, {person.code: person for person in people})
    changed = {person.attendee_id: seen for person, seen in said if person.seen is not seen}
    headcount = body.headcount if body.headcount != task.headcount else None
    if changed or headcount is not None:
        given = spot_checks.Answer(headcount, changed, now_ms, await _answerer(connection, by.actor))
        await spot_checks.answer(connection, check_id, by.hall.point_id, given)
        events = _events(by, check, given, people)
        await connection.run_sync(event_log.append, by.context.writer.writer_id, events)
    people_now = await spot_checks.people(connection, [check_id], by.hall.point_id)
    if headcount is not None:
        task = spot_checks.TaskRow(task.check, task.present, headcount)
    return _task(task, people_now.get(check_id, []))


def _events(by: _Answering, check: CheckRow, given: Answer, people: Sequence[PersonRow]) -> list[NewEvent]:
    """What is said, for the log: the headcount, and each person as commitments.

    These events belong to nobody's row of attendance (`attendee_id` is empty), so that no correction can ever take
    an answer about somebody for an entry of theirs.
    """
    about = f"spot_check={check.check_id} phase={check.phase}"
    found: list[NewEvent] = []
    if given.headcount is not None:
        found.append(_event(by, given, f"{about} headcount={given.headcount}", ()))
    for person in people:
        if person.attendee_id in given.seen:
            seen = "seen" if given.seen[person.attendee_id] else "not_confirmed"
            listed = counted.listed(by.context.keys, by.hall.session_id, person)
            who = log_chain.commitments(listed.salt, (listed.code, listed.full_name, listed.phone))
            found.append(_event(by, given, f"{about} {seen}", who))
    return sorted(found, key=lambda event: event.nonce)


def _event(by: _Answering, given: Answer, detail: str, who: tuple[str, ...]) -> NewEvent:
    actor, hall = by.actor, by.hall
    nonce = nonces.make(given.at_ms)
    device_id = actor.device_id if isinstance(actor, Device) else None
    return NewEvent(
        session_id=hall.session_id,
        session=hall.session,
        nonce=nonce,
        fingerprint=nonces.fingerprint(by.context.keys, hall.session_id, hall.point_id, "spot_check", detail, nonce),
        kind=EventKind.SPOT_CHECK,
        source=Source.MANUAL,
        point_id=hall.point_id,
        point=hall.point,
        server_ms=given.at_ms,
        at_ms=given.at_ms,
        happened_ms=given.at_ms,
        counted=False,
        device_id=device_id,
        account_id=actor.account_id if isinstance(actor, Account) else None,
        by=f"device:{device_id}" if device_id is not None else _name(actor),
        who=who,
        detail=detail,
    )


def _said(body: wire.SpotAnswer, people: dict[str, PersonRow]) -> list[tuple[PersonRow, bool]]:
    said: dict[str, bool] = {}
    for field, codes in (("seen", body.seen), ("not_seen", body.not_seen)):
        for code in (code.upper() for code in codes):
            if code not in people:
                raise MalformedError(field=field, reason="reason.not_asked")
            if said.setdefault(code, field == "seen") is not (field == "seen"):
                raise MalformedError(field=field, reason="reason.both")
    return [(people[code], seen) for code, seen in sorted(said.items())]


# --- parts ---------------------------------------------------------------------------------------------------
async def _askable(actor: Actor, connection: Connection, code: str, *, kept: bool) -> SessionRow:
    session = await writable(actor, connection, code, kept=kept)
    if session.state not in CHECK_IN_STATES:
        raise DoorError("not_open")
    if await spot_checks.count(connection, session.session_id) >= limits.SPOT_CHECKS_MAX:
        raise TooManySpotChecksError(key=code, max=limits.SPOT_CHECKS_MAX)
    return session


async def _scope(actor: Actor, action: Action, connection: Connection, unit: str | None) -> Scope:
    scope = require(actor, action)
    if unit is None:
        return scope
    narrowed = scope.narrowed((await units.get(connection, unit.upper())).path)
    if not narrowed.paths:
        raise ForbiddenError
    return narrowed


async def _drawn(connection: Connection, session_id: int, mode: SpotMode) -> Lot:
    lot = spot_check.Lot(random.Random(secrets.randbits(128)).random)  # noqa: S311 seeded by the system's own chance
    if mode is SpotMode.SAMPLE:
        async for rows in spot_checks.counted(connection, session_id):
            for hall, person in rows:
                lot.pass_by(hall, person)
    return lot


def _slices(halls: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    size = limits.SPOT_HALLS_A_WRITE
    return [halls[start : start + size] for start in range(0, len(halls), size)]


async def _check(connection: Connection, session_id: int, check_id: int) -> CheckRow:
    check = await spot_checks.get(connection, session_id, check_id)
    if check is None:
        raise NotFoundError(what="spot_check", key=str(check_id))
    return check


async def _hall(actor: Actor, context: Context, code: str, point: str) -> DoorRow:
    if not isinstance(actor, Account | Device | System):
        raise NotSignedInError
    row = await door.by_codes(context.engines, code, point)
    if row is None:
        raise NotFoundError(what="point", key=point)
    if isinstance(actor, Device):
        require_device(actor, row.point_id, DeviceKind.OPERATOR)
    else:
        require(actor, Action.ATTENDANCE_WRITE, row.unit_path)
    return row


def _name(actor: Actor) -> str:
    return actor.name if isinstance(actor, Account | System) else ""


async def _answerer(connection: Connection, actor: Actor) -> str:
    """Whom people may ask about this answer: an account, or a device by the name that its operator gave it."""
    return await devices.name(connection, actor.device_id) if isinstance(actor, Device) else _name(actor)


async def _view_of(actor: Actor, context: Context, code: str, check_id: int) -> wire.SpotCheckView:
    views = (await listed(actor, context, code)).items
    return next(view for view in views if view.id == check_id)


def _view(row: CheckRow, figures: Figures) -> wire.SpotCheckView:
    return wire.SpotCheckView(
        id=row.check_id,
        phase=row.phase,
        mode=row.mode,
        started_ms=row.started_ms,
        ends_ms=row.ends_ms,
        made_by=row.made_by,
        figures=msgspec.convert(figures, wire.SpotFigures, from_attributes=True),
    )


def _hall_view(row: HallRow) -> wire.SpotPointView:
    return wire.SpotPointView(
        point=row.point,
        point_name=row.point_name,
        unit_name=row.unit_name,
        present=row.hall.present,
        asked=row.hall.asked,
        confirmed=row.hall.confirmed,
        not_confirmed=row.hall.not_confirmed,
        scanned=row.hall.scanned,
        headcount=row.hall.headcount,
        answered_ms=row.answered_ms,
        answered_by=row.answered_by,
    )


def _task(row: TaskRow, people: Sequence[PersonRow]) -> wire.SpotTask:
    return wire.SpotTask(
        id=row.check.check_id,
        phase=row.check.phase,
        mode=row.check.mode,
        started_ms=row.check.started_ms,
        ends_ms=row.check.ends_ms,
        present=row.present,
        people=[
            wire.SpotPerson(person.code, person.full_name, person.title, person.unit_name, person.seen)
            for person in people
        ],
        headcount=row.headcount,
    )
