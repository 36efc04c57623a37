"""A small conference as it stands when the doors open; written straight through the tables, on both databases."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from support import NOW_MS

from diemcau.domain import names
from diemcau.domain.models import Flag, Source
from diemcau.store import units
from diemcau.store.check_ins import CheckIn, Listed
from diemcau.store.schema import (
    attendance,
    attendance_event,
    attendee,
    invitation,
    point,
    session,
    session_point,
)

if TYPE_CHECKING:
    from diemcau.store.engine import Connection, Engines

SESSION = "S1"
STARTS_MS = NOW_MS + 1_800_000
"""Half an hour from now: whoever comes at once is not late."""

ENDS_MS = STARTS_MS + 3 * 3_600_000

UNITS = (
    ("HN", "Thành phố Hà Nội", None, "thành phố"),
    ("HN-001", "Quận Ba Đình", "HN", "quận"),
    ("HN-002", "Quận Hoàn Kiếm", "HN", "quận"),
    ("HN-002-01", "Phường Hàng Bạc", "HN-002", "phường"),
)
POINTS = (
    ("HN-0001", "Hội trường Thành ủy", "HN", "center"),
    ("HN-0002", "Hội trường Quận ủy Ba Đình", "HN-001", "online"),
    ("HN-0003", "Hội trường Quận ủy Hoàn Kiếm", "HN-002", "online"),
    ("HN-0004", "Nhà văn hóa phường Hàng Bạc", "HN-002-01", "online"),
)
"""Their door ids are 1 to 4, in this order."""

PEOPLE = (
    ("DB-0001", "Nguyễn Thị Hồng Đào", "Bí thư", "HN", "HN-0001", "0912345678"),
    ("DB-0002", "Trần Văn Ánh", "Phó Bí thư", "HN", "HN-0001", "0987000111"),
    ("DB-0003", "Nguyễn Thị Hiền", "Chủ tịch", "HN-001", "HN-0002", "0900000003"),
    ("DB-0004", "Nguyễn Thị Hiền", "Ủy viên", "HN-001", "HN-0002", "0900000004"),
    ("DB-0005", "H'Hen Niê", "Ủy viên", "HN-001", "HN-0002", ""),
    ("DB-0006", "Lê Hoà", "Chánh Văn phòng", "HN-001", "HN-0002", "02438250000"),
    ("DB-0007", "Y Thông Ê-ban", "Ủy viên", "HN-002", "HN-0003", "0900000007"),
    ("DB-0008", "Điểu K'Ré", "Ủy viên", "HN-002", "HN-0003", "0900000008"),
    ("DB-0009", "Hiền", "Khách mời", "HN-002", "HN-0003", ""),
    ("DB-0010", "Phạm Thị Ngọc Ánh", "Ủy viên", "HN-002", "HN-0003", "0900000010"),
    ("DB-0011", "Tôn Nữ Thị Ngọc Bảo Quyên", "Bí thư chi bộ", "HN-002-01", "HN-0004", "0900000011"),
    ("DB-0012", "Đỗ Đức Ước", "Tổ trưởng", "HN-002-01", "HN-0004", "0900000012"),
)
NOT_INVITED = "DB-0012"
"""On the list of people, with a home point, but without an invitation to the session."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Internal ids by code; `session_id` is S1's, state `open`."""

    session_id: int
    units: dict[str, int]
    paths: dict[str, str]
    points: dict[str, int]
    attendees: dict[str, int]
    door_ids: dict[str, int]
    door_keys: dict[str, bytes]


async def fill(engines: Engines) -> Sample:
    """Insert the conference: 4 units, 4 points, 12 people, the open session S1, 11 invitations."""
    # The writer of a running server holds its only writing connection; a reading one may write just as well.
    async with engines.readers.connect() as raw:
        connection = await raw.execution_options(writing=True)
        async with connection.begin():
            rows = await _units(connection)
            ids = {code: row.unit_id for code, row in rows.items()}
            points = await _points(connection, ids)
            people = await _people(connection, ids, points)
            session_id = await _session(connection)
            await _invite(connection, session_id, points, people)
            keys = await _doors(connection, session_id, points)
    door_ids = {code: number for number, (code, *_) in enumerate(POINTS, 1)}
    return Sample(session_id, ids, {code: row.path for code, row in rows.items()}, points, people, door_ids, keys)


async def _units(connection: Connection) -> dict[str, units.UnitRow]:
    rows: dict[str, units.UnitRow] = {}
    for code, name, parent, level in UNITS:
        rows[code] = await units.insert(connection, code, name, rows[parent] if parent else None, level)
    return rows


