"""What a table of units, points or attendees holds: its columns, the names they go by, the rule of each cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from diemcau.domain.names import fold

CODE = re.compile(r"[A-Z0-9._-]{1,40}")


class Rule(Enum):
    """How a cell is read."""

    CODE = "code"
    NAME = "name"
    TEXT = "text"
    COUNT = "count"
    MODE = "mode"
    PHONE = "phone"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `names` are headers it is known by, the best first; case, diacritics and signs do not matter.

    required: every row needs it. asked: a sheet may lack it all the same; then heading rows, the sheet's title or name
    say it, or somebody is asked. part: only half of the name, joined with the other half.
    """

    field: str
    names: tuple[str, ...]
    rule: Rule = Rule.TEXT
    required: bool = False
    asked: bool = False
    part: bool = False

    @property
    def label(self) -> str:
        """How a missing column is named to a reader of either language."""
        return f"{self.field} / {self.names[0]}"


PHONES = ("Số điện thoại", "SĐT", "Điện thoại", "Số ĐT", "ĐT", "Điện thoại di động", "ĐTDĐ", "Di động")
UNIT_OF = ("Mã đơn vị", "Đơn vị", "Tên đơn vị", "Đơn vị công tác", "Cơ quan, đơn vị", "Cơ quan", "unit")

UNITS = (
    Column("code", ("Mã", "Mã đơn vị", "unit_code"), Rule.CODE, required=True),
    Column("name", ("Tên", "Tên đơn vị", "Đơn vị"), Rule.NAME, required=True),
    Column("parent_code", ("Mã đơn vị cấp trên", "Mã cấp trên", "Đơn vị cấp trên", "Cấp trên", "parent"), Rule.PLACE),
    Column("level", ("Cấp", "Loại đơn vị")),
)
POINTS = (
    Column("code", ("Mã", "Mã điểm cầu", "point_code"), Rule.CODE, required=True),
    Column("name", ("Tên", "Tên điểm cầu", "Điểm cầu"), Rule.NAME, required=True),
    Column("unit_code", UNIT_OF, Rule.PLACE, required=True, asked=True),
    Column("capacity", ("Sức chứa", "Số chỗ", "Số chỗ ngồi"), Rule.COUNT),
    Column("mode", ("Hình thức", "Loại điểm cầu"), Rule.MODE),
    Column("contact_name", ("Đầu mối", "Họ tên đầu mối", "Người phụ trách", "Cán bộ đầu mối")),
    Column("contact_phone", ("SĐT đầu mối", *PHONES, "phone"), Rule.PHONE),
    Column("cluster", ("Cụm",)),
    Column("carrier", ("Nhà mạng",)),
    Column("note", ("Ghi chú",)),
)
ATTENDEES = (
    Column("code", ("Mã", "Mã đại biểu", "Mã số", "Số thẻ", "Số thẻ đại biểu", "Mã thẻ", "attendee_code"), Rule.CODE),
    Column(
        "full_name",
        (
            *("Họ và tên", "Họ tên", "Tên đại biểu", "Họ và tên đại biểu", "Họ tên đại biểu", "Họ, tên"),
            *("Họ và tên đồng chí", "Đại biểu", "name"),
        ),
        Rule.NAME,
        required=True,
    ),
    Column(
        "title",
        (
            *("Chức vụ", "Chức danh", "Chức vụ, chức danh", "Chức vụ công tác", "Chức vụ hiện nay"),
            *("Chức vụ, đơn vị công tác", "position"),
        ),
    ),
    Column("unit_code", UNIT_OF, Rule.PLACE, required=True, asked=True),
    Column("point_code", ("Mã điểm cầu", "Điểm cầu", "point"), Rule.PLACE),
    Column("phone", (*PHONES, "Số điện thoại liên hệ", "telephone"), Rule.PHONE),
    Column("family_name", ("Họ đệm", "Họ và tên đệm", "Họ và chữ đệm", "Họ và đệm", "Họ lót", "Họ"), part=True),
    Column("given_name", ("Tên", "Tên gọi", "first_name"), part=True),
)
TABLES: Mapping[str, tuple[Column, ...]] = {"units": UNITS, "points": POINTS, "attendees": ATTENDEES}

NUMBERING = frozenset(map(fold, ("STT", "TT", "Số TT", "Số thứ tự", "S.T.T", "No.")))
"""Headers of running numbers, folded: left out, but they tell people from headings."""

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
