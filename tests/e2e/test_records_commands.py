"""`diemcau export`, `user` and `token` as a person runs them: real processes, beside a server or without one."""

from __future__ import annotations

import asyncio
import csv
import socket
from pathlib import Path
from typing import Any

import pytest
import sample
from arrivals import arrive
from commands import command
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from support import PASSWORD, Running, Start

from diemcau.app import open_context
from diemcau.cli import remote
from diemcau.cli.remote import Remote
from diemcau.config import Settings
from diemcau.domain.authority import System
from diemcau.errors import StartError
from diemcau.services.accounts import issue_token


def rows_of(path: Path) -> list[list[str]]:
    """A CSV file as a program reads it."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
async def database(tmp_path: Path) -> str:
    """The sample conference in a file that no server holds; one person is in."""
    url = f"sqlite:///{tmp_path}/data/diemcau.db"
    async with open_context(Settings(database=url, data_dir=tmp_path / "data")) as context:
        conference = await sample.fill(context.engines)
        await arrive(context.writer, conference, "DB-0001", "HN-0001")
    return url


async def test_a_log_leaves_an_unserved_database(tmp_path: Path, database: str) -> None:
    """After the day, with the server off, the organizer still gets the lists."""
    target = tmp_path / "out.xlsx"
    status, said, _ = await command("export", "s1", "attendance", "-o", target, "--database", database)
    assert (status, said) == (0, f"Wrote {target} ({target.stat().st_size:,} bytes).\n")
    sheet = load_workbook(target).active
    assert isinstance(sheet, Worksheet)
    assert [row[7] for row in sheet.iter_rows(values_only=True) if row[1] == "DB-0001"] == ["0912345678"]
    target = tmp_path / "part.csv"
    options: list[Any] = ["--unit", "hn-002", "-o", target, "--database", database]
    assert (await command("export", "S1", "summary", *options))[0] == 0
    assert [row[1] for row in rows_of(target)] == ["Unit code", "HN-002", "HN-002-01", ""]


async def test_a_log_leaves_a_running_server(tmp_path: Path, running: Running) -> None:
    """Beside a server the same command asks the server, as the person whose token it carries."""
    await sample.fill(running.context.engines)
    token = await issue_token(System(), running.context, "root")
    beside = {"DIEMCAU_URL": running.admin.origin, "DIEMCAU_TOKEN": token}
    target = tmp_path / "list.csv"
    status, _, _ = await command("export", "S1", "attendance", "-o", target, **beside)
    assert (status, len(rows_of(target))) == (0, 12)
    database = running.server.settings.database
    status, _, said = await command("export", "S1", "attendance", "-o", target, "--database", database)
    assert (status, "Another program holds the database" in said) == (1, True)


async def test_nothing_is_made_only_to_be_exported(tmp_path: Path, database: str) -> None:
    """A mistyped path must not leave an empty database, nor a copy without its key a log that a new key signs."""
    nowhere, target = tmp_path / "typo" / "diemcau.db", tmp_path / "out"
    for what in ("log", "attendance"):
        status, _, said = await command("export", "S1", what, "-o", target, "--database", f"sqlite:///{nowhere}")
        assert (status, said) == (1, f"There is no file {nowhere}. Check the name and the folder.\n")
    elsewhere = tmp_path / "elsewhere"
    for what in ("log", "minutes"):
        options: list[Any] = ["-o", target, "--database", database, "--data-dir", elsewhere]
        status, _, said = await command("export", "S1", what, *options)
        assert (status, f"There is no key {elsewhere / 'secret.key'};" in said) == (1, True)
    assert _names(tmp_path) == ["data"]


async def test_minutes_of_one_unit_are_not_promised(tmp_path: Path, database: str) -> None:
    """Whoever asks for a unit's minutes must not take the whole session's for them."""
    options: list[Any] = ["--unit", "HN-001", "-o", tmp_path / "minutes.json", "--database", database]
    status, _, said = await command("export", "S1", "minutes", *options)
    assert (status, "always those of the whole session" in said) == (2, True)


async def test_a_long_export_is_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A log of two million entries takes minutes before its first byte; the command gave up after one."""
    monkeypatch.setattr(remote, "TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with (tmp_path / "log.jsonl").open("wb") as target:
            download = asyncio.create_task(asyncio.to_thread(Remote(url, "x").download, "/log", target))
            slow, _ = await asyncio.to_thread(listener.accept)
            with pytest.raises(StartError):  # takes as long as other calls wait
                await asyncio.to_thread(Remote(url, "x", timeout_s=0.05).call, "GET", "/me")
            slow.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nlog")
            await download
            slow.close()
    assert (tmp_path / "log.jsonl").read_bytes() == b"log"


async def test_a_failed_export_leaves_nothing(tmp_path: Path, database: str) -> None:
    """A half-written list must never be taken for the whole one, nor replace yesterday's."""
    target = tmp_path / "list.csv"
    target.write_text("yesterday's")
    status, _, said = await command("export", "S9", "attendance", "-o", target, "--database", database)
    assert (status, said) == (1, "There is no session S9.\n")
    assert target.read_text() == "yesterday's"
    assert _names(tmp_path) == ["data", "list.csv"]
    nowhere = tmp_path / "no" / "list.csv"
    status, _, said = await command("export", "S1", "attendance", "-o", nowhere, "--database", database)
    assert (status, said) == (1, f"{nowhere} cannot be written: No such file or directory\n")


async def test_accounts_and_tokens_from_the_terminal(tmp_path: Path, start: Start) -> None:
    """An administrator at the terminal makes accounts before the first start, and tokens beside a server."""
    database = f"sqlite:///{tmp_path}/diemcau.db"
    made = await command("user", "add", "An", "--role", "admin", "--password-stdin", typed=f"{PASSWORD}\n",
                         DIEMCAU_DATABASE=database)  # fmt: skip
    assert made == (0, "Made the account an.\n", "")
    assert await command("user", "list", DIEMCAU_DATABASE=database) == (0, "an\tadmin everything\n", "")
    status, token, _ = await command("token", "add", "An", DIEMCAU_DATABASE=database)
    assert (status, token.startswith("dca_")) == (0, True)
    running = await start(database)
    await sample.fill(running.context.engines)
    beside = {"DIEMCAU_URL": running.admin.origin, "DIEMCAU_TOKEN": token.strip()}
    add = ("user", "add", "Bình", "--role", "clerk", "--unit", "HN-001", "--password-stdin")
    assert (await command(*add, typed=f"{PASSWORD}\n", **beside))[0] == 0
    status, said, _ = await command("user", "list", **beside)
    assert (status, said) == (0, "an\tadmin everything\nbình\tclerk HN-001\nroot\tadmin everything\n")
    status, clerk, _ = await command("token", "add", "Bình", **beside)
    me = await running.admin.signed_in(clerk.strip()).ok("GET", "/api/v1/me")
    assert (status, me["name"]) == (0, "bình")


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (("user", "add", "x", "--role", "admin", "--password-stdin"), "short\n", "a password has 10 to 200 characters"),
        (("token", "add", "nobody"), "", "There is no account nobody."),
        (("user", "list", "--token", "x"), "", "--url"),
    ],
)
async def test_mistakes_end_in_a_sentence(tmp_path: Path, arguments: tuple[str, ...], typed: str, said: str) -> None:
    """Whoever mistypes learns what to do, not how the program is built."""
    status, _, errors = await command(*arguments, typed=typed, DIEMCAU_DATABASE=f"sqlite:///{tmp_path}/x.db")
    assert status == 1
    assert said in errors
