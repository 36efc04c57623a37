"""Who stands at a door, by what they typed: badge, attendee code, telephone, or full name on the hall's list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from diemcau import limits
from diemcau.domain import badge, names, phones
from diemcau.errors import DoorError, MalformedError
from diemcau.store import badges, door, rosters
from diemcau.store.door import Person

if TYPE_CHECKING:
    from diemcau.domain.authority import Actor
    from diemcau.services.context import Context
    from diemcau.store.door import DoorRow
    from diemcau.wire import api

NUMBER_DIGITS_MAX = 6
"""A place on a hall's list: more digits are a telephone number."""


@dataclass(frozen=True, slots=True)
class Found:
    """The one person who is meant. `shown`: the name their receipt may carry; proved: they showed their badge."""

    person: Person
    shown: str
    proved: bool = False


async def find(actor: Actor, context: Context, row: DoorRow, body: api.WhoAmI) -> Found:
    """The person who is meant; what holds digits is tried as code and telephone first, names hold none.

    Raises:
        MalformedError: nothing was typed.
        DoorError: unknown_attendee; ambiguous_name (param `by`: name, number or phone); revoked.
    """
    del actor
    typed = names.tidy(body.who)
    if not typed:
        raise MalformedError(field="who", reason="reason.empty")
    return (
        await _by_badge(context, row, typed)
        or await _by_digits(context, row, typed)
        or await _by_name(context, row, typed, names.tidy(body.number))
    )


async def _by_badge(context: Context, row: DoorRow, typed: str) -> Found | None:
    """A badge's link or characters. A long name may read as one too: a token that nobody ever had is a name."""
    token = badge.parse(typed)
    holder = await badges.holder(context.engines, row.session_id, badge.token_hash(token)) if token else None
    if holder is None:
        return None
    if holder.revoked:
        raise DoorError("revoked")
    person = await door.of_id(context.engines, row.session_id, holder.attendee_id)
    return Found(person, person.full_name, proved=True) if person else None


async def _by_digits(context: Context, row: DoorRow, typed: str) -> Found | None:
    if not any(char.isdigit() for char in typed):
        return None
    person = await _of_code(context, row, typed)
    if person is None and (digits := phones.digits(typed)):
        people = await door.of_phone(context.engines, row.session_id, digits)
        if len(people) > 1:
            raise DoorError("ambiguous_name", by="phone")
        person = people[0] if people else None
    return Found(person, names.mask(person.full_name)) if person else None


async def _by_name(context: Context, row: DoorRow, typed: str, which: str) -> Found:
    folded = names.fold(typed)
    people = await door.named(context.engines, row.session_id, row.point_id, folded) if folded else []
    if len(people) > 1:
        return Found(await _namesake(context, row, folded, which), typed)
    if people:
        return Found(people[0], typed)
    person = await _of_code(context, row, typed) if " " not in typed else None
    if person is None:
        raise DoorError("unknown_attendee")
    return Found(person, names.mask(person.full_name))


async def _namesake(context: Context, row: DoorRow, folded: str, which: str) -> Person:
    """Which of the people of one name: by number on the hall's list, code or telephone."""
    await _number(context, row)
    if not which:
        raise DoorError("ambiguous_name", by="name")
    if which.isascii() and which.isdigit() and len(which) <= NUMBER_DIGITS_MAX:
        people = await door.numbered(context.engines, row, folded, int(which))
    elif digits := phones.digits(which):
        people = await door.of_phone(context.engines, row.session_id, digits, folded)
    else:
        people = []
    if not people and (person := await _of_code(context, row, which)) and person.name_folded == folded:
        people = [person]
    if len(people) != 1:
        raise DoorError("ambiguous_name", by="number")
    return people[0]


async def _number(context: Context, row: DoorRow) -> None:
    """See that everybody on the hall's list has a number: the operator may be asked for it now."""
    async with context.read() as connection:
        if await rosters.numbered(connection, row.session_id, row.point_id):
            return
    number = partial(rosters.ensure_numbers, session_id=row.session_id, point_id=row.point_id)
    await context.writer.write(number)


async def _of_code(context: Context, row: DoorRow, typed: str) -> Person | None:
    code = "".join(typed.split()).upper()
    if len(code) > limits.CODE_CHARS_MAX or not code.isascii():
        return None
    return await door.of_code(context.engines, row.session_id, code)
