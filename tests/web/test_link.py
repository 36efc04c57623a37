"""The link of a hall, through a real socket: what the coordinator sees when a hall speaks, falters and goes."""

from __future__ import annotations

import pytest
from live_support import device, loaded, pass_time, row, token
from sample import Sample
from support import Running, Start

from diemcau.wire import live


@pytest.fixture
async def running(start: Start) -> Running:
    """A server that has watched for long: no grace holds its judgement back."""
    return await start(blind_grace_s=0.0)


@pytest.fixture
async def hall(running: Running, sample: Sample) -> str:
    """A device token of HN-0002, whose session S1 is open."""
    await loaded(running, sample.session_id)
    return await token(running, "HN-0002")


async def test_a_hall_connects_falls_silent_and_comes_back(running: Running, hall: str) -> None:
    """The coordinator sees expected, online, suspect, lost and online again, each since when it was true."""
    assert (await row(running, "HN-0002"))["link"] == "expected"
    async with device(running, hall) as (laptop, welcome):
        assert (welcome.point, welcome.session and welcome.session.code) == ("HN-0002", "S1")
        assert (welcome.point_name, welcome.invited) == ("Hội trường Quận ủy Ba Đình", 4)
        await laptop.beat()
        heard_ms = running.clock.now_ms()
        assert (await row(running, "HN-0002"))["link"] == "online"
        await pass_time(running, 16)
        found = await row(running, "HN-0002")
        assert (found["link"], found["since_ms"]) == ("suspect", heard_ms + 15_000)
        await pass_time(running, 16)
        found = await row(running, "HN-0002")
        assert (found["link"], found["since_ms"]) == ("lost", heard_ms + 30_000)
        assert await laptop.closed() == live.CloseCode.SILENT
    async with device(running, hall) as (laptop, _):
        assert (await row(running, "HN-0002"))["link"] == "lost"
        await laptop.beat()
        assert (await row(running, "HN-0002"))["link"] == "lost"
        await laptop.beat()
        assert (await row(running, "HN-0002"))["link"] == "online"
