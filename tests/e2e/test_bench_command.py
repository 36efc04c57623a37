"""`diemcau bench`, briefly: real servers beside one another, and figures in the promised shape."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

PATIENCE_S = 180


async def bench(*arguments: str) -> dict[str, Any]:
    """What the command prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "diemcau", "bench", *arguments, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        out, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    report: dict[str, Any] = json.loads(out)
    return report


def left_in(folder: Path) -> list[str]:
    """What is in it."""
    return [path.name for path in folder.iterdir()]


async def test_check_in_beside_bare_servers(tmp_path: Path) -> None:
    """Whoever compares two machines reads both sides, the ratio and its spread under the names of the contract."""
    report = await bench(
        *(
            "check-in",
            "--people",
            "1000",
            "--large",
            "0",
            "--rounds",
            "1",
            "--seconds",
            "0.2",
            "--folder",
            str(tmp_path),
        )
    )
    figures = {figure["name"]: figure for figure in report["figures"]}
    for name in ("keep-alive", "new-connection", "batch", "p99-half-load"):
        figure = figures[f"check-in {name}"]
        assert figure["ours"] > 0
        assert figure["bare"] > 0
        assert len(figure["spread"]) == 2
    assert report["machine"]["cores"]
    assert report["versions"]["diemcau"]
    assert left_in(tmp_path) == [], "the databases of the measurement are left behind"


async def test_nation_burst_loses_nothing(tmp_path: Path) -> None:
    """A burst ends with what was acknowledged held against what the database counts."""
    report = await bench(
        *("nation-burst", "--people", "1000", "--rate", "100", "--seconds", "2", "--folder", str(tmp_path))
    )
    figures = {figure["name"]: figure["ours"] for figure in report["figures"]}
    assert figures["nation-burst refused"] == 0
    assert figures["nation-burst lost"] == 0
