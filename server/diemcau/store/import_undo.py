"""Taking an import back, a page of its journal at a time: the values before return, and what it added goes.

Only what still is as the import left it; whatever changed since, or is referred to by now, stays and is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from diemcau.store import bulk, import_removals, import_runs, imports
from diemcau.store.import_removals import TABLES
from diemcau.store.schema import badge, invitation, session, session_point
from diemcau.store.session_points import recount_invited

if TYPE_CHECKING:
    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection
    from diemcau.store.import_runs import Noted, Run


Reason = Literal["changed", "in_use", "taken", "gone", "forbidden"]


@dataclass(frozen=True, slots=True)
class Places:
    """Where a row may return to: units' paths by id, the points there are, and the units that the actor may change."""

    units: Mapping[int, str]
    points: frozenset[int]
    scope: Scope


@dataclass(slots=True)
class Page:
    """What became of a page. lowest: number of its last row; None when the journal has no more.

    done: how many rows are as before. `kept`: code and reason of the rows that stay; `open`: their numbers.
    """

    lowest: int | None = None
    done: int = 0
    kept: list[tuple[str, Reason]] = field(default_factory=list)
    open: set[int] = field(default_factory=set)
    sessions: set[int] = field(default_factory=set)

    def keep(self, row: Noted, reason: Reason) -> None:
        """Leave a row as it is."""
        self.kept.append((row.code, reason))
        self.open.add(row.number)


async def places(connection: Connection, scope: Scope) -> Places:
    """The units and points there are now."""
    units = dict((await imports.unit_places(connection)).values())
    return Places(units, frozenset((await imports.point_ids(connection)).values()), scope)


async def take_back(connection: Connection, run: Run, below: int, limit: int, where: Places) -> Page:
    """Undo the next rows of the journal below number `below`, the last first.

    Raises:
        StaleError: someone wrote the same rows meanwhile; nothing of this page is kept.
    """
    rows = await import_runs.noted(connection, run.run_id, below, limit)
    page = Page(rows[-1].number if rows else None)
    if not rows:
        return page
    table = TABLES[run.what]
    found = await connection.execute(sa.select(table).where(table.c.code.in_([row.code for row in rows])))
    now: dict[str, dict[str, Any]] = {row["code"]: dict(row) for row in found.mappings()}
    fit = [row for row in rows if _fits(row, now.get(row.code), where, page)]
    await _remove(connection, run.what, [row for row in fit if row.change == "added"], now, page)
    await _restore(connection, table, [row for row in fit if row.change == "changed"], now, page)
    await _bring_back(connection, table, [row for row in fit if row.change == "removed"], page)
    await import_runs.strike(connection, run.run_id, {row.number for row in rows} - page.open)
    for session_id in page.sessions:
        await recount_invited(connection, session_id)
    return page


def _fits(row: Noted, now: Mapping[str, Any] | None, where: Places, page: Page) -> bool:
    """Whether a row can return; else it is noted why it stays, or that there is nothing left to undo."""
    if row.change == "added" and now is None:
        page.done += 1
        return False
    reason = _hindrance(row, now, where)
    if reason:
        page.keep(row, reason)
    return not reason


def _hindrance(row: Noted, now: Mapping[str, Any] | None, where: Places) -> Reason | None:
    if row.change == "removed" and now is not None:
        return "taken"
    if row.change == "changed" and now is None:
        return "gone"
    if now is not None and any(now[name] != value for name, value in row.after.items()):
        return "changed"
    before = row.before.values if row.before else {}
    for unit_id in {values["unit_id"] for values in (before, now or {}) if "unit_id" in values}:
        if unit_id not in where.units:
            return "gone"
        if not where.scope.covers(where.units[unit_id]):
            return "forbidden"
    return "gone" if before.get("point_id") is not None and before["point_id"] not in where.points else None


