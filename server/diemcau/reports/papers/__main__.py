"""`python -m diemcau.reports.papers FILE`: sets the paper on standard input as a PDF, then exits.

A process of its own, so that seconds of setting never hold up a check-in. It writes a line a hundred codes to standard
output: how many are made.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from diemcau.errors import ExportFailedError
from diemcau.reports import as_pdf
from diemcau.reports.papers.codes import Codes
from diemcau.reports.papers.rows import Paper
from diemcau.reports.process import NICENESS

CODES_A_LINE = 100


def content(paper: Paper) -> dict[str, Any]:
    """What the template reads: the paper with a `qr` for each item that has a link."""
    codes = Codes()
    items: list[dict[str, Any]] = []
    for item in paper.items:
        values: dict[str, Any] = msgspec.to_builtins(item)
        if "link" in values:
            values["qr"] = codes.outline(values.pop("link"))
            if len(items) % CODES_A_LINE == CODES_A_LINE - 1:
                print(len(items) + 1, flush=True)  # noqa: T201 the pipe to who waits
        items.append(values)
    return {**msgspec.to_builtins(paper), "items": items}


def main() -> None:
    """Exit 0 when the file is complete, else 1 with a line that says why."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(NICENESS)
    try:
        paper = msgspec.json.decode(sys.stdin.buffer.read(), type=Paper)
        Path(sys.argv[1]).write_bytes(as_pdf.pdf(paper.template, content(paper)))
    except msgspec.MsgspecError:
        sys.exit("the paper was cut off")
    except ExportFailedError as error:
        sys.exit(f"typst: {error.__cause__ or 'the typeface was not built'}")
    except OSError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
