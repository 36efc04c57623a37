"""People are found and sorted as DOMAIN.md says, by an index, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sample import Sample

from diemcau import limits
from diemcau.domain import names
from diemcau.domain.authority import Scope
from diemcau.store import name_search, people
from diemcau.store.engine import Connection, Engines
from diemcau.store.lists import Asked
from diemcau.store.schema import attendee
from diemcau.store.writer import Writer

EVERYBODY = Scope(("",))
ODD = (
    "Nguyễn Thị Hồng Đào",
    "Nguye\u0302\u0303n Thi\u0323 Ho\u0302\u0300ng Đa\u0300o",
    "H'Hen Niê",
    "Y Thông Ê-ban",
    "Điểu K'Ré",
    "Lê Hoà",
    "Lê Hòa",
    "Hiền",
    "Trần Đức Hòa",
    "Tôn Nữ Thị Ngọc Bảo Quyên",
    "Hạ Long",
    "Hà Giang",
    "Hà Nam",
)


async def add(writer: Writer, unit_id: int, full_names: tuple[str, ...], prefix: str = "N") -> None:
    """People of these names, in this order."""
    rows = [
        {
            "code": f"{prefix}-{at:05}",
            "full_name": names.tidy(full_name),
            "name_folded": names.fold(full_name),
            "sort_key": names.sort_key(full_name),
            "unit_id": unit_id,
        }
        for at, full_name in enumerate(full_names)
    ]
    await writer.write(lambda connection: connection.execute(sa.insert(attendee), rows))


async def index(writer: Writer, engines: Engines) -> None:
    """What the server does every few seconds."""
    async with engines.read() as connection:
        more = await name_search.waiting(connection)
    while more:
        more = await writer.write(name_search.catch_up)


async def found(engines: Engines, q: str, rows: int = 50) -> list[str]:
    """The names found, in the order of the list."""
    async with engines.read() as connection:
        return [row.full_name for row in await people.listed(connection, Asked(EVERYBODY, rows, q))]


async def plan(connection: Connection, query: Any) -> str:
    """How the database means to answer."""
    text = str(query.compile(connection.engine.sync_engine, compile_kwargs={"literal_binds": True}))
    if connection.dialect.name == "sqlite":
        rows = await connection.exec_driver_sql("EXPLAIN QUERY PLAN " + text)
        return "\n".join(str(tuple(row)[-1]) for row in rows)
    await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # it would read a small table as it lies
    return "\n".join(row[0] for row in await connection.exec_driver_sql("EXPLAIN " + text))


DAO = ["Nguyễn Thị Hồng Đào"] * 3
HOA = ["Lê Hoà", "Lê Hoà", "Lê Hòa", "Trần Đức Hòa"]
FOUND = {
    "nguyen thi hong dao": DAO,
    "  Nguyễn Thị  Hồng Đào ": DAO,
    "NGUYE\u0302\u0303N THI\u0323 HO\u0302\u0300NG ĐA\u0300O": DAO,
    "hong da": DAO,
    "dao": DAO,
    "hoa": HOA,
    "hoà": HOA,
    "hòa": HOA,
    "duc hoa": ["Trần Đức Hòa"],
    "hhen nie": ["H'Hen Niê"] * 2,
    "h’hen": ["H'Hen Niê"] * 2,
    "e-ban": ["Y Thông Ê-ban"] * 2,
    "ban": ["Y Thông Ê-ban"] * 2,
    "kre": ["Điểu K'Ré"] * 2,
    "thi dao": [],
    "dao hong": [],
    "N-00004": ["Điểu K'Ré"],
    "n-0001": ["Hạ Long", "Hà Giang", "Hà Nam"],
    "%": [],
    "_": [],
    '"': [],
    "hong* OR": [],
    "x\\": [],
}
"""What is typed, and who is found among the sample's people and the odd names above."""


@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "just came"])
async def test_search_is_as_people_expect(
    engines: Engines, writer: Writer, conference: Sample, *, indexed: bool
) -> None:
    """Without diacritics, in any Unicode form, by whole words and by beginnings; indexed or not yet the same."""
    await add(writer, conference.units["HN"], ODD)
    if indexed:
        await index(writer, engines)
    for q, expected in FOUND.items():
        assert sorted(await found(engines, q)) == sorted(expected), q


async def test_lists_sort_by_given_name_syllable_by_syllable(
    engines: Engines, writer: Writer, conference: Sample
) -> None:
    """Both databases give the order of Vietnamese lists: no collation of theirs has a say."""
    await add(writer, conference.units["HN-001"], ODD)
    async with engines.read() as connection:
        answer = await people.listed(connection, Asked(Scope((conference.paths["HN-001"],)), 50))
    ordered = [row.full_name for row in answer if row.code.startswith("N-")]
    assert ordered == [
        "Nguyễn Thị Hồng Đào",
        "Nguyễn Thị Hồng Đào",
        "Y Thông Ê-ban",
        "Hà Giang",
        "Hiền",
        "Lê Hoà",
        "Lê Hòa",
        "Trần Đức Hòa",
        "Điểu K'Ré",
        "Hạ Long",
        "Hà Nam",
        "H'Hen Niê",
        "Tôn Nữ Thị Ngọc Bảo Quyên",
    ]


async def test_a_changed_name_is_found_by_the_new_one_only(
    engines: Engines, writer: Writer, conference: Sample
) -> None:
    """Whoever corrected a name must find the person under it at once."""
    await index(writer, engines)
    person = conference.attendees["DB-0001"]
    await writer.write(lambda c: people.update(c, person, {"full_name": "Phan Thị Hạ Vi"}))
    assert await found(engines, "ha vi") == ["Phan Thị Hạ Vi"]
    assert await found(engines, "hong dao") == []
    gone = conference.attendees["DB-0012"]
    await writer.write(lambda c: people.delete(c, gone))
    assert await found(engines, "duc uoc") == []
    await index(writer, engines)
    assert await found(engines, "ha vi") == ["Phan Thị Hạ Vi"]


async def test_more_than_an_index_is_good_for_come_in_the_order_of_the_list(
    engines: Engines, writer: Writer, conference: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commonest family name fills page after page, the same people in the same order."""
    await add(writer, conference.units["HN"], ODD)
    await index(writer, engines)
    few = await found(engines, "thi")
    monkeypatch.setattr(name_search, "FEW", 2)
    assert await found(engines, "thi") == few
    monkeypatch.setattr(limits, "NAMES_FOUND_MAX", 2)
    assert await found(engines, "thi") == few
    assert len(few) > 2


async def test_names_are_found_by_an_index(engines: Engines, writer: Writer, conference: Sample) -> None:
    """Two million people are never read from end to end for one name."""
    await add(writer, conference.units["HN"], tuple(f"Nguyễn Văn Số {at}" for at in range(3000)))
    await index(writer, engines)
    async with engines.read() as connection:
        how = await plan(connection, await name_search._ids(connection, "hong dao"))
        condition = await name_search.found(connection, "hong dao")
        listed = await plan(connection, people.QUERY.where(condition).limit(50))
    if engines.dialect == "sqlite":
        assert "SCAN attendee_name VIRTUAL TABLE INDEX" in how
        assert "SCAN attendee\n" not in how + "\n"
        assert "SEARCH attendee USING INTEGER PRIMARY KEY" in listed
    else:
        assert "Bitmap Index Scan on attendee_name_words" in how
        assert "Seq Scan on attendee" not in how
        assert "pk_attendee" in listed
