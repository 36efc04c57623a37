"""Which people stand behind each figure of the summary (I3: as many as it says). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from diemcau.domain.models import AttendanceStatus


@dataclass(frozen=True, slots=True)
class FigureRows:
    """Whom a figure counts: invited or not (None: both), counted at all, of one status."""

    invited: bool | None = None
    counted: bool = False
    status: AttendanceStatus | None = None


UNLISTED = "unlisted"
"""People on no list: rows of another kind, behind a figure of their own."""

FIGURES: dict[str, FigureRows] = {
    "summoned": FigureRows(invited=True),
    "present": FigureRows(invited=True, counted=True),
    "guests": FigureRows(invited=False, counted=True),
    "checked_in": FigureRows(counted=True),
    **{
        status.value: FigureRows(invited=True, status=status)
        for status in AttendanceStatus
        if status is not AttendanceStatus.PRESENT
    },
}
"""By name: those of the summary, `late` among the present; `checked_in` counts the present and the guests."""
