"""What our own OpenAPI page allows, thrown at a real server: never a 5xx, and every answer as the page says."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp
import pytest
from nursery import nursery

from diemcau.bench.crowd import Crowd, token_of
from diemcau.clock import SystemClock

PASSWORD = "correct horse battery"
CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance,status_code_conformance"
FUZZ_S = 240
CONFIG = """
[parameters]
"path.session" = "B1"
"path.point" = "P1"
"path.attendee" = "A1"
"path.unit" = "U2"
"path.spot_check" = "1"
"""
"""Places that exist: otherwise nearly everything would be answered by "not found"."""


async def signed_in(origin: str, setup_token: str) -> str:
    """The administrator's credential."""
    body = {"token": setup_token, "name": "root", "password": PASSWORD}
    async with aiohttp.ClientSession() as http, http.post(f"{origin}/api/v1/setup", json=body) as answer:
        assert answer.status == 200, await answer.text()
        return answer.cookies["diemcau_session"].value


async def fuzz(origin: str, token: str, folder: Path, *options: str) -> tuple[int, str]:
    """Run schemathesis; its exit status and what it says."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
        *("run", f"{origin}/api/openapi.json", "-H", f"Authorization: Bearer {token}"),
        *("--checks", CHECKS, "--phases", "fuzzing", "--seed", "1", "--exclude-path-regex", "log(in|out)|setup"),
        *options,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(FUZZ_S):
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


@pytest.mark.parametrize("who", ["administrator", "operator"])
async def test_what_the_page_allows(tmp_path: Path, who: str) -> None:
    """A program that follows our page would meet a server error, or an answer of another shape than promised."""
    crowd = Crowd(tmp_path, 300, 1)
    await crowd.fill(SystemClock().now_ms())
    async with nursery() as servers:
        server = await servers.serve(crowd.database, tmp_path)
        admin = await signed_in(server.origin, server.setup_token)
        token = admin if who == "administrator" else token_of(1)
        status, said = await fuzz(server.origin, token, tmp_path, "-n", "12")
        await server.stop()
    assert status == 0, said
    assert "Test cases" in said
