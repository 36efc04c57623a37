"""A hall's list through the API: by number for its staff, sealed for its device."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Iterable
from typing import Any

import pytest
import sample as sample_conference
import sqlalchemy as sa
from sample import Sample
from support import NOW_MS, Client, Running, Start

from diemcau.domain import badge, bundle, names
from diemcau.domain.authority import System
from diemcau.domain.models import DeviceKind, Role
from diemcau.services import devices
from diemcau.store import rosters
from diemcau.store.schema import attendance, invitation, session
from diemcau.wire import api

HALL = "/api/v1/sessions/S1/points/HN-0002"
ROSTER, BUNDLE = f"{HALL}/roster", f"{HALL}/bundle"
NAMES = {code: name for code, name, *_ in sample_conference.PEOPLE}
BY_GIVEN_NAME = ["DB-0003", "DB-0004", "DB-0006", "DB-0005"]
"""The people of HN-0002: two of one name, then Hoà, then Niê."""

Entries = list[tuple[bytes, bytes]]


@pytest.fixture
async def running(start: Start, database: str) -> Running:
    """A server on both databases."""
    return await start(database)


@pytest.fixture
async def sample(running: Running) -> Sample:
    """The small conference in it."""
    return await sample_conference.fill(running.context.engines)


@pytest.fixture
async def operator(running: Running, sample: Sample) -> Client:
    """The operator's device of HN-0002."""
    del sample
    return await device(running, "HN-0002", DeviceKind.OPERATOR)


async def device(running: Running, point: str, kind: DeviceKind) -> Client:
    """A device of a point."""
    made = await devices.make_pairing(System(), running.context, point, api.PairingNew(kind))
    paired = await devices.pair(System(), running.context, api.PairRequest(made.code, "máy"))
    return running.admin.signed_in(paired.token)


async def tokens(running: Running, *codes: str) -> dict[str, bytes]:
    """The badges of these people, made now."""
    found: dict[str, bytes] = {}
    for code in codes:
        view = await running.admin.ok("POST", f"/api/v1/attendees/{code}/badge")
        token = badge.parse(view["url"])
        assert token is not None
        found[code] = token
    return found


async def change(running: Running, statement: sa.Update | sa.Insert) -> None:
    """Change the database behind the server's back."""
    await running.context.writer.write(lambda connection: connection.execute(statement))


def entries(answer: dict[str, Any]) -> Entries:
    """Hash and sealed bytes of each entry."""
    return [(base64.b64decode(found), base64.b64decode(sealed)) for found, sealed in answer["entries"]]


def opened(token: bytes, answer: dict[str, Any]) -> bundle.Person | None:
    """What a token opens."""
    return bundle.open_with(token, entries(answer), base64.b64decode(answer["salt"]))


# --- the list ----------------------------------------------------------------------------------------------
async def test_the_list_goes_by_number(running: Running, sample: Sample, operator: Client) -> None:
    """Whoever copies a paper sheet needs the screen in the sheet's own order, and who is there already."""
    seated = {
        "session_id": sample.session_id,
        "attendee_id": sample.attendees["DB-0006"],
        "nonce": bytes(16),
        "point_id": sample.points["HN-0001"],
        "at_ms": NOW_MS,
    }
    await change(running, sa.insert(attendance).values(seated))
    roster = await operator.ok("GET", ROSTER)
    assert (roster["session"], roster["point"]) == ("S1", "HN-0002")
    assert [(one["number"], one["code"]) for one in roster["items"]] == list(enumerate(BY_GIVEN_NAME, 1))
    assert roster["items"][2] == {
        "number": 3,
        "code": "DB-0006",
        "full_name": "Lê Hoà",
        "title": "Chánh Văn phòng",
        "unit_name": "Quận Ba Đình",
        "present_ms": NOW_MS,
    }
    assert "present_ms" not in roster["items"][0]


async def test_numbers_stay_on_the_printed_list(running: Running, sample: Sample, operator: Client) -> None:
    """Whoever is summoned later comes behind: a sheet that is printed already keeps its lines."""
    before = (await operator.ok("GET", ROSTER))["items"]
    await running.admin.ok(
        "POST", "/api/v1/attendees", {"code": "NEW", "full_name": "Lê Ái", "unit": "HN-001", "point": "HN-0002"}
    )
    await running.admin.ok("PATCH", "/api/v1/attendees/DB-0003", {"full_name": "Nguyễn Thị Yến"})
    await running.admin.ok("PUT", "/api/v1/sessions/S1/invitations", {"attendees": ["NEW"]})
    after = (await operator.ok("GET", ROSTER))["items"]
    assert [one["code"] for one in after] == [*(one["code"] for one in before), "NEW"]
    assert [one["number"] for one in after] == [1, 2, 3, 4, 5]
    async with running.context.read() as connection:
        query = sa.select(invitation.c.number).where(invitation.c.point_id != sample.points["HN-0002"])
        assert set(await connection.scalars(query)) == {None}


