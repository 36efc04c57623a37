"""CSV files: what a spreadsheet runs and what it does not, and what a program reads back."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diemcau.domain.models import AttendanceStatus
from diemcau.reports import as_csv
from diemcau.reports.rows import AttendanceRow, Format, Heading, What

NOW_MS = 1_770_000_000_000
HEADING = Heading(What.ATTENDANCE, Format.CSV, "vi", "Asia/Ho_Chi_Minh", "Buổi", "", "", NOW_MS, closed=False)
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=20)


def person(code: str = "DB-1", name: str = "Lê Hoà", phone: str = "0912") -> AttendanceRow:
    """A row of the attendance list."""
    return AttendanceRow(code, name, "", "Hà Nội", "Hội trường", phone, AttendanceStatus.PRESENT, NOW_MS, True, "")


def written(*rows: AttendanceRow, heading: Heading = HEADING) -> bytes:
    """The file."""
    out = io.BytesIO()
    as_csv.write(out, heading, rows)
    return out.getvalue()


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "＋1", "－1", "＠x", "  =1"])
def test_what_would_run_is_quoted(text: str) -> None:
    """A list that comes from 50 units must not run anything on the organizer's computer."""
    assert as_csv.defused(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "0912345678", "Nguyễn Thị Hiền", "a=1", "12-3", "'=1", "(+84)", "–"])
def test_what_does_not_run_stays(text: str) -> None:
    """A name is not changed for looking unusual."""
    assert as_csv.defused(text) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Bí thư;=1+1", "Bí thư;'=1+1"),
        ("x; @SUM(A1);y", "x; '@SUM(A1);y"),
        ("x\n=1", "x\n'=1"),
        ("x|-1", "x|'-1"),
        ("=1;=2", "'=1;'=2"),
        ("A; B - C", "A; B - C"),
    ],
)
def test_what_would_run_behind_a_semicolon_is_quoted(text: str, kept: str) -> None:
    """Excel in Vietnamese parts cells at semicolons: a name must not hide a formula behind one."""
    assert as_csv.defused(text) == kept


@pytest.mark.parametrize("text", ["0912345678", "007", "1-2", "3/2", "12:30", "3E5", "123456789012", "024 3825"])
def test_what_would_be_read_as_another_number_is_kept(text: str) -> None:
    """A telephone number keeps its zero and the code 1-2 does not become the first of February."""
    assert as_csv.kept(text) == f"\t{text}"


@pytest.mark.parametrize("text", ["", "0", "12", "DB-0001", "HN000001", "Nguyễn Thị Hiền", "12 Hàng Bạc"])
def test_what_is_read_rightly_stays(text: str) -> None:
    """Ordinary codes and names carry nothing that a program would have to strip."""
    assert as_csv.kept(text) == text


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5))
def test_a_program_reads_back_what_was_recorded(people: list[tuple[str, str, str]]) -> None:
    """Commas, quotes and odd letters in a name keep every cell in its column."""
    content = written(*(person(*each) for each in people))
    _, *rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    read = [(row[1], row[2], row[7]) for row in rows]
    assert read == [tuple(as_csv.kept(cell) for cell in each) for each in people]


def test_text_is_quoted_and_numbers_are_not() -> None:
    """A tab keeps 0912 a text in every spreadsheet; the row number stays a number."""
    line = written(person()).split(b"\r\n")[1].decode()
    assert line == '1,"DB-1","Lê Hoà","","Hà Nội","","Hội trường","\t0912","Có mặt","2026-02-02 09:40:00","",""'


def test_times_are_on_the_halls_clock() -> None:
    """Whoever reads 09:40 looked at a clock in the hall, wherever the server stands."""
    tokyo = Heading(What.ATTENDANCE, Format.CSV, "vi", "Asia/Tokyo", "Buổi", "", "", NOW_MS, closed=False)
    assert b"2026-02-02 11:40:00" in written(person(), heading=tokyo)


def test_the_target_stays_open() -> None:
    """The caller decides when its file is done."""
    out = io.BytesIO()
    as_csv.write(out, HEADING, [])
    assert not out.closed
    assert out.getvalue().startswith(b"\xef\xbb\xbf")
