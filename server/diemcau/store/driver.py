"""The writer's own statements, straight through the driver: a whole batch in a handful of calls.

Each is written once, with SQLAlchemy Core, and compiled once for each database. SQLite gets it once a row
(`executemany`), PostgreSQL gets one statement with an array a column (`unnest`), which keeps the rows' order.
They run inside whatever transaction the connection is in, on the batches' own thread as well as in a job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from diemcau.store.lookup import POSTGRESQL, SQLITE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.sql.elements import CompilerElement
    from sqlalchemy.types import TypeEngine

Row = tuple[Any, ...]
Values = Mapping[str, sa.ColumnElement[Any]]
SIZES = (1, 4, 16, 64, 256, 1024)
"""How many keys SQLite's statements ask for; fewer are padded, so that each text is compiled once."""


@contextmanager
def errors(connection: sa.Connection) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy does, and drop a connection that is dead."""
    dbapi = connection.dialect.loaded_dbapi
    try:
        yield
    except dbapi.Error as error:
        lost = connection.dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
        told = DBAPIError.instance(
            None, None, error, dbapi.Error, connection_invalidated=lost, dialect=connection.dialect
        )
        if lost:
            connection.invalidate(error)
        raise told from error


@dataclass(frozen=True, slots=True, eq=False)
class Each:
    """A statement for each of many rows of values; `columns` are their names and types, in order."""

    columns: Mapping[str, TypeEngine[Any]]
    build: Callable[[Values], CompilerElement]
    _texts: dict[str, tuple[str, tuple[int, ...], Row]] = field(default_factory=dict)

    def run(self, connection: sa.Connection, rows: Sequence[Row]) -> int:
        """Run it for `rows`, in their order; how many rows of the table were written."""
        if not rows:
            return 0
        postgres = connection.dialect.name == "postgresql"
        text, order, own = self._texts.get(connection.dialect.name) or self._compile(postgres)
        cursor = connection.connection.cursor()
        if postgres:
            columns = [*zip(*rows, strict=True), *own]
            cursor.execute(text, tuple(columns[index] for index in order))
        elif order == tuple(range(len(self.columns))):
            cursor.executemany(text, rows)
        else:
            cursor.executemany(text, [tuple((*row, *own)[index] for index in order) for row in rows])
        written = cursor.rowcount
        cursor.close()
        return written

    def _compile(self, postgres: bool) -> tuple[str, tuple[int, ...], Row]:  # noqa: FBT001 one of two databases
        """The text, which of the row's values it wants in which order, and the statement's own, which count on."""
        if postgres:
            arrays = [sa.bindparam("v_" + n, None, postgresql.ARRAY(kind)) for n, kind in self.columns.items()]
            given = sa.func.unnest(*arrays).table_valued(*(sa.column(n, k) for n, k in self.columns.items()))
            given = given.render_derived()
            statement = self.build({name: given.c[name] for name in self.columns})
        else:
            statement = self.build({n: sa.bindparam("v_" + n, None, kind) for n, kind in self.columns.items()})
        dialect, whole = POSTGRESQL if postgres else SQLITE, {"render_postcompile": True}
        made = statement.compile(dialect=dialect, compile_kwargs=whole)
        wanted = tuple(getattr(made, "positiontup", None) or ())
        names = ["v_" + name for name in self.columns]
        names += [name for name in dict.fromkeys(wanted) if name not in names]
        own = tuple(made.params[name] for name in names[len(self.columns) :])
        known = self._texts[dialect.name] = (str(made), tuple(names.index(name) for name in wanted), own)
        return known


def insert_each(
    table: sa.Table, columns: Sequence[str], *, keep: bool = False, replace: Sequence[str] = (), key: Sequence[str] = ()
) -> Each:
    """Insert many rows. keep: a row whose `key` is there stays as it is (and is locked until the commit).

    replace: these columns of a row that is there are replaced. key: the primary one, unless another is given.
    """
    key = key or [column.name for column in table.primary_key]

    def build(values: Values) -> CompilerElement:
        insert: postgresql.Insert | sqlite.Insert
        if isinstance(next(iter(values.values())), sa.BindParameter):
            lite = sqlite.insert(table).values(dict(values))
            if keep:
                return lite.on_conflict_do_nothing()
            return (
                lite.on_conflict_do_update(index_elements=key, set_={n: lite.excluded[n] for n in replace})
                if replace
                else lite
            )
        insert = postgresql.insert(table).from_select(list(columns), sa.select(*values.values()))
        if keep:
            return insert.on_conflict_do_update(index_elements=key, set_={key[-1]: table.c[key[-1]]}, where=sa.false())
        return (
            insert.on_conflict_do_update(index_elements=key, set_={n: insert.excluded[n] for n in replace})
            if replace
            else insert
        )

    return Each({name: plain(table.c[name]) for name in columns}, build)


def plain(column: sa.Column[Any]) -> TypeEngine[Any]:
    """The column's type for an array of its values: text of any length, so that none is cut off in a cast."""
    return sa.Text() if isinstance(column.type, sa.String) else column.type


@dataclass(frozen=True, slots=True, eq=False)
class Among:
    """A query for the rows whose `key` is among many values; other values are named `sa.bindparam`s."""

    statement: sa.Select[Any]
    key: sa.Column[Any]
    _texts: dict[tuple[str, int], tuple[str, tuple[str, ...], dict[str, Any]]] = field(default_factory=dict)

    def rows(self, connection: sa.Connection, keys: Sequence[Any], **values: object) -> list[Row]:
        """What is found, in the order that the statement says."""
        if not keys:
            return []
        cursor = connection.connection.cursor()
        found: list[Row] = []
        if connection.dialect.name == "postgresql":
            text, names, own = self._texts.get(("postgresql", 0)) or self._compile(0)
            given = {**own, **values, "among": list(keys)}
            cursor.execute(text, tuple(given[name] for name in names))
            found += cursor.fetchall()
        else:
            for start in range(0, len(keys), SIZES[-1]):
                part = keys[start : start + SIZES[-1]]
                size = next(size for size in SIZES if size >= len(part))
                text, names, own = self._texts.get(("sqlite", size)) or self._compile(size)
                among = (*part, *repeat(part[0], size - len(part)))
                given = {**own, **values, **{f"among_{index}": key for index, key in enumerate(among)}}
                cursor.execute(text, [given[name] for name in names])
                found += cursor.fetchall()
        cursor.close()
        return found

    def _compile(self, size: int) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        if size:
            binds = [sa.bindparam(f"among_{index}", type_=self.key.type) for index in range(size)]
            made = self.statement.where(self.key.in_(binds)).compile(dialect=SQLITE)
        else:
            array = sa.bindparam("among", type_=postgresql.ARRAY(plain(self.key)))
            made = self.statement.where(self.key == sa.any_(array)).compile(dialect=POSTGRESQL)
        names = tuple(getattr(made, "positiontup", None) or ())
        known = self._texts["sqlite" if size else "postgresql", size] = (str(made), names, made.params)
        return known
