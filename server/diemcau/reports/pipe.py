"""The pipe into the process that writes a report: length-prefixed frames, and an empty one at the honest end.

First the heading, then frames of rows. A pipe that ends without the empty frame was cut: nothing is written then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import msgspec

from diemcau.reports.rows import (
    AbsenceRow,
    AttendanceRow,
    ConnectionRow,
    Heading,
    RosterRow,
    Row,
    SpotCheckRow,
    SummaryRow,
    What,
)

LENGTH_BYTES = 4
END = bytes(LENGTH_BYTES)
DECODERS: dict[What, msgspec.msgpack.Decoder[Any]] = {
    What.ATTENDANCE: msgspec.msgpack.Decoder(list[AttendanceRow]),
    What.SUMMARY: msgspec.msgpack.Decoder(list[SummaryRow]),
    What.CONNECTIONS: msgspec.msgpack.Decoder(list[ConnectionRow]),
    What.ROSTER: msgspec.msgpack.Decoder(list[RosterRow]),
    What.SPOT_CHECKS: msgspec.msgpack.Decoder(list[SpotCheckRow]),
    What.ABSENCES: msgspec.msgpack.Decoder(list[AbsenceRow]),
}


class CutOffError(Exception):
    """The pipe ended in the middle: the server that sent the rows is gone or gave up."""


def frame(message: Heading | Sequence[Row]) -> bytes:
    """A heading or some rows, ready for the pipe."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def read_heading(source: BinaryIO) -> Heading:
    """The first frame.

    Raises:
        CutOffError: there is none.
    """
    return msgspec.msgpack.decode(_body(source), type=Heading)


def read_rows(source: BinaryIO, heading: Heading) -> Iterator[Row]:
    """All rows that follow, until the honest end.

    Raises:
        CutOffError: the pipe was cut.
    """
    decoder = DECODERS[heading.what]
    while body := _body(source):
        yield from decoder.decode(body)


def _body(source: BinaryIO) -> bytes:
    length = int.from_bytes(_exactly(source, LENGTH_BYTES), "big")
    return _exactly(source, length)


def _exactly(source: BinaryIO, size: int) -> bytes:
    read = source.read(size)
    if len(read) != size:
        raise CutOffError
    return read
