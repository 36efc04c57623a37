"""When a request is late, and how the reasons that come along are told."""

from __future__ import annotations

import pytest

from diemcau.domain import absence
from diemcau.domain.models import AbsenceState


@pytest.mark.parametrize(
    ("now_ms", "deadline_ms", "late"),
    [(100, 100, False), (101, 100, True), (101, 200, False), (500, None, False), (501, None, True), (1, 0, True)],
)
def test_late_is_after_the_deadline(now_ms: int, deadline_ms: int | None, *, late: bool) -> None:
    """Who asks in the deadline's own millisecond is in time; without one the session's start (500) is it."""
    assert absence.is_late(now_ms, deadline_ms, starts_ms=500) is late


def test_reasons_are_told_in_the_readers_language_until_somebody_renames_them() -> None:
    """A guest reads English; what an office wrote itself is nobody's to translate."""
    assert absence.reason_name("ILL", "Ốm", "en") == "Illness"
    assert absence.reason_name("ILL", "Ốm", "vi") == "Ốm"
    assert absence.reason_name("ILL", "Ốm đau", "en") == "Ốm đau"
    assert absence.reason_name("STUDY", "Đi học", "en") == "Đi học"


def test_only_an_approval_excuses() -> None:
    """A request is no excuse, and one that was refused or withdrawn is none any more."""
    assert [state for state in AbsenceState if absence.is_excused(state)] == [AbsenceState.APPROVED]
    assert {AbsenceState.REQUESTED, AbsenceState.APPROVED} == absence.LIVE
