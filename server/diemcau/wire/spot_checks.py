"""Spot-checks: a headcount plus five names drawn by lot, or a new door code for some minutes (DESIGN.md §6)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from diemcau import limits
from diemcau.domain.models import Phase, SpotMode
from diemcau.wire.api import Code


class SpotCheckNew(Struct, forbid_unknown_fields=True):
    """Begin a spot-check in all halls of `unit` (all of the session without), for `minutes`."""

    phase: Phase
    mode: SpotMode = SpotMode.SAMPLE
    minutes: Annotated[int, Meta(ge=1, le=limits.SPOT_CODE_MINUTES_MAX)] = 10
    unit: Code | None = None


class SpotFigures(Struct):
    """Totals over halls. Headcounts and named people stand side by side and are never added together.

    points: halls asked; answered: of them, those with a headcount; present: counted check-ins there when it began;
    headcount: sum of the answered; present_answered: check-ins of the answered halls only, to compare with it;
    asked: names drawn; confirmed: of them, seen; not_confirmed: of them, answered as not seen (which is not absent);
    the rest has no answer. scanned: people who scanned the new code.
    """

    points: int = 0
    answered: int = 0
    present: int = 0
    present_answered: int = 0
    headcount: int = 0
    asked: int = 0
    confirmed: int = 0
    not_confirmed: int = 0
    scanned: int = 0


class SpotCheckView(Struct):
    """A spot-check with its totals inside the caller's units."""

    id: int
    phase: Phase
    mode: SpotMode
    started_ms: int
    ends_ms: int
    made_by: str
    figures: SpotFigures


class SpotCheckList(Struct):
    """All spot-checks of a session, in the order they were made."""

    items: list[SpotCheckView]


class SpotPointView(Struct, omit_defaults=True):
    """One hall in a spot-check."""

    point: str
    point_name: str
    unit_name: str
    present: int
    asked: int
    confirmed: int
    not_confirmed: int
    scanned: int
    headcount: int | None = None
    answered_ms: int | None = None
    answered_by: str = ""


class SpotCheckPoints(Struct):
    """A spot-check hall by hall."""

    check: SpotCheckView
    items: list[SpotPointView]


class SpotPerson(Struct):
    """A name drawn by lot, for the hall's operator. `seen` null: not answered yet."""

    code: str
    full_name: str
    title: str
    unit_name: str
    seen: bool | None = None


class SpotTask(Struct):
    """What a hall is asked now: `GET /sessions/{s}/points/{p}/spot-check`. `mode` code: show the new door code."""

    id: int
    phase: Phase
    mode: SpotMode
    started_ms: int
    ends_ms: int
    present: int
    people: list[SpotPerson]
    headcount: int | None = None


class SpotTasks(Struct):
    """The tasks that are open for this hall; usually none or one."""

    server_ms: int
    items: list[SpotTask]


class SpotAnswer(Struct, forbid_unknown_fields=True):
    """A hall's answer; may be sent again with more or other values until half an hour after the check's end."""

    headcount: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    seen: list[Code] = []
    not_seen: list[Code] = []