async def test_a_number_stays_in_its_hall(running: Running, sample: Sample, operator: Client) -> None:
    """Two people with one number in a hall: a tick on paper would count for either."""
    await operator.ok("GET", ROSTER)
    host = {"point": "HN-0001"}
    await running.admin.ok("PATCH", "/api/v1/attendees/DB-0003", host)
    await running.admin.ok("GET", "/api/v1/sessions/S1/points/HN-0001/roster")
    await running.admin.ok("PUT", "/api/v1/sessions/S1/points", {"points": ["HN-0001", "HN-0003", "HN-0004"]})
    await running.admin.ok("PUT", "/api/v1/sessions/S1/points", {"points": ["HN-0001", "HN-0002"]})
    moved = (await running.admin.ok("GET", "/api/v1/sessions/S1/points/HN-0001/roster"))["items"]
    assert [one["number"] for one in moved] == [1, 2, 3]
    assert moved[2]["code"] == "DB-0003"
    assert sample.attendees["DB-0003"]


async def test_numbers_of_two_servers_never_meet(running: Running, sample: Sample) -> None:
    """Two servers that number a hall at once, while somebody is added, would print one number for two people."""
    engines = running.context.engines
    hall = (sample.session_id, sample.points["HN-0003"])

    async def other_server() -> None:
        async with engines.readers.connect() as raw:
            connection = await raw.execution_options(writing=True)
            async with connection.begin():
                await rosters.ensure_numbers(connection, *hall)

    async with engines.readers.connect() as raw:
        connection = await raw.execution_options(writing=True)
        async with connection.begin():
            seated = sa.update(invitation).where(invitation.c.attendee_id == sample.attendees["DB-0002"])
            await connection.execute(seated.values(point_id=hall[1]))
            await rosters.ensure_numbers(connection, *hall)
            task = asyncio.create_task(other_server())
            done, _ = await asyncio.wait({task}, timeout=0.3)
            assert not done, "the other server did not wait"
    await task
    async with running.context.read() as reading:
        query = sa.select(invitation.c.number).where(invitation.c.point_id == hall[1])
        assert sorted(await reading.scalars(query)) == [1, 2, 3, 4, 5]


async def test_the_list_is_for_the_halls_own_staff(running: Running, operator: Client) -> None:
    """A display in the foyer, or the next hall, must not read two hundred names and titles (I5)."""
    assert await operator.ok("GET", ROSTER)
    clerk = await running.account("can-bo", api.GrantView(Role.CLERK, "HN-001"))
    assert len((await clerk.ok("GET", ROSTER))["items"]) == 4
    for client in (
        await device(running, "HN-0002", DeviceKind.DISPLAY),
        await device(running, "HN-0003", DeviceKind.OPERATOR),
        await running.account("noi-khac", api.GrantView(Role.CLERK, "HN-002")),
    ):
        assert (await client.call("GET", ROSTER))[0] == 403
    assert (await running.anonymous.call("GET", ROSTER))[0] == 401
    for path in ("/api/v1/sessions/NO/points/HN-0002/roster", "/api/v1/sessions/S1/points/NO/roster"):
        assert (await operator.call("GET", path))[0] == 404


async def test_accounts_see_their_own_people_of_a_mixed_hall(running: Running, operator: Client) -> None:
    """A host hall seats another unit's people: their names are not its clerk's, but its operator needs them (I5)."""
    await running.admin.ok(
        "POST", "/api/v1/attendees", {"code": "GUEST", "full_name": "Lê Ái", "unit": "HN-002", "point": "HN-0002"}
    )
    await running.admin.ok("PUT", "/api/v1/sessions/S1/invitations", {"attendees": ["GUEST"]})
    clerk = await running.account("can-bo", api.GrantView(Role.CLERK, "HN-001"))
    assert len((await operator.ok("GET", ROSTER))["items"]) == 5
    assert "GUEST" not in [one["code"] for one in (await clerk.ok("GET", ROSTER))["items"]]


# --- the bundle --------------------------------------------------------------------------------------------
async def test_a_device_names_whom_it_scans(running: Running, operator: Client) -> None:
    """Offline, the operator must greet the person before them by name, and see their line on the paper."""
    held = await tokens(running, "DB-0003", "DB-0004", "DB-0001")
    answer = await operator.ok("GET", BUNDLE)
    assert (answer["session"], answer["point"], answer["made_ms"]) == ("S1", "HN-0002", NOW_MS)
    assert opened(held["DB-0004"], answer) == bundle.Person("DB-0004", "Nguyễn Thị Hiền", "Ủy viên", "Quận Ba Đình", 2)
    assert opened(held["DB-0001"], answer) is None, "somebody of another hall"
    assert answer["roster"] is None


