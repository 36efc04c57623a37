"""Headers in any order, spelling and company."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from messy import SHOWN, read
from tables import csv_bytes

from diemcau.intake.tables import ATTENDEES

KNOWN = [column for column in ATTENDEES if not column.part]
CELLS = {
    "code": "DB-1",
    "full_name": "Nguyễn Thị Hồng Đào",
    "title": "Bí thư",
    "unit_code": "XA-1",
    "point_code": "P-1",
    "phone": "0912345678",
}


@given(
    columns=st.permutations(KNOWN),
    pick=st.lists(st.integers(0, 50), min_size=len(KNOWN), max_size=len(KNOWN)),
    upper=st.booleans(),
    plain=st.booleans(),
    titles=st.integers(0, 30),
    noise=st.lists(st.sampled_from(["Ngày sinh", "Giới tính", "Email", ""]), max_size=3, unique=True),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_headers_in_any_order_and_spelling(
    tmp_path: Path,
    columns: list[Any],
    pick: list[int],
    upper: bool,  # noqa: FBT001 drawn by name
    plain: bool,  # noqa: FBT001 drawn by name
    titles: int,
    noise: list[str],
) -> None:
    """Whatever names, order, case, diacritics, titles above and columns between: each cell ends where it belongs."""
    headers = [column.names[place % len(column.names)] for column, place in zip(columns, pick, strict=True)]
    if plain:
        headers = [
            unicodedata.normalize("NFD", header.replace("Đ", "D").replace("đ", "d")).encode("ascii", "ignore").decode()
            for header in headers
        ]
    headers = [header.upper() if upper else header for header in headers]
    row = [CELLS[column.field] for column in columns]
    rows: list[list[Any]] = [[f"Tiêu đề {number}"] for number in range(titles)]
    rows += [[*noise, *headers], [*("x" for _ in noise), *row]]
    path = tmp_path / "list.csv"
    path.write_bytes(csv_bytes(rows))
    got = read(path)
    assert got.ended.findings == []
    assert [dict(zip(SHOWN, cells, strict=True)) for _, cells in got.rows] == [CELLS]
