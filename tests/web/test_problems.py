"""What a broken request gets: a problem that says so, never a fault of ours."""

from __future__ import annotations

import pytest
import sample
from live_support import socket
from support import PASSWORD, Running, Start

from diemcau.services import lists
from diemcau.wire import live


@pytest.mark.parametrize("path", ["/api/v1/login", "/api/v1/imports?what=units", "/c/check-in"])
async def test_a_body_that_cannot_be_read(running: Running, path: str) -> None:
    """A proxy that garbles a body is told so with a 400; a 500 would send people looking for a fault of the server."""
    client = running.admin
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    status, problem = await client.call("POST", path, data=b"not packed at all", headers=headers)
    assert (status, problem["code"], problem["params"]["field"]) == (400, "malformed", "body")


async def test_a_text_that_no_database_takes(start: Start, database: str) -> None:
    """The character NUL, which only programs send, is refused on both databases; on one it was a fault of ours."""
    running = await start(database)
    await sample.fill(running.context.engines)
    paths = [f"/api/v1/{what}/%00" for what in ("units", "points", "attendees", "sessions")]
    paths += ["/api/v1/units?q=a%00", "/api/v1/sessions/S1/live?unit=%00", "/api/v1/sessions?after=1:%00"]
    paths += [f"/api/v1/units?after={lists.mark(chr(0))}"]
    for path in paths:
        status, problem = await running.admin.call("GET", path)
        assert (status, problem["code"]) == (400, "malformed"), path
    account = {"name": "an", "password": PASSWORD, "grants": [{"role": "clerk", "unit": "\0"}]}
    assert (await running.admin.call("POST", "/api/v1/accounts", account))[0] == 400
    async with socket(running, "/ws/v1/board") as board:
        await board.say(live.BoardIdentify("S1", "\0", running.admin.token))
        assert await board.closed() == live.CloseCode.MALFORMED
