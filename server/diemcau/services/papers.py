"""Paper entry: a printed list on which people were ticked, copied as one batch that can be taken back (DESIGN.md §6).

A sheet has a nonce, and each of its lines one that follows from it and from who it is. So a sheet that is sent again,
after whatever went wrong, stores what is missing and repeats nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from diemcau import limits
from diemcau.domain import device_time, names
from diemcau.domain.authority import Account, Action, Actor, Device, Scope, System, require, require_device
from diemcau.domain.models import DeviceKind, EventKind, Flag, SessionState, Source
from diemcau.errors import (
    DoorError,
    ForbiddenError,
    MalformedError,
    NonceConflictError,
    NotFoundError,
    NotSignedInError,
    PaperUndoneError,
)
from diemcau.services import counted, lists, nonces
from diemcau.services.paper_lines import Line, answers, read
from diemcau.store import devices, event_log, papers, recording
from diemcau.store.check_ins import CheckIn, Outcome
from diemcau.store.event_log import NewEvent
from diemcau.wire import papers as wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.domain.device_time import Moment
    from diemcau.services.context import Context
    from diemcau.store.engine import Connection
    from diemcau.store.papers import PaperRow
    from diemcau.store.recording import Hall, Held, Known
    from diemcau.wire.check_ins import CheckInResult


class Desk(NamedTuple):
    """Who enters at which hall. `by`: as the log names them; `name`: as people know them."""

    actor: Actor
    session: Held
    code: str
    hall: Hall
    by: str
    name: str

    @property
    def device_id(self) -> int | None:
        """The device that it is, if one."""
        return self.actor.device_id if isinstance(self.actor, Device) else None

    @property
    def account_id(self) -> int | None:
        """The account that it is, if one."""
        return self.actor.account_id if isinstance(self.actor, Account) else None


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet on its way to the writer."""

    desk: Desk
    nonce: bytes
    reason: str
    at_ms: int
    server_ms: int
    offset_ms: int
    moment: Moment


# --- entering ----------------------------------------------------------------------------------------------
async def enter(actor: Actor, context: Context, code: str, body: wire.PaperNew) -> wire.PaperEntered:
    """Enter a sheet, many people under one reason; returns once all of it is durable (I1).

    A line that cannot be read, or names a code that nobody has, is refused by itself and stalls nothing. After closing
    the lines are stored and wait for the next revision. Sending a sheet again, with more lines or the same, is safe.

    Raises:
        NotSignedInError, ForbiddenError: not the hall's operator, nor a writer of its unit's attendance.
        NotFoundError: the point does not take part in the session.
        NonceConflictError: this nonce stands for another sheet, or for something else.
        PaperUndoneError: the sheet was taken back.
        DoorError: not_open: the session is a draft.
        MalformedError: an empty reason.
        OverloadedError: some of it may be written; the same sheet may be sent again.
    """
    desk = await _desk(actor, context, code, body.point.upper())
    if desk.session.state == SessionState.DRAFT:
        raise DoorError("not_open")
    sheet = _sheet(context, desk, body)
    await context.writer.write(partial(_open, context=context, sheet=sheet))
    lines = read(context.keys, sheet.nonce, body)
    people = await recording.by_code(
        context.engines, desk.session.session_id, {code for line in lines for code in line.codes}
    )
    entries = [_entry(context, sheet, line, people) for line in lines]
    results = await _record(context, desk.hall, lines, entries)
    async with context.read() as connection:
        row = await _sheet_of(connection, desk.session.session_id, body.nonce)
        found = await papers.lines(connection, [sheet.nonce])
    if row.undone_ms is not None:  # while this went on; what was written of it was taken back with it
        raise PaperUndoneError
    return wire.PaperEntered(_view(row, found.get(sheet.nonce, papers.Lines())), results)


def _sheet(context: Context, desk: Desk, body: wire.PaperNew) -> _Sheet:
    server_ms = context.clock.now_ms()
    offset_ms = server_ms - body.device_ms
    reason = names.tidy(body.reason)
    if not reason or "\0" in reason:
        raise MalformedError(field="reason", reason="reason.empty")
    moment = device_time.judge(body.at_ms, offset_ms, server_ms, existed_ms=desk.session.made_ms, offline=True)
    return _Sheet(desk, nonces.read(body.nonce), reason, body.at_ms, server_ms, offset_ms, moment)