async def _remove(
    connection: Connection, what: str, rows: Sequence[Noted], now: Mapping[str, Mapping[str, Any]], page: Page
) -> None:
    if not rows:
        return
    removal = await import_removals.remove(connection, what, [now[row.code]["id"] for row in rows], drafts_hold=True)
    held = set(removal.held)
    for row in rows:
        if row.code in held:
            page.keep(row, "in_use")
        else:
            page.done += 1


async def _restore(
    connection: Connection, table: sa.Table, rows: Sequence[Noted], now: Mapping[str, Mapping[str, Any]], page: Page
) -> None:
    if not rows:
        return
    columns = sorted(row_before(rows[0]))
    ids = {row.code: now[row.code]["id"] for row in rows}
    changes = [(*(row_before(row)[name] for name in columns), ids[row.code]) for row in rows]
    await bulk.update(connection, table, ["id"], columns, changes)
    if "name_folded" in columns and table is TABLES["attendees"]:
        renamed = [
            (row_before(row)["name_folded"], ids[row.code])
            for row in rows
            if row_before(row)["name_folded"] != row.after["name_folded"]
        ]
        await bulk.update(connection, invitation, ["attendee_id"], ["name_folded"], renamed)
    page.done += len(rows)
    await _seat_again(connection, ((ids[row.code], row) for row in rows), page)


def row_before(row: Noted) -> dict[str, Any]:
    """The values that were there; none for a row that was added."""
    return row.before.values if row.before else {}


async def _seat_again(connection: Connection, people: Iterable[tuple[int, Noted]], page: Page) -> None:
    """Invitations that moved along with a home point return, where their session still is a draft."""
    moved = [
        (session_id, person, point_id, number, row.after.get("point_id"))
        for person, row in people
        for session_id, point_id, number in (row.before.invitations if row.before else ())
    ]
    if not moved:
        return
    drafts, halls = await _drafts(connection, {one[0] for one in moved})
    changes = [
        (point_id, number, session_id, person, new)
        for session_id, person, point_id, number, new in moved
        if session_id in drafts and (point_id is None or (session_id, point_id) in halls)
    ]
    keys = ["session_id", "attendee_id", "point_id"]
    await bulk.update(connection, invitation, keys, ["point_id", "number"], changes)
    page.sessions.update(change[2] for change in changes)


async def _bring_back(connection: Connection, table: sa.Table, rows: Sequence[Noted], page: Page) -> None:
    if not rows:
        return
    columns = sorted(row_before(rows[0]))
    await bulk.insert(connection, table, columns, [tuple(row_before(row)[name] for name in columns) for row in rows])
    page.done += len(rows)
    owners = [(row_before(row)["id"], row.before) for row in rows if row.before]
    badges = [(owner, *one) for owner, before in owners for one in before.badges]
    await bulk.insert(connection, badge, ["attendee_id", "issue", "token_hash", "made_ms", "revoked_ms"], badges)
    invited = [(owner, before.values["name_folded"], *one) for owner, before in owners for one in before.invitations]
    if not invited:
        return
    drafts, halls = await _drafts(connection, {one[2] for one in invited})
    seats = [
        (session_id, owner, folded, *((point_id, number) if (session_id, point_id) in halls else (None, None)))
        for owner, folded, session_id, point_id, number in invited
        if session_id in drafts
    ]
    columns = ["session_id", "attendee_id", "name_folded", "point_id", "number"]
    await bulk.insert(connection, invitation, columns, seats)
    page.sessions.update(seat[0] for seat in seats)


async def _drafts(connection: Connection, session_ids: Iterable[int]) -> tuple[set[int], set[tuple[int, int]]]:
    """Those of the sessions that are drafts, and the halls of them all."""
    wanted = list(session_ids)
    drafts = sa.select(session.c.id).where(session.c.id.in_(wanted), session.c.state == "draft")
    pairs = sa.select(session_point.c.session_id, session_point.c.point_id).where(
        session_point.c.session_id.in_(wanted)
    )
    halls = {(row[0], row[1]) for row in await connection.execute(pairs)}
    return set((await connection.execute(drafts)).scalars()), halls
