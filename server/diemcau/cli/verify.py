"""`diemcau verify FILE --key FINGERPRINT`: holds a log or minutes against the key; no server, database or network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click

from diemcau.cli.words import number, say
from diemcau.domain import minutes_file, signed
from diemcau.domain.log_file import LINE_BYTES_MAX
from diemcau.domain.log_verifier import Seen, Verifier
from diemcau.domain.minutes_file import Minutes
from diemcau.errors import FileFlawError, StartError

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
MINUTES_BEGIN = b'{"type":"diemcau-minutes"'
Rows = Sequence[tuple[str, str]]


class Fingerprint(click.ParamType[bytes]):
    """A key's fingerprint, in any grouping and case."""

    name = "fingerprint"

    def convert(self, value: str | bytes, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """The 32 bytes; a usage error for anything else."""
        if isinstance(value, bytes):
            return value
        return signed.read_fingerprint(value) or self.fail(say("verify.bad_key"), param, ctx)


@click.command("verify")
@click.argument("file", type=FILE)
@click.option(
    "--key",
    type=Fingerprint(),
    help="[required] The signing key's fingerprint, from the server or from where you noted it; never from the file.",
)
@click.option("--minutes", "held_against", type=FILE, multiple=True, help="Signed minutes that FILE must agree with.")
def verify(file: Path, key: bytes | None, held_against: tuple[Path, ...]) -> None:
    """Verify an exported log or minutes: every byte, and with --minutes what was frozen then.

    Exit status 0: intact. 1: not, and the first wrong place is named. 2: the command was not understood.
    """
    if key is None:
        raise click.UsageError(say("verify.no_key"))
    earlier: list[Minutes] = []
    for path in held_against:
        earlier.append(_minutes(path, key, earlier))
    try:
        with file.open("rb") as opened:
            rows = _verified(opened, key, earlier)
    except OSError as error:
        raise StartError("file_unreadable", file=str(file), reason=error.strerror or str(error)) from None
    if held_against:
        rows = [*rows, ("verify.held_against", ", ".join(map(str, held_against)))]
    _show([*rows, ("verify.key", signed.shown(key))])


def _minutes(path: Path, key: bytes, earlier: list[Minutes]) -> Minutes:
    """Minutes to hold a file against, verified themselves and held against those named before them."""
    try:
        with path.open("rb") as opened:
            return minutes_file.verify(_whole(opened), key, earlier)
    except FileFlawError as error:
        what = say(f"error.{error.code}", **error.params)
        raise click.ClickException(say("verify.bad_minutes", file=str(path), what=what)) from None
    except OSError as error:
        raise StartError("file_unreadable", file=str(path), reason=error.strerror or str(error)) from None


def _verified(opened: IO[bytes], key: bytes, earlier: list[Minutes]) -> Rows:
    """What there is to say of an intact file.

    Raises:
        FileFlawError: it is not intact.
    """
    begin = opened.read(len(MINUTES_BEGIN))
    opened.seek(0)
    if begin == MINUTES_BEGIN:
        return _about_minutes(minutes_file.verify(_whole(opened), key, earlier))
    verifier = Verifier(key, earlier)
    for line in _lines(opened):
        verifier.line(line)
    return _about_log(verifier.finish())


def _lines(opened: IO[bytes]) -> Iterator[bytes]:
    """The lines with their ends; none is longer than a reader should take into memory."""
    count = 0
    while line := opened.readline(LINE_BYTES_MAX + 1):
        count += 1
        if len(line) > LINE_BYTES_MAX:
            raise FileFlawError(line=count, what="flaw.too_long")
        yield line


def _whole(opened: IO[bytes]) -> bytes:
    """Minutes are one line; whatever follows is only looked at, not taken in."""
    return next(_lines(opened), b"") + opened.read(1)


def _about_log(seen: Seen) -> Rows:
    heading = seen.heading
    return [
        ("verify.kind", say("verify.log")),
        ("verify.session", heading.session),
        ("verify.title", heading.title),
        ("verify.made", _time(heading.made_ms)),
        ("verify.revision", number(heading.revision) if heading.revision else say("verify.not_frozen")),
        ("verify.scope", say("verify.everything") if heading.scope is None else ", ".join(heading.scope)),
        ("verify.chains", number(len(heading.chains))),
        ("verify.entries", number(seen.entries)),
        ("verify.sealed", number(seen.sealed)),
        ("verify.opened", number(seen.opened)),
    ]


def _about_minutes(minutes: Minutes) -> Rows:
    figures = minutes.figures
    counted = ("summoned", "present", "substituted", "excused", "unexcused", "guests", "unlisted", "waiting")
    return [
        ("verify.kind", say("verify.minutes")),
        ("verify.session", minutes.session),
        ("verify.title", minutes.title),
        ("verify.made", _time(minutes.at_ms)),
        ("verify.revision", number(minutes.revision)),
        *((f"verify.{name}", number(getattr(figures, name) or 0)) for name in counted),
        ("verify.chains", number(len(minutes.chains))),
    ]


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC).astimezone():%Y-%m-%d %H:%M:%S %z}"


def _show(rows: Rows) -> None:
    click.echo(say("verify.intact"))
    labels = [say(key) for key, _ in rows]
    width = max(map(len, labels))
    for label, (_, value) in zip(labels, rows, strict=True):
        click.echo(f"{label:<{width}}  {value}")
