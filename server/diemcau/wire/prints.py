"""Paper to print: what is asked for. The answer is a job whose files are PDF."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from diemcau.domain.models import DeviceKind
from diemcau.wire.api import Code


class PrintNew(Struct, forbid_unknown_fields=True):
    """Make paper for a session's halls and people.

    what: badges | posters | pairing | hall_lists.
    unit: of this unit and all below it; point: of this hall alone. Neither: everything the caller may print.
    layout: of badges; ten on an A4 sheet, or a page a card. kind: of the devices that pairing sheets are for.
    """

    what: Literal["badges", "posters", "pairing", "hall_lists"]
    unit: Code | None = None
    point: Code | None = None
    layout: Literal["a4-10", "card"] = "a4-10"
    kind: DeviceKind = DeviceKind.OPERATOR
