"""`python -m diemcau.cli.hurried serve 1 …`: the server with shorter beats, so that a small check needs seconds.

Every link deadline is a multiple of the beat; nothing else differs from `diemcau serve`.
"""

from __future__ import annotations

from pathlib import Path

import click

from diemcau.cli import Commands
from diemcau.cli.serve import run
from diemcau.config import Settings

GRACE_BEATS = 6.0
"""As `limits.BLIND_GRACE_S` is to `limits.BEAT_INTERVAL_S`."""


@click.group(cls=Commands)
def main() -> None:
    """A server in a hurry."""


@main.command()
@click.argument("beat_s", type=float)
@click.option("--host", required=True)
@click.option("--port", required=True, type=int)
@click.option("--public-url", required=True)
@click.option("--database", required=True)
@click.option("--data-dir", required=True, type=click.Path(path_type=Path))
def serve(  # noqa: PLR0913 one parameter an option
    *, beat_s: float, host: str, port: int, public_url: str, database: str, data_dir: Path
) -> None:
    """Serve with a beat of `BEAT_S` seconds."""
    run(
        Settings(
            database=database,
            host=host,
            port=port,
            public_url=public_url,
            data_dir=data_dir,
            beat_interval_s=beat_s,
            blind_grace_s=GRACE_BEATS * beat_s,
        )
    )


if __name__ == "__main__":
    main()
