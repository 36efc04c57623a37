"""Many rows at once, in one transaction, the quickest way each database knows.

SQLite runs one prepared statement over tuples; PostgreSQL takes whole columns as arrays (`unnest`). Rows go in chunks,
so that the event loop breathes between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from diemcau import limits

if TYPE_CHECKING:
    from diemcau.store.engine import Connection

WAS = "was_"
"""Before the name of a key's value, which may also be a column that changes."""

Values = Sequence[tuple[Any, ...]]


class StaleError(Exception):
    """The database changed since the rows were made ready; nothing may be kept. The caller makes them ready anew."""


async def insert(connection: Connection, table: sa.Table, columns: Sequence[str], rows: Values) -> None:
    """Insert `rows`, tuples in the order of `columns`; ids follow the order of the rows.

    Raises:
        StaleError: a key is taken, or something referred to is gone.
    """
    if connection.dialect.name == "postgresql":
        incoming = _incoming(table, columns)
        statement = sa.insert(table).from_select(list(columns), sa.select(incoming))
        for chunk in _chunks(rows):
            await _execute(connection, statement, _arrays(columns, chunk))
        return
    text = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({_marks(columns)})"  # noqa: S608 our own names
    for chunk in _chunks(rows):
        await _execute_many(connection, text, chunk)


async def update(
    connection: Connection, table: sa.Table, keys: Sequence[str], columns: Sequence[str], rows: Values
) -> int:
    """Set `columns` of the rows whose `keys` are as given; tuples hold the new values, then those of the keys.

    A column may be both: then it changes only where it still is what it was. Returns how many rows changed.

    Raises:
        StaleError: something referred to is gone.
    """
    changed = 0
    if connection.dialect.name == "postgresql":
        names = [*columns, *(WAS + name for name in keys)]
        incoming = _incoming(table, names)
        statement = (
            sa.update(table)
            .values({name: incoming.c[name] for name in columns})
            .where(*(table.c[name] == incoming.c[WAS + name] for name in keys))
        )
        for chunk in _chunks(rows):
            changed += await _execute(connection, statement, _arrays(names, chunk))
        return changed
    settings = ", ".join(f"{name} = ?" for name in columns)
    where = " AND ".join(f"{name} = ?" for name in keys)
    text = f"UPDATE {table.name} SET {settings} WHERE {where}"  # noqa: S608 our own names
    for chunk in _chunks(rows):
        changed += await _execute_many(connection, text, chunk)
    return changed


def _incoming(table: sa.Table, columns: Sequence[str]) -> sa.TableValuedAlias:
    """Arrays, one a column, as a table named `incoming`; collations stay with the stored columns."""
    types = {name: _plain(table.c[name.removeprefix(WAS)]) for name in columns}
    arrays = [sa.bindparam(name, type_=ARRAY(kind)) for name, kind in types.items()]
    named = [sa.column(name, kind) for name, kind in types.items()]
    return sa.func.unnest(*arrays).table_valued(*named, name="incoming").render_derived()


def _plain(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    if isinstance(column.type, sa.BigInteger):
        return sa.BigInteger()
    if isinstance(column.type, sa.LargeBinary):
        return sa.LargeBinary()
    return sa.Integer() if isinstance(column.type, sa.Integer) else sa.Text()


def _arrays(columns: Sequence[str], rows: Values) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in zip(columns, zip(*rows, strict=True), strict=True)}


def _marks(columns: Sequence[str]) -> str:
    return ", ".join("?" for _ in columns)


def _chunks(rows: Values) -> Iterator[Values]:
    for start in range(0, len(rows), limits.IMPORT_CHUNK_ROWS):
        yield rows[start : start + limits.IMPORT_CHUNK_ROWS]


async def _execute(connection: Connection, statement: sa.Executable, values: dict[str, Any]) -> int:
    try:
        return cast("sa.CursorResult[Any]", await connection.execute(statement, values)).rowcount
    except IntegrityError as error:
        raise StaleError from error


async def _execute_many(connection: Connection, text: str, rows: Values) -> int:
    try:
        return (await connection.exec_driver_sql(text, list(rows))).rowcount
    except IntegrityError as error:
        raise StaleError from error
