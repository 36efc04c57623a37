"""The `diemcau` command. Every option is also an environment variable `DIEMCAU_…`; errors are sentences."""

from __future__ import annotations

import locale
import sys
from typing import Any

import click

from diemcau import __version__
from diemcau.cli import agent, demo, exports, imports, serve, users
from diemcau.cli.words import language, say
from diemcau.errors import DiemcauError

__all__ = ["Commands", "language", "main"]


class Commands(click.Group):
    """A group whose commands fail with a sentence, never a traceback, for every known error."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 click's own signature
        """Run; print a known error's text and exit 1."""
        try:
            return super().invoke(ctx)
        except DiemcauError as error:
            click.echo(say(f"error.{error.code}", **error.params), err=True)
            ctx.exit(1)


@click.group(cls=Commands, context_settings={"auto_envvar_prefix": "DIEMCAU", "help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="diemcau")
def main() -> None:
    """Diemcau: halls, links and check-ins of a conference held in many halls at once."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    locale.setlocale(locale.LC_CTYPE, "")


main.add_command(serve.serve)
main.add_command(imports.import_)
main.add_command(exports.export)
main.add_command(users.user)
main.add_command(users.token)
main.add_command(agent.agent)
main.add_command(demo.demo)