async def _open(connection: Connection, context: Context, sheet: _Sheet) -> None:
    """The sheet itself, kept with its event in the log when it is new."""
    desk = sheet.desk
    fingerprint = nonces.fingerprint(
        context.keys, desk.session.session_id, desk.hall.point_id, "paper", sheet.reason, sheet.at_ms
    )
    known = await papers.fingerprint(connection, sheet.nonce)
    if known is not None and known != fingerprint:
        raise NonceConflictError
    if known is None:
        new = papers.NewPaper(
            desk.session.session_id,
            desk.hall.point_id,
            sheet.nonce,
            sheet.reason,
            sheet.server_ms,
            desk.name,
            desk.device_id,
        )
        await papers.insert(connection, new)
        event = msgspec.structs.replace(
            event_of(desk, sheet.nonce, fingerprint, sheet.server_ms),
            at_ms=sheet.at_ms,
            happened_ms=sheet.moment.happened_ms,
            offset_ms=sheet.offset_ms,
            reason=sheet.reason,
        )
        await connection.run_sync(event_log.append, context.writer.writer_id, [event])
    row = await papers.get(connection, desk.session.session_id, sheet.nonce)
    if row is None:
        raise NonceConflictError
    if row.undone_ms is not None:
        raise PaperUndoneError


def event_of(desk: Desk, nonce: bytes, fingerprint: bytes, now_ms: int, detail: str = "") -> NewEvent:
    """An event of the log about a sheet of this hall."""
    return NewEvent(
        session_id=desk.session.session_id,
        session=desk.code,
        nonce=nonce,
        fingerprint=fingerprint,
        kind=EventKind.PAPER,
        source=Source.PAPER,
        point_id=desk.hall.point_id,
        point=desk.hall.code,
        server_ms=now_ms,
        at_ms=now_ms,
        happened_ms=now_ms,
        counted=False,
        device_id=desk.device_id,
        account_id=desk.account_id,
        by=desk.by,
        detail=detail,
    )


# --- lines -------------------------------------------------------------------------------------------------
def _entry(context: Context, sheet: _Sheet, line: Line, people: dict[str, Known]) -> CheckIn | str:
    """What goes to the writer, or why nothing does."""
    if line.refused:
        return line.refused
    desk, session_id = sheet.desk, sheet.desk.session.session_id
    known = people.get(line.code or "")
    if line.code is not None and known is None:
        return "unknown_attendee"
    stands_for = people.get(line.stands_for or "")
    if line.stands_for is not None and (stands_for is None or stands_for.invited is None or stands_for is known):
        return "unknown_attendee"
    typed = counted.unlisted(context.keys, line.name, line.unit, line.stands_for_text)
    return CheckIn(
        session_id=session_id,
        point_id=desk.hall.point_id,
        point=desk.hall.code,
        who=counted.listed(context.keys, session_id, known) if known else typed,
        nonce=line.nonce,
        fingerprint=nonces.fingerprint(
            context.keys, session_id, desk.hall.point_id, "check_in", *line.identity, sheet.at_ms
        ),
        source=Source.PAPER,
        server_ms=sheet.server_ms,
        at_ms=sheet.at_ms,
        happened_ms=sheet.moment.happened_ms,
        flags=_flags(sheet, line, known),
        offline=True,
        offset_ms=sheet.offset_ms,
        device_id=desk.device_id,
        account_id=desk.account_id,
        by=desk.by,
        reason=sheet.reason,
        stands_for=counted.listed(context.keys, session_id, stands_for) if stands_for else None,
        of_nonce=sheet.nonce,
    )


def _flags(sheet: _Sheet, line: Line, known: Known | None) -> tuple[Flag, ...]:
    """What is odd about a line; never a reason to leave anybody out. That it is from paper, its source tells."""
    flags: list[Flag] = []
    if known is None:
        flags.append(Flag.UNLISTED)
    elif known.invited is None:
        flags += [Flag.NOT_INVITED] if sheet.desk.session.listed else []
    elif known.point_id not in {None, sheet.desk.hall.point_id}:
        flags.append(Flag.WRONG_POINT)
    if device_time.late(sheet.moment, sheet.desk.session.starts_ms):
        flags.append(Flag.LATE)
    if sheet.moment.skewed:
        flags.append(Flag.CLOCK_SKEW)
    if line.stands_for or line.stands_for_text:
        flags.append(Flag.SUBSTITUTE)
    return tuple(flags)


async def _record(
    context: Context, hall: Hall, lines: Sequence[Line], entries: Sequence[CheckIn | str]
) -> list[CheckInResult]:
    """Write what can be written, and answer every line in its place."""
    items = [entry for entry in entries if isinstance(entry, CheckIn)]
    outcomes = await context.writer.check_ins(items)
    elsewhere = {outcome.point_id for outcome in outcomes if isinstance(outcome, Outcome)} - {hall.point_id}
    halls = {hall.point_id: hall} | (await recording.points(context.engines, elsewhere) if elsewhere else {})
    left = iter(outcomes)
    told = [next(left) if isinstance(entry, CheckIn) else entry for entry in entries]
    return answers(lines, told, hall, halls)


