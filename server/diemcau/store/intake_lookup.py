"""What the reading of a list looks up: units by name, people by name, numbers that made codes have reached."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.domain.same_person import Person
from diemcau.domain.unit_names import NamedUnit
from diemcau.store.schema import attendee, point, unit

if TYPE_CHECKING:
    from diemcau.store.engine import Connection

NAMES_A_QUERY = 1000


async def named_units(connection: Connection) -> list[NamedUnit]:
    """Every unit, in the order of the tree."""
    query = sa.select(unit.c.id, unit.c.code, unit.c.path, unit.c.name, unit.c.name_folded).order_by(unit.c.path)
    return [NamedUnit(*row) for row in await connection.execute(query)]


async def point_names(connection: Connection) -> list[tuple[str, str]]:
    """Every point's code with its folded name."""
    rows = await connection.execute(sa.select(point.c.code, point.c.name_folded))
    return [(code, folded) for code, folded in rows]


async def namesakes(
    connection: Connection, folded_names: Collection[str]
) -> dict[tuple[str, int], list[tuple[str, Person]]]:
    """Everybody with one of these names, by folded name and unit id: code and what tells them apart."""
    names = list(folded_names)
    found: dict[tuple[str, int], list[tuple[str, Person]]] = {}
    columns = (attendee.c.sort_key, attendee.c.title, attendee.c.phone_digits)
    for start in range(0, len(names), NAMES_A_QUERY):
        query = sa.select(attendee.c.name_folded, attendee.c.unit_id, attendee.c.code, *columns).where(
            attendee.c.name_folded.in_(names[start : start + NAMES_A_QUERY])
        )
        for folded, unit_id, code, *rest in await connection.execute(query):
            found.setdefault((folded, unit_id), []).append((code, Person(folded, *rest)))
    return found


async def highest_number(connection: Connection, prefix: str) -> int:
    """The highest running number among the codes that begin with `prefix`; 0 when there is none."""
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    query = sa.select(attendee.c.code).where(attendee.c.code >= prefix, attendee.c.code < end)
    tails = (code[len(prefix) :] for code in await connection.scalars(query))
    return max((int(tail) for tail in tails if tail.isascii() and tail.isdigit()), default=0)
