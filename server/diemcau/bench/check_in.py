"""`diemcau bench check-in`: durable check-ins beside the limits of the stack, in turn in one run (DESIGN.md §9)."""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from diemcau.bench import bare, servers, visitors
from diemcau.bench.crowd import PEOPLE_PER_HALL, Crowd
from diemcau.bench.figures import Figure, Report, alone, beside, machine, quantile, versions
from diemcau.bench.load import Load, Result, Script
from diemcau.bench.visitors import Visitors
from diemcau.errors import StartError

if TYPE_CHECKING:
    from diemcau.bench.servers import Measured

LANES = 64
BATCH_LANES = 16
"""Batches of a hundred that wait at once: the writer always has the next ones, and its queue is never full."""

WARM_UP_S = 1.0
HALF_LOAD_TIMES = 5
"""The latency at half load is measured for so many times the length of one measurement."""

SINGLES_A_ROUND = 45_000
"""People that the one-by-one scenarios of a round take at most."""

BATCHES_A_ROUND = 900
COMMIT_ROWS = 256
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """people: invited in the first part, people_large: in the second (0: no second). seconds: of each measurement."""

    people: int = 52_000
    people_large: int = 2_000_000
    rounds: int = 5
    seconds: float = 2.0
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something to measure on ours and on a bare server. `scale`: what one script counts for."""

    name: str
    unit: str
    mine: Callable[[Visitors], Iterator[Script]]
    its: Callable[[], Iterator[Script]]
    against: str
    lanes: int = LANES
    new: bool = False
    scale: int = 1


SCENARIOS = (
    Scenario("keep-alive", "check-ins/s", Visitors.singles, visitors.bare_single, "durable"),
    Scenario("new-connection", "check-ins/s", Visitors.singles, visitors.bare_single, "durable", new=True),
    Scenario(
        "batch", "check-ins/s", Visitors.batches, visitors.bare_batch, "durable", BATCH_LANES, scale=PEOPLE_PER_HALL
    ),
    Scenario("journeys", "journeys/s", Visitors.journeys, visitors.bare_journey, "echo", new=True),
    Scenario(
        "keep-alive beside an echo that keeps nothing", "check-ins/s", Visitors.singles, visitors.bare_single, "echo"
    ),
)


@dataclass(slots=True)
class Rounds:
    """What each round gave, by scenario: scripts a second, and CPU of the server in µs a script."""

    mine: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    its: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    mine_us: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    its_us: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def run(options: Options, say: Say) -> Report:
    """Measure everything; `say` gets a line whenever something is done.

    Raises:
        StartError: a server did not start, or answered something else than an accepted check-in.
    """
    where = machine()
    with tempfile.TemporaryDirectory(prefix="diemcau-bench-", dir=options.folder) as name:
        folder = Path(name)
        figures = _part(options, folder / "first", options.people, say)
        if options.people_large:
            large = _part(options, folder / "large", options.people_large, say)
            figures += large + _grown(figures, large)
    return Report(figures, where, versions())


def _part(options: Options, folder: Path, people: int, say: Say) -> list[Figure]:
    folder.mkdir()
    crowd = made(folder, people, options.rounds, say)
    rounds = Rounds()
    with servers.pinned_client(), servers.ours(crowd.database, folder) as mine:
        guests = Visitors(crowd)
        _warm_up(mine, guests)
        with (
            servers.bare("durable", folder / "durable.db") as durable,
            servers.bare("echo", folder / "echo.db") as echo,
        ):
            bares = {"durable": durable, "echo": echo}
            for number in range(1, options.rounds + 1):
                for scenario in SCENARIOS:
                    _measure(scenario, options.seconds, (mine, bares[scenario.against]), guests, rounds)
                say(f"  {people:,}: round {number} of {options.rounds}")
            half = _half_loads((mine, durable), guests, rounds, options.seconds)
    commits = [group_commit(folder / "commit.db", options.seconds) for _ in range(options.rounds)]
    return _figures(rounds, half, commits, f"{people:,} invited")


def made(folder: Path, people: int, rounds: int, say: Say) -> Crowd:
    """The database, with as many sessions as the rounds can use up."""
    singles, batched = people * visitors.SINGLE_HALLS, people * (1 - visitors.SINGLE_HALLS)
    needed = max(rounds * SINGLES_A_ROUND / singles, rounds * BATCHES_A_ROUND * PEOPLE_PER_HALL / batched)
    crowd = Crowd(folder, people, int(needed) + 1)
    begun = time.monotonic()
    asyncio.run(crowd.fill(int(time.time() * 1000)))
    say(f"  {people:,} people summoned to {crowd.sessions} sessions, made in {time.monotonic() - begun:.0f} s")
    return crowd


def _warm_up(mine: Measured, guests: Visitors) -> None:
    """Connections, caches and statements are made; a server that answers anything else is found out here."""
    result = Load(mine.port).flat_out(guests.singles(), LANES, WARM_UP_S)
    if result.failed:
        raise StartError("bench_refused", said=str(result.bad[:1]))


def _measure(
    scenario: Scenario, seconds: float, pair: tuple[Measured, Measured], guests: Visitors, rounds: Rounds
) -> None:
    for server, scripts, rates, costs in (
        (pair[0], scenario.mine(guests), rounds.mine, rounds.mine_us),
        (pair[1], scenario.its(), rounds.its, rounds.its_us),
    ):
        before = server.cpu_s()
        result = Load(server.port, new=scenario.new).flat_out(scripts, scenario.lanes, seconds)
        if result.failed or not result.done:
            raise StartError("bench_refused", said=f"{scenario.name}: {result.failed} {result.bad[:1]}")
        rates[scenario.name].append(result.rate * scenario.scale)
        costs[scenario.name].append((server.cpu_s() - before) * 1e6 / result.done / scenario.scale)


def _half_loads(
    pair: tuple[Measured, Measured], guests: Visitors, rounds: Rounds, seconds: float
) -> tuple[Result, Result]:
    """Both at half of what they did, keep-alive."""
    results = []
    for server, scripts, rates in (
        (pair[0], guests.singles(), rounds.mine),
        (pair[1], visitors.bare_single(), rounds.its),
    ):
        ordered = sorted(rates["keep-alive"])
        rate = ordered[len(ordered) // 2] / 2
        some = list(itertools.islice(scripts, int(rate * seconds * HALF_LOAD_TIMES)))
        results.append(Load(server.port).paced(some, rate))
    if results[0].failed:
        raise StartError("bench_refused", said=f"half load: {results[0].failed} {results[0].bad[:1]}")
    return results[0], results[1]


def group_commit(file: Path, seconds: float) -> float:
    """Rows a second that the bare database takes in durable batches, without any server."""
    connection = bare.opened(str(file))
    rows, begun = 0, time.perf_counter()
    while time.perf_counter() < begun + seconds:
        start = time.time_ns().to_bytes(8, "big")
        bare.write(connection, [(start + os.urandom(8), bytes(200)) for _ in range(COMMIT_ROWS)])
        rows += COMMIT_ROWS
    connection.close()
    return rows / (time.perf_counter() - begun)


def _figures(rounds: Rounds, half: tuple[Result, Result], commits: list[float], note: str) -> list[Figure]:
    figures = []
    for scenario in SCENARIOS:
        name = f"check-in {scenario.name}"
        against = "durable echo" if scenario.against == "durable" else "bare echo"
        mine, its = rounds.mine[scenario.name], rounds.its[scenario.name]
        figures.append(beside(name, scenario.unit, mine, its, f"{note}; beside the {against}"))
        costs = rounds.mine_us[scenario.name], rounds.its_us[scenario.name]
        figures.append(beside(f"{name} cpu", "µs", *costs, f"{note}; of the server, by /proc"))
    p99 = [quantile(result.latencies, 0.99) * 1000 for result in half]
    p50 = [quantile(result.latencies, 0.5) * 1000 for result in half]
    figures += [
        beside("check-in p99-half-load", "ms", p99[:1], p99[1:], f"{note}; keep-alive"),
        beside("check-in p50-half-load", "ms", p50[:1], p50[1:], f"{note}; keep-alive"),
        alone("group commit", "rows/s", commits, f"the bare database, batches of {COMMIT_ROWS}, no server"),
    ]
    return figures


def _grown(small: list[Figure], large: list[Figure]) -> list[Figure]:
    """What a check-in costs among many more invited people, as a multiple."""
    names = ("check-in keep-alive cpu", "check-in new-connection cpu", "check-in batch cpu")
    by_name = {figure.name: figure.ours for figure in small}
    return [
        Figure(
            figure.name.replace("cpu", "growth"),
            "×",
            figure.ours,
            by_name[figure.name],
            round(figure.ours / by_name[figure.name], 3),
        )
        for figure in large
        if figure.name in names and by_name[figure.name]
    ]
