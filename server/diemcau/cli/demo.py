"""`diemcau demo`: the sample conference, played against a real server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from diemcau.cli.words import language
from diemcau.clock import SystemClock
from diemcau.demo import run
from diemcau.demo.screen import Screen


@click.command()
@click.option("--check", is_flag=True, help="Play everything headless, then compare; exit 0 only if all agrees.")
@click.option("--speed", default=5.0, show_default=True, type=click.FloatRange(0.1, 1000), help="Times real time.")
@click.option("--lan", is_flag=True, help="Let phones on the same network take part (no HTTPS).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port [default: 8080; with --check any free one].")
@click.option("--database", help="An empty database [default: an embedded one in a fresh folder].")
@click.option("--points", type=click.IntRange(1), help="Play only so many of the 766 halls.")
@click.option("--people", type=click.IntRange(1), help="Play only about so many of the 52,000 people.")
@click.option("--beat-interval", default=10.0, type=click.FloatRange(0.2, 60), hidden=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures here.")
@click.pass_context
def demo(  # noqa: PLR0913 one parameter an option
    ctx: click.Context,
    *,
    check: bool,
    speed: float,
    lan: bool,
    port: int | None,
    database: str | None,
    points: int | None,
    people: int | None,
    beat_interval: float,
    json_file: Path | None,
) -> None:
    """Play a conference of 766 halls and 52,000 people against a real server, and leave one hall to you."""
    options = run.Options(check, speed, lan, port, database, points, people, beat_interval, json_file)
    ctx.exit(play(options))


def play(options: run.Options) -> int:
    """Play with uvloop where it exists; the exit status."""
    screen = Screen.open(language())
    try:
        import uvloop  # noqa: PLC0415 absent on Windows
    except ImportError:
        return asyncio.run(run.run(options, screen, SystemClock()))
    return uvloop.run(run.run(options, screen, SystemClock()))
