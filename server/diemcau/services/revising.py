"""Applying what came after closing, and finding whom that moves from one figure to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diemcau.domain.attendance import Figures
from diemcau.domain.models import AttendanceStatus
from diemcau.store import absences, corrections, frozen_places, records, revision_changes
from diemcau.store.revision_changes import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diemcau.domain.authority import Actor
    from diemcau.store.engine import Connection
    from diemcau.store.revision_changes import Concerned

GUEST, UNLISTED, NOWHERE = "guest", "unlisted", ""
"""Beside the statuses of the summoned: counted without an invitation, on no list, in no figure."""

IDS_A_QUERY = 500


async def apply(actor: Actor, connection: Connection, session_id: int, revision: int) -> None:
    """Let everything that waits tell with this revision, and keep what that changed, in this transaction."""
    concerned = await revision_changes.concerned(connection, session_id)
    before = await standing(actor, connection, session_id, concerned)
    await connection.run_sync(corrections.apply_held, session_id, revision)
    await connection.run_sync(absences.apply_held, session_id)
    await frozen_places.keep(connection, session_id)
    after = await standing(actor, connection, session_id, concerned)
    await revision_changes.insert(connection, session_id, revision, between(concerned, before, after))


@dataclass(frozen=True, slots=True)
class Standing:
    """How people stand in the figures at one moment: by id, the status of each, and the unit that counts them."""

    people: Mapping[int, tuple[int, str]]
    unlisted: Mapping[int, int]


async def standing(actor: Actor, connection: Connection, session_id: int, concerned: Concerned) -> Standing:
    """How these people stand in the figures of a closed session now."""
    del actor  # who may revise was decided by whoever revises
    people: dict[int, tuple[int, str]] = {}
    ids = sorted(concerned.people)
    for start in range(0, len(ids), IDS_A_QUERY):
        found = await records.people_of(connection, session_id, ids[start : start + IDS_A_QUERY])
        for attendee_id, (unit_id, row) in found.items():
            status = row.status(AttendanceStatus.UNEXCUSED).value if row.invited else GUEST
            people[attendee_id] = unit_id, status
    return Standing(people, await revision_changes.apart(connection, session_id, concerned.unlisted))


def between(concerned: Concerned, before: Standing, after: Standing) -> list[Change]:
    """What became of these people; those who are in no figure before and after are left out."""
    changes: list[Change] = []
    for attendee_id in sorted(concerned.people):
        was, now = before.people.get(attendee_id), after.people.get(attendee_id)
        where = was or now
        if where is not None:
            statuses = (was[1] if was else NOWHERE, now[1] if now else NOWHERE)
            changes.append(Change(attendee_id, None, where[0], *statuses))
    for unlisted_id in sorted(concerned.unlisted):
        first, second = before.unlisted.get(unlisted_id), after.unlisted.get(unlisted_id)
        unit_id = first or second
        if unit_id is not None:
            statuses = (UNLISTED if first else NOWHERE, UNLISTED if second else NOWHERE)
            changes.append(Change(None, unlisted_id, unit_id, *statuses))
    return changes


def figures_of(status: str) -> Figures:
    """What one person of this status adds to the figures."""
    if status == NOWHERE:
        return Figures()
    if status == GUEST:
        return Figures(guests=1)
    if status == UNLISTED:
        return Figures(unlisted=1)
    one = AttendanceStatus(status)
    came = one in {AttendanceStatus.PRESENT, AttendanceStatus.LATE}
    return Figures(
        summoned=1,
        present=int(came),
        late=int(one is AttendanceStatus.LATE),
        substituted=int(one is AttendanceStatus.SUBSTITUTED),
        excused=int(one is AttendanceStatus.EXCUSED),
    )
