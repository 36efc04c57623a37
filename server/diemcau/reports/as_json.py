"""Reports as JSON, for programs: raw values (codes, milliseconds, numbers), one object a row, sums at the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

import msgspec

from diemcau.reports.rows import UNLISTED, AttendanceRow, Heading, Row
from diemcau.reports.totals import Tally


def write(out: BinaryIO, heading: Heading, rows: Iterable[Row]) -> None:
    """Write `{what, session, …, "rows": [{…}, …], "totals": {…}}` to `out`, row by row.

    Raises:
        TotalsDifferError: the rows do not add up.
    """
    tally = Tally(heading)
    encoder = msgspec.json.Encoder()
    told = msgspec.structs.asdict(heading)
    for name in ("format", "language", "totals", "head"):
        del told[name]
    out.write(encoder.encode(told)[:-1] + b',"rows":[')
    between = b"\n"
    for row in tally.counted(rows):
        out.write(between)
        out.write(encoder.encode(_object(row)))
        between = b",\n"
    out.write(b'\n],"totals":' + encoder.encode(tally.sums) + b"}\n")


def _object(row: Row) -> dict[str, object]:
    fields = {name: _value(getattr(row, name)) for name in row.__struct_fields__}
    if isinstance(row, AttendanceRow) and fields.pop("unlisted"):
        fields["status"] = UNLISTED
    return fields


def _value(value: object) -> object:
    """Structs inside a row travel as arrays through the pipe; here they are told by name."""
    return msgspec.structs.asdict(value) if isinstance(value, msgspec.Struct) else value
