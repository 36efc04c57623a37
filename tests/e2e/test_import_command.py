"""`diemcau import` as a person runs it: a real process, beside a server or without one."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

from support import Running, Start, free_port
from tables import PEOPLE, csv_bytes, write_xlsx

from diemcau.domain.authority import System
from diemcau.services.accounts import issue_token

UNITS = [["Mã", "Tên", "Đơn vị cấp trên"], ["HN", "Hà Nội", ""], ["HN-1", "Ba Đình", "HN"]]
PERSON = ["DB-1", "Nguyễn Thị Hiền", "Bí thư", "HN-1", "", "0912345678"]


async def command(*arguments: str | Path, **environment: str) -> tuple[int, str, str]:
    """`diemcau import …` in English: exit status, standard output, standard error."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIEMCAU_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "diemcau", "import", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=kept | {"DIEMCAU_LANGUAGE": "en"} | environment,
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    assert "Traceback" not in errors.decode()
    return process.returncode or 0, output.decode(), errors.decode()


TWO_UNITS = (
    "Imported 2 rows: 2 new, 0 changed, 0 unchanged.\n"
    "This is import 1. To have everything as before: diemcau import undo 1.\n"
)


def written(folder: Path, name: str, rows: list[list[str]]) -> Path:
    """A CSV file."""
    path = folder / name
    path.write_bytes(csv_bytes(rows))
    return path


async def test_lists_go_straight_into_a_database(tmp_path: Path) -> None:
    """Without a server two commands make a conference's lists; a trial before the second writes nothing."""
    database = f"sqlite:///{tmp_path}/data/diemcau.db"
    done = await command("units", written(tmp_path, "units.csv", UNITS), "--database", database)
    assert done == (0, TWO_UNITS, "")
    people = write_xlsx(tmp_path / "people.xlsx", [[*PEOPLE, "Ngày sinh"], [*PERSON, "1970"]])
    trial = await command("attendees", people, "--dry-run", DIEMCAU_DATABASE=database)
    assert trial[1].startswith("Trial only, nothing was written. The file has 1 rows: 1 new")
    status, output, _ = await command("attendees", people, DIEMCAU_DATABASE=database)
    assert (status, output.splitlines()) == (
        0,
        [
            "Imported 1 rows: 1 new, 0 changed, 0 unchanged.",
            "Columns that were not used: Ngày sinh",
            "This is import 2. To have everything as before: diemcau import undo 2.",
        ],
    )
    undone = await command("undo", "2", DIEMCAU_DATABASE=database)
    assert undone == (0, "1 rows undone; 0 rows stay as they are.\n", "")


async def test_rejected_file_ends_with_a_table(tmp_path: Path) -> None:
    """Whoever must correct the file sees row, column and reason; the first fifty, and how many more."""
    database = f"sqlite:///{tmp_path}/diemcau.db"
    rows = [list(PEOPLE), ["DB 1", *PERSON[1:3], "NO", "", ""], *([f"P-{n}", "", "", "NO", "", ""] for n in range(30))]
    status, output, errors = await command("attendees", written(tmp_path, "people.csv", rows), "--database", database)
    assert status == 1
    assert "62 errors" in errors
    assert "a code has only the letters A–Z" in output
    assert "there is no such unit" in output
    assert output.splitlines()[-1] == "and 12 more."
    vietnamese = await command("attendees", tmp_path / "people.csv", "--database", database, DIEMCAU_LANGUAGE="vi")
    assert "không có đơn vị này" in vietnamese[1]


async def test_foreign_files_and_wrong_places_are_sentences(tmp_path: Path) -> None:
    """A missing file, a picture, half of the options, nobody there, somebody else there: each says what to do."""
    picture = tmp_path / "people.xlsx"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        other = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        for arguments, words in (
            ((tmp_path / "no.csv",), "There is no file"),
            ((picture, "--database", f"sqlite:///{tmp_path}/d.db"), "not a CSV or XLSX table"),
            ((picture, "--url", other), "diemcau token add"),
            ((picture, "--token", "x"), "DIEMCAU_URL"),
            ((picture, "--url", f"http://127.0.0.1:{port}", "--token", "x"), "cannot be reached"),
            ((picture, "--url", "127.0.0.1", "--token", "x"), "not understood"),
        ):
            status, output, errors = await command("attendees", *arguments)
            assert (status, output) == (1, ""), arguments
            assert words in errors, errors
            assert len(errors.strip().splitlines()) == 1


async def test_beside_a_server_the_lists_go_through_it(start: Start, tmp_path: Path) -> None:
    """With an address and a token the server imports; without them the command refuses to write under its feet."""
    running: Running = await start()
    token = await issue_token(System(), running.context, "root")
    units = written(tmp_path, "units.csv", UNITS)
    through = {"DIEMCAU_URL": running.admin.origin, "DIEMCAU_TOKEN": token}
    assert (await command("units", units, **through))[:2] == (0, TWO_UNITS)
    assert len((await running.admin.ok("GET", "/api/v1/units"))["items"]) == 2
    bad = written(tmp_path, "bad.csv", [list(PEOPLE), ["DB-1", "", "", "HN", "", ""]])
    status, output, errors = await command("attendees", bad, **through)
    assert (status, "1 errors" in errors, "full_name" in output) == (1, True, True)
    status, _, errors = await command("units", units, DIEMCAU_URL=running.admin.origin, DIEMCAU_TOKEN="dca_wrong")
    assert (status, errors) == (1, "You are not signed in, or the sign-in has expired. Sign in again.\n")
    status, _, errors = await command("units", units, "--database", running.server.settings.database)
    assert status == 1
    assert "Another program holds the database" in errors
