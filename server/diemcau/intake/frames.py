"""What the reading process is asked for, as JSON, and what it sends: msgpack frames behind their lengths."""

from __future__ import annotations

import msgspec

from diemcau.errors import Finding
from diemcau.wire.imports import ImportSheet

LENGTH_BYTES = 4
"""Before each frame."""


class SheetChoice(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What somebody says about a sheet: where its columns are named, which they are, or that it is not to be read.

    columns: by field, a header as written, a column's number counted from 1, or null where none is meant.
    """

    columns: dict[str, str | int | None] = {}
    header_row: int | None = None
    read: bool = True


Mapping = dict[str, SheetChoice]
"""Choices by a sheet's name or its number counted from 1; "" for every sheet."""


class Opened(msgspec.Struct, tag="opened", array_like=True):
    """The header of a sheet was read; one such frame a sheet, before its rows.

    fields: the names of a row's values, the same in every sheet: the code, the other columns, what is derived.
    headers: by field, the header as written, of the columns that stand in this sheet; what is not among them changes
    nothing. total: about how many rows come.
    sheet: its name where the workbook has several.
    """

    fields: list[str]
    headers: dict[str, str]
    ignored: list[str]
    total: int
    sheet: str = ""

    @property
    def unsaid(self) -> list[str]:
        """Fields of which this sheet has no column, nor what they are derived from."""
        said = {*self.headers, "unit_code"}  # headings and titles say it too
        for origin, derived in DERIVED.items():
            if origin in said:
                said.update(derived)
        return [name for name in self.fields if name not in said]


DERIVED = {"name": ("name_folded",), "full_name": ("name_folded", "sort_key"), "phone": ("phone_digits",)}
"""Values made from another one."""


class Rows(msgspec.Struct, tag="rows", array_like=True):
    """Rows, each with its number in the sheet; `row` is how far the reading has come.

    unfit: rows with findings, cells in question empty: what they refer to can be looked up all the same.
    """

    row: int
    rows: list[tuple[int, list[str | int]]]
    unfit: list[tuple[int, list[str | int]]]


class Ended(msgspec.Struct, tag="ended", array_like=True):
    """Everything was read: how many rows stood there, and what was wrong with some of them.

    sheets: how each was understood; `skipped`: rows that are no entries, by kind; `notes`: how often something was
    put right or left alone, by the key of its sentence.
    """

    rows: int
    findings: list[Finding]
    findings_total: int
    spoilt: list[str]
    sheets: list[ImportSheet] = []
    skipped: dict[str, int] = {}
    notes: dict[str, int] = {}


class Unreadable(msgspec.Struct, tag="unreadable", array_like=True):
    """The file as a whole cannot be read; `code` is an error's."""

    code: str


Frame = Opened | Rows | Ended | Unreadable
_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)


def encode(frame: Frame) -> bytes:
    """A frame as sent."""
    body = msgspec.msgpack.encode(frame)
    return len(body).to_bytes(LENGTH_BYTES) + body


def decode(body: bytes) -> Frame:
    """A frame from what stood behind its length."""
    return _decoder.decode(body)
