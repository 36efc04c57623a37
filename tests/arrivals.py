"""People who arrive in tests: check-ins straight through the writer, as the door hands them over."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from sample import listed
from support import NOW_MS

from diemcau.domain.models import Flag, Source
from diemcau.store.check_ins import CheckIn, Outcome

if TYPE_CHECKING:
    from sample import Sample

    from diemcau.store.writer import Writer

NONCES = count(1)


async def arrive(
    writer: Writer,
    conference: Sample,
    person: str,
    hall: str,
    *flags: Flag,
    at_ms: int = NOW_MS,
    session_id: int | None = None,
) -> Outcome:
    """Check `person` in at `hall` (codes); S1 unless another session is named."""
    nonce = next(NONCES).to_bytes(16, "big")
    return await writer.check_in(
        CheckIn(
            session_id=conference.session_id if session_id is None else session_id,
            point_id=conference.points[hall],
            point=hall,
            who=listed(conference, person),
            nonce=nonce,
            fingerprint=nonce,
            source=Source.DOOR,
            server_ms=at_ms,
            at_ms=at_ms,
            happened_ms=at_ms,
            flags=flags,
        )
    )
