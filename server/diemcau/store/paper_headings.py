"""What stands at the top of papers: facts about this instance, and a session's options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.store.schema import instance, session_option
from diemcau.wire.paper_headings import Organization, SessionHeading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diemcau.store.engine import Connection

KEY = "organization."
"""Before the name of each text among the facts about this instance."""


async def organization(connection: Connection) -> Organization:
    """The organization; what was never set is empty."""
    keys = [KEY + name for name in Organization.__struct_fields__]
    rows = await connection.execute(sa.select(instance).where(instance.c.key.in_(keys)))
    return Organization(**{key.removeprefix(KEY): value for key, value in rows})


async def set_organization(connection: Connection, values: Mapping[str, str]) -> None:
    """Set these texts of the organization."""
    for name, value in values.items():
        await connection.execute(sa.delete(instance).where(instance.c.key == KEY + name))
        if value:
            await connection.execute(sa.insert(instance).values(key=KEY + name, value=value))


async def of_session(connection: Connection, session_id: int) -> SessionHeading:
    """A session's own; empty where nobody set anything."""
    columns = [session_option.c[name] for name in SessionHeading.__struct_fields__]
    row = (await connection.execute(sa.select(*columns).where(session_option.c.session_id == session_id))).first()
    return SessionHeading(*row) if row else SessionHeading()


async def set_session(connection: Connection, session_id: int, values: Mapping[str, Any]) -> None:
    """Set these options of a session, in a job of the writer; the others stay."""
    if not values:
        return
    known = sa.select(session_option.c.session_id).where(session_option.c.session_id == session_id)
    if (await connection.execute(known.with_for_update())).first():
        await connection.execute(
            sa.update(session_option).where(session_option.c.session_id == session_id).values(**values)
        )
    else:
        await connection.execute(sa.insert(session_option).values(session_id=session_id, **values))
