"""What is installed is whole: the wheel carries everything that a server needs and no file of the source."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_wheel_carries_the_client(tmp_path: Path) -> None:
    """An organizer who installs the wheel gets pages, words, migrations and the sample conference with it."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("diemcau-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "diemcau/static/index.html",
        "diemcau/static/operator.html",
        "diemcau/static/display.html",
        "diemcau/i18n/vi/door.json",
        "diemcau/web/templates/confirm.html",
        "diemcau/demo/hanoi_766/attendees.csv.gz",
    ):
        assert needed in names
    assert any(name.startswith("diemcau/static/assets/") and name.endswith(".js") for name in names)
    assert any(name.startswith("diemcau/store/migrations/versions/") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "client_web/")) or name.endswith(".svelte")]
