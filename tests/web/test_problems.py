"""What a broken request gets: a problem that says so, never a fault of ours."""

from __future__ import annotations

import pytest
from support import Running


@pytest.mark.parametrize("path", ["/api/v1/login", "/api/v1/imports?what=units", "/c/check-in"])
async def test_a_body_that_cannot_be_read(running: Running, path: str) -> None:
    """A proxy that garbles a body is told so with a 400; a 500 would send people looking for a fault of the server."""
    client = running.admin
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    status, problem = await client.call("POST", path, data=b"not packed at all", headers=headers)
    assert (status, problem["code"], problem["params"]["field"]) == (400, "malformed", "body")
