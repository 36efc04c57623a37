"""`python -m diemcau.reports.process FILE`: writes one report from the rows on standard input, then exits.

A process of its own, so that seconds of formatting never hold up a check-in; it knows no database and no web.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import BinaryIO

from diemcau.reports import pipe
from diemcau.reports.rows import Format

NICENESS = 5
"""Check-ins and beats come first on a busy machine."""


def write(source: BinaryIO, path: Path) -> None:
    """Write the report that `source` describes to `path`.

    Raises:
        CutOffError: the rows ended in the middle; what was written is incomplete.
        OSError: the disk is full, or `path` cannot be written.
    """
    heading = pipe.read_heading(source)
    rows = pipe.read_rows(source, heading)
    if heading.format is Format.CSV:
        from diemcau.reports import as_csv  # noqa: PLC0415 the other format's library is not needed

        with path.open("wb") as out:
            as_csv.write(out, heading, rows)
        return
    from diemcau.reports import as_xlsx  # noqa: PLC0415 see above

    as_xlsx.write(path, heading, rows)


def main() -> None:
    """Exit 0 when the file is complete, else 1 with a line that says why."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(NICENESS)
    try:
        write(sys.stdin.buffer, Path(sys.argv[1]))
    except pipe.CutOffError:
        sys.exit("the rows were cut off")
    except OSError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
