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
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
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
    """A statement for each of many rows of values; `columns` are their names and types, in order.

    usual: what a column holds anyway where it is left out; such a column is not sent when all rows have that value.
    SQLite's driver takes a third of a microsecond for a None, a bool or bytes, and next to none for ints, text and
    bytearrays: whoever writes many rows gives it those.
    """

    columns: Mapping[str, TypeEngine[Any]]
    build: Callable[[Values], CompilerElement]
    usual: Mapping[str, object] = field(default_factory=dict)
    _made: dict[tuple[str, tuple[str, ...]], _Made] = field(default_factory=dict)

    def run(self, connection: sa.Connection, rows: Sequence[Row]) -> int:
        """Run it for `rows`, in their order; how many rows of the table were written."""
        if not rows:
            return 0
        given = dict(zip(self.columns, zip(*rows, strict=True), strict=True))
        for name, value in self.usual.items():
            if given[name].count(value) == len(rows):
                del given[name]
        made = self._made.get((connection.dialect.name, tuple(given))) or self._make(connection, tuple(given))
        cursor = connection.connection.cursor()
        if connection.dialect.name == "postgresql":
            cursor.execute(made.text, tuple(given[name] if name in given else made.own[name] for name in made.names))
        else:
            values = (given[name] if name in given else repeat(made.own[name], len(rows)) for name in made.names)
            cursor.executemany(made.text, list(zip(*values, strict=True)))
        written = cursor.rowcount
        cursor.close()
        return written

    def _make(self, connection: sa.Connection, given: tuple[str, ...]) -> _Made:
        kinds = {name: self.columns[name] for name in given}
        dialect = connection.dialect.name
        if dialect == "postgresql":
            arrays = [sa.bindparam(OURS + name, None, postgresql.ARRAY(kind)) for name, kind in kinds.items()]
            rows = sa.func.unnest(*arrays).table_valued(*(sa.column(n, k) for n, k in kinds.items())).render_derived()
            statement = self.build({name: rows.c[name] for name in given})
        else:
            statement = self.build({n: sa.bindparam(OURS + n, None, kind) for n, kind in kinds.items()})
        made = self._made[dialect, given] = _Made.of(statement, dialect)
        return made


OURS = "v_"
"""Before the names of a row's values in a statement: a bare column's name means something else there."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A statement's text, the names of the values it wants, in order, and those that are its own."""

    text: str
    names: tuple[str, ...]
    own: Mapping[str, object]

    @classmethod
    def of(cls, statement: CompilerElement, dialect: str) -> _Made:
        known = POSTGRESQL if dialect == "postgresql" else SQLITE
        made = statement.compile(dialect=known, compile_kwargs={"render_postcompile": True})
        names = tuple(name.removeprefix(OURS) for name in getattr(made, "positiontup", None) or ())
        return cls(str(made), names, made.params)


def insert_each(  # noqa: PLR0913 one statement in all its forms
    table: sa.Table,
    columns: Sequence[str],
    *,
    keep: bool = False,
    replace: Sequence[str] = (),
    key: Sequence[str] = (),
    usual: Mapping[str, object] | None = None,
) -> Each:
    """Insert many rows. keep: a row whose `key` is there stays as it is (and is locked until the commit).

    replace: these columns of a row that is there are replaced. key: the primary one, unless another is given.
    usual: see `Each`; what the table's own defaults are.
    """
    known = list(key or [column.name for column in table.primary_key])

    def build(values: Values) -> CompilerElement:
        insert: postgresql.Insert | sqlite.Insert
        if isinstance(next(iter(values.values())), sa.BindParameter):
            insert = sqlite.insert(table).values(dict(values))
            if keep:
                return insert.on_conflict_do_nothing()
        else:
            insert = postgresql.insert(table).from_select(list(values), sa.select(*values.values()))
            if keep:
                same = {known[-1]: table.c[known[-1]]}
                return insert.on_conflict_do_update(index_elements=known, set_=same, where=sa.false())
        if not replace:
            return insert
        return insert.on_conflict_do_update(index_elements=known, set_={n: insert.excluded[n] for n in replace})

    return Each({name: plain(table.c[name]) for name in columns}, build, usual or {})


def plain(column: sa.Column[Any]) -> TypeEngine[Any]:
    """The column's type for an array of its values: text of any length, so that none is cut off in a cast."""
    return sa.Text() if isinstance(column.type, sa.String) else column.type


@dataclass(frozen=True, slots=True, eq=False)
class Among:
    """A query for the rows whose `key` is among many values; other values are named `sa.bindparam`s."""

    statement: sa.Select[Any]
    key: sa.Column[Any]
    _made: dict[int, _Made] = field(default_factory=dict)

    def rows(self, connection: sa.Connection, keys: Sequence[Any], **values: object) -> list[Row]:
        """What is found, in the order that the statement says."""
        if not keys:
            return []
        cursor = connection.connection.cursor()
        found: list[Row] = []
        if connection.dialect.name == "postgresql":
            made = self._made.get(0) or self._make(0)
            given = {**made.own, **values, AMONG: list(keys)}
            cursor.execute(made.text, tuple(given[name] for name in made.names))
            found += cursor.fetchall()
        else:
            for start in range(0, len(keys), SIZES[-1]):
                part = keys[start : start + SIZES[-1]]
                size = next(size for size in SIZES if size >= len(part))
                made = self._made.get(size) or self._make(size)
                given = {**made.own, **values}
                first = made.names.index(AMONG)
                bound = [given[name] for name in made.names if name != AMONG]
                bound[first:first] = (*part, *repeat(part[0], size - len(part)))
                cursor.execute(made.text, bound)
                found += cursor.fetchall()
        cursor.close()
        return found

    def _make(self, size: int) -> _Made:
        """The statement for so many keys; 0: for an array of them."""
        if size:
            binds = [sa.bindparam(f"{AMONG}_{index}", type_=self.key.type) for index in range(size)]
            made = _Made.of(self.statement.where(self.key.in_(binds)), "sqlite")
            names = tuple(AMONG if name.startswith(AMONG) else name for name in made.names)
            made = _Made(made.text, names, made.own)
        else:
            array = sa.bindparam(AMONG, type_=postgresql.ARRAY(plain(self.key)))
            made = _Made.of(self.statement.where(self.key == sa.any_(array)), "postgresql")
        self._made[size] = made
        return made


AMONG = "among"
"""The name of the keys in a statement."""
