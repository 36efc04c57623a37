"""`diemcau import units|points|attendees FILE`: lists in, through a running server or on the database itself."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from diemcau.cli import import_preview, local, remote
from diemcau.cli.remote import RefusedError, Remote
from diemcau.cli.words import number, say
from diemcau.domain.authority import System
from diemcau.errors import Finding, ImportRejectedError, StartError
from diemcau.i18n import has
from diemcau.services import import_runs, imports
from diemcau.services.jobs import Job
from diemcau.wire import api
from diemcau.wire.import_runs import ImportUndone
from diemcau.wire.imports import ImportPreview

FINDINGS_SHOWN_MAX = 50
POLL_S = 0.2
UNDO = "undo"
RUN_DIGITS_MAX = 19


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    what: str
    file: Path
    dry_run: bool
    mode: str = "add"
    unit: str | None = None
    move_invitations: bool = False
    mapping: str = ""
    units: dict[str, str] = field(default_factory=dict)
    partial: bool = False

    @property
    def how(self) -> import_runs.How:
        """The same for the service."""
        unit = self.unit.strip().upper() if self.unit else None
        return import_runs.asked_for(self.mode, unit, self.file.name, move_invitations=self.move_invitations)


@click.command("import")
@click.argument("what", type=click.Choice([*sorted(imports.ACTIONS), UNDO]))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE|NUMBER")
@click.option("--dry-run", is_flag=True, help="Only say what the file would do.")
@click.option(
    "--mode",
    type=click.Choice(["add", "replace"]),
    default="add",
    show_default=True,
    help="replace: whoever of --unit is not in the file and is not in use goes.",
)
@click.option("--unit", help="The unit whose list the file replaces.")
@click.option("--move-invitations", is_flag=True, help="In draft sessions, seat people in the hall the file names.")
@click.option("--map", "columns", multiple=True, metavar="FIELD=HEADER", help="What a column is, or its number.")
@click.option("--unit-name", "unit_names", multiple=True, metavar="NAME=CODE", help="Which unit a name means.")
@click.option("--partial", is_flag=True, help="Leave out rows with errors instead of the whole file.")
@remote.options
@local.options
def import_(  # noqa: PLR0913 one parameter an option
    what: str,
    file: Path,
    dry_run: bool,  # noqa: FBT001 click passes it by name
    mode: str,
    unit: str | None,
    move_invitations: bool,  # noqa: FBT001 the same
    columns: tuple[str, ...],
    unit_names: tuple[str, ...],
    partial: bool,  # noqa: FBT001 the same
    url: str | None,
    token: str | None,
    database: str,
    data_dir: Path | None,
) -> None:
    """Import a list from a CSV or XLSX file, all of it or nothing; `undo NUMBER` takes an import back.

    With --url and --token through a running server; otherwise directly on the database, where no server runs.
    """
    server = remote.chosen(url, token)
    if what == UNDO:
        _undo(server, str(file), database, data_dir)
        return
    mapping, names = import_preview.mapping_of(columns), import_preview.pairs("--unit-name", unit_names)
    asked = Asked(what, file, dry_run, mode, unit, move_invitations, mapping, names, partial)
    _check_readable(file)
    try:
        result = _through(server, asked) if server else asyncio.run(_directly(asked, database, data_dir))
    except ImportRejectedError as error:
        _refuse(say("error.import_rejected", count=error.total), error.findings, error.total)
    else:
        _tell(result)


def _check_readable(file: Path) -> None:
    try:
        with file.open("rb"):
            pass
    except FileNotFoundError:
        raise StartError("file_missing", file=str(file)) from None
    except OSError as error:
        raise StartError("file_unreadable", file=str(file), reason=error.strerror or str(error)) from None


# --- through a server --------------------------------------------------------------------------------------
def _through(server: Remote, asked: Asked) -> api.ImportResult:
    query = {"what": asked.what, "file": asked.file.name, "mode": asked.mode, "unit": asked.unit or ""}
    query |= {name: "1" for name in ("dry_run", "move_invitations", "partial") if getattr(asked, name)}
    query |= {"mapping": asked.mapping, "units": msgspec.json.encode(asked.units).decode() if asked.units else ""}
    job = server.upload("/imports", asked.file, **query)
    with _progress() as progress:
        bar = progress.add_task(asked.file.name, total=None)
        while job["state"] in {"queued", "running"}:
            time.sleep(POLL_S)
            job = server.call("GET", f"/jobs/{job['id']}")
            progress.update(bar, completed=job["done"], total=job["total"] or None)
    if job["state"] == "failed":
        raise _failure(job["problem"])
    return msgspec.convert(job["result"], api.ImportResult)


def _failure(problem: dict[str, Any]) -> Exception:
    if problem["code"] != "import_rejected":
        return RefusedError(problem)
    findings = [Finding(**finding) for finding in problem.get("findings", [])]
    return ImportRejectedError(findings, int(problem.get("params", {}).get("count", len(findings))))


# --- on the database ---------------------------------------------------------------------------------------
async def _directly(asked: Asked, database: str, data_dir: Path | None) -> api.ImportResult:
    job = Job("", f"import {asked.what}", System())
    mapping = imports.asked_mapping(asked.mapping)
    wanted = imports.Wanted(asked.what, asked.dry_run, asked.how, mapping, asked.units, asked.partial)
    async with local.opened(database, data_dir) as context:
        work = asyncio.ensure_future(imports.run(System(), context, wanted, asked.file, job))
        with _progress() as progress:
            bar = progress.add_task(asked.file.name, total=None)
            while not (await asyncio.wait([work], timeout=POLL_S))[0]:
                progress.update(bar, completed=job.done, total=job.total or None)
            progress.update(bar, completed=job.done, total=job.total or None)
        return await work


# --- taking one back ---------------------------------------------------------------------------------------
def _undo(server: Remote | None, run: str, database: str, data_dir: Path | None) -> None:
    if not (run.isascii() and run.isdigit() and len(run) < RUN_DIGITS_MAX):
        raise click.BadParameter(run, param_hint="NUMBER")
    if server:
        answer = server.call("POST", f"/import-runs/{run}/undo")
        undone = msgspec.convert(answer, ImportUndone)
    else:
        undone = asyncio.run(_undo_directly(int(run), database, data_dir))
    click.echo(say("import.undone", undone=number(undone.undone), kept=number(undone.kept_total)))
    table = Table(say("import.code"), say("import.reason"))
    for row in undone.kept[:FINDINGS_SHOWN_MAX]:
        table.add_row(row.code, say(f"runs.kept.{row.reason}"))
    if undone.kept:
        Console(width=None if sys.stdout.isatty() else 160, markup=False, highlight=False).print(table)


async def _undo_directly(run_id: int, database: str, data_dir: Path | None) -> ImportUndone:
    async with local.opened(database, data_dir) as context:
        return await import_runs.undo(System(), context, run_id)


# --- what the terminal shows -------------------------------------------------------------------------------
def _progress() -> AbstractContextManager[Progress]:
    """A bar on standard error, which is left out where that is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal)


