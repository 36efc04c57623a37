"""What a hall's display gets, and who may have it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import sqlalchemy as sa
from sample import Sample, fill
from support import Client, Running, Start

from diemcau import limits
from diemcau.domain import door_code
from diemcau.domain.authority import System
from diemcau.domain.models import DeviceKind, Role
from diemcau.services import devices
from diemcau.store.schema import session
from diemcau.wire import api

DOOR = "/api/v1/sessions/s1/points/hn-0002/door"


async def paired(running: Running, point: str, kind: DeviceKind = DeviceKind.DISPLAY) -> Client:
    """A device's client."""
    made = await devices.make_pairing(System(), running.context, point, api.PairingNew(kind))
    device = await devices.pair(System(), running.context, api.PairRequest(made.code, "màn hình"))
    return running.admin.signed_in(device.token)


async def over_network(running: Running) -> dict[str, Any]:
    """The door as a display on another machine gets it: the address it typed is not this machine's own name."""
    display = await paired(running, "HN-0002")
    port = display.origin.rpartition(":")[2]
    answer: dict[str, Any] = await display.ok("GET", DOOR, headers={"Host": f"192.168.1.7:{port}"})
    return answer


@pytest.mark.parametrize("kind", DeviceKind)
async def test_display_draws_codes_that_open(running: Running, sample: Sample, kind: DeviceKind) -> None:
    """From what it got the display makes, by itself, the code that people then scan."""
    door = await (await paired(running, "HN-0002", kind)).ok("GET", DOOR)
    assert (door["session"], door["point"], door["state"], door["step_s"]) == ("S1", "HN-0002", "open", 15)
    assert (door["present"], door["invited"], door["codes"]) == (0, 4, [])
    assert door["url_prefix"] == running.context.settings.origin.upper() + "/C/"
    shown = door_code.step_of(door["server_ms"] - 2000)
    code = door_code.encode(door["door_id"], base64.b64decode(door["key"]), shown)
    assert (await running.anonymous.call("GET", f"/C/{code}"))[0] == 200


async def test_key_never_crosses_a_network_in_the_clear(running: Running, sample: Sample) -> None:
    """Without HTTPS the key would be anybody's; such a display gets two minutes of codes instead, all good."""
    door = await over_network(running)
    assert door["key"] is None
    steps = [code["from_ms"] // door_code.STEP_MS for code in door["codes"]]
    first, last = (
        door_code.step_of(door["server_ms"] - 2000 + ahead_s * 1000) for ahead_s in (0, limits.DOOR_CODES_AHEAD_S)
    )
    assert steps == list(range(first, last + 1))
    for code in door["codes"]:
        running.clock.advance(max(0, (code["from_ms"] + 2000 - running.clock.now_ms()) / 1000))
        assert (await running.anonymous.call("GET", f"/C/{code['code']}"))[0] == 200


async def test_key_goes_over_https(start: Start) -> None:
    """Behind a proxy that speaks HTTPS every display gets the key, and works on without the server."""
    behind_proxy = await start(public_url="https://hn.example.vn")
    await fill(behind_proxy.context.engines)
    door = await over_network(behind_proxy)
    assert door["key"]
    assert door["url_prefix"] == "HTTPS://HN.EXAMPLE.VN/C/"


async def test_who_may_have_the_door(running: Running, sample: Sample) -> None:
    """Whoever holds the key makes codes: only the hall's own devices and those who may make devices there."""
    organizer = await running.account("organizer", api.GrantView(Role.ORGANIZER, "HN-001"))
    assert (await organizer.call("GET", DOOR))[0] == 200
    elsewhere = await running.account("elsewhere", api.GrantView(Role.ORGANIZER, "HN-002"))
    clerk = await running.account("clerk", api.GrantView(Role.CLERK, "HN-001"))
    neighbour = await paired(running, "HN-0003")
    for refused in (elsewhere, clerk, neighbour):
        assert (await refused.call("GET", DOOR))[0] == 403
    assert (await running.anonymous.call("GET", DOOR))[0] == 401


@pytest.mark.parametrize("path", ["/api/v1/sessions/S1/points/NONE/door", "/api/v1/sessions/NONE/points/HN-0002/door"])
async def test_unknown_door(running: Running, sample: Sample, path: str) -> None:
    """A mistyped session or point is not found."""
    assert (await running.admin.call("GET", path))[0] == 404


async def test_door_tells_the_state(running: Running, sample: Sample) -> None:
    """Before the opening the display knows that it has to wait."""
    async with running.context.engines.writing.begin() as connection:
        await connection.execute(sa.update(session).values(state="draft"))
    assert (await running.admin.ok("GET", DOOR))["state"] == "draft"
