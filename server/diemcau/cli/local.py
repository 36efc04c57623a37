"""Commands that work on the database itself, where no server runs: they act as the system."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diemcau.app import open_context
from diemcau.cli.serve import data_dir_of
from diemcau.config import Settings

if TYPE_CHECKING:
    from diemcau.services.context import Context

DATABASE = "sqlite:///data/diemcau.db"


def opened(database: str, data_dir: Path | None = None) -> AbstractAsyncContextManager[Context]:
    """The server's parts over a database, without its sockets.

    Raises (on entering):
        StartError: a server holds the embedded database, or it cannot be opened.
    """
    return open_context(Settings(database=database, data_dir=data_dir or data_dir_of(database)))


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--database` and `--data-dir`, which `DIEMCAU_DATABASE` and `DIEMCAU_DATA_DIR` give too."""
    for option in (
        click.option(
            "--data-dir",
            envvar="DIEMCAU_DATA_DIR",
            type=click.Path(path_type=Path),
            help="Where secret.key lives [default: beside the database, or ./data].",
        ),
        click.option(
            "--database",
            envvar="DIEMCAU_DATABASE",
            default=DATABASE,
            show_default=True,
            help="sqlite:///… or postgresql://…, where no server runs.",
        ),
    ):
        command = option(command)
    return command