def _tell(result: api.ImportResult) -> None:
    figures = {name: number(getattr(result, name)) for name in ("rows", "created", "updated", "unchanged")}
    click.echo(say("import.dry_run" if result.dry_run else "import.done", **figures))
    if result.ignored:
        click.echo(say("import.ignored", columns=", ".join(result.ignored)))
    if result.rejected and not result.preview:
        click.echo(say("import.preview.rejected", count=number(result.rejected)))
    if result.removed or result.kept_total:
        click.echo(say("import.removed", removed=number(result.removed), kept=number(result.kept_total)))
    if result.run is not None:
        click.echo(say("import.taken", run=str(result.run)))
    if result.preview:
        _tell_trial(result.preview, result.rejected)


def _tell_trial(preview: ImportPreview, rejected: int) -> None:
    import_preview.show(preview, rejected)
    if preview.findings_total:
        findings = [Finding(f.row, f.column, f.reason, f.value, f.sheet) for f in preview.findings]
        _refuse(say("error.import_rejected", count=preview.findings_total), findings, preview.findings_total)


def _refuse(sentence: str, findings: Sequence[Finding], total: int) -> None:
    click.echo(sentence, err=True)
    table = Table(*(say(f"import.{name}") for name in ("row", "column", "reason", "value")))
    for finding in findings[:FINDINGS_SHOWN_MAX]:
        reason = say(finding.reason) if has(finding.reason) else finding.reason
        row = f"{finding.sheet}: {finding.row}" if finding.sheet else str(finding.row)
        table.add_row(row, finding.column, reason, finding.value)
    Console(width=None if sys.stdout.isatty() else 160, markup=False, highlight=False).print(table)
    if total > FINDINGS_SHOWN_MAX:
        click.echo(say("import.more", count=number(total - FINDINGS_SHOWN_MAX)))
    raise click.exceptions.Exit(1)
