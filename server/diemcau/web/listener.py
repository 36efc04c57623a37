"""Listening: the web application behind a socket, with or without TLS."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from aiohttp import web

from diemcau import limits
from diemcau.errors import StartError
from diemcau.web import routes

if TYPE_CHECKING:
    from diemcau.services.context import Context

SHUTDOWN_S = 10.0
"""How long open requests may take to end once the server stops."""


class Listener:
    """Accepts connections until closed; `port` is the one in use (settings may ask for 0, any free one)."""

    def __init__(self, runner: web.AppRunner, port: int) -> None:
        self._runner = runner
        self.port = port

    @classmethod
    async def open(cls, context: Context) -> Listener:
        """Listen as `context.settings` say.

        Raises:
            StartError: the port is taken, or the certificate cannot be read.
        """
        settings = context.settings
        tls = tls_context(str(settings.tls_certificate), str(settings.tls_key)) if settings.tls_certificate else None
        # A handler is never cancelled when its phone hangs up: what was begun is finished (I1).
        runner = web.AppRunner(
            routes.build(context),
            access_log=None,
            handler_cancellation=False,
            shutdown_timeout=SHUTDOWN_S,
            tcp_keepalive=False,  # idle connections are closed and points beat, long before the kernel would ask
        )
        await runner.setup()
        site = web.TCPSite(runner, settings.host, settings.port, backlog=limits.LISTEN_BACKLOG, ssl_context=tls)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            raise StartError("port_taken", host=settings.host, port=settings.port) from error
        return cls(runner, int(runner.addresses[0][1]))

    async def close(self) -> None:
        """Stop accepting, let open requests end, close every socket."""
        await self._runner.cleanup()


def tls_context(certificate: str, key: str) -> ssl.SSLContext:
    """The server side of TLS.

    Raises:
        StartError: certificate or key cannot be read.
    """
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        tls.load_cert_chain(certificate, key)
    except OSError as error:
        raise StartError("tls_unreadable", where=certificate) from error
    return tls
