"""Long work under `/api/v1/jobs`: imports, exports, paper. Jobs live in memory and die with the server."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import structlog

from diemcau import limits
from diemcau.domain.authority import Account, Action, Actor, System, require
from diemcau.errors import DiemcauError, NotFoundError, OverloadedError

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.wire import api

State = Literal["queued", "running", "done", "failed"]
log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Job:
    """One piece of long work. `error` says why it failed, to be told in the reader's language."""

    job_id: str
    kind: str
    owner: Actor
    state: State = "queued"
    done: int = 0
    total: int = 0
    result: api.ImportResult | None = None
    error: DiemcauError | None = None


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
        busy = sum(job.state in {"queued", "running"} for job in self.known.values())
        if busy >= limits.JOBS_RUNNING_MAX + limits.JOBS_WAITING_MAX:
            raise OverloadedError(retry_after_s=limits.OVERLOADED_RETRY_AFTER_S)

    def remember(self, job: Job) -> None:
        """Keep a new job, and forget the oldest that ended."""
        self.known[job.job_id] = job
        ended = [job_id for job_id, other in self.known.items() if other.state in {"done", "failed"}]
        for job_id in ended[: max(0, len(self.known) - limits.JOBS_REMEMBERED_MAX)]:
            del self.known[job_id]


def start(actor: Actor, context: Context, kind: str, work: Work, after: Callable[[], None]) -> Job:
    """Begin `work` in the background; it may set `done` and `total` of its job, and returns the result.

    `after` is called once the job is over, however it ended.

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


def _same(actor: Actor, owner: Actor) -> bool:
    if isinstance(actor, Account) and isinstance(owner, Account):
        return actor.account_id == owner.account_id
    return isinstance(actor, System)


async def _run(context: Context, job: Job, work: Work, after: Callable[[], None]) -> None:
    try:
        async with context.jobs.running:
            job.state = "running"
            job.result = await work(job)
        job.state = "done"
    except DiemcauError as error:
        job.error, job.state = error, "failed"
    except Exception:
        log.exception("a job failed", kind=job.kind, job=job.job_id)
        job.error, job.state = DiemcauError(), "failed"
    finally:
        after()
