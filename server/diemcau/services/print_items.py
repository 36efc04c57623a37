"""What stands on paper, part by part: people and halls become badges, posters, pairing sheets and lists."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.domain import badge
from diemcau.domain.models import DeviceKind
from diemcau.reports.papers.rows import Badge, HallList, PairingSheet, Person, Poster
from diemcau.services import badges, devices, rosters
from diemcau.store import prints
from diemcau.store.rosters import ensure_numbers
from diemcau.wire import api
from diemcau.wire.badges import BadgesIssue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.domain.authority import Actor
    from diemcau.services.context import Context
    from diemcau.store.prints import PrintHall
    from diemcau.store.sessions import SessionRow


@dataclass(frozen=True, slots=True)
class Part:
    """What one file is made of: people for badges, else halls. `size`: badges, sheets, or people on lists."""

    what: str
    size: int
    attendee_ids: Sequence[int] = ()
    halls: Sequence[PrintHall] = ()


def people_in_parts(attendee_ids: Sequence[int]) -> list[Part]:
    """Badges, a bounded number a file."""
    step = limits.PRINT_BADGES_A_FILE
    chunks = [attendee_ids[start : start + step] for start in range(0, len(attendee_ids), step)]
    return [Part("badges", len(chunk), attendee_ids=chunk) for chunk in chunks]


def halls_in_parts(what: str, halls: Sequence[PrintHall]) -> list[Part]:
    """Posters or pairing sheets, a bounded number a file."""
    step = limits.PRINT_SHEETS_A_FILE
    chunks = [halls[start : start + step] for start in range(0, len(halls), step)]
    return [Part(what, len(chunk), halls=chunk) for chunk in chunks]


def lists_in_parts(halls: Sequence[PrintHall]) -> list[Part]:
    """Whole lists of halls to which anybody is summoned, a bounded number of people a file."""
    chunks: list[list[PrintHall]] = []
    room = 0
    for hall in halls:
        if not hall.invited:
            continue
        if hall.invited > room:
            chunks.append([])
            room = limits.PRINT_PEOPLE_A_FILE
        chunks[-1].append(hall)
        room -= hall.invited
    return [Part("hall_lists", sum(hall.invited for hall in chunk), halls=chunk) for chunk in chunks]


async def made(
    actor: Actor, context: Context, session: SessionRow, part: Part, kind: DeviceKind
) -> list[Badge] | list[Poster] | list[PairingSheet] | list[HallList]:
    """What stands on the paper of this part; badges, numbers and pairing codes that are not there yet are made.

    Raises:
        ForbiddenError, NotFoundError: what the actor may print has changed since they asked.
        OverloadedError: too many writes wait.
    """
    if part.what == "badges":
        return await _badges(actor, context, session, part.attendee_ids)
    if part.what == "posters":
        return [Poster(hall.name, hall.unit_name, hall.code) for hall in part.halls]
    if part.what == "pairing":
        return await _pairing_sheets(actor, context, part.halls, kind)
    return await _lists(actor, context, session, part.halls)


async def _badges(actor: Actor, context: Context, session: SessionRow, ids: Sequence[int]) -> list[Badge]:
    """Of people with a badge the one that is good now; the others are given one."""
    session_id = session.session_id
    async with context.read() as connection:
        before = await prints.summoned(connection, session_id, ids)
        halls = await prints.unnumbered(connection, session_id, ids)
    for point_id in halls:
        await context.writer.write(partial(ensure_numbers, session_id=session_id, point_id=point_id))
    without = [person.code for person in before if person.issue is None]
    if without:
        await badges.issue(actor, context, BadgesIssue(attendees=without))
    async with context.read() as connection:
        people = await prints.summoned(connection, session_id, ids)
    key = context.keys.derive(badges.PURPOSE)
    return [
        Badge(
            link=badge.link(context.settings.origin, badge.token(key, person.attendee_id, person.issue)),
            full_name=person.full_name,
            title=person.title,
            unit=person.unit_name,
            hall=person.hall or "",
            number=person.number,
        )
        for person in people
        if person.issue is not None  # taken back this very moment
    ]


async def _pairing_sheets(
    actor: Actor, context: Context, halls: Sequence[PrintHall], kind: DeviceKind
) -> list[PairingSheet]:
    body = api.PairingsNew(points=[hall.code for hall in halls], kind=kind)
    codes = {one.point: one for one in (await devices.make_pairings(actor, context, body)).items}
    return [
        PairingSheet(codes[hall.code].url, hall.name, hall.unit_name, hall.code, codes[hall.code].code)
        for hall in halls
    ]


async def _lists(actor: Actor, context: Context, session: SessionRow, halls: Sequence[PrintHall]) -> list[HallList]:
    lists: list[HallList] = []
    for hall in halls:
        listed = (await rosters.roster(actor, context, session.code, hall.code)).items
        people = [Person(row.number, row.full_name, row.title, row.unit_name) for row in listed]
        if people:  # guests alone, of units that the reader does not answer for
            lists.append(HallList(hall.name, hall.unit_name, hall.code, people))
    return lists
