"""What an organizer does before the day: first administrator, lists, session, points, invitations, pairing."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diemcau.demo.errors import DemoError
from diemcau.demo.sample import ROOT_UNIT, Sample
from diemcau.domain.models import DeviceKind, SessionState
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.clock import Clock
    from diemcau.demo.client import Client

ADMINISTRATOR = "demo"
EASY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
EASY_LENGTH = 12
"""Read from a terminal and typed into a phone: no capitals, and nothing that looks like something else."""

SESSION = "HN-DEMO"
PAIRING_AT_ONCE = 16
HOURS_LONG = 3
Progress = Callable[[int, int], None]
"""Told how many of how many are done."""


@dataclass(slots=True)
class Organizer:
    """Signed in as the administrator once `begin` has returned."""

    client: Client
    sample: Sample
    clock: Clock
    password: str = ""
    import_s: float = 0.0

    async def begin(self, setup_token: str) -> None:
        """Make the first administrator through the one-time link, as `diemcau serve` asks for."""
        self.password = "".join(secrets.choice(EASY_LETTERS) for _ in range(EASY_LENGTH))
        body = api.SetUp(setup_token, ADMINISTRATOR, self.password)
        await self.client.call("POST", "/setup", api.Me, body)

    async def import_list(self, what: str, progress: Progress) -> api.ImportResult:
        """Upload one of the three lists and wait until it is in."""
        began = self.clock.monotonic_s()
        name = f"{what}.csv"
        job = await self.client.call("POST", f"/imports?what={what}&file={name}", api.Job, self.sample.table(what))
        done = await self.client.finished(job, progress)
        self.import_s += self.clock.monotonic_s() - began
        assert done.result is not None  # noqa: S101 a finished import has its result
        return done.result

    async def make_session(self, title: str, starts_ms: int) -> tuple[int, int]:
        """Create the session, choose every point and invite everybody; how many of both."""
        ends_ms = starts_ms + HOURS_LONG * 3_600_000
        body = api.SessionNew(SESSION, title, starts_ms, ends_ms, conference=title, unit=ROOT_UNIT)
        await self.client.call("POST", "/sessions", api.SessionView, body)
        choice = api.PointsChoice(unit=ROOT_UNIT)
        points = await self.client.call("PUT", f"/sessions/{SESSION}/points", api.Changed, choice)
        who = api.InvitationsChoice(unit=ROOT_UNIT)
        invited = await self.client.call("PUT", f"/sessions/{SESSION}/invitations", api.Changed, who)
        return points.total, invited.total

    async def move(self, to: SessionState) -> None:
        """Move the session; one that is there already has opened itself, 90 minutes before its start."""
        path = f"/sessions/{SESSION}"
        try:
            await self.client.call("POST", f"{path}/state", api.SessionView, api.StateChange(to))
        except DemoError:
            if (await self.client.call("GET", path, api.SessionView)).state is not to:
                raise

    async def pair_all(self, progress: Progress) -> dict[str, str]:
        """A device in every hall, from codes made in bulk: its token by point."""
        wanted = api.PairingsNew(unit=ROOT_UNIT, kind=DeviceKind.OPERATOR)
        codes = (await self.client.call("POST", "/pairings", api.PairingList, wanted)).items
        tokens: dict[str, str] = {}
        gate = asyncio.Semaphore(PAIRING_AT_ONCE)

        async def pair(item: api.PointPairing) -> None:
            async with gate:
                body = api.PairRequest(item.code, f"Demo {item.point}")
                paired = await self.client.call("POST", "/pair", api.Paired, body)
            tokens[paired.point] = paired.token
            progress(len(tokens), len(codes))

        async with asyncio.TaskGroup() as group:
            for item in codes:
                group.create_task(pair(item))
        return tokens

    async def pairing_link(self, point: str) -> str:
        """A fresh link for one more device of `point`: what a newcomer opens."""
        body = api.PairingNew(DeviceKind.OPERATOR)
        return (await self.client.call("POST", f"/points/{point}/pairings", api.Pairing, body)).url