# --- reading -----------------------------------------------------------------------------------------------
async def listed(actor: Actor, context: Context, code: str, point: str | None, wanted: lists.Wanted) -> wire.PaperPage:
    """A page of the sheets of a session, the newest first: of the device's hall, or in the account's units.

    Raises:
        NotSignedInError, ForbiddenError, NotFoundError: see `enter`; reading is enough for an account.
    """
    session, hall, scope = await _reading(actor, context, code, point)
    after = lists.read_mark(wanted.after, 1)
    before_id = _id(after[0]) if after else None
    async with context.read() as connection:
        asked = papers.Asked(scope, hall.point_id if hall else None, before_id, wanted.limit + 1)
        found = await papers.page(connection, session.session_id, asked)
        page = found[: wanted.limit]
        entered = await papers.lines(connection, [row.nonce for row in page])
    following = lists.mark(str(page[-1].paper_id)) if len(found) > len(page) else None
    return wire.PaperPage([_view(row, entered.get(row.nonce, papers.Lines())) for row in page], following)


# --- parts ---------------------------------------------------------------------------------------------------
async def desk_of_sheet(actor: Actor, context: Context, code: str, nonce: str) -> tuple[Desk, PaperRow]:
    """A sheet, and who stands at it with the right to change it; see `enter`."""
    if not isinstance(actor, Account | Device | System):
        raise NotSignedInError
    session, _ = await recording.places(context.engines, code, [])
    if session is None:
        raise NotFoundError(what="session", key=code)
    async with context.read() as connection:
        row = await _sheet_of(connection, session.session_id, nonce)
    return await _desk(actor, context, code, row.point), row


async def view_of(actor: Actor, context: Context, code: str, nonce: str) -> wire.PaperView:
    """A sheet as it stands now, for whoever may change it; see `enter`."""
    _, row = await desk_of_sheet(actor, context, code, nonce)
    async with context.read() as connection:
        found = await papers.lines(connection, [row.nonce])
    return _view(row, found.get(row.nonce, papers.Lines()))


async def readable(actor: Actor, context: Context, code: str, nonce: str) -> PaperRow:
    """A sheet, for whoever may read it.

    Raises:
        NotSignedInError: nobody is signed in.
        ForbiddenError: a sheet of another hall, or outside the account's units.
        NotFoundError: no such session or sheet.
    """
    session, hall, scope = await _reading(actor, context, code, None)
    async with context.read() as connection:
        row = await _sheet_of(connection, session.session_id, nonce)
    if not (row.point_id == hall.point_id if hall else scope.covers(row.unit_path)):
        raise ForbiddenError
    return row


async def _desk(actor: Actor, context: Context, code: str, point: str) -> Desk:
    if not isinstance(actor, Account | Device | System):
        raise NotSignedInError
    session, halls = await recording.places(context.engines, code, [point])
    hall = halls.get(point)
    if session is None or hall is None:
        raise NotFoundError(what="point", key=point)
    if isinstance(actor, Device):
        require_device(actor, hall.point_id, DeviceKind.OPERATOR)
        async with context.read() as connection:
            name = await devices.name(connection, actor.device_id)
        return Desk(actor, session, code, hall, f"device:{actor.device_id}", name)
    require(actor, Action.ATTENDANCE_WRITE, hall.unit_path)
    return Desk(actor, session, code, hall, actor.name, actor.name)


async def _reading(actor: Actor, context: Context, code: str, point: str | None) -> tuple[Held, Hall | None, Scope]:
    """The session, the one hall that is asked for or that a device stands in, and the units that are seen."""
    asked = actor.point_code if isinstance(actor, Device) and point is None else point
    session, halls = await recording.places(context.engines, code, [asked] if asked else [])
    if isinstance(actor, Device):
        hall = halls.get(asked or "")
        require_device(actor, hall.point_id if hall else -1, DeviceKind.OPERATOR)
        scope = Scope(("",))
    else:
        scope = require(actor, Action.ATTENDANCE_READ)
        hall = halls.get(asked) if asked else None
    if session is None or not (isinstance(actor, Device) or scope.touches(session.unit_path)):
        raise NotFoundError(what="session", key=code)
    if asked and (hall is None or not scope.covers(hall.unit_path)):
        raise NotFoundError(what="point", key=asked)
    return session, hall, scope


async def _sheet_of(connection: Connection, session_id: int, nonce: str) -> PaperRow:
    key = _nonce(nonce)
    row = await papers.get(connection, session_id, key) if key else None
    if row is None:
        raise NotFoundError(what="paper", key=nonce)
    return row


def _nonce(text: str) -> bytes | None:
    try:
        return nonces.read(text) if len(text) == limits.NONCE_CHARS else None
    except ValueError:
        return None


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise MalformedError(field="after", reason="reason.not_a_page")
    return int(text)


def _view(row: PaperRow, entered: papers.Lines) -> wire.PaperView:
    return wire.PaperView(
        nonce=nonces.write(row.nonce),
        point=row.point,
        point_name=row.point_name,
        reason=row.reason,
        made_ms=row.made_ms,
        made_by=row.made_by,
        people=entered.people,
        counted=entered.counted,
        undone_ms=row.undone_ms,
        photo=row.photo.hex() if row.photo else None,
    )
