"""A server that cannot start says what to do, in a sentence, and leaves everything as it was."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import free_port


def serve(*options: str) -> tuple[int, str, str]:
    """Run `diemcau serve` until it gives up: exit status, standard output, standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "diemcau", "serve", *options],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "DIEMCAU_LANGUAGE": "en"},
    )
    return done.returncode, done.stdout, done.stderr


def assert_one_sentence(result: tuple[int, str, str], *words: str) -> None:
    """Exit status 1 and a plain text that names what matters; no traceback."""
    status, _, text = result
    assert status == 1, text
    assert "Traceback" not in text
    assert len(text.strip().splitlines()) == 1, text
    for word in words:
        assert word in text


def test_taken_port(tmp_path: Path) -> None:
    """The second server on a port names the port and the way out."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        result = serve("--port", port, "--database", f"sqlite:///{tmp_path}/d.db")
    assert_one_sentence(result, port, "--port")


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system that has no room left."""
    folder = tmp_path / "full"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=False).returncode:  # noqa: S607
        pytest.skip("full disk: a small file system can be mounted only as root")
    try:
        (folder / "ballast").write_bytes(b"x" * 40_960)
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)  # noqa: S607


def test_full_disk(full_disk: Path) -> None:
    """A full disk is named with its place, and nothing else is blamed."""
    result = serve("--port", str(free_port()), "--database", f"sqlite:///{full_disk}/d.db")
    assert_one_sentence(result, str(full_disk), "full")


def test_foreign_file(tmp_path: Path) -> None:
    """A file that is no database of ours is left exactly as it was."""
    file = tmp_path / "letters.db"
    file.write_bytes("Kính gửi các đơn vị".encode().ljust(4096, b"\n"))
    before = file.read_bytes()
    assert_one_sentence(serve("--port", str(free_port()), "--database", f"sqlite:///{file}"), str(file))
    assert file.read_bytes() == before


def test_foreign_database(tmp_path: Path) -> None:
    """Another program's SQLite database does not get our tables."""
    file = tmp_path / "songs.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE song (title TEXT)")
    other.close()
    assert_one_sentence(serve("--port", str(free_port()), "--database", f"sqlite:///{file}"), str(file))
    with sqlite3.connect(file) as again:
        assert [name for (name,) in again.execute("SELECT name FROM sqlite_master")] == ["song"]
    again.close()


def test_database_in_use(tmp_path: Path) -> None:
    """A second server on one embedded database would fight the first; it says who holds it."""
    file = tmp_path / "d.db"
    first = subprocess.Popen(
        [sys.executable, "-m", "diemcau", "serve", "--port", str(free_port()), "--database", f"sqlite:///{file}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert first.stdout is not None
        assert any(line.startswith("Diemcau:") for line in first.stdout)
        assert_one_sentence(serve("--port", str(free_port()), "--database", f"sqlite:///{file}"), str(file))
    finally:
        first.terminate()
        first.communicate(timeout=20)
    assert first.returncode == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--database", "mysql://x/y"], ["mysql", "sqlite"]),
        (["--database", "nonsense"], ["nonsense"]),
        (["--database", "sqlite:///"], ["sqlite"]),
        (["--database", "postgresql://postgres@127.0.0.1:1/none"], ["PostgreSQL"]),
        (["--database", "postgresql://postgres@127.0.0.1:port/none"], ["port"]),
        (["--database", "postgresql://postgres:secret@127.0.0.1:1/none?colour=red"], ["colour"]),
        (["--database", "sqlite:////dev/null/x/d.db"], ["/dev/null"]),
        (["--public-url", "https://hn.example.vn/path"], ["https://"]),
        (["--public-url", "https://[hn"], ["https://[hn"]),
        (["--public-url", "https://hn.example.vn:port"], ["https://"]),
        (["--public-url", "https://me:secret@hn.vn"], ["https://"]),
        (["--public-url", "https://hà-nội.vn"], ["https://"]),
        (["--public-url", "https://a-very-long-host-name.hanoi.example.vn"], ["30"]),
    ],
)
def test_wrong_settings(options: list[str], words: list[str], tmp_path: Path) -> None:
    """A setting that cannot work is refused before anybody relies on it, with what to write instead."""
    database = [] if "--database" in options else ["--database", f"sqlite:///{tmp_path}/d.db"]
    assert_one_sentence(serve("--port", str(free_port()), "--data-dir", str(tmp_path), *database, *options), *words)


@pytest.mark.parametrize(
    ("user", "database", "word"),
    [("postgres", "diemcau_none", "diemcau_none"), ("diemcau_nobody", "postgres", "diemcau_nobody")],
)
def test_postgresql_refuses(postgres_url: str, tmp_path: Path, user: str, database: str, word: str) -> None:
    """A database nobody made, or a user nobody knows, is told in PostgreSQL's words; no password is."""
    host = postgres_url.rpartition("@")[2].partition("/")[0]
    url = f"postgresql://{user}:secret@{host}/{database}"
    result = serve("--port", str(free_port()), "--data-dir", str(tmp_path), "--database", url)
    assert_one_sentence(result, "PostgreSQL", word, "does not exist")
    assert "secret" not in result[2]
