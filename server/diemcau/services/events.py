"""Events of the attendance log as the wire shows them to staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau.domain.models import EventKind, Source
from diemcau.services import nonces
from diemcau.wire.check_ins import CheckInView, EventView, PersonView

if TYPE_CHECKING:
    from diemcau.store.events import EventRow, Person


def view(row: EventRow) -> EventView:
    """One event."""
    return EventView(
        nonce=nonces.write(row.nonce),
        kind=EventKind(row.kind),
        source=Source(row.source),
        point=row.point,
        point_name=row.point_name,
        at_ms=row.happened_ms,
        device_ms=row.at_ms,
        server_ms=row.server_ms,
        by=row.by,
        person=person(row.person) if row.person else None,
        stands_for=person(row.stands_for) if row.stands_for else None,
        offset_ms=row.offset_ms,
        offline=row.offline,
        counted=row.counted,
        held=row.held,
        annulled=row.annulled,
        flags=row.flags.split(),
        of_nonce=nonces.write(row.of_nonce) if row.of_nonce else None,
        reason=row.reason,
    )


def person(row: Person) -> PersonView:
    """Somebody with what tells namesakes apart."""
    return PersonView(row.full_name, row.code, row.title, row.unit, row.unit_name)


def check_in(row: EventRow) -> CheckInView:
    """The entry that counts."""
    who = person(row.person) if row.person else None
    return CheckInView(row.point, row.point_name, row.happened_ms, who, row.number)
