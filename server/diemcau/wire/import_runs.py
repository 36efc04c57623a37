"""Imports on record, and taking one back."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from diemcau.wire.api import Millis


class ImportRun(Struct):
    """A list that was taken over. `unit`: all of its rows lie below it; null: in the whole tree.

    state: staging while it is written, done, undoing, undone. The figures count rows.
    """

    id: int
    what: Literal["units", "points", "attendees"]
    mode: Literal["add", "replace"]
    file: str
    made_ms: Millis
    made_by: str
    unit: str | None
    state: Literal["staging", "done", "undoing", "undone"]
    added: int
    changed: int
    unchanged: int
    removed: int
    undone_ms: Millis | None = None
    undone_by: str = ""


class ImportRunPage(Struct):
    """A page of imports, the newest first. `next`: the `after` of the next page; null at the end."""

    items: list[ImportRun]
    next: str | None = None


class KeptRow(Struct):
    """A row that stays as it is. reason: changed since, in_use, taken (its code), gone (what it needs), forbidden."""

    code: str
    reason: Literal["changed", "in_use", "taken", "gone", "forbidden"]


class ImportUndone(Struct):
    """What taking an import back did. `kept`: the first of the `kept_total` rows that stay as they are."""

    undone: int
    kept_total: int
    kept: list[KeptRow]
