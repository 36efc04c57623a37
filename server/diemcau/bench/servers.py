"""The processes that are measured: ours as anyone starts it, and the bare ones; each on the first core."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from diemcau.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER_CORE, CLIENT_CORE = 0, 1
START_LINES_MAX = 50
STOP_S = 60.0
READY = "Diemcau: "


@contextlib.contextmanager
def pinned_client() -> Iterator[None]:
    """Keep ourselves on the second core, so that the server has the first for itself."""
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CLIENT_CORE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Measured:
    """A running server process and what it costs."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.port = port
        self._process = process

    def cpu_s(self) -> float:
        """CPU seconds it used so far; 0 where the system does not tell."""
        try:
            with open(f"/proc/{self._process.pid}/stat", encoding="utf-8") as file:  # noqa: PTH123 a device
                stat = file.read().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def cpu_with_children_s(self) -> float:
        """The same with the processes that it started and that ended."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self) -> int:
        """What it and the processes that it started hold in memory now (resident; what they share counts twice)."""
        own = self._process.pid
        children = Path(f"/proc/{own}/task/{own}/children").read_text(encoding="utf-8").split()
        return sum(_resident_kib(pid) for pid in (str(own), *children))


def _resident_kib(pid: str) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def on_the_servers_core(command: list[str]) -> str:
    """What the command prints; it runs where servers run."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)  # noqa: S603 our own program
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(process.pid, {SERVER_CORE})
    told, _ = process.communicate()
    if process.returncode:
        raise StartError("bench_refused", said=" ".join(command))
    return told


@contextlib.contextmanager
def ours(database: str, folder: Path) -> Iterator[Measured]:
    """`diemcau serve` on a database."""
    port = _free_port()
    command = ("diemcau", "serve", "--port", str(port), "--database", database, "--data-dir", str(folder))
    with _running(command) as process:
        _wait_for(process, READY)
        yield Measured(process, port)


@contextlib.contextmanager
def bare(kind: str, file: Path) -> Iterator[Measured]:
    """A server of `bench.bare`: echo or durable."""
    with _running(("diemcau.bench.bare", kind, str(file))) as process:
        yield Measured(process, int(_wait_for(process, "")))


@contextlib.contextmanager
def _running(arguments: tuple[str, ...]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(  # noqa: S603 our own program
        (sys.executable, "-m", *arguments),
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(process.pid, {SERVER_CORE})
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout:
        process.stdout.close()


def _wait_for(process: subprocess.Popen[str], start: str) -> str:
    """The first line that begins so.

    Raises:
        StartError: the process ended first.
    """
    assert process.stdout is not None  # noqa: S101 it is a pipe
    said: list[str] = []
    for _ in range(START_LINES_MAX):
        line = process.stdout.readline()
        if line and line.startswith(start):
            return line.strip()
        said.append(line.strip())
        if not line:
            break
    raise StartError("bench_server", said=" ".join(said))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
