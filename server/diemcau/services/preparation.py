"""Preparation of a session: how far each unit is, whom to telephone about what is missing, who answers for a unit."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from diemcau import i18n, limits
from diemcau.domain.attendance import parent_of
from diemcau.domain.authority import Action, Actor, require
from diemcau.domain.names import tidy
from diemcau.domain.preparation import Missing, Own, Progress, owing, roll_up
from diemcau.errors import ForbiddenError
from diemcau.reports.as_csv import kept
from diemcau.services import lists
from diemcau.services.sessions import visible, writable
from diemcau.store import preparation, units
from diemcau.wire import preparation as wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diemcau.i18n import Language
    from diemcau.services.context import Context
    from diemcau.store.engine import Connection
    from diemcau.store.units import UnitRow


@dataclass(frozen=True, slots=True)
class _Standing:
    """What was read: own shares and rolled-up progress by path, the units in sight, the unit asked for."""

    session: str
    own: Mapping[str, Own]
    rolled: Mapping[str, Progress]
    by_path: Mapping[str, UnitRow]
    base: str


# --- reading -----------------------------------------------------------------------------------------------
class Wanted(msgspec.Struct, frozen=True):
    """What a reader asked for: of which unit (null: all of theirs), only who owes any of `missing`, which page."""

    unit: str | None = None
    missing: tuple[Missing, ...] = ()
    after: str = ""
    limit: int = limits.PAGE_ROWS_MAX


async def page(actor: Actor, context: Context, session: str, wanted: Wanted) -> wire.PreparationPage:
    """The units directly below the one asked for, each with all below it; with `missing` every unit that owes of it.

    Without a unit: below the lowest one that has all the reader's units that take part.

    Raises:
        NotFoundError: no such session or unit.
        ForbiddenError: the unit is outside the actor's scope.
        MalformedError: `after` did not come from a page of this list.
    """
    after = lists.read_mark(wanted.after, keys=1)
    found = await _read(actor, context, session, wanted.unit)
    if wanted.missing:
        paths = owing(found.own, wanted.missing)
        rows = [(path, Progress.of(found.own[path])) for path in paths]
    else:
        rows = _level(found)
    rest = [row for row in rows if not after or row[0] > after[0]]
    items = [_row(found, path, progress, alone=bool(wanted.missing)) for path, progress in rest[: wanted.limit]]
    following = lists.mark(rest[wanted.limit - 1][0]) if len(rest) > wanted.limit else None
    total = _row(found, found.base, found.rolled.get(found.base, Progress()), alone=False)
    return wire.PreparationPage(total, items, _way(found), following)


async def reminders(actor: Actor, context: Context, session: str, wanted: Wanted, language: Language) -> bytes:
    """Whom to telephone, as CSV for a spreadsheet: unit, contact, telephone, what is missing. UTF-8 with its mark.

    Raises:
        NotFoundError: no such session or unit.
        ForbiddenError: the unit is outside the actor's scope.
    """
    found = await _read(actor, context, session, wanted.unit)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    heads = ("unit", "name", "contact", "phone", "missing")
    writer.writerow([i18n.text(language, f"prepare.column.{name}") for name in heads])
    for path in owing(found.own, wanted.missing or tuple(Missing)):
        own, row = found.own[path], found.by_path[path]
        owed = ", ".join(i18n.text(language, f"prepare.missing.{what}") for what in own.missing)
        cells = (row.code, row.name, own.contact_name, own.contact_phone, owed)
        writer.writerow([kept(cell) for cell in cells])
    return text.getvalue().encode("utf-8-sig")


async def _read(actor: Actor, context: Context, session: str, unit: str | None) -> _Standing:
    async with context.read() as connection:
        row = await visible(actor, connection, session)
        scope = require(actor, Action.PEOPLE_READ).narrowed(row.unit_path)
        asked = await units.get(connection, unit) if unit is not None else None
        if asked is not None:
            scope = scope.narrowed(asked.path)
            if not scope.paths:
                raise ForbiddenError
        own = await preparation.taking_part(connection, row, scope, context.clock.now_ms())
        by_path = {found.path: found for found in await units.all_of(connection, scope)}
    base = asked.path if asked else _common(own)
    return _Standing(row.code, own, roll_up(own), by_path, base)


def _common(own: Mapping[str, Own]) -> str:
    """The lowest unit that has all of these at or below it; "" when there is none."""
    low, high = min(own, default=""), max(own, default="")
    while not high.startswith(low):
        low = parent_of(low)
    return low


def _level(found: _Standing) -> list[tuple[str, Progress]]:
    """The unit's own share, and each unit below it with all of its own: together they are the total."""
    rows = [(found.base, Progress.of(found.own[found.base]))] if found.base in found.own else []
    children = [path for path in found.rolled if path and parent_of(path) == found.base]
    return rows + [(path, found.rolled[path]) for path in sorted(children)]


