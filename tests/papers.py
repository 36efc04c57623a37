"""What printed papers hold: their text, and every QR code on them, read independently of what drew them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import zxingcpp
from conftest import skip_or_fail
from PIL import Image

DOTS_PER_INCH = 120
"""Coarser than any printer: what can be read so can be read off paper."""


def tool(name: str) -> str:
    """Where a program lies; the test is skipped, or fails where it was promised, when it is missing."""
    path = shutil.which(name)
    if path is None:
        skip_or_fail("print", f"no {name} (Debian: poppler-utils, zbar-tools)")
    return path


def pictures(pdf: Path) -> list[Path]:
    """Each page as it comes from the printer, in grey, beside the file."""
    begin = pdf.with_suffix("")
    subprocess.run([tool("pdftoppm"), "-gray", "-png", "-r", str(DOTS_PER_INCH), str(pdf), str(begin)], check=True)
    return sorted(pdf.parent.glob(f"{begin.name}-*.png"))


def words(pdf: Path) -> str:
    """The text with single spaces and no breaks, in the order in which it is written."""
    done = subprocess.run([tool("pdftotext"), "-raw", str(pdf), "-"], check=True, capture_output=True)
    return re.sub(r"\s+", " ", done.stdout.decode().replace("\u200b", ""))


def by_zbar(pages: list[Path]) -> list[str]:
    """What zbar reads on these pages, sorted."""
    command = [tool("zbarimg"), "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", *map(str, pages)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode in {0, 4}, done.stderr  # 4: a page without a code
    return sorted(done.stdout.split())


def by_zxing(pages: list[Path]) -> list[str]:
    """What zxing reads on these pages, sorted."""
    found: list[str] = []
    for page in pages:
        with Image.open(page) as picture:
            found += [code.text for code in zxingcpp.read_barcodes(picture)]
    return sorted(found)