async def _points(connection: Connection, ids: dict[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for code, name, unit, mode in POINTS:
        added = sa.insert(point).values(
            code=code,
            name=name,
            name_folded=names.fold(name),
            unit_id=ids[unit],
            mode=mode,
            capacity=60,
            contact_name="Vũ Thị Trực",
            contact_phone="0904000" + code[-3:],
            cluster="cụm 1",
            carrier="VNPT",
        )
        found[code] = (await connection.execute(added.returning(point.c.id))).scalar_one()
    return found


async def _people(connection: Connection, ids: dict[str, int], points: dict[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for code, full_name, title, unit, hall, phone in PEOPLE:
        added = sa.insert(attendee).values(
            code=code,
            full_name=full_name,
            name_folded=names.fold(full_name),
            sort_key=names.sort_key(full_name),
            title=title,
            unit_id=ids[unit],
            point_id=points[hall],
            phone=phone,
            phone_digits=phone,
        )
        found[code] = (await connection.execute(added.returning(attendee.c.id))).scalar_one()
    return found


async def _session(connection: Connection) -> int:
    added = sa.insert(session).values(
        code=SESSION,
        title="Hội nghị học tập, quán triệt Nghị quyết",
        conference="Hội nghị trực tuyến toàn thành phố",
        starts_ms=STARTS_MS,
        ends_ms=ENDS_MS,
        state="open",
        state_ms=NOW_MS,
    )
    session_id: int = (await connection.execute(added.returning(session.c.id))).scalar_one()
    return session_id


async def _invite(connection: Connection, session_id: int, points: dict[str, int], people: dict[str, int]) -> None:
    rows = [
        {
            "session_id": session_id,
            "attendee_id": people[code],
            "point_id": points[hall],
            "name_folded": names.fold(full_name),
        }
        for code, full_name, _title, _unit, hall, _phone in PEOPLE
        if code != NOT_INVITED
    ]
    await connection.execute(sa.insert(invitation), rows)


async def _doors(connection: Connection, session_id: int, points: dict[str, int]) -> dict[str, bytes]:
    keys = {code: hashlib.sha256(f"door {code}".encode()).digest() for code in points}
    invited = [hall for code, _name, _title, _unit, hall, _phone in PEOPLE if code != NOT_INVITED]
    rows = [
        {
            "session_id": session_id,
            "point_id": points[code],
            "door_id": number,
            "door_key": keys[code],
            "invited": invited.count(code),
            "link_since_ms": NOW_MS,
        }
        for number, (code, *_) in enumerate(POINTS, 1)
    ]
    await connection.execute(sa.insert(session_point), rows)
    return keys


NONCES = itertools.count(1)


def check_in(conference: Sample, person: str, hall: str = "HN-0002", *flags: Flag) -> CheckIn:
    """A new check-in of `person` in `hall`; its fingerprint stands for both."""
    number = next(NONCES)
    attendee_id, point_id = conference.attendees[person], conference.points[hall]
    return CheckIn(
        session_id=conference.session_id,
        point_id=point_id,
        point=hall,
        who=listed(conference, person),
        nonce=number.to_bytes(16, "big"),
        fingerprint=attendee_id.to_bytes(8, "big") + point_id.to_bytes(8, "big"),
        source=Source.DOOR,
        server_ms=NOW_MS + number,
        at_ms=NOW_MS + number,
        happened_ms=NOW_MS + number,
        flags=flags,
    )


def listed(conference: Sample, person: str) -> Listed:
    """The person of this code as a check-in carries them, under a salt that a test can tell."""
    told = {code: (full_name, phone) for code, full_name, *_, phone in PEOPLE}
    full_name, phone = told.get(person, (person, ""))  # a test may have added people of its own
    return Listed(conference.attendees[person], person, full_name, phone, person.encode().ljust(16, b"."))


async def figures(engines: Engines) -> tuple[int, int, int, int]:
    """Counted rows, the counters' sum, events, events that say they were counted."""
    e = attendance_event.c
    async with engines.read() as connection:
        counted = (await connection.execute(sa.select(sa.func.count()).select_from(attendance))).scalar_one()
        present = (await connection.execute(sa.select(sa.func.sum(session_point.c.present)))).scalar_one()
        events = (await connection.execute(sa.select(e.counted))).scalars().all()
    return counted, present, len(events), sum(events)