def _way(found: _Standing) -> list[tuple[str, str]]:
    way: list[tuple[str, str]] = []
    path = found.base
    while path:
        if path in found.by_path:
            way.insert(0, (found.by_path[path].code, found.by_path[path].name))
        path = parent_of(path)
    return way


def _row(found: _Standing, path: str, progress: Progress, *, alone: bool) -> wire.PreparationRow:
    row, own = found.by_path.get(path), found.own.get(path)
    return wire.PreparationRow(
        unit=row.code if row else "",
        name=row.name if row else "",
        level=row.level if row else "",
        units=progress.units,
        ready=progress.ready,
        lists=progress.lists,
        contacts=progress.contacts,
        people=progress.people,
        summoned=progress.summoned,
        points=progress.points,
        paired=progress.paired,
        rehearsed=progress.rehearsed,
        list_ms=progress.list_ms,
        missing=list(own.missing) if own else [],
        contact_name=own.contact_name if own else "",
        contact_phone=own.contact_phone if own else "",
        takes_part=own is not None,
        below=not alone and path != found.base and progress.units > (own is not None),
    )


# --- what is said by hand ----------------------------------------------------------------------------------
async def contact(actor: Actor, context: Context, code: str) -> wire.UnitContact:
    """Who answers for a unit's list.

    Raises:
        NotFoundError: no such unit.
        ForbiddenError: it is outside the actor's scope.
    """
    require(actor, Action.PEOPLE_READ)
    async with context.read() as connection:
        unit = await lists.unit_for(actor, Action.PEOPLE_READ, connection, code)
        found = await preparation.contact(connection, unit.unit_id)
    return wire.UnitContact(found.name, found.phone, found.note)


async def name_contact(actor: Actor, context: Context, code: str, body: wire.UnitContact) -> wire.UnitContact:
    """Say who answers for a unit's list; the unit's own clerk may.

    Raises:
        NotFoundError: no such unit.
        ForbiddenError: it is outside the actor's scope.
    """
    require(actor, Action.PEOPLE_WRITE)
    named = preparation.ContactRow(tidy(body.name), tidy(body.phone), tidy(body.note))

    async def work(connection: Connection) -> None:
        unit = await lists.unit_for(actor, Action.PEOPLE_WRITE, connection, code)
        await preparation.name_contact(connection, unit.unit_id, named)

    await context.writer.write(work)
    return wire.UnitContact(named.name, named.phone, named.note)


async def tick(actor: Actor, context: Context, session: str, body: wire.RehearsalTick) -> wire.Ticked:
    """Say that the halls of a unit and below have rehearsed, where the server did not see it itself.

    Raises:
        NotFoundError: no such session or unit.
        ForbiddenError: the session is not the actor's to organize, or the unit outside their scope.
        SessionClosedError: the figures are frozen.
    """
    require(actor, Action.SESSIONS_WRITE)
    at_ms = context.clock.now_ms() if body.rehearsed else None

    async def work(connection: Connection) -> int:
        row = await writable(actor, connection, session)
        unit = await lists.unit_for(actor, Action.SESSIONS_WRITE, connection, body.unit)
        scope = require(actor, Action.SESSIONS_WRITE).narrowed(unit.path)
        return await preparation.tick_rehearsed(connection, row.session_id, scope, at_ms)

    return wire.Ticked(await context.writer.write(work))
