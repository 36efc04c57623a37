"""A database full of made-up people, halls and devices, and the requests they will send.

Written straight into the tables before any server runs: two million people are there in a minute or two, and the
benchmark measures check-ins, not imports.
"""

from __future__ import annotations

import functools
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from diemcau.bench.load import post
from diemcau.domain import names
from diemcau.services.context import token_hash
from diemcau.services.identities import DEVICE_PREFIX
from diemcau.store import bulk, migrate, schema
from diemcau.store.engine import Engines
from diemcau.store.units import path_step

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE_PER_HALL = 100
HALLS_PER_UNIT = 100
CHUNK_ROWS = 50_000
FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương")
MIDDLE = ("Thị", "Văn", "Thị Hồng", "Đức", "Minh", "Thanh", "Quang", "Thị Thu", "Ngọc", "Hữu", "Xuân", "Thị Kim")
GIVEN = (
    "Anh",
    "Bình",
    "Chi",
    "Dũng",
    "Đào",
    "Hà",
    "Hạnh",
    "Hiền",
    "Hoa",
    "Hùng",
    "Lan",
    "Linh",
    "Mai",
    "Nam",
    "Phương",
)
Filling = tuple[Any, tuple[str, ...], "Iterator[tuple[Any, ...]]"]
"""A table of `store.schema`, the columns that are filled, and the rows."""

DOOR_KEY = hashlib.sha256(b"a door of the benchmark").digest()
"""Nobody scans these doors; the server of a benchmark listens on loopback only and lives for minutes."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """`people` in halls of a hundred, all summoned to each of `sessions` (codes B1, B2, …), which are live now."""

    folder: Path
    people: int
    sessions: int
    elsewhere: str | None = None
    """Another database than the embedded one in `folder`."""

    @property
    def database(self) -> str:
        """Its URL."""
        return self.elsewhere or f"sqlite:///{self.folder}/diemcau.db"

    @property
    def halls(self) -> int:
        """How many halls there are."""
        return -(-self.people // PEOPLE_PER_HALL)

    def request(self, session: int, person: int, count: int = 1) -> bytes:
        """The check-in of a person in their own hall, by that hall's device; of `count` people from there on."""
        hall = person // PEOPLE_PER_HALL
        now_ms = _now_ms()
        items = [
            {
                "nonce": nonce(now_ms),
                "point": f"P{hall}",
                "who": {"type": "attendee", "code": f"A{number}"},
                "at_ms": now_ms,
            }
            for number in range(person, person + count)
        ]
        body = msgspec.json.encode({"device_ms": now_ms, "items": items})
        return post(f"/api/v1/sessions/B{session}/check-ins", body, token_of(hall))

    async def fill(self, now_ms: int) -> None:
        """Make the database."""
        engines = Engines(self.database)
        try:
            await migrate.prepare(engines)
            for filling in self._tables(now_ms):
                await _insert(engines, filling)
        finally:
            await engines.close()

    def _tables(self, now_ms: int) -> Iterator[Filling]:
        units = -(-self.halls // HALLS_PER_UNIT)
        top = path_step(1)
        yield schema.unit, ("id", "code", "name", "name_folded", "path"), iter([(1, "TOP", "Top", "top", top)])
        yield (
            schema.unit,
            ("id", "code", "name", "name_folded", "parent_id", "path"),
            ((n, f"U{n}", f"Xã {n}", f"xa {n}", 1, top + path_step(n)) for n in range(2, units + 2)),
        )
        yield (
            schema.point,
            ("id", "code", "name", "name_folded", "unit_id"),
            (
                (h + 1, f"P{h}", f"Hội trường {h}", f"hoi truong {h}", h // HALLS_PER_UNIT + 2)
                for h in range(self.halls)
            ),
        )
        yield (
            schema.device,
            ("id", "point_id", "kind", "name", "token_hash", "paired_ms"),
            ((h + 1, h + 1, "operator", "laptop", token_hash(token_of(h)), now_ms) for h in range(self.halls)),
        )
        columns = ("id", "code", "full_name", "name_folded", "sort_key", "unit_id", "point_id", "phone", "phone_digits")
        yield schema.attendee, columns, (_person(n) for n in range(self.people))
        for session in range(1, self.sessions + 1):
            yield from self._session(session, now_ms)

    def _session(self, session: int, now_ms: int) -> Iterator[Filling]:
        hour = 3_600_000
        yield (
            schema.session,
            ("id", "code", "title", "starts_ms", "ends_ms", "state", "state_ms"),
            iter([(session, f"B{session}", f"Buổi {session}", now_ms + hour, now_ms + 4 * hour, "live", now_ms)]),
        )
        yield (
            schema.session_point,
            ("session_id", "point_id", "door_id", "door_key", "invited", "link_since_ms"),
            (
                (session, h + 1, session * self.halls + h + 1, DOOR_KEY, PEOPLE_PER_HALL, now_ms)
                for h in range(self.halls)
            ),
        )
        yield (
            schema.invitation,
            ("session_id", "attendee_id", "point_id", "name_folded"),
            ((session, n + 1, n // PEOPLE_PER_HALL + 1, _folded(name_of(n))) for n in range(self.people)),
        )


def name_of(number: int) -> str:
    """A name; a few people share one, as they do."""
    given, rest = number % len(GIVEN), number // len(GIVEN)
    middle, rest = rest % len(MIDDLE), rest // len(MIDDLE)
    return f"{FAMILY[rest % len(FAMILY)]} {MIDDLE[middle]} {GIVEN[given]}"


def token_of(hall: int) -> str:
    """The token of a hall's device."""
    return f"{DEVICE_PREFIX}bench-{hall}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def nonce(now_ms: int) -> str:
    """A UUIDv7 of now."""
    raw = bytearray(now_ms.to_bytes(6, "big") + os.urandom(10))
    raw[6] = raw[6] & 0x0F | 0x70
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_folded = functools.cache(names.fold)
_sorted = functools.cache(names.sort_key)


def _person(number: int) -> tuple[Any, ...]:
    name = name_of(number)
    hall = number // PEOPLE_PER_HALL
    phone = f"09{number:08d}"
    return (
        number + 1,
        f"A{number}",
        name,
        _folded(name),
        _sorted(name),
        hall // HALLS_PER_UNIT + 2,
        hall + 1,
        phone,
        phone,
    )


async def _insert(engines: Engines, filling: Filling) -> None:
    table, columns, rows = filling
    chunk: list[tuple[Any, ...]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK_ROWS:
            await _write(engines, table, columns, chunk)
            chunk = []
    if chunk:
        await _write(engines, table, columns, chunk)


async def _write(engines: Engines, table: Any, columns: tuple[str, ...], chunk: list[tuple[Any, ...]]) -> None:  # noqa: ANN401 see Filling
    async with engines.writing.begin() as connection:
        await bulk.insert(connection, table, columns, chunk)
