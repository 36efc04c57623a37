"""Absences: what may be decided of one, when a request is late, and the reasons there are from the start. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau import i18n
from diemcau.domain.models import AbsenceState

if TYPE_CHECKING:
    from diemcau.i18n import Language

LIVE = frozenset({AbsenceState.REQUESTED, AbsenceState.APPROVED})
"""States in which nobody needs to ask again."""

DEFAULT_REASONS = ("ILL", "DUTY", "FAMILY", "CLASH", "OTHER")
"""Codes of the reasons until an organizer edits the list; their names are `absence.reason.…` in Vietnamese."""

BY_HOLDER = "badge"
"""Who asked, where the attendee did so on their own page."""


def default_name(code: str, language: Language = "vi") -> str:
    """The name of one of `DEFAULT_REASONS`."""
    return i18n.text(language, f"absence.reason.{code.lower()}")


def reason_name(code: str, name: str, language: Language) -> str:
    """A reason's name for a reader: one that nobody renamed is told in their language."""
    if code in DEFAULT_REASONS and name == default_name(code):
        return default_name(code, language)
    return name


def is_late(now_ms: int, deadline_ms: int | None, starts_ms: int) -> bool:
    """Whether who asks now asks late: after the deadline or, where none is set, after the session's start."""
    return now_ms > (starts_ms if deadline_ms is None else deadline_ms)


def is_excused(state: AbsenceState) -> bool:
    """Whether figures that know of this state count the person as excused."""
    return state is AbsenceState.APPROVED
