"""What a benchmark says: ours beside a bare limit measured in the same run, the ratio, and how far it spread."""

from __future__ import annotations

import os
import platform
import statistics
from importlib.metadata import version
from typing import TYPE_CHECKING

import msgspec

from diemcau import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

LIBRARIES = ("aiohttp", "msgspec", "sqlalchemy", "uvloop")


class Figure(msgspec.Struct, omit_defaults=True):
    """One figure. ours, bare: medians over the rounds, in `unit`; ratio: median of each round's ours / bare.

    spread: the lowest and highest ratio (without a bare side: of ours). note: what a reader must know.
    """

    name: str
    unit: str
    ours: float
    bare: float | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    note: str = ""


class Machine(msgspec.Struct):
    """Where it was measured. `load`: the one-minute load average when the run began."""

    cores: int
    system: str
    processor: str
    load: float


class Report(msgspec.Struct):
    """What `diemcau bench … --json` prints."""

    figures: list[Figure]
    machine: Machine
    versions: dict[str, str]


def beside(name: str, unit: str, ours: Sequence[float], bare: Sequence[float], note: str = "") -> Figure:
    """Rounds of ours and of the bare limit, measured in turn."""
    ratios = [mine / its for mine, its in zip(ours, bare, strict=True)]
    return Figure(
        name,
        unit,
        _rounded(statistics.median(ours)),
        _rounded(statistics.median(bare)),
        round(statistics.median(ratios), 3),
        (round(min(ratios), 3), round(max(ratios), 3)),
        note,
    )


def alone(name: str, unit: str, ours: Sequence[float], note: str = "") -> Figure:
    """Rounds of a figure that has no bare counterpart."""
    return Figure(
        name, unit, _rounded(statistics.median(ours)), spread=(_rounded(min(ours)), _rounded(max(ours))), note=note
    )


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which `part` of them lie; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def machine() -> Machine:
    """This machine, now."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return Machine(os.cpu_count() or 1, f"{platform.system()} {platform.release()}", _processor(), round(load, 2))


def versions() -> dict[str, str]:
    """Of Diemcau, Python and the libraries that matter here."""
    return {"diemcau": __version__, "python": platform.python_version()} | {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except ImportError:
        return ""


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 a device, not a path of ours
            return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        return platform.processor()


def _rounded(value: float) -> float:
    return round(value, 3 if value < 10 else 1)
