"""Long work under `/api/v1/jobs`: imports, exports, paper. Jobs live in memory and die with the server.

Files that a job made are kept for whoever began it, for a while, and go with the job.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog

from diemcau import limits
from diemcau.domain.authority import Account, Action, Actor, Scope, System, require
from diemcau.errors import DiemcauError, ForbiddenError, JobGoesOnError, NotFoundError, OverloadedError

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.wire import api

State = Literal["queued", "running", "done", "failed", "cancelled"]
UNDER_WAY = frozenset({"queued", "running"})
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class JobFile:
    """What a job made. `items`: how many badges, sheets or people are in it."""

    path: Path
    name: str
    items: int


@dataclass(slots=True, eq=False)
class Job:
    """One piece of long work. `error` says why it failed, to be told in the reader's language.

    stoppable: whether it can still be given up without leaving anything half done.
    needs: who fetches a file must, at that moment, still be allowed this in all of these units.
    let_go: set when its files are no longer wanted. over: set when the work ended, however; files may be kept still.
    """

    job_id: str
    kind: str
    owner: Actor
    state: State = "queued"
    done: int = 0
    total: int = 0
    result: api.ImportResult | None = None
    error: DiemcauError | None = None
    stoppable: bool = False
    files: list[JobFile] = field(default_factory=list)
    needs: tuple[Action, Scope] | None = None
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


Work = Callable[[Job], Awaitable["api.ImportResult | None"]]


@dataclass(slots=True)
class Jobs:
    """The jobs this server remembers, the oldest first; those that ended are forgotten when there are too many."""

    known: dict[str, Job] = field(default_factory=dict)
    running: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(limits.JOBS_RUNNING_MAX))

    def admit(self) -> None:
        """Nothing while another job may come.

        Raises:
            OverloadedError: too many run and wait already.
        """
        busy = sum(job.state in UNDER_WAY for job in self.known.values())
        if busy >= limits.JOBS_RUNNING_MAX + limits.JOBS_WAITING_MAX:
            raise OverloadedError(retry_after_s=limits.OVERLOADED_RETRY_AFTER_S)

    def remember(self, job: Job) -> None:
        """Keep a new job, and forget the oldest that ended."""
        self.known[job.job_id] = job
        ended = [job_id for job_id, other in self.known.items() if other.state not in UNDER_WAY]
        for job_id in ended[: max(0, len(self.known) - limits.JOBS_REMEMBERED_MAX)]:
            self.known.pop(job_id).let_go.set()
        with_files = [other for other in self.known.values() if other.files and other.state not in UNDER_WAY]
        for other in with_files[: max(0, len(with_files) - limits.JOBS_WITH_FILES_MAX + 1)]:
            other.let_go.set()


def start(actor: Actor, context: Context, kind: str, work: Work, after: Callable[[], None]) -> Job:
    """Begin `work` in the background; it may set `done` and `total` of its job, and returns the result.

    `after` is called once the job is over, however it ended, and its files are no longer kept.

    Raises:
        OverloadedError: too many jobs run and wait already.
    """
    context.jobs.admit()
    job = Job(secrets.token_hex(8), kind, actor)
    context.jobs.remember(job)
    context.spawn(_run(context, job, work, after), f"job {kind} {job.job_id}")
    return job


async def get(actor: Actor, context: Context, job_id: str) -> Job:
    """A job, for whoever began it or for an administrator.

    Raises:
        NotFoundError: there is none, or it was forgotten.
        ForbiddenError: it is somebody else's.
    """
    require(actor, Action.UNITS_READ)
    job = context.jobs.known.get(job_id)
    if job is None:
        raise NotFoundError(what="job", key=job_id)
    if not _same(actor, job.owner):
        require(actor, Action.ACCOUNTS_WRITE, "")
    return job


async def stop(actor: Actor, context: Context, job_id: str) -> None:
    """Give up a job that is under way, or let go what one that ended has made; its files are gone afterwards.

    Raises:
        NotFoundError, ForbiddenError: as for `get`.
        JobGoesOnError: it can no longer be given up without leaving something half done.
    """
    job = await get(actor, context, job_id)
    if job.state in UNDER_WAY:
        if not job.stoppable:
            raise JobGoesOnError(key=job_id)
        if job.task:
            job.task.cancel()
    job.let_go.set()
    if job.task:
        await asyncio.wait({job.task})


async def file(actor: Actor, context: Context, job_id: str, part: int) -> JobFile:
    """The `part`-th file (from 1) that a job made, for nobody but who began it.

    Raises:
        NotFoundError: no such job, or no such file (any more).
        ForbiddenError: somebody else began it, or who did may no longer see all that is in it.
    """
    require(actor, Action.UNITS_READ)
    job = context.jobs.known.get(job_id)
    if job is None:
        raise NotFoundError(what="job", key=job_id)
    if not _same(actor, job.owner):
        raise ForbiddenError
    if job.needs:
        action, scope = job.needs
        for unit_path in scope.paths:
            require(actor, action, unit_path)
    if job.state != "done" or not 1 <= part <= len(job.files):
        raise NotFoundError(what="file", key=str(part))
    return job.files[part - 1]


def _same(actor: Actor, owner: Actor) -> bool:
    if isinstance(actor, Account) and isinstance(owner, Account):
        return actor.account_id == owner.account_id
    return isinstance(actor, System)


async def _run(context: Context, job: Job, work: Work, after: Callable[[], None]) -> None:
    job.task = asyncio.current_task()
    try:
        if job.let_go.is_set():  # given up before it was begun
            raise asyncio.CancelledError  # noqa: TRY301 as if it had come a moment later
        async with context.jobs.running:
            job.state = "running"
            job.result = await work(job)
        job.state = "done"
        job.over.set()
        if job.files:
            await _kept(job)
    except asyncio.CancelledError:
        if job.state in UNDER_WAY:
            job.state = "cancelled"
        raise
    except DiemcauError as error:
        job.error, job.state = error, "failed"
    except Exception:
        log.exception("a job failed", kind=job.kind, job=job.job_id)
        job.error, job.state = DiemcauError(), "failed"
    finally:
        job.over.set()
        job.files.clear()
        after()


async def _kept(job: Job) -> None:
    """Until nobody wants its files any more, or for long enough."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limits.JOB_FILES_KEPT_S):
            await job.let_go.wait()
