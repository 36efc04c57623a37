"""The log as it leaves the server: signed, whole, and no more of it than the reader may see."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
import pytest
import sample
import sqlalchemy as sa
from sample import Sample
from support import NOW_MS, Client, Running, Start

from diemcau.domain import log_chain, signed
from diemcau.domain.log_verifier import Seen, Verifier
from diemcau.domain.models import Role, Source
from diemcau.errors import FileFlawError
from diemcau.services import counted
from diemcau.store.check_ins import CheckIn, Listed, Unlisted
from diemcau.store.engine import Connection
from diemcau.store.schema import attendance_event, attendee
from diemcau.store.schema import log_chain as stored_chain
from diemcau.wire import api

LOG = "/api/v1/sessions/S1/exports/log.jsonl"
STRANGER = Unlisted(b"k" * 16, "Đỗ Thị Khách", "do thi khach", "Sở Y tế", b"s" * 16)
NONCES = count(1)


@pytest.fixture
async def running(database: str, start: Start) -> Running:
    """A server on each kind of database."""
    return await start(database)


@pytest.fixture
async def conference(running: Running) -> Sample:
    """Four people and a stranger in four halls; DB-0003 of HN-001 sits in a hall of HN-002, DB-0007 the other way."""
    return await fill_halls(running)


async def fill_halls(running: Running) -> Sample:
    """The conference, and who came."""
    conference = await sample.fill(running.context.engines)
    for person, hall in (
        ("DB-0001", "HN-0001"),
        ("DB-0003", "HN-0003"),
        ("DB-0007", "HN-0002"),
        ("DB-0011", "HN-0004"),
    ):
        await come(running, conference, await listed(running, conference, person), hall)
    await come(running, conference, STRANGER, "HN-0002")
    return conference


async def listed(running: Running, conference: Sample, person: str) -> Listed:
    """A person as every check-in of theirs carries them."""
    a = attendee.c
    query = sa.select(a.id.label("attendee_id"), a.code, a.full_name, a.phone, a.salt).where(a.code == person)
    async with running.context.read() as connection:
        row: Any = (await connection.execute(query)).one()
    return counted.listed(running.context.keys, conference.session_id, row)


async def come(running: Running, conference: Sample, who: Listed | Unlisted, hall: str) -> None:
    """Somebody is checked in."""
    nonce = next(NONCES).to_bytes(16, "big")
    item = CheckIn(
        session_id=conference.session_id,
        point_id=conference.points[hall],
        point=hall,
        who=who,
        nonce=nonce,
        fingerprint=nonce,
        source=Source.MANUAL,
        server_ms=NOW_MS,
        at_ms=NOW_MS,
        happened_ms=NOW_MS,
    )
    assert (await running.context.writer.check_in(item)).counted


async def download(client: Client, path: str = LOG) -> tuple[list[bytes], Any]:
    """The file's lines and its headers."""
    headers = {"Authorization": f"Bearer {client.token}", "Accept-Language": "vi"}
    async with client.http.get(client.origin + path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return (await answer.read()).splitlines(keepends=True), answer.headers


async def verified(running: Running, lines: list[bytes]) -> Seen:
    """What the file holds, under the key that the server tells."""
    key = await running.anonymous.ok("GET", "/api/v1/signing-key")
    verifier = Verifier(signed.read_fingerprint(key["fingerprint"]) or b"")
    for line in lines:
        verifier.line(line)
    return verifier.finish()


def people_in(lines: list[bytes]) -> list[str | None]:
    """Per entry: who is named in it, None where it is sealed, "" where nobody is."""
    read = [msgspec.json.decode(line) for line in lines[1:-1]]
    return [None if line["type"] == "sealed" else line.get("opening", {}).get("full_name", "") for line in read]


async def test_the_whole_log(running: Running, conference: Sample) -> None:
    """Whoever answers for everything gets every entry, with the people it means."""
    lines, headers = await download(running.admin)
    seen = await verified(running, lines)
    assert (seen.entries, seen.sealed, seen.opened) == (5, 0, 5)
    assert (seen.heading.session, seen.heading.scope, seen.heading.revision) == ("S1", None, 0)
    assert people_in(lines) == [
        "Nguyễn Thị Hồng Đào", "Nguyễn Thị Hiền", "Y Thông Ê-ban", "Tôn Nữ Thị Ngọc Bảo Quyên", "Đỗ Thị Khách",
    ]  # fmt: skip
    assert msgspec.json.decode(lines[1])["opening"]["phone"] == "0912345678"
    assert headers["Content-Type"] == "application/jsonl; charset=utf-8"
    assert 'filename="log-S1-2026-02-02-0940.jsonl"' in headers["Content-Disposition"]


async def test_the_key_is_told_to_everybody(running: Running) -> None:
    """A reader compares the fingerprint with what the server says, not with what a file says."""
    key = await running.anonymous.ok("GET", "/api/v1/signing-key")
    public_key = base64.b64decode(key["public_key"])
    assert len(public_key) == 32
    assert hashlib.sha256(public_key).hexdigest() == key["fingerprint"].replace("-", "")


async def test_other_units_are_sealed(running: Running, conference: Sample) -> None:
    """A clerk sees entries of their halls and their people; nobody else's, and no other unit's people (I5)."""
    clerk = await running.account("lan", api.GrantView(Role.CLERK, "HN-001"))
    lines, _ = await download(clerk)
    seen = await verified(running, lines)
    assert seen.heading.scope == ["HN-001"]
    # HN-0001: neither; DB-0003: own person elsewhere; DB-0007: a guest in the own hall; HN-0004: neither; a stranger
    assert people_in(lines) == [None, "Nguyễn Thị Hiền", "", None, "Đỗ Thị Khách"]
    text = b"".join(lines).decode()
    assert "Y Thông" not in text
    assert "HN-0004" not in text
    lines, _ = await download(running.admin, f"{LOG}?unit=hn-001")
    assert people_in(lines) == [None, "Nguyễn Thị Hiền", "", None, "Đỗ Thị Khách"]
    status, answer = await clerk.call("GET", f"{LOG}?unit=HN-002")
    assert (status, answer["code"]) == (403, "forbidden")


async def test_someone_renamed_since(running: Running, conference: Sample) -> None:
    """A corrected name is not slipped into an old entry: it opens only what was recorded then."""
    await running.admin.ok("PATCH", "/api/v1/attendees/DB-0001", {"full_name": "Nguyễn Thị Hồng Đáo"})
    lines, _ = await download(running.admin)
    assert (await verified(running, lines)).opened == 5
    opening = msgspec.json.decode(lines[1])["opening"]
    assert ("full_name" in opening, opening["code"]) == (False, "DB-0001")


async def test_erased_people_leave_a_log_that_verifies(running: Running, conference: Sample) -> None:
    """When a person's salt is gone, the log names them no more and is still whole."""
    erased = sa.update(attendee).where(attendee.c.code == "DB-0001").values(salt=bytes(16), full_name="", phone="")
    await running.context.writer.write(lambda connection: connection.execute(erased))
    lines, _ = await download(running.admin)
    assert (await verified(running, lines)).opened == 4
    assert "Hồng Đào" not in b"".join(lines).decode()


async def test_a_second_process_has_a_chain_of_its_own(running: Running, conference: Sample) -> None:
    """After a restart the log goes on in a new chain; both are in the file, each from its first entry."""
    writer = b"\xfe" * 16
    running.context.writer.writer_id = writer
    await come(running, conference, await listed(running, conference, "DB-0008"), "HN-0003")
    lines, _ = await download(running.admin)
    seen = await verified(running, lines)
    assert [chain.count for chain in seen.heading.chains] == [5, 1]
    assert seen.heading.chains[1].writer == writer.hex()


async def test_an_empty_session_has_a_log(running: Running) -> None:
    """Nobody came, and that can be proved too."""
    await sample.fill(running.context.engines)
    lines, _ = await download(running.admin)
    assert (await verified(running, lines)).entries == 0


BROKEN: dict[str, Callable[[Any], sa.Executable]] = {
    "an entry was changed": lambda e: sa.update(attendance_event).where(e.position == 3).values(body=b"{}"),
    "a flag of the hash was changed": lambda e: (
        sa.update(attendance_event).where(e.position == 3).values(hash=bytes(32))
    ),
    "an entry is gone": lambda e: sa.delete(attendance_event).where(e.position == 3),
    "entries changed places": lambda e: sa.update(attendance_event).where(e.position == 3).values(position=30),
    "a hall that never was": lambda e: sa.update(attendance_event).where(e.position == 3).values(point_id=999),
    "a body without an end": lambda e: (
        sa.update(attendance_event).where(e.position == 3).values(body=b'{"x":' + b"[" * 100_000)
    ),
}


@pytest.mark.parametrize("way", BROKEN)
async def test_a_changed_database_is_not_signed(running: Running, conference: Sample, way: str) -> None:
    """Who edits the tables themselves must not get the server's signature: it says where the log breaks."""
    await running.context.writer.write(lambda connection: connection.execute(BROKEN[way](attendance_event.c)))
    status, answer = await running.admin.call("GET", LOG)
    assert (status, answer["code"]) == (500, "log_broken")
    assert answer["params"]["position"] == 3
    assert answer["params"]["writer"] == running.context.writer.writer_id.hex()


@pytest.mark.parametrize(
    ("change", "position"),
    [
        ("UPDATE attendance_event SET body = replace(body, 'HN-0002', 'HN-0001') WHERE position = 3", 3),
        ("UPDATE attendance_event SET hash = CAST(hash AS TEXT) || 'x' WHERE position = 3", 3),
        ("UPDATE attendance_event SET writer = 'x' WHERE position = 3", 1),
        ("UPDATE log_chain SET head = 'x'", 5),
        ("UPDATE log_chain SET count = 'x'", 1),
    ],
)
async def test_what_a_database_browser_leaves_behind(start: Start, change: str, position: int) -> None:
    """SQLite turns bytes that are edited by hand into text: the entry is named, where an error would name nothing."""
    running = await start()
    await fill_halls(running)
    await running.context.writer.write(lambda connection: connection.execute(sa.text(change)))
    status, answer = await running.admin.call("GET", LOG)
    assert (status, answer["code"], answer["params"]["position"]) == (500, "log_broken", position)


async def rewrite(running: Running) -> None:
    """What an insider with the tables, but without the key, can do: change an entry and every hash behind it."""
    e = attendance_event.c
    async with running.context.read() as connection:
        rows: list[Any] = list(await connection.execute(sa.select(e.id, e.body).order_by(e.position)))
    head = log_chain.START

    async def work(connection: Connection) -> None:
        nonlocal head
        for row in rows:
            body = row.body.replace(b"HN-0003", b"HN-0001")
            head = log_chain.link(head, log_chain.digest(body))
            await connection.execute(sa.update(attendance_event).where(e.id == row.id).values(body=body, hash=head))
        await connection.execute(sa.update(stored_chain).values(head=head))

    await running.context.writer.write(work)


async def test_what_minutes_froze_is_not_signed_anew(running: Running, conference: Sample) -> None:
    """A whole chain that was computed anew follows from itself; it no longer has what was signed at closing."""
    for state in ("live", "ended", "closed"):
        await running.admin.ok("POST", "/api/v1/sessions/S1/state", {"to": state})
    late = sample.check_in(conference, "DB-0008", "HN-0003")
    assert (await running.context.writer.check_in(msgspec.structs.replace(late, offline=True))).held
    assert (await verified(running, (await download(running.admin))[0])).entries == 6
    await rewrite(running)
    for method, path, body in (("GET", LOG, None), ("POST", "/api/v1/sessions/S1/revisions", {"reason": "mất mạng"})):
        status, answer = await running.admin.call(method, path, body)
        assert (status, answer["code"], answer["params"]["position"]) == (500, "log_broken", 5)
    assert len((await running.admin.ok("GET", "/api/v1/sessions/S1/minutes"))["items"]) == 1


async def test_a_cut_database_is_not_signed(running: Running, conference: Sample) -> None:
    """Neither must who takes the newest entries away, of whom no later one tells."""
    last = sa.delete(attendance_event).where(attendance_event.c.position == 5)
    await running.context.writer.write(lambda connection: connection.execute(last))
    status, answer = await running.admin.call("GET", LOG)
    assert (status, answer["code"], answer["params"]["position"]) == (500, "log_broken", 5)


async def test_a_changed_file_does_not_verify(running: Running, conference: Sample) -> None:
    """What the server sent is what verifies, and nothing near it."""
    lines, _ = await download(running.admin)
    changed = b"".join(lines).replace(b"HN-0003", b"HN-0001", 1).splitlines(keepends=True)
    with pytest.raises(FileFlawError) as raised:
        await verified(running, changed)
    assert raised.value.params["line"] == 3
