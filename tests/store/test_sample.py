"""The conference other tests stand on."""

from __future__ import annotations

import sqlalchemy as sa
from sample import NOT_INVITED, PEOPLE, fill

from diemcau.store.engine import Engines
from diemcau.store.schema import invitation, session_point


async def test_sample_is_consistent(engines: Engines) -> None:
    """A sample whose counters lie would make every figure test meaningless."""
    sample = await fill(engines)
    async with engines.read() as connection:
        invited = (await connection.execute(sa.select(sa.func.sum(session_point.c.invited)))).scalar_one()
        rows = (await connection.execute(sa.select(invitation.c.attendee_id))).scalars().all()
    assert invited == len(rows) == len(PEOPLE) - 1
    assert sample.attendees[NOT_INVITED] not in rows
