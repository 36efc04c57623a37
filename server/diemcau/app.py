"""The composition root: opens store → live → services → web, closes in reverse, and owns every background task."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import structlog

from diemcau.clock import Clock, SystemClock
from diemcau.domain.authority import System
from diemcau.errors import DiemcauError, StartError
from diemcau.live.center import Center
from diemcau.services import accounts, anomalies, board, import_runs, link, name_index, sessions
from diemcau.services.context import Context, Keys
from diemcau.services.identities import Identities
from diemcau.services.jobs import Jobs
from diemcau.services.limiter import Limiter
from diemcau.store import lock, migrate
from diemcau.store.engine import Engines, file_of, start_error
from diemcau.store.writer import Writer
from diemcau.web.listener import Listener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Sequence
    from pathlib import Path

    from diemcau.config import Settings
    from diemcau.store.check_ins import Outcome

log = structlog.get_logger()
SECRET_BYTES = 32


def load_secret(folder: Path) -> bytes:
    """The server's secret from `folder/secret.key`, made on the first start with mode 0600.

    Raises:
        StartError: the folder cannot be written, or the file is not a secret.
    """
    path = folder / "secret.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(made, "wb") as file:
                file.write(secrets.token_bytes(SECRET_BYTES))
        secret = path.read_bytes()
    except OSError as error:
        raise (start_error_of(error, str(folder))) from error
    if len(secret) != SECRET_BYTES:
        raise StartError("secret_broken", where=str(path))
    return secret


def start_error_of(error: OSError, where: str) -> StartError:
    """What a failing folder means to the person who started the server."""
    return StartError("disk_full" if error.errno == 28 else "database_unwritable", where=where)


class Server:
    """A running Diemcau. `async with Server(settings) as server:`; then `server.url` answers."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.setup_url: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._close = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open everything, or nothing."""
        try:
            await self._open()
        except BaseException:
            await self._close.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close in reverse: no new requests, then sockets, then the queue is written, then the database."""
        await self._close.aclose()

    async def _open(self) -> None:
        gc.set_threshold(50_000, 50, 1_000)  # the default pauses 200–370 ms at 5,000 sockets
        self.context = await self._open_context()
        token = await accounts.setup_token(System(), self.context)
        await self._watch_links(self.context)
        listener = await Listener.open(self.context)
        self._close.push_async_callback(listener.close)
        self._close.push_async_callback(link.stop, System(), self.context)
        self.port = listener.port
        self.spawn(sessions.opens_itself(System(), self.context), "sessions open themselves")
        self.spawn(anomalies.keep(System(), self.context), "anomalies")
        self.spawn(name_index.keep(System(), self.context), "index of names")
        if token:
            self.setup_url = f"{self.settings.origin}/setup/{token}"

    @contextlib.asynccontextmanager
    async def without_web(self) -> AsyncIterator[Context]:
        """Only what works on the database: for a command where no server runs."""
        async with self._close:
            yield await self._open_context()

    async def _open_context(self) -> Context:
        keys = Keys(load_secret(self.settings.data_dir))
        engines = Engines(self.settings.database)
        file = file_of(engines.url)
        try:
            if file:
                file.parent.mkdir(parents=True, exist_ok=True)
            self._close.enter_context(lock.held(file))
            await migrate.prepare(engines)
        except DiemcauError:
            await engines.close()
            raise
        except Exception as error:
            await engines.close()
            raise start_error(error, engines.url) or error from error
        self._close.push_async_callback(engines.close)
        writer = Writer(engines)
        writing = asyncio.create_task(writer.run(), name="writer")
        self._close.push_async_callback(_drain, writer, writing)
        self._close.push_async_callback(self._end_tasks)
        context = Context(
            settings=self.settings,
            clock=self.clock,
            engines=engines,
            writer=writer,
            keys=keys,
            live=Center(self.clock, self.settings.beat_interval_s),
            identities=Identities(),
            limiter=Limiter(self.clock),
            jobs=Jobs(),
            spawn=self.spawn,
        )
        writer.on_commit = partial(_committed, context)
        await import_runs.repair(System(), context)
        return context

    async def _watch_links(self, context: Context) -> None:
        await board.start(System(), context)
        self.spawn(link.watch(System(), context), "the wheel")
        self.spawn(link.keep_records(System(), context), "changes of link")
        self.spawn(board.fan_out(System(), context), "boards")

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run `work` in a task that ends, at the latest, with the server."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a background task failed", task=task.get_name(), error=repr(error))

    async def _end_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def open_context(settings: Settings) -> contextlib.AbstractAsyncContextManager[Context]:
    """A server's parts over its database, without a socket: what a command on the same machine works with.

    Raises (on entering):
        StartError: the database cannot be opened, or a server holds it.
    """
    return Server(settings).without_web()


def _committed(context: Context, outcomes: Sequence[Outcome]) -> None:
    """What is durable is shown, and looked at for what is odd."""
    board.publish(context, outcomes)
    context.anomalies.see(outcomes)


async def _drain(writer: Writer, writing: asyncio.Task[None]) -> None:
    writer.drain()
    await writing
