"""Files as they come: encodings, separators, workbooks, and what only pretends to be a table."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from tables import PEOPLE, csv_bytes, write_xlsx

from diemcau import limits
from diemcau.errors import Finding, ImportFileError
from diemcau.intake.frames import Ended, Frame, Opened, Rows
from diemcau.intake.process import read_file

GOOD = ["DB-1", "Nguyễn Thị Hiền", "Bí thư", "HN", "HN-0001", "0912345678"]
TABLE = [list(PEOPLE), GOOD]


async def frames(path: Path, what: str = "attendees") -> list[Frame]:
    """What the reading process sends for a file."""
    async with asyncio.timeout(30):
        return [frame async for frame in read_file(what, path)]


async def values(path: Path) -> list[list[Any]]:
    """The cells of each fit row, without what is derived."""
    got = await frames(path)
    assert isinstance(got[-1], Ended)
    assert got[-1].findings == []
    return [list(row[1][:6]) for frame in got if isinstance(frame, Rows) for row in frame.rows]


async def refusal(path: Path) -> str:
    """The code of the sentence that a whole file gets."""
    with pytest.raises(ImportFileError) as caught:
        await frames(path)
    return caught.value.code


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-bom"])
async def test_csv_in_every_common_form(tmp_path: Path, separator: str, encoding: str) -> None:
    """Excel, LibreOffice and Google each write another CSV; all are the same list."""
    data = csv_bytes(TABLE, separator, "utf-16-be" if encoding.startswith("utf-16-be") else encoding)
    path = tmp_path / "list.csv"
    path.write_bytes((b"\xfe\xff" if encoding == "utf-16-be-bom" else b"") + data)
    assert await values(path) == [GOOD]


async def test_windows_1258_where_it_is_clear(tmp_path: Path) -> None:
    """An old export is read where every letter comes out Vietnamese, and refused where one would be wrong."""
    path = tmp_path / "list.csv"
    table = csv_bytes(TABLE).decode()
    # windows-1258 has letter and tone apart.
    for letter, parts in (("ễ", "ê\u0303"), ("ị", "i\u0323"), ("ề", "ê\u0300")):
        table = table.replace(letter, parts)
    path.write_bytes(table.encode("cp1258"))
    assert (await values(path))[0][1] == "Nguyễn Thị Hiền"
    path.write_bytes(csv_bytes(TABLE).replace("Nguyễn".encode(), b"Nguy\xd4n \xb5\xb8"))
    assert await refusal(path) == "import_encoding"


async def test_workbook_keeps_text_and_straightens_numbers(tmp_path: Path) -> None:
    """A leading zero stays or comes back, a code that became a number loses its ".0", rows count as in Excel."""
    rows: list[list[Any]] = [
        [],
        list(PEOPLE),
        [123.0, "Lê Hoà", "", "HN", "", "0912345678"],
        [],
        [124, "Lê An", "", 7, "", 912345678],
    ]
    path = write_xlsx(tmp_path / "list.xlsx", rows)
    got = await frames(path)
    (sent,) = [frame for frame in got if isinstance(frame, Rows)]
    assert [(number, list(row[:6])) for number, row in sent.rows] == [
        (3, ["123", "Lê Hoà", "", "HN", "", "0912345678"]),
        (5, ["124", "Lê An", "", "7", "", "0912345678"]),
    ]


async def test_workbook_whose_table_begins_elsewhere(tmp_path: Path) -> None:
    """A table that starts in column C is found there; hidden sheets are not the list."""
    book = xlsxwriter.Workbook(str(tmp_path / "list.xlsx"))
    book.add_worksheet("ẩn").write(0, 0, "nháp")
    shown = book.add_worksheet("Danh sách")
    for row, cells in enumerate(TABLE):
        for column, cell in enumerate(cells):
            shown.write_string(row + 1, column + 2, cell)
    shown.activate()
    shown.set_first_sheet()
    book.worksheets()[0].hide()
    book.close()
    got = await frames(tmp_path / "list.xlsx")
    (sent,) = [frame for frame in got if isinstance(frame, Rows)]
    assert [(number, list(row[:6])) for number, row in sent.rows] == [(3, GOOD)]


async def test_spoilt_cells_are_found(tmp_path: Path) -> None:
    """A failed formula, a code turned into a date, a rounded number: each loses what was meant, silently in Excel."""
    path = tmp_path / "list.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for column, name in enumerate(PEOPLE):
        sheet.write_string(0, column, name)
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for row, code in enumerate(["DB-1", "DB-2", "DB-3"], 1):
        for column, cell in enumerate([code, "Lê An", "", "HN", "", ""]):
            sheet.write_string(row, column, cell)
    sheet.write_formula(1, 5, "=VLOOKUP(1,A1:B2,9)", None, "#REF!")
    sheet.write_datetime(2, 3, dt.datetime(2026, 2, 1), day)  # noqa: DTZ001 Excel knows no zones
    sheet.write_number(3, 5, 2.0**60)
    sheet.write_formula(3, 1, '="Trần "&"Bình"', None, "Trần Bình")
    book.close()
    (opened, rows, ended) = await frames(path)
    assert isinstance(rows, Rows)
    assert rows.rows == []
    assert isinstance(opened, Opened)
    assert isinstance(ended, Ended)
    assert [(found.row, found.column, found.reason, found.value) for found in ended.findings] == [
        (2, "phone", "reason.formula_error", "#REF!"),
        (3, "unit_code", "reason.date", "2026-02-01"),
        (4, "phone", "reason.number_rounded", "1.152921504606847e+18"),
    ]


async def test_unknown_columns_are_reported(tmp_path: Path) -> None:
    """A column that was not taken over is named, so that nobody believes it was."""
    path = write_xlsx(tmp_path / "list.xlsx", [["STT", *PEOPLE, "Ngày sinh"], [1, *GOOD, "1970"]])
    opened, *_ = await frames(path)
    assert isinstance(opened, Opened)
    assert opened.ignored == ["STT", "Ngày sinh"]
    assert opened.headers["unit_code"] == "unit_code"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("empty.csv", b"", "import_empty"),
        ("blank.csv", b"\xef\xbb\xbf \r\n\r\n", "import_empty"),
        ("picture.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "import_foreign"),
        ("paper.csv", b"%PDF-1.7\n...", "import_foreign"),
        ("page.xls", b"\n<html><table><tr><td>code", "import_foreign"),
        ("program.csv", b"MZ\x90\0\x03", "import_foreign"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "import_old_excel"),
        (
            "locked.xlsx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"),
            "import_protected",
        ),
        ("cut.xlsx", b"PK\x03\x04\x14\0\x06\0", "import_damaged"),
    ],
)
async def test_foreign_files_get_a_sentence(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    """Whoever sends the wrong file learns what to do with it, whatever it is called."""
    path = tmp_path / name
    path.write_bytes(data)
    assert await refusal(path) == code


async def test_damaged_workbooks_get_a_sentence(tmp_path: Path) -> None:
    """A download that broke off, an archive that is no workbook, a workbook without its sheet."""
    whole = write_xlsx(tmp_path / "list.xlsx", TABLE)
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(whole.read_bytes()[:-200])
    assert await refusal(cut) == "import_damaged"
    foreign = tmp_path / "foreign.xlsx"
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    assert await refusal(foreign) == "import_foreign"
    hollow = tmp_path / "hollow.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(hollow, "w") as archive:
        for entry in source.namelist():
            if "sheet1" not in entry:
                archive.writestr(entry, source.read(entry))
    assert await refusal(hollow) == "import_damaged"
    assert await refusal(write_xlsx(tmp_path / "empty.xlsx", [])) == "import_empty"


async def test_workbooks_made_to_harm_are_refused(tmp_path: Path) -> None:
    """A small file that unpacks to gigabytes, or spans every cell there is, costs a moment and no memory."""
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(limits.IMPORT_UNPACKED_BYTES_MAX // 16_777_216 + 1):
                part.write(b" " * 16_777_216)
    assert bomb.stat().st_size < 4_194_304
    assert await refusal(bomb) == "import_too_large"
    vast = tmp_path / "vast.xlsx"
    book = xlsxwriter.Workbook(str(vast))
    sheet = book.add_worksheet()
    sheet.write(0, 0, "code")
    sheet.write(1_048_575, 16_383, "x")
    book.close()
    assert await refusal(vast) in {"import_too_large", "import_damaged"}


async def test_mistakes_of_the_whole_table_come_at_once(tmp_path: Path) -> None:
    """One round of corrections, not one for each mistake."""
    rows = [list(PEOPLE), ["DB 1", *GOOD[1:]], GOOD, ["DB-2", "", *GOOD[2:]], GOOD]
    path = write_xlsx(tmp_path / "list.xlsx", rows)
    ended = (await frames(path))[-1]
    assert isinstance(ended, Ended)
    assert ended.findings == [
        Finding(2, "code", "reason.bad_code", "DB 1"),
        Finding(4, "full_name", "reason.empty", ""),
        Finding(5, "code", "reason.duplicate", "DB-1"),
    ]
    assert (ended.rows, ended.findings_total) == (4, 3)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes: this system has no /proc")
async def test_reading_ends_with_whoever_wanted_it(tmp_path: Path) -> None:
    """A server that stops in the middle of an import leaves no process behind that still reads."""
    path = tmp_path / "long.csv"
    path.write_bytes(csv_bytes([PEOPLE, *([f"DB-{n}", *GOOD[1:]] for n in range(50_000))]))
    reading = read_file("attendees", path)
    async with asyncio.timeout(30):
        assert isinstance(await anext(reading), Opened)
        assert readers(path)
        await reading.aclose()
    assert not readers(path)


def readers(path: Path) -> list[Path]:
    """Processes that were started for a file."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(path).encode() in entry.read_bytes():
                found.append(entry)
    return found
