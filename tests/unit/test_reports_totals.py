"""Every total equals its rows: at every level, in every form, whatever was recorded (I3)."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from diemcau.domain.attendance import Figures, roll_up
from diemcau.domain.models import AttendanceStatus
from diemcau.reports import as_csv, as_json, as_xlsx, report_pdf
from diemcau.reports.rows import AttendanceRow, Format, Heading, PhaseFigures, Row, SpotCheckRow, SummaryRow, What
from diemcau.reports.totals import SUMMED, Tally, TotalsDifferError, plus

NOW_MS = 1_770_000_000_000
OPEN = [status for status in AttendanceStatus if status is not AttendanceStatus.UNEXCUSED]
PATHS = ("A.", "A.B.", "A.B.C.", "A.B.D.", "A.E.", "A.E.F.")
COUNTS = st.integers(0, 2000)


@st.composite
def figures(draw: st.DrawFn) -> Figures:
    """What one unit holds itself, as it may be."""
    late, others, substituted, excused, missing = (draw(COUNTS) for _ in range(5))
    present = late + others
    summoned = present + substituted + excused + missing
    return Figures(draw(COUNTS), summoned, present, late, draw(COUNTS), substituted, draw(COUNTS), excused)


def heading(what: What, form: Format = Format.JSON, totals: dict[str, int] | None = None) -> Heading:
    """What stands above a table."""
    return Heading(what, form, "en", "Asia/Tokyo", "S", "", "", NOW_MS, closed=False, session="S1", totals=totals or {})


def row_of(path: str, own: Figures) -> SummaryRow:
    """A unit's row; the total has no path."""
    told = {**asdict(own), "missing": own.missing, "rate": own.rate, "rate_all": own.rate_with_substitutes}
    return SummaryRow(unit=path, unit_code=path, depth=path.count(".") - 1 if path else None, **told)


def tree(own: list[Figures]) -> list[SummaryRow]:
    """The summary of these units and its total."""
    rolled = roll_up(dict(zip(PATHS, own, strict=True)), PATHS)
    return [*(row_of(path, rolled[path]) for path in PATHS), row_of("", sum(own, Figures()))]


def numbers(written: dict[str, list[list[str]]]) -> dict[str, list[list[float]]]:
    """The figures of a summary's rows, from the third column on."""
    return {
        form: [[float(cell.replace(",", "")) for cell in row if cell not in {"", "None"}] for row in rows]
        for form, rows in written.items()
    }


def forms(rows: list[SummaryRow], folder: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """The same summary as each form tells it: a list of cells a row, without name and code."""
    out = io.BytesIO()
    as_csv.write(out, heading(What.SUMMARY, Format.CSV), rows)
    yield "csv", [row[2:] for row in csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline=""))][1:]
    as_xlsx.write(folder / "x.xlsx", heading(What.SUMMARY, Format.XLSX), rows)
    book = load_workbook(folder / "x.xlsx").worksheets[0]
    yield "xlsx", [[str(cell) for cell in row[2:]] for row in book.iter_rows(min_row=6, values_only=True)]
    lines = report_pdf.content_of(heading(What.SUMMARY, Format.PDF), iter(rows))["groups"][0].lines
    yield "pdf", [line.cells[2:] for line in lines]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(figures(), min_size=len(PATHS), max_size=len(PATHS)))
def test_every_level_adds_up_in_every_form(own: list[Figures]) -> None:
    """Whoever adds a column of any form, at any level, gets what the row above says; all forms say the same."""
    rows = tree(own)
    out = io.BytesIO()
    as_json.write(out, heading(What.SUMMARY), rows)
    told = {row["unit_code"]: row for row in json.loads(out.getvalue())["rows"]}
    for path, mine in zip(PATHS, own, strict=True):
        below = [child for child in PATHS if child.startswith(path) and child.count(".") == path.count(".") + 1]
        for key in SUMMED:
            assert told[path][key] == getattr(mine, key) + sum(told[child][key] for child in below)
    assert {key: told[""][key] for key in SUMMED} == {key: told["A."][key] for key in SUMMED}
    with tempfile.TemporaryDirectory() as folder:
        written = numbers(dict(forms(rows, Path(folder))))
    assert written["xlsx"] == written["csv"] == written["pdf"]
    assert [row[1] for row in written["csv"]] == [row.summoned for row in rows]


@given(st.lists(figures(), min_size=len(PATHS), max_size=len(PATHS)), st.sampled_from(SUMMED), st.integers(1, 5))
@example([Figures(1, 5, 2, 1)] * len(PATHS), "present", 1)
def test_a_summary_that_lies_does_not_leave(own: list[Figures], key: str, more: int) -> None:
    """One figure changed anywhere in the last row stops the paper."""
    *rows, last = tree(own)
    wrong = msgspec.structs.replace(last, **{key: getattr(last, key) + more})
    with pytest.raises(TotalsDifferError):
        list(Tally(heading(What.SUMMARY)).counted([*rows, wrong]))


