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
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from diemcau import limits
from diemcau.errors import OverloadedError
from diemcau.store import check_ins

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from diemcau.store.check_ins import CheckIn, Outcome
    from diemcau.store.engine import Connection, Engines

T = TypeVar("T")
log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _Job:
    work: Callable[[Connection], Awaitable[Any]]
    future: asyncio.Future[Any]


@dataclass(slots=True, eq=False)
class _Item:
    check_in: CheckIn
    future: asyncio.Future[Outcome]


@dataclass(slots=True)
class Writer:
    """Start it with `run()` in a task that the composition root owns; stop it with `drain()`."""

    engines: Engines
    on_commit: Callable[[Sequence[Outcome]], None] = field(default=lambda _outcomes: None)
    _items: deque[_Item] = field(default_factory=deque)
    _jobs: deque[_Job] = field(default_factory=deque)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
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
        if self._closing or len(self._items) >= limits.WRITE_QUEUE_ITEMS_MAX:
            raise OverloadedError(retry_after_s=limits.OVERLOADED_RETRY_AFTER_S)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._items.append(_Item(item, future))
        self._wake.set()
        return await future

    async def write(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` in a transaction of its own and return its result once that is durable.

        Raises:
            OverloadedError: too many writes wait, or the server is stopping.
            DiemcauError: whatever `work` raises; nothing of it is kept then.
        """
        if self._closing or len(self._jobs) >= limits.WRITE_JOBS_MAX:
            raise OverloadedError(retry_after_s=limits.OVERLOADED_RETRY_AFTER_S)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._jobs.append(_Job(work, future))
        self._wake.set()
        return cast("T", await future)

    async def run(self) -> None:
        """Write until drained. One job, then one batch, in turn: neither starves the other."""
        async with self.engines.writing.connect() as raw:
            connection = await raw.execution_options(writing=True)
            while True:
                if self._jobs:
                    await self._run_job(connection, self._jobs.popleft())
                if self._items:
                    batch = [self._items.popleft() for _ in range(min(len(self._items), limits.WRITE_BATCH_ITEMS_MAX))]
                    await self._run_batch(connection, batch)
                if not self._jobs and not self._items:
                    if self._closing:
                        return
                    self._wake.clear()
                    await self._wake.wait()

    def drain(self) -> None:
        """Take nothing more; `run()` returns once everything that waits is written."""
        self._closing = True
        self._wake.set()

    async def _run_job(self, connection: Connection, job: _Job) -> None:
        for attempt in range(limits.WRITE_RETRIES_MAX):
            try:
                async with connection.begin():
                    result = await job.work(connection)
            except Exception as error:  # noqa: BLE001 the caller gets it; the writer lives on
                if _transient(error) and attempt + 1 < limits.WRITE_RETRIES_MAX:
                    continue
                _fail(job.future, error)
                return
            if not job.future.done():
                job.future.set_result(result)
            return

    async def _run_batch(self, connection: Connection, batch: list[_Item]) -> None:
        for attempt in range(limits.WRITE_RETRIES_MAX):
            try:
                async with connection.begin():
                    outcomes = await check_ins.record(connection, [item.check_in for item in batch])
            except Exception as error:  # noqa: BLE001 see above
                if _transient(error) and attempt + 1 < limits.WRITE_RETRIES_MAX:
                    continue
                await self._batch_failed(connection, batch, error)
                return
            self.on_commit(outcomes)
            for item, outcome in zip(batch, outcomes, strict=True):
                if not item.future.done():
                    item.future.set_result(outcome)
            return

    async def _batch_failed(self, connection: Connection, batch: list[_Item], error: Exception) -> None:
        """One bad item never stalls the rest: retry them singly; a single one learns its own fate."""
        if len(batch) > 1 and isinstance(error, DBAPIError) and not error.connection_invalidated:
            log.warning("batch failed, items are retried singly", items=len(batch), error=str(error.orig))
            for item in batch:
                await self._run_batch(connection, [item])
            return
        log.error("check-in not written", items=len(batch), error=repr(error))
        for item in batch:
            _fail(item.future, OverloadedError(retry_after_s=limits.OVERLOADED_RETRY_AFTER_S))


def _transient(error: Exception) -> bool:
    """A deadlock, a serialization failure, or a nonce that another process claimed between look and insert."""
    if isinstance(error, IntegrityError):
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(error, (DBAPIError, OperationalError)) and state in {"40001", "40P01"}


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
