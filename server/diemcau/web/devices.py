"""Pairing codes and devices."""

from __future__ import annotations

from diemcau.errors import NotFoundError
from diemcau.services import devices
from diemcau.web.calls import Call, Route
from diemcau.wire import api


async def make_pairing(call: Call[api.PairingNew]) -> api.Pairing:
    """A code for one more device."""
    return await devices.make_pairing(call.actor, call.context, call.key("point"), call.body)


async def make_pairings(call: Call[api.PairingsNew]) -> api.PairingList:
    """A code for each of many points."""
    return await devices.make_pairings(call.actor, call.context, call.body)


async def pair(call: Call[api.PairRequest]) -> api.Paired:
    """Consume a code."""
    return await devices.pair(call.actor, call.context, call.body)


async def listed(call: Call[None]) -> api.DeviceList:
    """The devices of a point."""
    return await devices.listed(call.actor, call.context, call.key("point"))


async def revoke(call: Call[None]) -> None:
    """End a device."""
    device = call.key("device")
    if not device.isascii() or not device.isdigit() or len(device) > 18:
        raise NotFoundError(what="device", key=device)
    await devices.revoke(call.actor, call.context, call.key("point"), int(device))


ROUTES = (
    Route(
        "POST",
        "/api/v1/points/{point}/pairings",
        make_pairing,
        "Make a pairing code for a point",
        api.PairingNew,
        api.Pairing,
        201,
    ),
    Route(
        "POST", "/api/v1/pairings", make_pairings, "Make codes for many points", api.PairingsNew, api.PairingList, 201
    ),
    Route("POST", "/api/v1/pair", pair, "Pair this device", api.PairRequest, api.Paired),
    Route("GET", "/api/v1/points/{point}/devices", listed, "The devices of a point", answer=api.DeviceList),
    Route("DELETE", "/api/v1/points/{point}/devices/{device}", revoke, "End a device", status=204),
)
