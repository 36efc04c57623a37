"""Recording check-ins that devices and staff send, one at a time or a hall's whole queue (DESIGN.md §6, §6a).

Each item has its own answer: what is unreadable, unauthorized or in conflict is refused, everything else is recorded
and flagged. What was recorded offline is a fact and is stored whatever we think of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from diemcau.domain import device_time, names
from diemcau.domain.authority import Account, Action, Actor, Anonymous, Device, Scope, require, scope_of
from diemcau.domain.models import DeviceKind, EventKind, Flag, SessionState, Source
from diemcau.errors import DiemcauError, ForbiddenError, NotFoundError, NotSignedInError
from diemcau.services import counted, nonces
from diemcau.services.batch_items import Asked, refused
from diemcau.store.check_ins import CheckIn, Outcome, Unlisted
from diemcau.wire import check_ins as wire

if TYPE_CHECKING:
    from diemcau.domain.device_time import Moment
    from diemcau.services.context import Context, Keys
    from diemcau.store.check_ins import Listed
    from diemcau.store.recording import Hall, Held, Known

EVERYTHING = Scope(("",))
NOWHERE = Scope(())
KINDS = {"check_in": EventKind.CHECK_IN, "check_out": EventKind.CHECK_OUT}


class Desk(NamedTuple):
    """Who records: an operator's device, for its own hall only, or an account, for the units of `scope`.

    by: as the log names them; sees: whose sessions exist for them.
    """

    by: str
    scope: Scope
    sees: Scope
    device: Device | None = None
    account_id: int | None = None


class _RefusedError(Exception):
    """An item that is not recorded; it never leaves this module."""

    def __init__(self, reason: str, field: str = "") -> None:
        self.reason = reason
        self.field = field
        super().__init__(reason)


class _Who(NamedTuple):
    """The person of an item: for the writer, for the answer, and what is odd about them being here."""

    who: Listed | Unlisted
    view: wire.PersonView
    flags: tuple[Flag, ...] = ()


class About(NamedTuple):
    """The session and everything that the items name."""

    session: Held
    halls: dict[str, Hall]
    by_code: dict[str, Known]
    by_badge: dict[bytes, Known]


class Entry(NamedTuple):
    """An item that goes to the writer."""

    check_in: CheckIn
    hall: Hall
    person: wire.PersonView


@dataclass(frozen=True, slots=True)
class Sending:
    """One request: who sent it, when, and what it is about. `offset_ms`: server minus device clock."""

    keys: Keys
    desk: Desk
    server_ms: int
    offset_ms: int
    about: About


async def check_ins(actor: Actor, context: Context, session: str, batch: wire.CheckInBatch) -> wire.CheckInResults:
    """Record what a device or a member of staff sends; returns once all of it is durable (I1).

    Sending again is always safe: an item that is stored answers as the first time, `replayed` (I2).

    Raises:
        ForbiddenError: a display, or an account that may not correct attendance anywhere.
        NotFoundError: no such session, or not one this account may see.
        OverloadedError: some of it may be written; the same batch may be sent again.
    """
    return await context.recorder.put(context, desk_of(actor), session, batch)


def desk_of(actor: Actor) -> Desk:
    """Who records, if they may at all.

    Raises:
        NotSignedInError: nobody is signed in.
        ForbiddenError: a display, or an account that may not correct attendance anywhere.
    """
    if isinstance(actor, Anonymous):
        raise NotSignedInError
    if isinstance(actor, Device):
        if actor.kind is not DeviceKind.OPERATOR:
            raise ForbiddenError
        return Desk(f"device:{actor.device_id}", NOWHERE, EVERYTHING, device=actor)
    scope = require(actor, Action.ATTENDANCE_WRITE)
    sees = scope_of(actor, Action.SESSIONS_READ)
    return Desk(actor.name, scope, sees, account_id=actor.account_id if isinstance(actor, Account) else None)


# --- one item ------------------------------------------------------------------------------------------------
def resolve(sending: Sending, asked: Asked, *, fact: bool = False) -> Entry | wire.CheckInResult:
    """What goes to the writer, or why nothing does. `fact`: it happened, whatever we think of it."""
    try:
        return _entry(sending, asked, fact=fact or asked.item.offline)
    except _RefusedError as error:
        return refused(asked.item.nonce, error.reason, error.field)


def _entry(sending: Sending, asked: Asked, *, fact: bool) -> Entry:
    desk, item, session = sending.desk, asked.item, sending.about.session
    hall = _hall(sending, asked)
    who = _who(sending, asked, hall, fact=fact)
    reason = names.tidy(item.reason) if item.reason else ""
    if desk.device is None and not reason:
        raise _RefusedError("reason_missing")
    if session.state == SessionState.DRAFT and not fact:
        raise _RefusedError("not_open")
    stands_for = _stands_for(sending, asked, hall, who.who, fact=fact)
    moment = device_time.judge(
        item.at_ms, sending.offset_ms, sending.server_ms, existed_ms=session.made_ms, offline=item.offline
    )
    flags = who.flags + _flags(session, asked, moment)
    mark = nonces.fingerprint(sending.keys, session.session_id, hall.point_id, item.kind, *asked.identity, item.at_ms)
    check_in = CheckIn(  # positional, in the order of its fields: by name it takes six times as long
        session.session_id,
        hall.point_id,
        hall.code,
        who.who,
        asked.nonce,
        mark,
        _source(desk, asked),
        sending.server_ms,
        item.at_ms,
        moment.happened_ms,
        KINDS[item.kind],
        flags,
        item.offline,
        sending.offset_ms,
        desk.device.device_id if desk.device else None,
        desk.account_id,
        desk.by,
        reason,
        stands_for,
    )
    return Entry(check_in, hall, who.view)


def _hall(sending: Sending, asked: Asked) -> Hall:
    device = sending.desk.device
    if device is not None and asked.point != device.point_code:
        raise _RefusedError("forbidden")
    hall = sending.about.halls.get(asked.point)
    if hall is None:
        raise _RefusedError("unknown_point")
    return hall


def _source(desk: Desk, asked: Asked) -> Source:
    """How it came in; whatever an account enters, it enters by hand."""
    if desk.device is None:
        return Source.MANUAL
    given = asked.item.source
    return Source(given) if given else Source.MANUAL if asked.badge is None else Source.BADGE


def _flags(session: Held, asked: Asked, moment: Moment) -> tuple[Flag, ...]:
    """What is odd about when it happened, and about how it came."""
    item, flags = asked.item, []
    if item.kind == "check_in" and device_time.late(moment, session.starts_ms):
        flags.append(Flag.LATE)
    if item.offline:
        flags.append(Flag.OFFLINE)
    if moment.skewed:
        flags.append(Flag.CLOCK_SKEW)
    if asked.stands_for or (isinstance(item.who, wire.Unlisted) and item.who.stands_for):
        flags.append(Flag.SUBSTITUTE)
    opened_ms = session.opened_ms
    if session.state == SessionState.DRAFT or (opened_ms and not moment.skewed and moment.happened_ms < opened_ms):
        flags.append(Flag.BEFORE_OPENING)
    return tuple(flags)


# --- people --------------------------------------------------------------------------------------------------
def _who(sending: Sending, asked: Asked, hall: Hall, *, fact: bool) -> _Who:
    known = None
    if asked.badge is not None:
        known = sending.about.by_badge.get(asked.badge)
    elif asked.code is not None:
        known = sending.about.by_code.get(asked.code)
    if known is None:
        return _unlisted(sending, asked, hall, fact=fact)
    if sending.desk.device is None and not sending.desk.scope.covers(known.unit_path):
        raise _RefusedError("forbidden")
    flags = _place_flags(sending.about.session, known, hall) if asked.item.kind == "check_in" else ()
    if known.revoked_ms is not None:
        if not fact:
            raise _RefusedError("revoked")
        flags += (Flag.REVOKED_BADGE,)
    return _Who(counted.listed(sending.keys, sending.about.session.session_id, known), person_view(known), flags)


def _unlisted(sending: Sending, asked: Asked, hall: Hall, *, fact: bool) -> _Who:
    """Somebody typed by name, or a badge or code that nobody knows: recorded where it is a fact."""
    if sending.desk.device is None and not sending.desk.scope.covers(hall.unit_path):
        raise _RefusedError("forbidden")
    if asked.badge is None and asked.code is None:
        item_who = asked.item.who
        text = names.tidy(item_who.stands_for) if isinstance(item_who, wire.Unlisted) else ""
        who = counted.unlisted(sending.keys, asked.name, asked.unit, text)
        return _Who(who, wire.PersonView(asked.name, unit_name=asked.unit), (Flag.UNLISTED,))
    if not fact:
        raise _RefusedError("unknown_attendee")
    if asked.badge is not None:
        unknown = counted.unknown_badge(sending.keys, asked.badge)
        return _Who(unknown, wire.PersonView(""), (Flag.UNLISTED, Flag.UNKNOWN_BADGE))
    name = asked.code or ""
    return _Who(counted.unlisted(sending.keys, name), wire.PersonView(name), (Flag.UNLISTED,))


def _place_flags(session: Held, known: Known, hall: Hall) -> tuple[Flag, ...]:
    """What is odd about where they sit; never a reason to turn anybody away. Without a list nobody is odd."""
    if known.invited is None:
        return (Flag.NOT_INVITED,) if session.listed else ()
    return (Flag.WRONG_POINT,) if known.point_id not in {None, hall.point_id} else ()


def _stands_for(sending: Sending, asked: Asked, hall: Hall, who: Listed | Unlisted, *, fact: bool) -> Listed | None:
    """Whose place they take: somebody summoned to this session, whom the sender answers for.

    Who sits there is a fact, though the place they were said to take may not, or no longer, be one to take: they are
    recorded without it, and flagged as a substitute for a clerk to ask whose.
    """
    if asked.stands_for is None:
        return None
    known = sending.about.by_code.get(asked.stands_for)
    if not isinstance(who, Unlisted) and known is not None and who.attendee_id == known.attendee_id:
        raise _RefusedError("malformed", "stands_for")
    if known is None or known.invited is None or not _answers_for(sending.desk, known, hall):
        if fact:
            return None
        raise _RefusedError("malformed", "stands_for")
    return counted.listed(sending.keys, sending.about.session.session_id, known)


def _answers_for(desk: Desk, known: Known, hall: Hall) -> bool:
    if desk.device is not None:
        return known.point_id in {None, hall.point_id}
    return desk.scope.covers(known.unit_path)


def person_view(known: Known) -> wire.PersonView:
    """A listed person as staff may see them."""
    return wire.PersonView(known.full_name, known.code, known.title, known.unit_code, known.unit_name)


# --- answers -------------------------------------------------------------------------------------------------
def result(entry: Entry, outcome: Outcome | DiemcauError, halls: dict[int, Hall]) -> wire.CheckInResult:
    """The answer to an item that went to the writer. `halls`: by id, those of the entry and of the outcome.

    Raises:
        DiemcauError: it may not be written.
    """
    nonce = nonces.write(entry.check_in.nonce)
    if isinstance(outcome, NotFoundError):  # the hall left the session between our look and the commit
        return refused(nonce, "unknown_point")
    if isinstance(outcome, DiemcauError):
        raise outcome
    if outcome.result == "conflict":
        return refused(nonce, "conflict_nonce")
    if outcome.result == "closed":
        return refused(nonce, "closed")
    hall = halls[outcome.point_id]
    reason = ""
    if outcome.result == "duplicate":
        reason = "already_here" if hall.point_id == entry.hall.point_id else "already_elsewhere"
    return wire.CheckInResult(
        nonce,
        outcome.result,
        reason,
        flags=[str(flag) for flag in outcome.flags],
        counted=outcome.counted,
        held=outcome.held,
        replayed=outcome.replayed,
        check_in=wire.CheckInView(hall.code, hall.name, outcome.at_ms, entry.person, outcome.number),
    )
