"""Commands beside a running server: a small client of its API, on the standard library alone."""

from __future__ import annotations

import json
import shutil
import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

import click

from diemcau import limits
from diemcau.cli.words import language
from diemcau.errors import StartError

TIMEOUT_S = 60.0
DOWNLOAD_TIMEOUT_S = limits.EXPORT_S_MAX + TIMEOUT_S
"""A file is sent once it is complete: a log of two million entries takes minutes before its first byte."""

PREFIX = "/api/v1"


class RefusedError(click.ClickException):
    """The server said no; its sentence goes to the terminal as it is. `problem` is RFC 9457."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("title") or problem.get("code") or problem.get("status")))
        self.problem = problem

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the server's sentence to standard error."""
        click.echo(self.message, err=file is None, file=file)


@dataclass(frozen=True, slots=True)
class Remote:
    """A server at `url` (an origin), spoken to with a bearer token; "" to be nobody yet.

    timeout_s: how long it may keep silent.
    """

    url: str
    token: str
    timeout_s: float = TIMEOUT_S

    def call(self, method: str, path: str, body: Any = None, /, **query: str) -> Any:  # noqa: ANN401 JSON
        """The decoded answer of one call; `path` follows `/api/v1`, a body is sent as JSON.

        Raises:
            RefusedError: the server answered with a problem.
            StartError: `server_unreachable`, `server_foreign`.
        """
        data = None if body is None else json.dumps(body).encode()
        return self._exchange(method, _target(path, query), data, _read_json)

    def upload(self, path: str, file: Path, /, **query: str) -> Any:  # noqa: ANN401 JSON
        """Send a file as it is; the decoded answer.

        Raises:
            RefusedError, StartError: as for `call`.
            OSError: the file cannot be read.
        """
        with file.open("rb") as opened:
            return self._exchange("POST", _target(path, query), opened, _read_json, file.stat().st_size)

    def download(self, path: str, target: IO[bytes], /, **query: str) -> None:
        """Write an answer's body to `target`.

        Raises:
            RefusedError, StartError: as for `call`.
        """
        patient = replace(self, timeout_s=DOWNLOAD_TIMEOUT_S)
        patient._exchange(  # noqa: SLF001 our own class
            "GET", _target(path, query), None, lambda response: shutil.copyfileobj(response, target)
        )

    def _exchange(
        self,
        method: str,
        target: str,
        body: bytes | IO[bytes] | None,
        read: Callable[[HTTPResponse], Any],
        size: int | None = None,
    ) -> Any:  # noqa: ANN401 JSON
        headers: dict[str, str] = {"Accept-Language": language()}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = "application/json" if size is None else "application/octet-stream"
        if size is not None:
            headers["Content-Length"] = str(size)
        try:
            with closing(self._connect()) as connection:
                connection.request(method, target, body, headers)
                response = connection.getresponse()
                if response.status >= 400:
                    raise RefusedError(_read_json(response))
                return read(response)
        except (OSError, HTTPException) as error:
            if isinstance(error, OSError) and error.filename:
                raise
            raise StartError("server_unreachable", url=self.url, reason=str(error)) from None
        except ValueError:
            raise StartError("server_foreign", url=self.url) from None

    def _connect(self) -> HTTPConnection:
        parts = urlsplit(self.url)
        if parts.scheme == "https" and parts.hostname:
            context = ssl.create_default_context()
            return HTTPSConnection(parts.hostname, parts.port, timeout=self.timeout_s, context=context)
        if parts.scheme == "http" and parts.hostname:
            return HTTPConnection(parts.hostname, parts.port, timeout=self.timeout_s)
        raise StartError("server_url", url=self.url)


def _target(path: str, query: dict[str, str]) -> str:
    return PREFIX + path + (f"?{urlencode(query)}" if query else "")


def _read_json(response: HTTPResponse) -> Any:  # noqa: ANN401 JSON
    data = response.read()
    return json.loads(data) if data else None


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--url` and `--token`, which `DIEMCAU_URL` and `DIEMCAU_TOKEN` give too."""
    for option in (
        click.option("--token", envvar="DIEMCAU_TOKEN", help="A bearer token (`diemcau token add`)."),
        click.option("--url", envvar="DIEMCAU_URL", help="A running server, e.g. http://127.0.0.1:8080"),
    ):
        command = option(command)
    return command


def chosen(url: str | None, token: str | None) -> Remote | None:
    """The server that the options name; None when they name none and the database itself is meant.

    Raises:
        StartError: `token_missing`, `url_missing` when only one of the two is given.
    """
    if url and not token:
        raise StartError("token_missing", url=url)
    if token and not url:
        raise StartError("url_missing")
    return Remote(url.rstrip("/"), token) if url and token else None
