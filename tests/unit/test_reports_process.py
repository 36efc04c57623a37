"""The process that writes a report: honest about rows that were cut off, small whatever their number."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from diemcau.domain.models import AttendanceStatus
from diemcau.reports import pipe, process
from diemcau.reports.rows import AttendanceRow, Format, Heading, What

NOW_MS = 1_770_000_000_000
ROW = AttendanceRow("DB-1", "Lê Hoà", "", "Hà Nội", "", "", AttendanceStatus.UNMARKED, None, True, "")


def heading(form: Format) -> Heading:
    """What stands above the table."""
    return Heading(What.ATTENDANCE, form, "vi", "Asia/Ho_Chi_Minh", "Buổi", "", "", NOW_MS, closed=False)


@pytest.mark.parametrize("form", Format)
def test_rows_go_in_and_a_file_comes_out(form: Format, tmp_path: Path) -> None:
    """Frames of any size make one file."""
    sent = pipe.frame(heading(form)) + pipe.frame([ROW, ROW]) + pipe.frame([ROW]) + pipe.END
    process.write(io.BytesIO(sent), tmp_path / "out")
    assert (tmp_path / "out").stat().st_size > 100


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("cut", [0, 2, 30, -6, -4, -1])
def test_a_cut_pipe_is_no_short_list(form: Format, cut: int, tmp_path: Path) -> None:
    """A list that lacks its end must never be taken for the whole."""
    sent = (pipe.frame(heading(form)) + pipe.frame([ROW]) + pipe.END)[:cut]
    with pytest.raises(pipe.CutOffError):
        process.write(io.BytesIO(sent), tmp_path / "out")


def run(sent: bytes, path: Path) -> subprocess.CompletedProcess[bytes]:
    """The real process."""
    command = [sys.executable, "-P", "-m", "diemcau.reports.process", str(path)]
    return subprocess.run(command, input=sent, capture_output=True, timeout=60, check=False)


def test_failures_are_one_line(tmp_path: Path) -> None:
    """The server's log names the cause, not a page of code."""
    cut = run(pipe.frame(heading(Format.CSV)), tmp_path / "out")
    assert (cut.returncode, cut.stderr) == (1, b"the rows were cut off\n")
    nowhere = run(pipe.frame(heading(Format.CSV)) + pipe.END, tmp_path / "no" / "out")
    assert nowhere.returncode == 1
    assert nowhere.stderr.count(b"\n") == 1


def test_it_knows_no_database_and_no_web() -> None:
    """Each export is a process; what it does not need would cost every one of them memory and time."""
    script = "import sys, diemcau.reports.process, diemcau.reports.as_xlsx; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"sqlalchemy", "aiohttp", "asyncio", "argon2", "alembic", "uvloop"}
