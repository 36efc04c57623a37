"""`diemcau serve`: one server process."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import click
import structlog

from diemcau import limits
from diemcau.app import Server
from diemcau.config import Settings

GRACE_BEATS = limits.BLIND_GRACE_S / limits.BEAT_INTERVAL_S


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--database", default="sqlite:///data/diemcau.db", show_default=True, help="sqlite:///… or postgresql://…"
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Where secret.key lives [default: beside the database, or ./data].",
)
@click.option("--public-url", help="The origin people reach this server under, e.g. https://hn.example.vn")
@click.option("--tls-certificate", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--tls-key", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--beat-interval",
    default=limits.BEAT_INTERVAL_S,
    show_default=True,
    type=click.FloatRange(0.1, 60),
    help="Seconds between a device's signs of life; every deadline of a link is a multiple of it.",
)
@click.option("--timezone", default="Asia/Ho_Chi_Minh", show_default=True, help="The halls' own time zone.")
def serve(  # noqa: PLR0913 one parameter an option
    host: str,
    port: int,
    database: str,
    data_dir: Path | None,
    public_url: str | None,
    tls_certificate: Path | None,
    tls_key: Path | None,
    beat_interval: float,
    timezone: str,
) -> None:
    """Serve until told to stop (Ctrl-C or SIGTERM); everything acknowledged is on disk by then."""
    settings = Settings(
        database=database,
        host=host,
        port=port,
        public_url=public_url,
        data_dir=data_dir or data_dir_of(database),
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        beat_interval_s=beat_interval,
        blind_grace_s=beat_interval * GRACE_BEATS,
        timezone=timezone,
    )
    settings.check()
    run(settings)


def data_dir_of(database: str) -> Path:
    """Beside the embedded database; `./data` otherwise."""
    prefix = "sqlite:///"
    return Path(database.removeprefix(prefix)).parent if database.startswith(prefix) else Path("data")


def run(settings: Settings) -> None:
    """Serve with uvloop where it exists."""
    configure_logs()
    try:
        import uvloop  # noqa: PLC0415 absent on Windows
    except ImportError:
        asyncio.run(_serve(settings))
    else:
        uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with Server(settings) as server:
        if server.setup_url:
            click.echo("Tạo quản trị viên đầu tiên, mở liên kết dùng một lần này (one-time link, first administrator):")
            click.echo(f"  {server.setup_url}")
        click.echo(f"Diemcau: {settings.origin}")
        sys.stdout.flush()
        await stop.wait()


def configure_logs() -> None:
    """One line an event, to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
