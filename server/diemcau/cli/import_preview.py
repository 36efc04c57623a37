"""What a trial of an import shows in a terminal, and the answers that one may give on the command line."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from diemcau.cli.words import language, number, say
from diemcau.i18n import has
from diemcau.services import import_findings
from diemcau.wire.imports import ImportPreview, ImportSheet

SHEET_SKIPPED = ("headings", "totals", "foot", "headers", "blank")


def pairs(option: str, values: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` options as a mapping; the last `=` parts them, for names hold some.

    Raises:
        click.BadParameter: one has no `=`.
    """
    found: dict[str, str] = {}
    for value in values:
        name, sign, answer = value.rpartition("=")
        if not sign:
            raise click.BadParameter(value, param_hint=option)
        found[name] = answer
    return found


def mapping_of(values: Sequence[str]) -> str:
    """`FIELD=HEADER` options as the JSON of `mapping`, for every sheet; a number is a column's, from 1.

    Raises:
        click.BadParameter: one has no `=`.
    """
    columns: dict[str, str | int | None] = {}
    for value in values:
        field, sign, header = value.partition("=")
        if not sign:
            raise click.BadParameter(value, param_hint="--map")
        columns[field.strip()] = int(header) if header.isascii() and header.isdigit() else header or None
    return msgspec.json.encode({"": {"columns": columns}}).decode() if columns else ""


def show(preview: ImportPreview, rejected: int) -> None:
    """How the file was understood: sheets, columns, what was passed over, and what is asked."""
    for sheet in preview.sheets:
        _show_sheet(sheet, alone=len(preview.sheets) == 1)
    if preview.skipped:
        counts = {kind: number(preview.skipped.get(kind, 0)) for kind in SHEET_SKIPPED}
        click.echo(say("import.preview.skipped", **counts))
    for note in _worded(preview).notes:
        click.echo(note)
    for question in preview.questions:
        key = f"import.preview.question_{question.reason}"
        click.echo(say(key, name=question.name, rows=number(question.rows), row=question.row))
        for unit in question.candidates:
            click.echo(f"  {unit.code}  {', '.join(filter(None, (unit.name, unit.above)))}")
    if rejected:
        click.echo(say("import.preview.rejected", count=number(rejected)))


def _worded(preview: ImportPreview) -> ImportPreview:
    """In words already where it comes from a server."""
    if all(has(note.partition(" ")[0]) for note in preview.notes):
        return import_findings.worded(preview, language())
    return preview


def _show_sheet(sheet: ImportSheet, *, alone: bool) -> None:
    if not sheet.header_row and not sheet.rows:
        click.echo(say("import.preview.sheet_none", name=sheet.name))
        return
    key = "import.preview.sheet_one" if alone else "import.preview.sheet"
    click.echo(say(key, name=sheet.name, row=sheet.header_row, rows=number(sheet.rows)))
    for column in sheet.columns:
        if column.field:
            told = say("import.preview.column", column=column.index, header=column.header, field=column.field)
            click.echo(f"  {told}")
