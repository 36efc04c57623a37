"""`diemcau demo` as a real process: it plays, compares, says what it found, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest
from support import free_port

SMALL = ("--points", "12", "--people", "300", "--beat-interval", "1")
PATIENCE_S = 60


async def demo(folder: Path, *options: str) -> asyncio.subprocess.Process:
    """`diemcau demo` in `folder`, speaking English."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "diemcau", "demo", *options),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "DIEMCAU_LANGUAGE": "en"},
    )


async def finished(process: asyncio.subprocess.Process) -> str:
    """What it said until it ended."""
    async with asyncio.timeout(PATIENCE_S):
        said, _ = await process.communicate()
    return said.decode()


async def until(process: asyncio.subprocess.Process, words: str) -> str:
    """What it said up to a line with `words`."""
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(PATIENCE_S):
        while words not in said:
            line = (await process.stdout.readline()).decode()
            assert line, f"the demo ended early: {said}"
            said += line
    return said


def children(pid: int) -> list[int]:
    """Processes that a process started and that still run."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text(encoding="ascii").split()] if listed.exists() else []


def entries(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def runs(pid: int) -> bool:
    """Whether the process is still there."""
    return Path(f"/proc/{pid}").exists()


async def test_a_small_check_agrees(tmp_path: Path) -> None:
    """The promise of the README on a small scale: everything is played, every account agrees, nothing stays."""
    figures = tmp_path / "figures.json"
    process = await demo(tmp_path, "--check", *SMALL, "--json", str(figures))
    said = await finished(process)
    assert process.returncode == 0, said
    assert "All figures agree." in said
    report = json.loads(figures.read_text(encoding="utf-8"))
    assert report["agrees"]
    lines = {(line["section"], line["where"]): line for line in report["lines"]}
    acknowledged = lines["check_ins", "acknowledged"]["found"]
    assert acknowledged > 200
    everywhere = {where for section, where in lines if section == "check_ins"}
    assert everywhere == {"acknowledged", "database", "csv", "xlsx", "summary", "live", "board"}
    assert {lines["check_ins", where]["found"] for where in everywhere} == {acknowledged}
    for state in ("expected", "online", "lost", "away", "left"):
        assert lines[f"points.{state}", "board"]["found"] > 0, state
    measured = {figure["name"]: figure["value"] for figure in report["figures"]}
    assert 0 < measured["page_bytes"] <= 14_000
    assert measured["journeys_per_s"] > 0
    assert entries(tmp_path) == ["figures.json"]


def forget_somebody(database: Path) -> str:
    """Take one counted person out of the database, as a bug or an intruder would; their code."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        (person,) = connection.execute("SELECT min(attendee_id) FROM attendance").fetchone()
        connection.execute("DELETE FROM attendance WHERE attendee_id = ?", (person,))
        (code,) = connection.execute("SELECT code FROM attendee WHERE id = ?", (person,)).fetchone()
    return str(code)


async def test_a_missing_person_is_found_and_named(tmp_path: Path) -> None:
    """A check that passes when one of 258 people has vanished from the database would vouch for a false log."""
    database = tmp_path / "diemcau.db"
    process = await demo(tmp_path, "--check", *SMALL, "--database", f"sqlite:///{database}")
    await until(process, "Waiting for the links to settle")
    code = forget_somebody(database)
    said = await finished(process)
    assert process.returncode == 1
    named = [line for line in said.splitlines() if line.startswith("✗ People checked in")]
    assert any("database" in line and code in line for line in named), said
    assert any("CSV export" in line and code in line for line in named), said
    assert not any("acknowledged" in line for line in named), said


async def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    """Whoever starts the demo twice learns which port is taken, and nothing of the second start stays running."""
    holder = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", free_port())
    port = holder.sockets[0].getsockname()[1]
    process = await demo(tmp_path, *SMALL, "--port", str(port))
    said = await finished(process)
    holder.close()
    assert process.returncode == 1
    assert f"uses port {port}" in said
    assert "Traceback" not in said
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_a_newcomer_gets_links_and_stops_it(tmp_path: Path, stop: signal.Signals) -> None:
    """Without a terminal too: board, login, pairing link, name and door link; then Ctrl-C ends every process."""
    port = free_port()
    process = await demo(tmp_path, *SMALL, "--port", str(port), "--speed", "1000")
    said = await until(process, "present /")
    for part in (f"http://localhost:{port}/", "/pair/", "Huỳnh Thu Phương", f"HTTP://LOCALHOST:{port}/C/"):
        assert part in said
    servers = children(process.pid)
    assert servers
    process.send_signal(stop)
    rest = await finished(process)
    assert process.returncode == 0, rest
    assert "Traceback" not in said + rest
    assert not any(map(runs, servers))
    assert (tmp_path / "data").is_dir()


async def test_too_small_is_a_sentence(tmp_path: Path) -> None:
    """A conference that cannot hold every part is refused before anything starts."""
    process = await demo(tmp_path, "--check", "--points", "3")
    said = await finished(process)
    assert process.returncode == 1
    assert "at least 10 points" in said
