"""The log only grows (I4): no code changes or removes what was recorded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STORE = Path(__file__).resolve().parents[2] / "server" / "diemcau" / "store"
RECORDS = (
    "attendance_event",
    "annulment",
    "late_entry",
    "minutes",
    "link_transition",
    "session_state",
    "headcount",
    "quick_report",
)


def test_records_are_never_changed() -> None:
    """A corrected or deleted line of the log would be a figure nobody can answer for."""
    pattern = re.compile(
        rf"(?:update|delete)\(\s*(?:schema\.)?({'|'.join(RECORDS)})\b"
        rf"|\b(?:update|delete\s+from)\s+({'|'.join(RECORDS)})\b",
        re.IGNORECASE,
    )
    modules = list(STORE.rglob("*.py"))
    found = [path.name for path in modules if pattern.search(path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize("table", ["attendance_event", "log_chain"])
def test_only_one_place_writes_the_log(table: str) -> None:
    """An event written past its chain would verify as a forgery, or not at all."""
    written = re.compile(rf"\b(?:insert|insert_each|insert into)\(?\s*(?:schema\.)?{table}\b", re.IGNORECASE)
    found = {path.name for path in STORE.rglob("*.py") if written.search(path.read_text(encoding="utf-8"))}
    assert found == {"event_log.py"}
