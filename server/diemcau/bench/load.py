"""The crowd: HTTP requests whose bytes were made beforehand, sent over raw sockets from one epoll loop.

The client shares the machine with the server it measures, so it does as little as it can: no parsing beyond the end of
an answer, no library between it and the kernel. `flat_out` keeps so many lanes busy and tells how many answers came in
a second; `paced` sends at a given rate whatever the answers do, and counts latency from the moment each was due.
"""

from __future__ import annotations

import itertools
import select
import socket
import time
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ANSWER_BYTES_MAX = 262_144
BAD_KEPT = 3
BIND_ADDRESS_NO_PORT = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)
READABLE = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR
SOURCES = 250
"""Loopback addresses that connections come from in turn: one address has only 28,000 ports a minute."""

PACED_LANES_MAX = 4_000
SETTLE_S = 20.0
"""How long answers may still come after the last request was due."""

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "
Script = Generator[bytes, bytes, bool]
"""What one visitor does: yields the bytes of a request, gets those of its answer, returns whether all went well."""


def once(request: bytes, expect: bytes) -> Script:
    """One request; a good answer holds `expect`."""
    return expect in (yield request)


@dataclass(slots=True)
class Result:
    """What came back. latencies in seconds, of the scripts that went well; `bad`: the first answers of those not."""

    done: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    bad: list[bytes] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Scripts that went well, a second."""
        return self.done / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Lane:
    """One visitor at a time, their connection and what they wait for."""

    script: Script | None = None
    since: float = 0.0
    socket: socket.socket | None = None
    got: bytearray = field(default_factory=bytearray)
    unsent: bytes = b""


class Load:
    """Drives one server at 127.0.0.1:`port`; `new` opens a connection for every request."""

    def __init__(self, port: int, *, new: bool = False) -> None:
        self._port = port
        self._new = new
        self._poll = select.epoll()
        self._lanes: dict[int, Lane] = {}
        self._source = 0
        self.result = Result()

    def flat_out(self, scripts: Iterator[Script], lanes: int, seconds: float) -> Result:
        """Keep `lanes` busy for `seconds`, or until the scripts end."""
        begun = time.perf_counter()
        until = begun + seconds
        busy = 0
        for script in itertools.islice(scripts, lanes):
            self._begin(Lane(), script, time.perf_counter())
            busy += 1
        while busy and time.perf_counter() < until + SETTLE_S:
            for lane in self._finished(1.0):
                now = time.perf_counter()
                script_next = next(scripts, None) if now < until else None
                if script_next is None:
                    busy -= 1
                    self._drop(lane)
                else:
                    self._begin(lane, script_next, now)
        return self._end(begun, busy)

    def paced(self, scripts: Sequence[Script], rate: float) -> Result:
        """Begin all of them, `rate` a second, whatever the answers do; latency counts from when each was due."""
        begun = time.perf_counter()
        free: deque[Lane] = deque()
        sent, busy, count = 0, 0, len(scripts)
        while sent < count or busy:
            now = time.perf_counter()
            if now > begun + count / rate + SETTLE_S:
                break
            due = min(int((now - begun) * rate) + 1, count)
            while sent < due and busy < PACED_LANES_MAX:
                self._begin(free.pop() if free else Lane(), scripts[sent], begun + sent / rate)
                sent, busy = sent + 1, busy + 1
            pause = max(0.0, begun + sent / rate - time.perf_counter()) if sent < count else 0.05
            for lane in self._finished(min(pause, 0.05)):
                busy -= 1
                free.append(lane)
        return self._end(begun, busy + count - sent)

    # --- lanes -------------------------------------------------------------------------------------------------
    def _begin(self, lane: Lane, script: Script, since: float) -> None:
        lane.script, lane.since = script, since
        self._send(lane, next(script))

    def _send(self, lane: Lane, request: bytes) -> None:
        if lane.socket is None:
            lane.socket = self._connect()
            self._lanes[lane.socket.fileno()] = lane
            self._poll.register(lane.socket.fileno(), select.EPOLLIN)
        try:
            done = lane.socket.send(request)
        except OSError:
            done = 0
        if done < len(request):  # a batch that is larger than the socket's buffer, or a connection that is gone
            lane.unsent = request[done:]
            self._poll.modify(lane.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _connect(self) -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._new:
            self._source = self._source % SOURCES + 1
            made.setsockopt(socket.IPPROTO_IP, BIND_ADDRESS_NO_PORT, 1)
            made.bind((f"127.0.1.{self._source}", 0))
        made.connect(("127.0.0.1", self._port))
        made.setblocking(False)
        return made

    def _finished(self, timeout: float) -> list[Lane]:
        """The lanes whose script has ended, counted."""
        finished: list[Lane] = []
        for handle, events in self._poll.poll(timeout):
            lane = self._lanes[handle]
            if events & select.EPOLLOUT:
                self._send_rest(lane)
            if events & READABLE and self._receive(lane):
                finished.append(lane)
        return finished

    def _send_rest(self, lane: Lane) -> None:
        assert lane.socket is not None  # noqa: S101 it is in the poll
        try:
            lane.unsent = lane.unsent[lane.socket.send(lane.unsent) :]
        except OSError:
            lane.unsent = b""  # the connection is gone; reading from it tells
        if not lane.unsent:
            self._poll.modify(lane.socket.fileno(), select.EPOLLIN)

    def _receive(self, lane: Lane) -> bool:
        """Take what came; whether the lane's script has ended by it."""
        assert lane.socket is not None  # noqa: S101 it is in the poll
        try:
            part = lane.socket.recv(ANSWER_BYTES_MAX)
        except BlockingIOError:
            return False
        except OSError:
            part = b""
        lane.got += part
        if part and not complete(lane.got):
            return False
        answer = bytes(lane.got)
        lane.got.clear()
        if self._new or not part:
            self._drop(lane)
        return self._answered(lane, answer)

    def _answered(self, lane: Lane, answer: bytes) -> bool:
        assert lane.script is not None  # noqa: S101 it waits for this
        try:
            request = lane.script.send(answer)
        except StopIteration as ended:
            self._count(lane, answer, well=bool(ended.value))
            return True
        self._send(lane, request)
        return False

    def _count(self, lane: Lane, answer: bytes, *, well: bool) -> None:
        result = self.result
        if well:
            result.done += 1
            result.latencies.append(time.perf_counter() - lane.since)
            return
        result.failed += 1
        if len(result.bad) < BAD_KEPT:
            result.bad.append(answer[:600])

    def _drop(self, lane: Lane) -> None:
        if lane.socket is not None:
            self._lanes.pop(lane.socket.fileno(), None)
            lane.socket.close()  # closing takes it out of the poll
            lane.socket = None
            lane.unsent = b""
            lane.got.clear()

    def _end(self, begun: float, unanswered: int) -> Result:
        self.result.seconds = time.perf_counter() - begun
        self.result.failed += unanswered
        for lane in list(self._lanes.values()):
            self._drop(lane)
        self._poll.close()
        return self.result


def complete(got: bytes | bytearray) -> bool:
    """Whether a whole answer is there; ours always tell their length."""
    head = got.find(HEAD_END)
    if head < 0:
        return False
    start = got[:head].lower().find(LENGTH)
    if start < 0:
        return True
    end = got.find(b"\r", start)
    return len(got) - head - len(HEAD_END) >= int(got[start + len(LENGTH) : end])


def post(path: str, body: bytes, token: str = "") -> bytes:
    """The bytes of a JSON POST."""
    credential = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{credential}"
        f"Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str) -> bytes:
    """The bytes of a GET that asks for JSON."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n".encode()


def body_of(answer: bytes) -> bytes:
    """What comes after the head."""
    return answer.partition(HEAD_END)[2]
