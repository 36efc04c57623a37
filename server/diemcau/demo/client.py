"""The API as a person's browser uses it: a cookie, JSON, and problems that become sentences."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import msgspec

from diemcau.demo.errors import DemoError
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.i18n import Language

T = TypeVar("T")
JOB_POLL_S = 0.15
JOB_S_MAX = 600.0


@dataclass(frozen=True, slots=True)
class Client:
    """One caller: signed in by the session's cookie, or by `token`; nobody when neither is there."""

    http: aiohttp.ClientSession
    origin: str
    language: Language
    token: str | None = None

    def with_token(self, token: str) -> Client:
        """The same server, as the holder of `token`."""
        return Client(self.http, self.origin, self.language, token)

    async def call(self, method: str, path: str, answer: type[T], body: object = None) -> T:
        """Call `/api/v1` + `path` with a struct, plain JSON or raw bytes; the answer decoded as `answer`.

        Raises:
            DemoError: `demo_refused`; any status from 400 on.
        """
        raw = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        return msgspec.json.decode(await self.fetch(method, path, raw, kind) or b"null", type=answer)

    async def fetch(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
        """The answer's bytes.

        Raises:
            DemoError: `demo_refused` for any status from 400 on, `demo_no_answer` when none came.
        """
        headers = {"Origin": self.origin, "Accept-Language": self.language}
        if body:
            headers["Content-Type"] = kind
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        url = f"{self.origin}/api/v1{path}"
        try:
            async with self.http.request(method, url, data=body or None, headers=headers) as response:
                content = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise DemoError("demo_no_answer", path=f"{method} {path}", reason=str(error) or repr(error)) from error
        if response.status >= 400:
            raise DemoError("demo_refused", path=f"{method} {path}", status=response.status, title=_title(content))
        return content

    async def finished(self, job: api.Job, on_progress: Any = None) -> api.Job:  # noqa: ANN401 a callable or nothing
        """The job once it is done.

        Raises:
            DemoError: `demo_refused`; it failed.
        """
        async with asyncio.timeout(JOB_S_MAX):
            while job.state in {"queued", "running"}:
                await asyncio.sleep(JOB_POLL_S)
                job = await self.call("GET", f"/jobs/{job.id}", api.Job)
                if on_progress:
                    on_progress(job.done, job.total)
        if job.state == "failed":
            problem = job.problem
            raise DemoError(
                "demo_refused", path=f"job {job.kind}", status=problem.status if problem else 0, title=_told(problem)
            )
        return job


def _title(content: bytes) -> str:
    try:
        return _told(msgspec.json.decode(content, type=api.Problem))
    except msgspec.DecodeError:
        return content[:200].decode(errors="replace")


def _told(problem: api.Problem | None) -> str:
    if problem is None:
        return ""
    places = [f"{f.row} {f.column}: {f.reason} {f.value}" for f in problem.findings[:5]]
    return "; ".join([problem.title, *places])
