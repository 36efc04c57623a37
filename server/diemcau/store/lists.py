"""What lists have in common: search without diacritics, "what comes after" by the last row's keys, taken codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.domain.names import fold
from diemcau.errors import ConflictError

if TYPE_CHECKING:
    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader wants of a list.

    scope: the units whose rows are wanted; `q`: words of a name or the beginning of a code, "" for all.
    after: the ordering keys of the last row of the page before; `rows`: at most so many.
    """

    scope: Scope
    rows: int
    q: str = ""
    after: tuple[str, ...] | None = None


def matches(q: str, name_folded: sa.ColumnElement[str], code: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The condition that a row's name contains `q`, whatever its diacritics, or its code begins with it."""
    typed = q.strip()
    if not typed:
        return sa.true()
    by_code = code.startswith(typed.upper(), autoescape=True)
    folded = fold(typed)
    return sa.or_(by_code, name_folded.contains(folded, autoescape=True)) if folded else by_code


def beyond(after: tuple[str, ...] | None, *keys: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The condition that a row comes after the one with the keys `after`; keys are never empty.

    The first page asks for what comes after nothing: without a lower bound SQLite reads and sorts the whole list.
    """
    begin = after or ("",) * len(keys)
    return sa.tuple_(*keys) > sa.tuple_(*(sa.literal(key, sa.Text()) for key in begin))


async def refuse_taken(connection: Connection, table: sa.Table, code: str) -> None:
    """Nothing when no row of `table` has this code.

    Raises:
        ConflictError: the code is taken; tables bear the names of the dictionary (`what.…`).
    """
    if (await connection.execute(sa.select(1).where(table.c.code == code))).first():
        raise ConflictError(what=str(table.name), key=code)
