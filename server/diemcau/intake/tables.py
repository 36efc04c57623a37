"""What a table of units, points or attendees holds: its columns, the names they go by, the rule of each cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from diemcau.domain.names import fold


class Rule(Enum):
    """How a cell is read."""

    CODE = "code"
    NAME = "name"
    TEXT = "text"
    COUNT = "count"
    MODE = "mode"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `names` are headers it is known by, the best first; case, diacritics and signs do not matter."""

    field: str
    names: tuple[str, ...]
    rule: Rule = Rule.TEXT
    required: bool = False

    @property
    def label(self) -> str:
        """How a missing column is named to a reader of either language."""
        return f"{self.field} / {self.names[0]}"


UNITS = (
    Column("code", ("Mã", "Mã đơn vị", "unit_code"), Rule.CODE, required=True),
    Column("name", ("Tên", "Tên đơn vị", "Đơn vị"), Rule.NAME, required=True),
    Column("parent_code", ("Mã đơn vị cấp trên", "Mã cấp trên", "Đơn vị cấp trên", "Cấp trên", "parent"), Rule.CODE),
    Column("level", ("Cấp", "Loại đơn vị")),
)
POINTS = (
    Column("code", ("Mã", "Mã điểm cầu", "point_code"), Rule.CODE, required=True),
    Column("name", ("Tên", "Tên điểm cầu", "Điểm cầu"), Rule.NAME, required=True),
    Column("unit_code", ("Mã đơn vị", "Đơn vị", "unit"), Rule.CODE, required=True),
    Column("capacity", ("Sức chứa", "Số chỗ", "Số chỗ ngồi"), Rule.COUNT),
    Column("mode", ("Hình thức", "Loại điểm cầu"), Rule.MODE),
    Column("contact_name", ("Đầu mối", "Họ tên đầu mối", "Người phụ trách", "Cán bộ đầu mối")),
    Column("contact_phone", ("SĐT đầu mối", "Số điện thoại", "SĐT", "Điện thoại", "phone")),
    Column("cluster", ("Cụm",)),
    Column("carrier", ("Nhà mạng",)),
    Column("note", ("Ghi chú",)),
)
ATTENDEES = (
    Column("code", ("Mã", "Mã đại biểu", "Mã số", "attendee_code"), Rule.CODE, required=True),
    Column("full_name", ("Họ và tên", "Họ tên", "Tên đại biểu", "name"), Rule.NAME, required=True),
    Column("title", ("Chức vụ", "Chức danh", "position")),
    Column("unit_code", ("Mã đơn vị", "Đơn vị", "unit"), Rule.CODE, required=True),
    Column("point_code", ("Mã điểm cầu", "Điểm cầu", "point"), Rule.CODE),
    Column("phone", ("Số điện thoại", "SĐT", "Điện thoại", "telephone")),
)
TABLES: Mapping[str, tuple[Column, ...]] = {"units": UNITS, "points": POINTS, "attendees": ATTENDEES}

MODES = {
    fold(word): mode
    for mode, words in {
        "center": ("center", "centre", "Trung tâm", "Điểm cầu trung tâm"),
        "online": ("online", "Trực tuyến", "Cơ sở", "Điểm cầu cơ sở"),
        "tv": ("tv", "Truyền hình", "Qua truyền hình"),
    }.items()
    for word in words
}
"""A point's mode by the words that lists use for it, folded."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header row read: which column stands where.

    places: by column, its index and the header as written. `ignored`: headers that mean nothing here.
    missing, doubled: columns that must be there and are not, and headers that stand there twice.
    """

    places: dict[Column, tuple[int, str]] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    missing: list[Column] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


def read_header(cells: list[str], columns: tuple[Column, ...]) -> Header:
    """Find each column by the best of its names that stands in the header row."""
    header = Header()
    where: dict[str, int] = {}
    known = _known(columns)
    for index, cell in enumerate(cells):
        name = fold(cell)
        if name in where and name in known:
            header.doubled.append(cell)
        if name:
            where.setdefault(name, index)
    taken: set[int] = set()
    for column in columns:
        found = [where[name] for name in _names(column) if name in where and where[name] not in taken]
        if found:
            header.places[column] = (found[0], cells[found[0]])
            taken.add(found[0])
        elif column.required:
            header.missing.append(column)
    header.ignored.extend(cell for index, cell in enumerate(cells) if cell and index not in taken)
    return header


def recognized(cells: list[str], columns: tuple[Column, ...]) -> int:
    """How many of the cells are headers known here: tells a header row, and the right separator."""
    return len(_known(columns) & {fold(cell) for cell in cells})


def _names(column: Column) -> list[str]:
    return [fold(name) for name in (column.field, *column.names)]


def _known(columns: tuple[Column, ...]) -> set[str]:
    return {name for column in columns for name in _names(column)}
