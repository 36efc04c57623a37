"""What the fast reader of workbooks does not tell: how large they unpack, which sheets are shown, cells in error."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from posixpath import join, normpath
from xml.etree import ElementTree as ET

from diemcau import limits
from diemcau.errors import ImportFileError

RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
BOOK, BOOK_RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
ERROR_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\bt="e"[^>]*>(?:(?!</(?:\w+:)?c>).){0,4000}', re.DOTALL)
PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
VALUE = re.compile(rb"<(?:\w+:)?v>([^<]{1,20})<")
CHUNK_BYTES = 1_048_576
OVERLAP_BYTES = 8_192
"""A cell in error is shorter than this, its formula included, or shows without it."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The sheets of a workbook in its order: name and the part of the archive that holds it; hidden ones left out.

    macros: programs come with it, which nobody runs here.
    """

    sheets: tuple[tuple[str, str], ...]
    macros: bool = False

    @classmethod
    def of(cls, archive: zipfile.ZipFile) -> Parts:
        """Read the workbook's table of contents.

        Raises:
            ImportFileError: no workbook of Excel, or one that unpacks to more than the bound.
            KeyError, ValueError: a part is missing or unreadable.
        """
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > limits.IMPORT_UNPACKED_BYTES_MAX:
            raise ImportFileError("import_too_large")
        names = {entry.filename for entry in entries}
        if BOOK not in names:
            raise ImportFileError("import_old_excel" if "xl/workbook.bin" in names else "import_foreign")
        targets = {relation.get("Id"): relation.get("Target", "") for relation in _parse(archive, BOOK_RELATIONS)}
        sheets = []
        for sheet in _parse(archive, BOOK).iter():
            if sheet.tag.endswith("}sheet") and sheet.get("state", "visible") == "visible":
                target = targets.get(sheet.get(RELATION) or sheet.get(STRICT_RELATION), "")
                if "worksheets/" in target:
                    sheets.append((sheet.get("name", ""), normpath(join("xl", target)).lstrip("/")))
        return cls(tuple(sheets), "xl/vbaProject.bin" in names)

    def check(self) -> None:
        """Nothing where there are sheets, and not too many.

        Raises:
            ImportFileError: there is none that is shown, or far too many.
        """
        if not self.sheets:
            raise ImportFileError("import_empty")
        if len(self.sheets) > limits.IMPORT_SHEETS_MAX:
            raise ImportFileError("import_too_large")


def _parse(archive: zipfile.ZipFile, name: str) -> ET.Element:
    """A small part as a tree. Python's expat refuses entities that blow up."""
    if archive.getinfo(name).file_size > CHUNK_BYTES:
        raise ImportFileError("import_damaged")
    try:
        return ET.fromstring(archive.read(name))  # noqa: S314 in a process of its own, with bounds on memory and time
    except ET.ParseError as error:
        raise ValueError from error


def error_cells(path: Path, sheet: str) -> dict[tuple[int, int], str]:
    """The cells of a sheet whose formula failed (`#REF!`, `#N/A` …) by row and column, both from 1.

    `sheet` is its part of the archive.

    The reader gives them out as empty, and an empty cell is something else: nothing was forgotten there.
    """
    found: dict[tuple[int, int], str] = {}
    with zipfile.ZipFile(path) as archive, archive.open(sheet) as part:
        tail = b""
        while chunk := part.read(CHUNK_BYTES):
            text = tail + chunk
            if b't="e"' in text:
                for cell in ERROR_CELL.finditer(text):
                    _note(cell[0], found)
            tail = text[-OVERLAP_BYTES:]
    return found


def _note(cell: bytes, found: dict[tuple[int, int], str]) -> None:
    place, value = PLACE.search(cell), VALUE.search(cell)
    if place and len(found) <= limits.IMPORT_FINDINGS_MAX:
        column = 0
        for letter in place[1]:
            column = column * 26 + letter - 64
        shown = value[1].decode(errors="replace") if value else ""
        found[int(place[2]), column] = shown or found.get((int(place[2]), column), "")
