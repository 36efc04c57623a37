"""Finding people by words of their names: an index that each database keeps in its own way, never a scan of a nation.

PostgreSQL has an index over an expression and keeps it by itself. SQLite has a full-text table of words; to write it
row by row would make an import of 52,000 people four times as long, a thousand rows at a time costs nothing (0.05 s).
So rows above a watermark are read one by one until `catch_up` took them over; ids only rise. A name that changes is
exchanged by a trigger, and what an entry for somebody removed points to is simply not there any more.

A word is found by its beginning, and words in the order of the name: "hong da" finds Nguyễn Thị Hồng Đào.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import event

from diemcau import limits
from diemcau.domain.names import fold
from diemcau.store.schema import attendee, instance, unit

if TYPE_CHECKING:
    from diemcau.store.engine import Connection

WATERMARK = "names_indexed"
"""In `instance`: the highest id in SQLite's table of words."""

SQLITE_DDL = (
    """CREATE VIRTUAL TABLE attendee_name USING fts5(
        name_folded, content='', detail=none, columnsize=0, tokenize='unicode61 remove_diacritics 0')""",
    "INSERT INTO instance (key, value) VALUES ('names_indexed', '0')",
    """CREATE TRIGGER attendee_renamed AFTER UPDATE OF name_folded ON attendee
        WHEN old.name_folded <> new.name_folded
            AND old.id <= (SELECT CAST(value AS INTEGER) FROM instance WHERE key = 'names_indexed')
        BEGIN
            INSERT INTO attendee_name (attendee_name, rowid, name_folded) VALUES ('delete', old.id, old.name_folded);
            INSERT INTO attendee_name (rowid, name_folded) VALUES (new.id, new.name_folded);
        END""",
)
POSTGRESQL_DDL = (
    "CREATE INDEX attendee_name_words ON attendee USING gin (array_to_tsvector(string_to_array(name_folded, ' ')))",
)
FEW = 500
"""So many are named to the list one by one; for more the index is asked a second time."""

WORDS_MAX = 12
"""Words of a search that the index is asked for; the others are compared all the same."""


@event.listens_for(instance, "after_create")
@event.listens_for(attendee, "after_create")
def _create(_table: sa.Table, connection: sa.Connection, **_: object) -> None:
    """Make the index as soon as both tables are there, which is once for each fresh database."""
    if set(sa.inspect(connection).get_table_names()) >= {attendee.name, instance.name}:
        create(connection)


def create(connection: sa.Connection) -> None:
    """Make the index of a database that has the tables."""
    for statement in SQLITE_DDL if connection.dialect.name == "sqlite" else POSTGRESQL_DDL:
        connection.exec_driver_sql(statement)


async def found(connection: Connection, q: str) -> sa.ColumnElement[bool]:
    """The condition that a person's name has the words of `q`, or their code begins with it; true without any.

    For a query that joins the person's unit and is ordered by its path.

    Few are found by the index, whatever the order of the list. Where many are meant (the commonest family name), the
    list in its own order has a page of them together sooner.
    """
    typed = q.strip()
    if not typed:
        return sa.true()
    ids = await _ids(connection, typed)
    some = sa.select(ids.subquery("named").c.id).limit(limits.NAMES_FOUND_MAX + 1)
    few = list((await connection.scalars(some)).all())
    if len(few) <= min(FEW, limits.NAMES_FOUND_MAX):
        return attendee.c.id.in_(few)
    if len(few) <= limits.NAMES_FOUND_MAX:
        return attendee.c.id.in_(ids)
    # The bound on the path says nothing, but leads SQLite to go from unit to unit, in the order of the list.
    return sa.and_(unit.c.path > "", sa.or_(_by_code(typed), _has_words(fold(typed))))


async def _ids(connection: Connection, typed: str) -> sa.CompoundSelect[int] | sa.Select[int]:
    by_code = sa.select(attendee.c.id).where(_by_code(typed))
    folded = fold(typed)
    if not folded:
        return by_code
    named = sa.select(attendee.c.id).where(_has_words(folded))
    words = folded.split()[:WORDS_MAX]
    if connection.dialect.name == "postgresql":
        return sa.union(by_code, named.where(_tsvector().op("@@")(_tsquery(words))))
    mark = int(await connection.scalar(sa.select(instance.c.value).where(instance.c.key == WATERMARK)) or 0)
    asked = " AND ".join(f'"{word}"' for word in words) + " *"
    indexed = sa.text("SELECT rowid FROM attendee_name WHERE attendee_name MATCH :words").bindparams(words=asked)
    inside = named.where(attendee.c.id.in_(indexed.columns(sa.column("rowid", sa.Integer)).scalar_subquery()))
    return sa.union(by_code, inside, named.where(attendee.c.id > mark))


def _by_code(typed: str) -> sa.ColumnElement[bool]:
    """As a range, which an index answers on both databases."""
    begin = typed.upper()
    return sa.and_(attendee.c.code >= begin, attendee.c.code < begin + "\U0010ffff")


def _has_words(folded: str) -> sa.ColumnElement[bool]:
    """Whether the words stand in the name one after another, the last one perhaps unfinished."""
    return (sa.literal(" ") + attendee.c.name_folded).contains(" " + folded, autoescape=True) if folded else sa.false()


def _tsvector() -> sa.ColumnElement[str]:
    return sa.literal_column("array_to_tsvector(string_to_array(attendee.name_folded, ' '))", sa.Text())


def _tsquery(words: list[str]) -> sa.ColumnElement[str]:
    """Folded words have letters and digits only: nothing in them means anything to PostgreSQL."""
    text = " & ".join(f"'{word}'" for word in words) + ":*"
    return sa.literal_column(f"CAST('{text.replace(chr(39), chr(39) * 2)}' AS tsquery)", sa.Text())


async def waiting(connection: Connection) -> bool:
    """Whether people wait for `catch_up`; never on PostgreSQL."""
    if connection.dialect.name != "sqlite":
        return False
    mark = sa.select(sa.cast(instance.c.value, sa.Integer)).where(instance.c.key == WATERMARK).scalar_subquery()
    return (await connection.execute(sa.select(1).where(attendee.c.id > mark).limit(1))).first() is not None


async def catch_up(connection: Connection) -> bool:
    """Take the next people over into SQLite's table of words; whether more may wait."""
    mark = int(await connection.scalar(sa.select(instance.c.value).where(instance.c.key == WATERMARK)) or 0)
    some = (
        sa.select(attendee.c.id)
        .where(attendee.c.id > mark)
        .order_by(attendee.c.id)
        .limit(limits.NAMES_INDEXED_ROWS)
        .subquery("some")
    )
    last, rows = (await connection.execute(sa.select(sa.func.max(some.c.id), sa.func.count(some.c.id)))).one()
    if not rows:
        return False
    await connection.exec_driver_sql(
        "INSERT INTO attendee_name (rowid, name_folded) "
        "SELECT id, name_folded FROM attendee WHERE id > ? AND id <= ? ORDER BY id",
        (mark, last),
    )
    await connection.execute(sa.update(instance).where(instance.c.key == WATERMARK).values(value=str(last)))
    return bool(rows == limits.NAMES_INDEXED_ROWS)
