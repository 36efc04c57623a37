"""`diemcau verify` as an inspector runs it: a file, a fingerprint, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sample
from arrivals import arrive
from commands import command
from log_files import FINGERPRINT, PUBLIC_KEY, WRITERS, chains_of, log_of, rows_of
from log_files import KEY as KEY_PAIR
from support import NOW_MS, Running

from diemcau.app import open_context
from diemcau.config import Settings
from diemcau.domain import minutes_file, signed
from diemcau.domain.authority import System
from diemcau.domain.minutes_file import Frozen, Minutes
from diemcau.domain.models import SessionState
from diemcau.services import sessions
from diemcau.services.accounts import issue_token

KEY = signed.shown(FINGERPRINT)
CONTENT = b"".join(log_of(rows_of(7, 1, 4)))


def written(path: Path, content: bytes) -> Path:
    """A file with this content."""
    path.write_bytes(content)
    return path


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    """A small log."""
    path = tmp_path / "log.jsonl"
    return written(path, CONTENT)


def table(said: str) -> dict[str, str]:
    """What an intact file's table says, by label."""
    assert said.startswith("INTACT\n")
    return dict(line.split("  ", 1) for line in said.splitlines()[1:])


async def test_an_intact_file(log_file: Path) -> None:
    """An inspector learns what they hold, in whatever grouping they typed the key."""
    for key in (KEY, FINGERPRINT.hex().upper(), FINGERPRINT.hex(":", 2)):
        status, said, errors = await command("verify", log_file, "--key", key)
        rows = {label: value.strip() for label, value in table(said).items()}
        assert (status, errors) == (0, "")
        assert (rows["Session"], rows["Entries"], rows["Chains"], rows["Key"]) == ("S1", "12", "3", KEY)


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_a_flaw_is_named(tmp_path: Path, language: str) -> None:
    """A changed entry is named by line, writer and position, in the reader's language."""
    log_file = written(tmp_path / "log.jsonl", CONTENT.replace(b"HN-0001", b"HN-0002", 1))
    status, said, errors = await command("verify", log_file, "--key", KEY, DIEMCAU_LANGUAGE=language)
    assert (status, said) == (1, "")
    begin = {
        "vi": "KHÔNG NGUYÊN VẸN. Dòng 2, nguồn ghi {}, vị trí 1: ",
        "en": "NOT INTACT. Line 2, writer {}, position 1: ",
    }
    assert errors.startswith(begin[language].format(WRITERS[0].hex()))


async def test_what_does_not_verify(tmp_path: Path, log_file: Path) -> None:
    """Empty, foreign, endless, signed by somebody else: exit 1 and a sentence."""
    for content, says in (
        (b"", "the file is empty"),
        (b"PK\x03\x04", "cut off inside this line"),
        (b"STT,Ma\n", "no file of Diemcau's"),
        (b"[" * 100_000 + b"\n", "no file of Diemcau's"),
        (b"x" * 17_000_000, "longer than any"),
        (CONTENT[:-1], "cut off inside this line"),
    ):
        status, said, errors = await command("verify", written(tmp_path / "other", content), "--key", KEY)
        assert (status, said) == (1, "")
        assert says in errors
    status, _, errors = await command("verify", log_file, "--key", "0" * 64)
    assert (status, "another key" in errors) == (1, True)


async def test_misuse(tmp_path: Path, log_file: Path) -> None:
    """Without a key, with half of one, without a file: exit 2, which no script takes for a verdict."""
    for arguments in (
        (log_file,),
        (log_file, "--key", KEY[:-1]),
        (tmp_path / "none", "--key", KEY),
        (tmp_path, "--key", KEY),
    ):
        status, said, errors = await command("verify", *arguments)
        assert (status, said, "Usage:" in errors) == (2, "", True)
    status, _, errors = await command("verify", log_file)
    assert (status, "GET /api/v1/signing-key" in errors) == (2, True)


