"""The `diemcau` command. Every option is also an environment variable `DIEMCAU_…`; errors are sentences."""

from __future__ import annotations

import locale
import sys
from importlib import import_module
from typing import Any

import click

from diemcau import __version__
from diemcau.cli.words import language, say
from diemcau.errors import DiemcauError

__all__ = ["Commands", "language", "main"]

COMMANDS = {
    "serve": "serve:serve",
    "import": "imports:import_",
    "export": "exports:export",
    "verify": "verify:verify",
    "user": "users:user",
    "token": "users:token",
    "agent": "agent:agent",
    "demo": "demo:demo",
    "bench": "bench:bench",
}
"""Where each command is. Only the one that runs is imported: a server is ready within a second."""


class Commands(click.Group):
    """A group whose commands fail with a sentence, never a traceback, for every known error."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 click's own signature
        """Run; print a known error's text and exit 1."""
        try:
            return super().invoke(ctx)
        except DiemcauError as error:
            click.echo(say(f"error.{error.code}", **error.params), err=True)
            ctx.exit(1)


class Program(Commands):
    """The group of `COMMANDS`, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of `COMMANDS`."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, None when there is none."""
        del ctx
        module, _, name = COMMANDS.get(cmd_name, "").partition(":")
        if not module:
            return None
        command: click.Command = getattr(import_module(f"diemcau.cli.{module}"), name)
        return command


@click.group(cls=Program, context_settings={"auto_envvar_prefix": "DIEMCAU", "help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="diemcau")
def main() -> None:
    """Diemcau: halls, links and check-ins of a conference held in many halls at once."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    locale.setlocale(locale.LC_CTYPE, "")
