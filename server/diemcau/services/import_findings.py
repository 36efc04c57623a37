"""What was wrong with a file, as a table to correct it by."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import msgspec

from diemcau import i18n
from diemcau.domain.authority import Actor
from diemcau.errors import ImportRejectedError, NotFoundError
from diemcau.reports.as_csv import defused
from diemcau.services import jobs
from diemcau.wire.imports import ImportFinding, ImportPreview

if TYPE_CHECKING:
    from diemcau.i18n import Language
    from diemcau.services.context import Context

MARK = "\ufeff"
"""Tells Excel that the file is UTF-8."""


async def as_csv(actor: Actor, context: Context, job_id: str, language: Language) -> bytes:
    """The findings of an import or a trial: sheet, row, column, value, reason; nothing in it runs as a formula.

    Raises:
        NotFoundError: no such job, or it found nothing.
        ForbiddenError: it is somebody else's.
    """
    job = await jobs.get(actor, context, job_id)
    findings: list[ImportFinding] = []
    total = 0
    if isinstance(job.error, ImportRejectedError):
        findings = [ImportFinding(f.row, f.column, f.reason, f.value, f.sheet) for f in job.error.findings]
        total = job.error.total
    elif job.result and job.result.preview:
        findings, total = job.result.preview.findings, job.result.preview.findings_total
    if not findings:
        raise NotFoundError(what="file", key="findings.csv")
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(i18n.text(language, f"import.{name}") for name in ("sheet", "row", "column", "value", "reason"))
    for one in findings:
        reason = str(i18n.worded(language, one.reason))
        writer.writerow([defused(one.sheet), one.row, defused(one.column), defused(one.value), reason])
    if total > len(findings):
        writer.writerow([i18n.text(language, "import.more", count=total - len(findings))])
    return (MARK + text.getvalue()).encode()


def worded(preview: ImportPreview, language: Language) -> ImportPreview:
    """A trial's answer with its reasons and notes in words."""
    findings = [
        msgspec.structs.replace(finding, reason=str(i18n.worded(language, finding.reason)))
        for finding in preview.findings
    ]
    notes = []
    for note in preview.notes:
        key, _, count = note.partition(" ")
        notes.append(i18n.text(language, key, count=int(count)))
    return msgspec.structs.replace(preview, findings=findings, notes=notes)
