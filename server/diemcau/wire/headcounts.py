"""Headcounts (số người có mặt): how many sit in a hall, said by its operator or told to the centre by telephone."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from diemcau.domain.models import PointMode
from diemcau.wire.api import Code, Millis
from diemcau.wire.check_ins import Nonce

Number = Annotated[int, Meta(ge=0, le=1_000_000)]
Source = Literal["operator", "center"]


class HeadcountNew(Struct, forbid_unknown_fields=True):
    """So many people sit in the hall.

    by: who counted, or who told it on the telephone. at_ms: when, if it was not now.
    nonce: made by the sender before the first send; sent again it is the same headcount.
    """

    point: Code
    number: Number
    by: Annotated[str, Meta(max_length=200)] = ""
    at_ms: Millis | None = None
    nonce: Nonce | None = None


class HeadcountView(Struct):
    """What was said of a hall. `source` operator: by a device of the hall; center: by staff, on the hall's behalf.

    made_by: the device's or account's name; told_by: who said it to them; at_ms: when it was counted, as best known.
    """

    point: str
    number: int
    source: Source
    told_by: str
    made_by: str
    at_ms: int
    server_ms: int


class PointHeadcount(Struct):
    """One hall of the list. `headcount` null: nobody counted yet; `reported`: it counted, or people checked in.

    present, unlisted: named people, on the list and on none; never to be added to the headcount.
    """

    point: str
    name: str
    unit_name: str
    mode: PointMode
    present: int
    unlisted: int
    reported: bool
    contact_name: str
    contact_phone: str
    headcount: HeadcountView | None = None


class HeadcountList(Struct):
    """The halls of the caller's units; `points` and `reported` count all of them, also where only some are listed."""

    server_ms: int
    points: int
    reported: int
    items: list[PointHeadcount]


class OwnHeadcount(Struct):
    """What holds for one hall now; null: nothing was said yet."""

    server_ms: int
    headcount: HeadcountView | None = None
