"""`diemcau export SESSION attendance|summary|connections`: logs out, from a running server or the database itself."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import click

from diemcau.cli import local, remote
from diemcau.cli.words import language, number, say
from diemcau.domain.authority import System
from diemcau.errors import StartError
from diemcau.services import exports

REPORTS = ("attendance", "summary", "connections")
FORMATS = ("csv", "xlsx")


@click.command("export")
@click.argument("session")
@click.argument("what", type=click.Choice(REPORTS))
@click.option("--format", "form", type=click.Choice(FORMATS), help="[default: the file's ending, else csv]")
@click.option("--unit", help="Only this unit and all below it.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write [default: SESSION-WHAT.FORMAT here].",
)
@remote.options
@local.options
def export(  # noqa: PLR0913 one parameter an option
    session: str,
    what: str,
    form: str | None,
    unit: str | None,
    output: Path | None,
    url: str | None,
    token: str | None,
    database: str,
    data_dir: Path | None,
) -> None:
    """Write a session's attendance list, summary by unit, or connection log to a file.

    With --url and --token from a running server; otherwise straight from the database, where no server runs.
    """
    form = form or _ending(output)
    code = session.upper()
    target = output or Path(f"{code}-{what}.{form}")
    server = remote.chosen(url, token)
    with _complete(target) as part:
        if server:
            query = {"unit": unit} if unit else {}
            with part.open("wb") as file:
                server.download(f"/sessions/{quote(code, safe='')}/exports/{what}.{form}", file, **query)
        else:
            wanted = exports.Wanted(what, form, unit.upper() if unit else None, language())
            asyncio.run(_directly(code, wanted, part, database, data_dir))
    click.echo(say("export.done", file=str(target), bytes=number(target.stat().st_size)))


def _ending(output: Path | None) -> str:
    ending = output.suffix.lstrip(".").lower() if output else ""
    return ending if ending in FORMATS else "csv"


@contextmanager
def _complete(target: Path) -> Iterator[Path]:
    """A file beside `target` that takes its place once it is complete; a failed export leaves nothing behind.

    Raises:
        StartError: the folder cannot be written, or the disk is full.
    """
    part = target.with_name(target.name + ".part")
    try:
        part.touch(mode=0o600)
        yield part
        part.replace(target)
    except OSError as error:
        raise StartError("file_unwritable", file=str(target), reason=error.strerror or str(error)) from None
    finally:
        part.unlink(missing_ok=True)


async def _directly(code: str, wanted: exports.Wanted, part: Path, database: str, data_dir: Path | None) -> None:
    async with (
        local.opened(database, data_dir) as context,
        exports.made(System(), context, code, wanted) as made,
    ):
        await asyncio.to_thread(shutil.copyfile, made.path, part)
