"""A hall's list: whom it was summoned for, in the order of the numbers on the printed list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.store.schema import attendee, invitation, session_point

if TYPE_CHECKING:
    from diemcau.store.engine import Connection


async def ensure_numbers(connection: Connection, session_id: int, point_id: int) -> None:
    """Number the hall's people who have no number yet, in the order of the lists, after the highest that is given.

    For a job of the writer. A number, once given, is kept: the list may be printed already. Other servers that
    number the same hall wait here (PostgreSQL; on SQLite there is one writer).
    """
    i = invitation.c
    here = (i.session_id == session_id, i.point_id == point_id)
    hall = sa.select(session_point.c.point_id).where(
        session_point.c.session_id == session_id, session_point.c.point_id == point_id
    )
    await connection.execute(hall.with_for_update())
    highest = (await connection.execute(sa.select(sa.func.max(i.number)).where(*here))).scalar() or 0
    place = sa.func.row_number().over(order_by=(attendee.c.sort_key, attendee.c.id)) + highest
    given = (
        sa.select(i.attendee_id, place.label("number"))
        .join(attendee, attendee.c.id == i.attendee_id)
        .where(*here, i.number.is_(None))
        .subquery()
    )
    await connection.execute(
        sa.update(invitation)
        .where(i.session_id == session_id, i.attendee_id == given.c.attendee_id)
        .values(number=given.c.number)
    )


async def numbered(connection: Connection, session_id: int, point_id: int) -> bool:
    """Whether everybody on the hall's list has a number, so that nothing has to be written."""
    query = (
        sa.select(1)
        .where(invitation.c.session_id == session_id, invitation.c.point_id == point_id, invitation.c.number.is_(None))
        .limit(1)
    )
    return (await connection.execute(query)).first() is None
