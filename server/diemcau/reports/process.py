"""`python -m diemcau.reports.process FILE`: writes one report from the rows on standard input, then exits.

A process of its own, so that seconds of formatting never hold up a check-in; it knows no database and no web.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import BinaryIO

from diemcau.reports import as_csv, as_json, pipe
from diemcau.reports.rows import Format
from diemcau.reports.totals import TotalsDifferError

TOO_LONG = 3
"""The exit code that says: more rows than a paper may have."""

NICENESS = 5
"""Check-ins and beats come first on a busy machine."""


def write(source: BinaryIO, path: Path) -> None:
    """Write the report that `source` describes to `path`.

    Raises:
        CutOffError: the rows ended in the middle; what was written is incomplete.
        TotalsDifferError: the rows do not add up to what the heading says.
        ExportFailedError: the paper cannot be set.
        OSError: the disk is full, or `path` cannot be written.
    """
    heading = pipe.read_heading(source)
    rows = pipe.read_rows(source, heading)
    if heading.format is Format.XLSX:
        from diemcau.reports import as_xlsx  # noqa: PLC0415 the other formats' libraries are not needed

        as_xlsx.write(path, heading, rows)
    elif heading.format is Format.PDF:
        from diemcau.reports import report_pdf  # noqa: PLC0415 see above

        try:
            path.write_bytes(report_pdf.made(heading, rows))
        except report_pdf.TooLongError:
            sys.exit(TOO_LONG)
    else:
        with path.open("wb") as out:
            (as_csv if heading.format is Format.CSV else as_json).write(out, heading, rows)


def main() -> None:
    """Exit 0 when the file is complete, else 1 with a line that says why."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(NICENESS)
    try:
        write(sys.stdin.buffer, Path(sys.argv[1]))
    except pipe.CutOffError:
        sys.exit("the rows were cut off")
    except TotalsDifferError as error:
        sys.exit(f"the rows do not add up: {error}")
    except OSError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