def test_it_needs_nothing_but_the_file(log_file: Path) -> None:
    """On an inspector's machine there is no server, database or network: none of their code is even loaded."""
    code = (
        "import socket, sys\n"
        "socket.socket = None\n"
        "from diemcau.cli import main\n"
        "main(['verify', *sys.argv[1:]], standalone_mode=False)\n"
        "print([name for name in ('sqlalchemy', 'aiohttp', 'asyncio', 'diemcau.store', 'diemcau.web', "
        "'diemcau.services') if name in sys.modules])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, log_file, "--key", KEY],
        capture_output=True,
        text=True,
        check=True,
        cwd=log_file.parent,
    )
    assert run.stdout.splitlines()[-1] == "[]"


async def test_from_closing_to_the_inspector(tmp_path: Path) -> None:
    """Minutes and log of an unserved database verify, the log against the minutes, as the command itself tells."""
    url = f"sqlite:///{tmp_path}/data/diemcau.db"
    async with open_context(Settings(database=url, data_dir=tmp_path / "data")) as context:
        conference = await sample.fill(context.engines)
        await arrive(context.writer, conference, "DB-0001", "HN-0001")
        for state in ("live", "ended", "closed"):
            await sessions.move(System(), context, "S1", SessionState(state))
    minutes, log = tmp_path / "minutes.json", tmp_path / "log.jsonl"
    status, said, _ = await command("export", "s1", "minutes", "--format", "json", "-o", minutes, "--database", url)
    assert status == 0
    key = said.rsplit("--key ", 1)[1].strip()
    assert (await command("export", "S1", "log", "-o", log, "--database", url))[0] == 0
    status, said, _ = await command("verify", minutes, "--key", key)
    rows = {label: value.strip() for label, value in table(said).items()}
    assert (status, rows["Revision"], rows["Summoned"], rows["Present"]) == (0, "1", "11", "1")
    assert (await command("verify", log, "--key", key, "--minutes", minutes))[0] == 0
    earlier = written(tmp_path / "earlier.jsonl", CONTENT)
    status, _, errors = await command("verify", earlier, "--key", KEY, "--minutes", minutes)
    assert (status, "is not intact minutes of this key" in errors) == (1, True)


async def test_minutes_are_held_against_each_other(tmp_path: Path, log_file: Path) -> None:
    """Two minutes that contradict each other vouch for nothing: the second one named is refused."""
    kept, slipped = (
        written(tmp_path / f"{title}.json", minutes_file.make(minutes_titled(title), KEY_PAIR.sign).file)
        for title in ("kept", "slipped")
    )
    assert (await command("verify", log_file, "--key", KEY, "--minutes", kept, "--minutes", kept))[0] == 0
    status, said, errors = await command("verify", log_file, "--key", KEY, "--minutes", kept, "--minutes", slipped)
    assert (status, said) == (1, "")
    assert f"{slipped} is not intact minutes of this key" in errors
    assert "something else under the same revision" in errors


def minutes_titled(title: str) -> Minutes:
    """First minutes of S1 that froze the log's first entries."""
    return Minutes(
        version=1,
        session="S1",
        title=title,
        unit=None,
        revision=1,
        at_ms=NOW_MS,
        by="root",
        reason="",
        public_key=PUBLIC_KEY.hex(),
        previous="",
        figures=Frozen(),
        units=[],
        chains=chains_of(rows_of(5, 1)),
    )


async def test_from_a_running_server(tmp_path: Path, running: Running) -> None:
    """Beside a server the same commands ask the server, which tells its key."""
    await sample.fill(running.context.engines)
    token = await issue_token(System(), running.context, "root")
    beside = {"DIEMCAU_URL": running.admin.origin, "DIEMCAU_TOKEN": token}
    log = tmp_path / "log.jsonl"
    status, said, _ = await command("export", "S1", "log", "--format", "jsonl", "-o", log, **beside)
    key = (await running.anonymous.ok("GET", "/api/v1/signing-key"))["fingerprint"]
    assert (status, key in said) == (0, True)
    assert (await command("verify", log, "--key", key))[0] == 0
    status, _, errors = await command("export", "S1", "log", "--format", "csv", "-o", log, **beside)
    assert (status, "exported as: jsonl" in errors) == (2, True)
