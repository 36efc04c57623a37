"""`diemcau bench nation-burst`: a nation's halls fill at once; nothing may be refused, slow or lost (DESIGN.md §9)."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path

from diemcau.bench import check_in, servers
from diemcau.bench.crowd import Crowd
from diemcau.bench.figures import Figure, Report, alone, machine, quantile, versions
from diemcau.bench.load import Load, Result
from diemcau.bench.visitors import Visitors
from diemcau.domain.authority import Scope
from diemcau.store import session_points
from diemcau.store.engine import Engines

PACE_NOTE = "a new connection each, latency from when each was due"


@dataclass(frozen=True, slots=True)
class Options:
    """`rate` check-ins a second, each with a new connection, for `seconds`, with `people` invited."""

    people: int = 2_000_000
    rate: float = 3_000.0
    seconds: float = 60.0
    folder: Path | None = None


def run(options: Options, say: check_in.Say) -> Report:
    """Play the burst, then count what the database holds.

    Raises:
        StartError: the server did not start, or refused something.
    """
    where = machine()
    with tempfile.TemporaryDirectory(prefix="diemcau-bench-", dir=options.folder) as name:
        folder = Path(name)
        crowd = check_in.made(folder, options.people, 1, say)
        with servers.pinned_client(), servers.ours(crowd.database, folder) as mine:
            scripts = list(itertools.islice(Visitors(crowd).singles(), int(options.rate * options.seconds)))
            before = mine.cpu_s()
            result = Load(mine.port, new=True).paced(scripts, options.rate)
            share = (mine.cpu_s() - before) / result.seconds
        present = asyncio.run(_present(crowd))
    say(f"  acknowledged {result.done:,}, refused or unanswered {result.failed:,}, in the database {present:,}")
    return Report(_figures(options, result, share, result.done - present), where, versions())


def _figures(options: Options, result: Result, share: float, lost: int) -> list[Figure]:
    latencies = [quantile(result.latencies, part) * 1000 for part in (0.5, 0.99, 1.0)]
    note = f"{options.people:,} invited; {PACE_NOTE}"
    return [
        alone("nation-burst rate", "check-ins/s", [result.rate], note),
        alone("nation-burst p50", "ms", latencies[:1], note),
        alone("nation-burst p99", "ms", latencies[1:2], note),
        alone("nation-burst slowest", "ms", latencies[2:], note),
        alone("nation-burst refused", "check-ins", [result.failed], f"of {len(result.latencies) + result.failed:,}"),
        alone("nation-burst lost", "check-ins", [lost], "acknowledged minus counted in the database"),
        alone("nation-burst cpu", "% of a core", [share * 100], "of the server"),
    ]


async def _present(crowd: Crowd) -> int:
    engines = Engines(crowd.database)
    try:
        async with engines.read() as connection:
            sessions = list(range(1, crowd.sessions + 1))
            figures = await session_points.figures(connection, sessions, Scope(("",)))
    finally:
        await engines.close()
    return sum(figure.present for figure in figures.values())
