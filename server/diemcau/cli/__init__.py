"""The `diemcau` command. Every option is also an environment variable `DIEMCAU_…`; errors are sentences."""

from __future__ import annotations

import locale
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from diemcau import __version__, i18n
from diemcau.cli import serve
from diemcau.errors import DiemcauError

if TYPE_CHECKING:
    from diemcau.i18n import Language


def language() -> Language:
    """The terminal's language: English where the locale says so, else Vietnamese."""
    named = os.environ.get("DIEMCAU_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "en" if named.lower().startswith(("en", "c.", "posix")) or named in {"", "C"} else "vi"


class Commands(click.Group):
    """A group whose commands fail with a sentence, never a traceback, for every known error."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 click's own signature
        """Run; print a known error's text and exit 1."""
        try:
            return super().invoke(ctx)
        except DiemcauError as error:
            click.echo(i18n.text(language(), f"error.{error.code}", **error.params), err=True)
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
