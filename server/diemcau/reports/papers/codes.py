"""QR codes for print: the matrix by `qrcode`, handed on as one outline.

The mask is fixed: trying all eight costs three times as much and gains nothing that a reader of today needs. An outline
of the dark runs of each row costs typst 0.4 ms more than a bitmap and stays sharp in every viewer; a rectangle
each costs ten times a bitmap and shows hairlines between the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qrcode.constants import ERROR_CORRECT_M
from qrcode.exceptions import DataOverflowError
from qrcode.main import QRCode

MASK = 4
QUIET_MODULES = 4
"""The white border that ISO/IEC 18004 asks for."""


class Codes:
    """Makes codes of one batch; their links are of one length, so the version that fits one fits the next."""

    def __init__(self) -> None:
        self._version: int | None = None

    def outline(self, link: str) -> str:
        """The code of `link`, border included, as an SVG of one path."""
        matrix = self._matrix(link)
        size = len(matrix) + 2 * QUIET_MODULES
        path = "".join(f"M{x + QUIET_MODULES} {y + QUIET_MODULES}h{width}v1h-{width}z" for x, y, width in runs(matrix))
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"><path d="{path}"/></svg>'

    def _matrix(self, link: str) -> Sequence[Sequence[bool | None]]:
        code = _of(link, self._version)
        try:
            code.make(fit=self._version is None)
        except DataOverflowError:  # a longer link than the ones before
            code = _of(link, None)
            code.make(fit=True)
        self._version = code.version
        return code.modules


def runs(matrix: Sequence[Sequence[bool | None]]) -> Iterator[tuple[int, int, int]]:
    """The dark modules as runs: column and row of the first one, and how many."""
    for y, row in enumerate(matrix):
        start = None
        for x, dark in enumerate((*row, False)):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                yield start, y, x - start
                start = None


def _of(link: str, version: int | None) -> QRCode:  # type: ignore[type-arg]
    code: QRCode = QRCode(version, error_correction=ERROR_CORRECT_M, border=0, mask_pattern=MASK)  # type: ignore[type-arg]
    code.add_data(link, optimize=0)
    return code