CAME = (AttendanceStatus.PRESENT, True, False)
PEOPLE = st.lists(st.tuples(st.sampled_from(OPEN), st.booleans(), st.booleans()), max_size=30)


def person(of: tuple[AttendanceStatus, bool, bool]) -> AttendanceRow:
    """Somebody in the attendance list: status, invited, unlisted."""
    status, invited, unlisted = of
    return AttendanceRow("X", "Lê Hoà", "", "", "", "", status, None, invited, "", unlisted=unlisted)


@settings(max_examples=25, deadline=None)
@given(PEOPLE)
def test_the_lists_sums_are_its_rows(people: list[tuple[AttendanceStatus, bool, bool]]) -> None:
    """Everybody is in exactly one sum, late ones in two; the workbook's cells and the paper's line say the same."""
    rows: list[Row] = [person(each) for each in people]
    tally = Tally(heading(What.ATTENDANCE))
    assert list(tally.counted(rows)) == rows
    sums = tally.sums
    assert sums["summoned"] + sums["guests"] + sums["unlisted"] == len(rows)
    assert sums["summoned"] == sum(sums[key] for key in ("present", "substituted", "excused", "unmarked"))
    assert sums["late"] <= sums["present"]
    with tempfile.TemporaryDirectory() as folder:
        as_xlsx.write(Path(folder) / "x.xlsx", heading(What.ATTENDANCE, Format.XLSX), rows)
        sheet = list(load_workbook(Path(folder) / "x.xlsx").worksheets[0].iter_rows(values_only=True))
    assert [row[3] for row in sheet[-len(sums) :]] == list(sums.values())
    told = report_pdf.content_of(heading(What.ATTENDANCE, Format.PDF), iter(rows))["sums"]
    assert [int(line.rpartition(": ")[2]) for line in told] == list(sums.values())


@pytest.mark.parametrize("form", [as_csv.write, as_json.write])
def test_rows_that_went_missing_stop_the_file(form: Callable[[io.BytesIO, Heading, list[Row]], None]) -> None:
    """The database counts eleven summoned and ten rows came: no file at all is better than that one."""
    rows: list[Row] = [person(CAME)] * 10
    form(io.BytesIO(), heading(What.ATTENDANCE, totals={"summoned": 10, "present": 10}), rows)
    with pytest.raises(TotalsDifferError):
        form(io.BytesIO(), heading(What.ATTENDANCE, totals={"summoned": 11}), rows)


ANSWERS = st.none() | st.builds(PhaseFigures, COUNTS, st.none() | COUNTS, COUNTS, COUNTS)


@given(st.lists(st.tuples(ANSWERS, ANSWERS, ANSWERS), max_size=8))
def test_spot_checks_add_up(halls: list[tuple[PhaseFigures | None, ...]]) -> None:
    """The last row is the sum of the halls that were asked; a head more in it stops the paper."""
    rows = [SpotCheckRow(f"P{number}", "", "", *answers) for number, answers in enumerate(halls)]
    sums: list[PhaseFigures | None] = [None, None, None]
    for row in rows:
        sums = [plus(mine, its) for mine, its in zip(sums, (row.start, row.middle, row.end), strict=True)]
    assert (
        len(list(Tally(heading(What.SPOT_CHECKS)).counted([*rows, SpotCheckRow("", "", "", *sums)]))) == len(rows) + 1
    )
    told = sums[0] or PhaseFigures()
    wrong = SpotCheckRow("", "", "", msgspec.structs.replace(told, present=told.present + 1), *sums[1:])
    with pytest.raises(TotalsDifferError):
        list(Tally(heading(What.SPOT_CHECKS)).counted([*rows, wrong]))


def test_a_paper_bears_the_figures(pdf_text: Callable[[bytes], str], tmp_path: Path) -> None:
    """What is set on paper is what was counted, in our typeface throughout."""
    own = [Figures(1, 1200, 1100, 30, 4, 10, 2, 15)] * len(PATHS)
    content = report_pdf.made(heading(What.SUMMARY, Format.PDF), iter(tree(own)))
    total = next(line.split() for line in pdf_text(content).splitlines() if line.startswith("Total"))
    assert total[1:8] == ["6", "7,200", "6,600", "180", "60", "90", "450"]
    (tmp_path / "x.pdf").write_bytes(content)
    command = [shutil.which("pdffonts") or "pdffonts", str(tmp_path / "x.pdf")]
    fonts = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    names = [line.split()[0] for line in fonts.stdout.splitlines()[2:]]
    assert names
    assert all("BeVietnamPro" in name for name in names)


def test_a_paper_has_a_bound() -> None:
    """Row 3,001 stops it before typesetting begins."""
    rows = (person(CAME) for _ in range(5_000))
    with pytest.raises(report_pdf.TooLongError):
        report_pdf.made(heading(What.ATTENDANCE, Format.PDF), rows)