async def test_a_stolen_bundle_names_nobody(running: Running, operator: Client) -> None:
    """The device is taken from the table: it must not give away who belongs to the hall."""
    held = await tokens(running, *BY_GIVEN_NAME)
    async with operator.http.get(
        operator.origin + BUNDLE, headers={"Authorization": f"Bearer {operator.token}"}
    ) as response:
        raw = await response.read()
        answer = await response.json()
        assert response.headers["Cache-Control"] == "no-store"
    plain = raw + b"".join(found + sealed for found, sealed in entries(answer))
    for code, name, title, unit, _hall, phone in sample_conference.PEOPLE:
        for secret in (code, name, names.fold(name), title, phone, unit + '"', "Ba Đình", "DB-"):
            assert not secret or secret.encode() not in plain, secret
    assert {len(sealed) for _, sealed in entries(answer)} == {64 * 2 + 16}
    assert [found for found, _ in entries(answer)] == sorted(badge.token_hash(token)[:8] for token in held.values())


async def test_a_scanned_badge_opens_its_own_entry_only(running: Running, operator: Client) -> None:
    """Who stole the device and holds one badge learns what that badge says anyway, and nothing more."""
    held = await tokens(running, *BY_GIVEN_NAME)
    answer = await operator.ok("GET", BUNDLE)
    salt = base64.b64decode(answer["salt"])
    mine = held["DB-0005"]
    tried = [bundle.open_with(mine, [(bundle.prefix(mine), sealed)], salt) for _, sealed in entries(answer)]
    assert [person.code for person in tried if person] == ["DB-0005"]


async def test_ids_lead_nowhere_without_the_key(running: Running, sample: Sample, operator: Client) -> None:
    """Whoever knows every attendee's id, or guesses them all, must not find one hash of the bundle."""
    await tokens(running, *BY_GIVEN_NAME)
    answer = await operator.ok("GET", BUNDLE)
    known = {found for found, _ in entries(answer)}
    guesses = [(one, issue) for one in range(1, 2_000) for issue in (1, 2, 3)]
    for key in (bytes(32), b"badge" * 6 + b"ab", running.context.keys.derive("nonce")):
        assert known.isdisjoint(bundle.prefix(badge.token(key, *guess)) for guess in guesses)
    plainly = {badge.token_hash(one.to_bytes(16, "big"))[:8] for one in range(1, 2_000)}
    assert known.isdisjoint(plainly)
    right = running.context.keys.derive("badge")
    assert known == {bundle.prefix(badge.token(right, sample.attendees[code], 1)) for code in BY_GIVEN_NAME}


async def test_a_badge_that_was_taken_back_is_not_in_it(running: Running, operator: Client) -> None:
    """A lost badge that is still named offline would be greeted as its owner."""
    held = await tokens(running, "DB-0003", "DB-0004")
    await running.admin.ok("POST", "/api/v1/attendees/DB-0003/badge/reissue")
    await running.admin.call("DELETE", "/api/v1/attendees/DB-0004/badge")
    answer = await operator.ok("GET", BUNDLE)
    assert len(answer["entries"]) == 1
    assert opened(held["DB-0003"], answer) is None
    assert opened(held["DB-0004"], answer) is None
    assert opened((await tokens(running, "DB-0003"))["DB-0003"], answer) is not None


async def test_every_bundle_is_sealed_anew(running: Running, operator: Client) -> None:
    """Sealed twice under one key and nonce, two entries would uncover each other."""
    await tokens(running, "DB-0003")
    first, second = await operator.ok("GET", BUNDLE), await operator.ok("GET", BUNDLE)
    assert first["salt"] != second["salt"]
    assert entries(first)[0][1] != entries(second)[0][1]


async def test_the_list_in_clear_needs_the_sessions_leave(running: Running, operator: Client) -> None:
    """A list that lies readable on a laptop is the organizer's decision, and ends with the session."""
    await change(running, sa.update(session).values(readable_roster=True))
    answer = await operator.ok("GET", BUNDLE)
    assert [one["code"] for one in answer["roster"]] == BY_GIVEN_NAME
    await change(running, sa.update(session).values(state="closed"))
    status, problem = await operator.call("GET", BUNDLE)
    assert (status, problem["code"]) == (409, "session_closed")


async def test_the_bundle_is_for_the_operators_device(running: Running, operator: Client) -> None:
    """Nobody but the hall's own scanner has a use for it."""
    assert (await operator.ok("GET", BUNDLE))["entries"] == []
    for client in (
        running.admin,
        await device(running, "HN-0002", DeviceKind.DISPLAY),
        await device(running, "HN-0003", DeviceKind.OPERATOR),
    ):
        assert (await client.call("GET", BUNDLE))[0] == 403
    assert (await running.anonymous.call("GET", BUNDLE))[0] == 401


async def test_sealing_lets_others_through(running: Running, operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hall of two thousand that loads its bundle must not stop every door in the country meanwhile."""
    await tokens(running, *BY_GIVEN_NAME)
    threads: list[int] = []
    seal = bundle.seal

    def watched(people: Iterable[tuple[bytes, bundle.Person]], salt: bytes) -> Entries:
        threads.append(threading.get_ident())
        return seal(people, salt)

    monkeypatch.setattr(bundle, "seal", watched)
    assert len((await operator.ok("GET", BUNDLE))["entries"]) == 4
    assert threads
    assert threading.get_ident() not in threads
