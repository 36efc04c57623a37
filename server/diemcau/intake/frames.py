"""What the reading process sends: msgpack frames, each behind its length in four bytes."""

from __future__ import annotations

import msgspec

from diemcau.errors import Finding

LENGTH_BYTES = 4


class Opened(msgspec.Struct, tag="opened", array_like=True):
    """The header was read. `fields` name a row's values; `total` is about how many rows come."""

    fields: list[str]
    headers: dict[str, str]
    ignored: list[str]
    total: int


class Rows(msgspec.Struct, tag="rows", array_like=True):
    """Rows, each with its number in the file; `row` is how far the reading has come.

    unfit: rows with findings, cells in question empty: what they refer to can be looked up all the same.
    """

    row: int
    rows: list[tuple[int, list[str | int]]]
    unfit: list[tuple[int, list[str | int]]]


class Ended(msgspec.Struct, tag="ended", array_like=True):
    """Everything was read: how many rows stood there, and what was wrong with some of them."""

    rows: int
    findings: list[Finding]
    findings_total: int
    spoilt: list[str]


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
