"""The one writer of this process: it alone owns the writing connection, and nobody cancels it (DESIGN.md §6a).

Two kinds of work come through bounded queues:

- *check-ins*, which are gathered: everything that waits, up to `WRITE_BATCH_ITEMS_MAX`, shares one
  transaction, and each caller's future is set only after that commit is durable (I1);
- *jobs*, any other write, each in a transaction of its own.

A caller that goes away changes nothing: its item is written all the same, and the committed batch still
reaches `on_commit`, which is how boards hear of it.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError

from diemcau import limits
from diemcau.errors import DiemcauError, MalformedError, NotFoundError, OverloadedError
from diemcau.store import check_ins
from diemcau.store.check_ins import Listed
from diemcau.store.pressure import Pressure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from diemcau.store.check_ins import CheckIn, Outcome
    from diemcau.store.engine import Connection, Engines

T = TypeVar("T")
log = structlog.get_logger()
RETRIED_STATES = frozenset({"40001", "40P01"})
"""PostgreSQL's serialization failure and deadlock."""

AWAY_STATES = frozenset({"08", "53", "57"})
"""The classes in which PostgreSQL says: no connection, no room, shutting down."""


def new_writer_id() -> bytes:
    """A UUIDv7 of now: the chains of this process (`log_chain`)."""
    random = bytearray(secrets.token_bytes(10))
    random[0] = 0x70 | random[0] & 0x0F
    random[2] = 0x80 | random[2] & 0x3F
    return (time.time_ns() // 1_000_000).to_bytes(6, "big") + bytes(random)


@dataclass(slots=True, eq=False)
class _Job:
    work: Callable[[Connection], Awaitable[Any]]
    future: asyncio.Future[Any]


@dataclass(slots=True, eq=False)
class _Call:
    """Somebody who waits for the results of one or many check-ins; `left` of them are still unknown."""

    results: list[Any]
    left: int
    future: asyncio.Future[list[Any]]

    def tell(self, index: int, result: Outcome | DiemcauError) -> None:
        self.results[index] = result
        self.left -= 1
        if not self.left and not self.future.done():
            self.future.set_result(self.results)


class _Item(NamedTuple):
    check_in: CheckIn
    call: _Call
    place: int


@dataclass(slots=True)
class Writer:
    """Start it with `run()` in a task that the composition root owns; stop it with `drain()`."""

    engines: Engines
    on_commit: Callable[[Sequence[Outcome]], None] = field(default=lambda _outcomes: None)
    writer_id: bytes = field(default_factory=new_writer_id)
    _items: deque[_Item] = field(default_factory=deque)
    _jobs: deque[_Job] = field(default_factory=deque)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _pressure: Pressure = field(default_factory=Pressure)
    _gathered: bool = False
    _closing: bool = False

    @property
    def depth(self) -> int:
        """Check-ins that wait for a commit."""
        return len(self._items)

    async def check_in(self, item: CheckIn) -> Outcome:
        """Record one check-in; returns once it is durable.

        Raises:
            OverloadedError: the queue is full, the server is stopping, or the commit's fate is unknown.
                Retrying with the same nonce is always safe.
        """
        (result,) = await self.check_ins([item])
        if isinstance(result, DiemcauError):
            raise result
        return result

    async def check_ins(self, items: Sequence[CheckIn]) -> list[Outcome | DiemcauError]:
        """Record many check-ins, perhaps in several transactions; returns once all of them are durable.

        A result per item, in their order: one that cannot be written has its error instead and stalls nothing.

        Raises:
            OverloadedError: the queue has no room for all of them, the server is stopping, or the database cannot
                be written; some of them may be durable. Retrying with the same nonces is always safe.
        """
        results = await self._put(items)
        if any(type(result) is _UnwrittenError for result in results):
            raise _overloaded()
        return results

    def outcomes(self, items: Sequence[CheckIn]) -> asyncio.Future[list[Outcome | DiemcauError]]:
        """The same for check-ins that were gathered before: none waits for more, and each has its own fate.

        One that may not be written has an OverloadedError.

        Raises:
            OverloadedError: the queue has no room for all of them, or the server is stopping.
        """
        self._gathered = True
        return self._put(items)

    def _put(self, items: Sequence[CheckIn]) -> asyncio.Future[list[Any]]:
        if self._closing or len(self._items) + len(items) > limits.WRITE_QUEUE_ITEMS_MAX:
            raise _overloaded()
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        if not items:
            future.set_result([])
            return future
        call = _Call([None] * len(items), len(items), future)
        for index, item in enumerate(items):
            self._items.append(_Item(item, call, index))
        self._wake.set()
        return future

    async def write(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` in a transaction of its own and return its result once that is durable.

        Raises:
            OverloadedError: too many writes wait, or the server is stopping.
            DiemcauError: whatever `work` raises; nothing of it is kept then.
        """
        if self._closing or len(self._jobs) >= limits.WRITE_JOBS_MAX:
            raise _overloaded()
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._jobs.append(_Job(work, future))
        self._wake.set()
        return cast("T", await future)

    async def run(self) -> None:
        """Write until drained. One job, then one batch, in turn: neither starves the other."""
        try:
            while True:
                if self._jobs:
                    await self._run_job(self._jobs.popleft())
                if self._items:
                    await self._gather()
                    batch = [self._items.popleft() for _ in range(min(len(self._items), limits.WRITE_BATCH_ITEMS_MAX))]
                    await self._run_batch(batch)
                if not self._jobs and not self._items:
                    if self._closing:
                        return
                    self._wake.clear()
                    await self._wake.wait()
        finally:
            self._give_up()

    async def _gather(self) -> None:
        """Let a small batch wait for others while the loop is busy with them, unless other work waits for it."""
        while len(self._items) < limits.WRITE_GATHER_ITEMS and not (self._gathered or self._jobs or self._closing):
            wait_s = self._pressure.wait_s()
            if not wait_s:
                return
            await asyncio.sleep(wait_s)
        self._gathered = False

    def drain(self) -> None:
        """Take nothing more; `run()` returns once everything that waits is written."""
        self._closing = True
        self._wake.set()

    async def _run_job(self, job: _Job) -> None:
        for attempt in range(limits.WRITE_RETRIES_MAX):
            try:
                async with self.engines.writing.begin() as connection:
                    result = await job.work(connection)
            except Exception as error:  # noqa: BLE001 the caller gets it; the writer lives on
                if await _again(error, attempt):
                    continue
                _fail(job.future, _told(error))
                return
            if not job.future.done():
                job.future.set_result(result)
            return

    async def _run_batch(self, batch: list[_Item]) -> None:
        items = [item.check_in for item in batch]
        for attempt in range(limits.WRITE_RETRIES_MAX):
            try:
                outcomes = await self.engines.transact(
                    lambda connection: check_ins.record(connection, items, self.writer_id)
                )
            except Exception as error:  # noqa: BLE001 see above
                if await _again(error, attempt):
                    continue
                await self._batch_failed(batch, error)
                return
            self._publish(outcomes)
            for item, outcome in zip(batch, outcomes, strict=True):
                item.call.tell(item.place, outcome)
            return

    def _publish(self, outcomes: list[Outcome]) -> None:
        """What is durable stays so and is acknowledged, whatever becomes of the boards."""
        try:
            self.on_commit(outcomes)
        except Exception:
            log.exception("a committed batch was not published", items=len(outcomes))

    async def _batch_failed(self, batch: list[_Item], error: Exception) -> None:
        """One bad item never stalls the rest: retry them singly; a single one learns its own fate."""
        if len(batch) > 1 and not _unreachable(error):
            log.warning("batch failed, items are retried singly", items=len(batch), error=repr(error))
            for item in batch:
                await self._run_batch([item])
            return
        log.error("check-in not written", items=len(batch), error=repr(error))
        for item in batch:
            item.call.tell(item.place, _reason(item.check_in, error))

    def _give_up(self) -> None:
        """Leave nobody waiting for a writer that is gone."""
        self._closing = True
        for item in self._items:
            item.call.tell(item.place, _unwritten())
        for job in self._jobs:
            _fail(job.future, _overloaded())


def _overloaded() -> OverloadedError:
    return OverloadedError(retry_after_s=limits.OVERLOADED_RETRY_AFTER_S)


class _UnwrittenError(OverloadedError):
    """Nothing is known to be written: the database is locked, full or away, or the server stops."""


def _unwritten() -> _UnwrittenError:
    return _UnwrittenError(retry_after_s=limits.OVERLOADED_RETRY_AFTER_S)


def _reason(item: CheckIn, error: Exception) -> DiemcauError:
    """Why one item was not written. What it refers to may be gone since somebody looked; that is a definite answer."""
    if isinstance(error, DiemcauError):
        return error
    if isinstance(error, IntegrityError):
        return NotFoundError(what="attendee", key=item.who.code if isinstance(item.who, Listed) else item.point)
    if _unstorable(error):
        return MalformedError(field="item", reason="reason.unreadable")
    return _unwritten() if _unreachable(error) else _overloaded()


def _told(error: Exception) -> Exception:
    """What a job's caller is told: its own error; a database that is locked or away is worth another try later."""
    return _overloaded() if _unreachable(error) else error


def _state(error: Exception) -> str:
    """PostgreSQL's five characters for what went wrong, where it said any."""
    return getattr(error.orig, "sqlstate", None) or "" if isinstance(error, DBAPIError) else ""


def _unreachable(error: Exception) -> bool:
    """The database cannot be written at all now: locked by another process, full, or away."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, (OperationalError, OSError)) or _state(error)[:2] in AWAY_STATES


def _unstorable(error: Exception) -> bool:
    """A value that no column takes: the checks before us let something pass."""
    said_by_driver = isinstance(error, DBAPIError) and isinstance(getattr(error.orig, "__cause__", None), ValueError)
    return isinstance(error, (DataError, OverflowError)) or said_by_driver or _state(error).startswith("22")


async def _again(error: Exception, attempt: int) -> bool:
    """Whether another attempt may succeed, after a pause where the connection was lost.

    Worth it: a deadlock, a serialization failure, a key that another process wrote between our look and our insert,
    and a lost connection (whether that commit happened is unknown; its nonces, if they are there, will be known).
    """
    if attempt + 1 >= limits.WRITE_RETRIES_MAX or not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        await asyncio.sleep(limits.WRITE_RETRY_PAUSE_S)
        return True
    return isinstance(error, IntegrityError) or _state(error) in RETRIED_STATES


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
