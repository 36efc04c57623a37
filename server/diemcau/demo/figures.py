"""What a check measured, as rows for the table and for `--json`."""

from __future__ import annotations

import os
import platform
import sys
from typing import TYPE_CHECKING

import msgspec

from diemcau import __version__
from diemcau.demo.errors import DemoError
from diemcau.demo.ledger import percentile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from diemcau.demo.board import Board
    from diemcau.demo.ledger import Ledger
    from diemcau.demo.process import Cost
    from diemcau.demo.reconcile import Line


class Figure(msgspec.Struct, frozen=True):
    """One measured figure."""

    name: str
    value: float
    unit: str


class Measured(msgspec.Struct):
    """Seconds of the parts and what the processes cost; the players' own figures stand in the ledger."""

    import_s: float = 0.0
    pairing_s: float = 0.0
    playing_s: float = 0.0
    playing_server_cpu_s: float = 0.0
    export_csv_s: float = 0.0
    export_xlsx_s: float = 0.0
    page_bytes: int = 0
    players_cpu_s: float = 0.0
    total_s: float = 0.0


class Report(msgspec.Struct):
    """What `--json` writes."""

    agrees: bool
    figures: list[Figure]
    lines: list[ReportLine]
    machine: dict[str, str]
    versions: dict[str, str]


class ReportLine(msgspec.Struct):
    """A row of the reconciliation."""

    section: str
    where: str
    expected: int
    found: int
    agrees: bool
    differences: list[str]


def figures(measured: Measured, ledger: Ledger, board: Board, server: Cost) -> list[Figure]:
    """All figures, in the order of the table."""
    playing_s = measured.playing_s or 1.0
    return [
        Figure("import", measured.import_s, "s"),
        Figure("pairing", measured.pairing_s, "s"),
        Figure("playing", measured.playing_s, "s"),
        Figure("journeys_per_s", ledger.visits / playing_s, "/s"),
        Figure("requests_per_s", ledger.requests / playing_s, "/s"),
        Figure("confirm_p50", percentile(ledger.confirm_ms, 0.5), "ms"),
        Figure("confirm_p99", percentile(ledger.confirm_ms, 0.99), "ms"),
        Figure("journey_p50", percentile(ledger.journey_ms, 0.5), "ms"),
        Figure("journey_p99", percentile(ledger.journey_ms, 0.99), "ms"),
        Figure("board_count_p50", percentile(board.count_ms, 0.5), "ms"),
        Figure("board_count_p99", percentile(board.count_ms, 0.99), "ms"),
        Figure("board_lost_p50", percentile(board.lost_ms, 0.5), "ms"),
        Figure("board_lost_p99", percentile(board.lost_ms, 0.99), "ms"),
        Figure("page_bytes", measured.page_bytes, "B"),
        Figure("export_csv", measured.export_csv_s, "s"),
        Figure("export_xlsx", measured.export_xlsx_s, "s"),
        Figure("playing_server_cpu", measured.playing_server_cpu_s, "s"),
        Figure("server_cpu", server.cpu_s, "s"),
        Figure("server_rss", server.rss_peak_mib, "MiB"),
        Figure("players_cpu", measured.players_cpu_s, "s"),
        Figure("total", measured.total_s, "s"),
    ]


def require_writable(path: Path) -> None:
    """Find out before the play, not after it, that the report cannot be written.

    Raises:
        DemoError: `demo_json`.
    """
    try:
        path.open("ab").close()
    except OSError as error:
        raise DemoError("demo_json", where=str(path), reason=str(error.strerror)) from error


def write_report(path: Path, lines: Sequence[Line], measured: Sequence[Figure]) -> None:
    """Write the `--json` file.

    Raises:
        DemoError: `demo_json` when it cannot be written (any more).
    """
    require_writable(path)
    report = Report(
        all(line.agrees for line in lines),
        list(measured),
        [
            ReportLine(line.section, line.where, line.expected, line.found, line.agrees, line.differences)
            for line in lines
        ],
        {"cores": str(os.cpu_count()), "system": platform.platform(), "processor": platform.machine()},
        {"diemcau": __version__, "python": sys.version.split()[0]},
    )
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
