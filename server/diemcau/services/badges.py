"""Badges: an attendee's own QR, made, printed again, taken back, and the page it opens (DESIGN.md §6).

A token is derived from the server's key, so nothing that is stored can be scanned; a badge's link is as good as its
holder's name at the door, so only those who may change a person see it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.domain import badge
from diemcau.domain.authority import Action, Actor, Scope, require
from diemcau.domain.models import SessionState
from diemcau.errors import DoorError, MalformedError, NotFoundError, OverloadedError
from diemcau.services import absence_requests, lists
from diemcau.store import badges, people, session_points
from diemcau.wire import badges as wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.i18n import Language
    from diemcau.services.context import Context
    from diemcau.store.badges import BadgeRow, Holder, HolderSession
    from diemcau.store.engine import Connection

PURPOSE = "badge"
KEY_SHOWN_CHARS = 6
"""Of a badge that nobody knows, in the answer that says so."""


# --- making ------------------------------------------------------------------------------------------------
async def issue(actor: Actor, context: Context, body: wire.BadgesIssue) -> wire.BadgesIssued:
    """Give a badge to everybody asked for who has none; asking again gives nobody a second one.

    Made some thousands at a time: what was made before an interruption stays.

    Raises:
        MalformedError: neither or both of `unit` and `attendees`.
        ForbiddenError: the unit is outside the actor's scope.
        NotFoundError: no such unit, or no such person inside the actor's units.
        OverloadedError: too many writes wait; asking again goes on where this stopped.
    """
    require(actor, Action.PEOPLE_WRITE)
    if (body.unit is None) == (body.attendees is None):
        raise MalformedError(field="unit | attendees", reason="reason.one_of")
    async with context.read() as connection:
        wanted = await _wanted(actor, connection, body)
    made = 0
    for start in range(0, len(wanted), limits.BADGES_CHUNK_ROWS):
        some = wanted[start : start + limits.BADGES_CHUNK_ROWS]
        made += await context.writer.write(partial(_make, context, some))
    return wire.BadgesIssued(made, len(wanted))


async def issue_one(actor: Actor, context: Context, code: str) -> wire.BadgeView:
    """The person's badge, made now if they have none.

    Raises:
        NotFoundError: no such person.
        ForbiddenError: the person's unit is outside the actor's scope.
    """

    async def work(connection: Connection) -> BadgeRow:
        person_id = await _person(actor, connection, code)
        await _make(context, [person_id], connection)
        return await _current(connection, person_id)

    require(actor, Action.PEOPLE_WRITE)
    async with context.read() as connection:
        found = await badges.of_attendee(connection, await _person(actor, connection, code))
    if found is None:
        found = await context.writer.write(work)
    return _view(context, found)


async def reissue(actor: Actor, context: Context, code: str) -> wire.BadgeView:
    """A new badge for a person; the former one is worth nothing from this moment.

    Raises:
        NotFoundError: no such person.
        ForbiddenError: the person's unit is outside the actor's scope.
    """

    async def work(connection: Connection) -> BadgeRow:
        person_id = await _person(actor, connection, code)
        await badges.revoke(connection, person_id, context.clock.now_ms())
        await _make(context, [person_id], connection)
        return await _current(connection, person_id)

    require(actor, Action.PEOPLE_WRITE)
    return _view(context, await context.writer.write(work))


async def revoke(actor: Actor, context: Context, code: str) -> None:
    """Take a person's badge back.

    Raises:
        NotFoundError: no such person, or they have no badge.
        ForbiddenError: the person's unit is outside the actor's scope.
    """

    async def work(connection: Connection) -> None:
        person_id = await _person(actor, connection, code)
        if not await badges.revoke(connection, person_id, context.clock.now_ms()):
            raise NotFoundError(what="badge", key=code)

    require(actor, Action.PEOPLE_WRITE)
    await context.writer.write(work)


# --- reading -----------------------------------------------------------------------------------------------
async def listed(actor: Actor, context: Context, wanted: lists.Wanted) -> wire.BadgePage:
    """A page of badges that are good now, by unit and Vietnamese given name: what is printed and handed out.

    Raises:
        ForbiddenError: the actor may change no people, or none of the wanted unit.
        NotFoundError: no such unit.
    """
    async with context.read() as connection:
        asked = await lists.asked_for(actor, Action.PEOPLE_WRITE, connection, wanted, keys=3)
        rows = await badges.listed(connection, asked)
    page = rows[: wanted.limit]
    last = page[-1] if page and len(rows) > len(page) else None
    following = lists.mark(last.unit_path, last.sort_key, last.code) if last else None
    return wire.BadgePage([_view(context, row) for row in page], following)


async def opened(
    actor: Actor, context: Context, text: str, network: str, language: Language = "vi"
) -> wire.BadgePageView:
    """What the holder of a badge may see: their own name, their sessions, and what was recorded of them.

    `network`: where the reader comes from; only unknown badges count against it.

    Raises:
        NotFoundError: nobody ever had this badge.
        DoorError: revoked.
        RateLimitedError: too many unknown badges from this network; a right one is never refused for that.
    """
    token, holder = await holder_of(actor, context, text, network)
    async with context.read() as connection:
        found = await badges.sessions_of(connection, holder.attendee_id, limits.BADGE_SESSIONS_MAX)
        own = await absence_requests.own(actor, connection, holder.attendee_id, language)
    sessions = _ordered(found, context.clock.now_ms())
    for session in sessions:
        asked = own.sessions.get(session.session)
        if asked:
            session.absence, session.ask_by_ms = asked.absence, asked.ask_by_ms
    return wire.BadgePageView(
        full_name=holder.full_name,
        title=holder.title,
        unit_name=holder.unit_name,
        url=badge.link(context.settings.origin, token),
        sessions=sessions,
        reasons=own.reasons if any(session.ask_by_ms is not None for session in sessions) else [],
    )


async def holder_of(actor: Actor, context: Context, text: str, network: str) -> tuple[bytes, Holder]:
    """Whose badge this is, with its token; raises as `opened` does."""
    del actor
    token = badge.parse(text)
    holder = await badges.holder(context.engines, 0, badge.token_hash(token)) if token else None
    if token is None or holder is None:
        context.limiter.failed(f"badge:{network}")
        context.limiter.check(f"badge:{network}", limits.BADGE_FAILURES_PER_MINUTE_MAX)
        raise NotFoundError(what="badge", key=text[:KEY_SHOWN_CHARS])
    if holder.revoked:
        raise DoorError("revoked")
    return token, holder


# --- parts -------------------------------------------------------------------------------------------------
async def _wanted(actor: Actor, connection: Connection, body: wire.BadgesIssue) -> list[int]:
    if body.unit is not None:
        unit = await lists.unit_for(actor, Action.PEOPLE_WRITE, connection, body.unit)
        return await badges.people_below(connection, Scope((unit.path,)))
    codes = {code.upper() for code in body.attendees or ()}
    found = await session_points.attendees_by_code(connection, codes, require(actor, Action.PEOPLE_WRITE))
    if missing := sorted(codes - found.keys()):
        raise NotFoundError(what="attendee", key=missing[0])
    return sorted(found.values())


async def _make(context: Context, attendee_ids: Sequence[int], connection: Connection) -> int:
    """Make the badges of those who have none that is good; how many."""
    key = context.keys.derive(PURPOSE)
    fresh = [
        (who.attendee_id, who.highest + 1, badge.token_hash(badge.token(key, who.attendee_id, who.highest + 1)))
        for who in await badges.standings(connection, attendee_ids)
        if who.current is None
    ]
    await badges.insert(connection, fresh, context.clock.now_ms())
    return len(fresh)


async def _person(actor: Actor, connection: Connection, code: str) -> int:
    found = await people.get(connection, code)
    require(actor, Action.PEOPLE_WRITE, found.unit_path)
    return found.attendee_id


async def _current(connection: Connection, attendee_id: int) -> BadgeRow:
    found = await badges.of_attendee(connection, attendee_id)
    if found is None:  # another server took it back between our two statements
        raise OverloadedError(retry_after_s=limits.OVERLOADED_RETRY_AFTER_S)
    return found


def _view(context: Context, row: BadgeRow) -> wire.BadgeView:
    token = badge.token(context.keys.derive(PURPOSE), row.attendee_id, row.issue)
    return wire.BadgeView(
        attendee=row.code,
        full_name=row.full_name,
        unit=row.unit_code,
        unit_name=row.unit_name,
        url=badge.link(context.settings.origin, token),
        issue=row.issue,
        made_ms=row.made_ms,
    )


def _ordered(found: list[HolderSession], now_ms: int) -> list[wire.BadgeSession]:
    """What is on or still to come first, the nearest on top; then what is over, the latest on top."""
    ahead = [row for row in found if row.state != SessionState.CLOSED and row.ends_ms >= now_ms]
    over = [row for row in found if row not in ahead]
    return [
        wire.BadgeSession(
            session=row.session,
            title=row.title,
            starts_ms=row.starts_ms,
            state=SessionState(row.state),
            point=row.point,
            point_name=row.point_name or "",
            checked_in_ms=row.checked_in_ms,
            checked_in_point_name=row.checked_in_point_name or "",
        )
        for row in [*reversed(ahead), *over]
    ]
