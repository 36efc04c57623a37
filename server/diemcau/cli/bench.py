"""`diemcau bench`: figures beside the limits of the stack, measured in one run on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.table import Table

from diemcau.bench import check_in, exports, imports, nation_burst
from diemcau.cli.words import say

if TYPE_CHECKING:
    from diemcau.bench.figures import Figure, Report

FOLDER = click.option(
    "--folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Where the databases are made."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")


@click.group()
def bench() -> None:
    """Measure this machine: ours and bare servers in turn, in processes of their own on loopback."""


@bench.command("check-in")
@click.option("--people", default=52_000, show_default=True, type=click.IntRange(1_000, 5_000_000))
@click.option(
    "--large", default=2_000_000, show_default=True, type=click.IntRange(0, 5_000_000), help="0: leave it out."
)
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 50))
@click.option("--seconds", default=2.0, show_default=True, type=click.FloatRange(0.2, 60), help="Of each measurement.")
@FOLDER
@JSON
def check_in_(*, people: int, large: int, rounds: int, seconds: float, folder: Path | None, as_json: bool) -> None:  # noqa: PLR0913 one parameter an option
    """Durable check-ins: one a request, a new connection each, batches, whole journeys; at half load; among many."""
    show(check_in.run(check_in.Options(people, large, rounds, seconds, folder), progress), as_json=as_json)


@bench.command("nation-burst")
@click.option("--people", default=2_000_000, show_default=True, type=click.IntRange(1_000, 5_000_000))
@click.option(
    "--rate", default=3_000.0, show_default=True, type=click.FloatRange(1, 50_000), help="Check-ins a second."
)
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(1, 600))
@FOLDER
@JSON
def nation_burst_(*, people: int, rate: float, seconds: float, folder: Path | None, as_json: bool) -> None:
    """Thousands of phones a second, each with a new connection, among two million invited; then count what is kept."""
    show(nation_burst.run(nation_burst.Options(people, rate, seconds, folder), progress), as_json=as_json)


@bench.command("import")
@click.option("--rows", default=52_000, show_default=True, type=click.IntRange(1_000, 1_000_000))
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 50))
@click.option("--rate", default=300.0, show_default=True, type=click.FloatRange(1, 50_000), help="Check-ins a second.")
@click.option("--database", help="An empty database on a server, instead of the embedded one: postgresql://…")
@FOLDER
@JSON
def import_(*, rows: int, rounds: int, rate: float, database: str | None, folder: Path | None, as_json: bool) -> None:  # noqa: PLR0913 one parameter an option
    """A workbook of new people beside reading and inserting it bare; check-ins while it is taken over."""
    show(imports.run(imports.Options(rows, rounds, rate, folder, database), progress), as_json=as_json)


@bench.command("export")
@click.option("--people", default=52_000, show_default=True, type=click.IntRange(1_000, 2_000_000))
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 50))
@click.option("--rate", default=300.0, show_default=True, type=click.FloatRange(1, 50_000), help="Check-ins a second.")
@FOLDER
@JSON
def export_(*, people: int, rounds: int, rate: float, folder: Path | None, as_json: bool) -> None:
    """The attendance list as XLSX and CSV beside the bare writers; its memory, and check-ins meanwhile."""
    show(exports.run(exports.Options(people, rounds, rate, folder), progress), as_json=as_json)


def progress(line: str) -> None:
    """Say what is done, beside the figures."""
    click.echo(line, err=True)


def show(report: Report, *, as_json: bool) -> None:
    """The figures, as a table or as JSON."""
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
        return
    table = Table("", *(say(f"bench.{column}") for column in ("ours", "bare", "ratio", "spread", "note")))
    for figure in report.figures:
        table.add_row(*_cells(figure))
    console = Console()
    console.print(table)
    where = report.machine
    console.print(say("bench.machine", cores=where.cores, processor=where.processor, load=where.load))


def _cells(figure: Figure) -> tuple[str, ...]:
    spread = f"{figure.spread[0]:g} – {figure.spread[1]:g}" if figure.spread else ""
    bare = "" if figure.bare is None else f"{figure.bare:,g}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:g}"
    return f"{figure.name} ({figure.unit})", f"{figure.ours:,g}", bare, ratio, spread, figure.note
