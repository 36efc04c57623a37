"""`scripts/kill N`: the loop of `test_kills.py`, as often as told, with what it came to."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from kill_loop import kill_often


def main(rounds: int) -> None:
    """Run, and say what happened; a difference ends with the assertion that found it."""
    seed = time.time_ns() % 1_000_000
    print(f"{rounds} kills, seed {seed} …", flush=True)  # noqa: T201 a script speaks so
    with tempfile.TemporaryDirectory(prefix="diemcau-kill-") as folder:
        tally = asyncio.run(kill_often(Path(folder), rounds, seed))
    print(  # noqa: T201 a script speaks so
        f"{tally.kills} kills, {tally.in_flight} of them with scans under way; {tally.scans} scans, "
        f"{tally.replays} sent again after they were written; every answer is true, nothing lost, nobody twice"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
