"""`diemcau export SESSION …`: reports, log and minutes out, from a running server or the database itself."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from diemcau.cli import local, remote
from diemcau.cli.serve import data_dir_of
from diemcau.cli.words import language, number, say
from diemcau.domain.authority import System
from diemcau.errors import StartError
from diemcau.reports.rows import Format, What
from diemcau.services import exports, log_export, minutes, signing
from diemcau.store.engine import file_of, parse_url

if TYPE_CHECKING:
    from diemcau.services.context import Context

REPORTS = tuple(str(what) for what in What)
FORMATS = tuple(str(form) for form in Format)
SIGNED = {"log": "jsonl", "minutes": "json"}
"""What is signed, each in the one format that can be verified."""


@click.command("export")
@click.argument("session")
@click.argument("what", type=click.Choice([*REPORTS, *SIGNED]))
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS, *SIGNED.values()]),
    help="[default: jsonl for the log, json for minutes, else the file's ending, else csv]",
)
@click.option("--unit", help="Only this unit and all below it.")
@click.option("--point", help="Of a roster, only this point's.")
@click.option("--depth", type=click.IntRange(0, 99), help="Of a summary, no units below this depth.")
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
    point: str | None,
    depth: int | None,
    output: Path | None,
    url: str | None,
    token: str | None,
    database: str,
    data_dir: Path | None,
) -> None:
    """Write one of a session's reports, its attendance log or its minutes to a file.

    Attendance log (jsonl) and minutes (json) are signed: `diemcau verify` holds them against the key's fingerprint.

    With --url and --token from a running server; otherwise straight from the database, where no server runs.
    """
    form = _format(what, form, output)
    if what == "minutes" and unit:
        raise click.UsageError(say("export.whole_session"))
    code = session.upper()
    target = output or Path(f"{code}-{what}.{form}")
    server = remote.chosen(url, token)
    with _complete(target) as part:
        if server:
            asked = {"unit": unit, "point": point, "depth": depth}
            query = {name: str(value) for name, value in asked.items() if value is not None}
            with part.open("wb") as file:
                server.download(f"/sessions/{quote(code, safe='')}/exports/{what}.{form}", file, **query)
            fingerprint = server.call("GET", "/signing-key")["fingerprint"] if what in SIGNED else ""
        else:
            _there(what, database, data_dir)
            wanted = exports.Wanted(what, form, _upper(unit), language(), _upper(point), depth)
            fingerprint = asyncio.run(_directly(code, wanted, part, database, data_dir))
    click.echo(say("export.done", file=str(target), bytes=number(target.stat().st_size)))
    if what in SIGNED:
        click.echo(say("export.key", file=str(target), fingerprint=fingerprint))


def _upper(code: str | None) -> str | None:
    """A code as it is stored."""
    return code.upper() if code else None


def _format(what: str, form: str | None, output: Path | None) -> str:
    """The format that was asked for, else the one that fits what is exported and the file's ending.

    Raises:
        click.UsageError: there is no such format of it.
    """
    ending = output.suffix.lstrip(".").lower() if output else ""
    fits = (SIGNED[what],) if what in SIGNED else FORMATS
    if form is None:
        return ending if ending in fits else fits[0]
    if form not in fits:
        raise click.UsageError(say("export.no_such_format", what=what, formats=", ".join(fits)))
    return form


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


def _there(what: str, database: str, data_dir: Path | None) -> None:
    """Export from what is there: an empty database says nothing, and a key made just now proves nothing.

    Raises:
        StartError: no such database file, or no key to sign with.
    """
    file, key = file_of(parse_url(database)), (data_dir or data_dir_of(database)) / "secret.key"
    if file and not file.exists():
        raise StartError("file_missing", file=str(file))
    if what in SIGNED and not key.exists():
        raise StartError("key_missing", file=str(key))


async def _directly(code: str, wanted: exports.Wanted, part: Path, database: str, data_dir: Path | None) -> str:
    """Write the file as the system; the fingerprint of the key that signs."""
    async with local.opened(database, data_dir) as context:
        async with _made(context, code, wanted) as made:
            await asyncio.to_thread(shutil.copyfile, made.path, part)
        return (await signing.public_key(System(), context)).fingerprint


def _made(context: Context, code: str, wanted: exports.Wanted) -> AbstractAsyncContextManager[exports.Export]:
    if wanted.what == "log":
        return log_export.made(System(), context, code, wanted.unit, wanted.language)
    if wanted.what == "minutes":
        return minutes.made(System(), context, code, wanted.language)
    return exports.made(System(), context, code, wanted)
