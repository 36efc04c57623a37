"""What an organizer set for a session beside what every session has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.store import driver
from diemcau.store.schema import session_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diemcau.store.engine import Connection

ROW = driver.insert_each(session_option, ("session_id",), keep=True)


@dataclass(frozen=True, slots=True)
class OptionsRow:
    """A session's options; the defaults are those of a session for which nobody set any."""

    target_rate: int | None = None
    absence_deadline_ms: int | None = None
    document_number: str = ""
    document_date: str = ""
    place: str = ""


async def get(connection: Connection, session_id: int) -> OptionsRow:
    """What is set for a session."""
    o = session_option.c
    query = sa.select(o.target_rate, o.absence_deadline_ms, o.document_number, o.document_date, o.place)
    row = (await connection.execute(query.where(o.session_id == session_id))).first()
    return OptionsRow(*row) if row else OptionsRow()


def put(connection: sa.Connection, session_id: int, values: Mapping[str, Any]) -> None:
    """Set these columns."""
    with driver.errors(connection):
        ROW.run(connection, [(session_id,)])
    if values:
        mine = session_option.c.session_id == session_id
        connection.execute(sa.update(session_option).where(mine).values(**values))
