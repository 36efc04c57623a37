"""The log only grows (I4): no code changes or removes what was recorded."""

from __future__ import annotations

import re
from pathlib import Path

STORE = Path(__file__).resolve().parents[2] / "server" / "diemcau" / "store"
RECORDS = ("attendance_event", "link_transition", "session_state")


def test_records_are_never_changed() -> None:
    """A corrected or deleted line of the log would be a figure nobody can answer for."""
    pattern = re.compile(
        rf"(?:update|delete)\(\s*(?:schema\.)?({'|'.join(RECORDS)})\b"
        rf"|\b(?:update|delete\s+from)\s+({'|'.join(RECORDS)})\b",
        re.IGNORECASE,
    )
    modules = list(STORE.rglob("*.py"))
    written = "".join(path.read_text(encoding="utf-8") for path in modules)
    assert re.search(r"insert\(\s*attendance_event", written), "the pattern no longer fits how the log is written"
    found = [path.name for path in modules if pattern.search(path.read_text(encoding="utf-8"))]
    assert found == []
