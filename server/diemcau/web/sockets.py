"""The two WebSockets: `/ws/v1/point` for devices, `/ws/v1/board` for whoever watches (docs/protocol.md)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import msgspec
import structlog
from aiohttp import ClientConnectionResetError, WSMsgType, web

from diemcau import limits
from diemcau.domain.authority import Account, Anonymous
from diemcau.errors import DiemcauError
from diemcau.services import board, link
from diemcau.services.identities import identify
from diemcau.web.calls import Call, Route
from diemcau.web.identity import COOKIE, same_origin
from diemcau.wire.live import (
    PROTOCOL_VERSION,
    Away,
    Beat,
    BoardIdentify,
    CloseCode,
    Hello,
    Identify,
    Leave,
    PointFrame,
)

if TYPE_CHECKING:
    from diemcau.domain.authority import Actor
    from diemcau.services.context import Context

log = structlog.get_logger()
F = TypeVar("F")
POINT_FRAMES: msgspec.json.Decoder[PointFrame] = msgspec.json.Decoder(PointFrame)
BOARD_FRAMES = msgspec.json.Decoder(BoardIdentify)


class Closing(Exception):  # noqa: N818 it ends a conversation, which is no error of ours
    """The socket must be closed with this code."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code)
        self.code = code


class PointSocket:
    """What services may do with a device's socket: push and close, neither of which waits."""

    __slots__ = ("_context", "_request", "_socket")

    def __init__(self, context: Context, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._context = context
        self._request = request
        self._socket = socket

    def push(self, frame: bytes) -> None:
        """Send a frame, unless the other side has not read what was sent before."""
        transport = self._request.transport
        if transport is not None and transport.get_write_buffer_size() < limits.SOCKET_BUFFER_BYTES:
            self._context.spawn(self._send(frame), "push a frame")

    def close(self, code: CloseCode) -> None:
        """Begin to close."""
        self._context.spawn(self._end(code), "close a socket")

    async def _send(self, frame: bytes) -> None:
        try:
            await self._socket.send_frame(frame, WSMsgType.TEXT)
        except (ClientConnectionResetError, ConnectionResetError):
            return  # it went meanwhile; its own loop notices

    async def _end(self, code: CloseCode) -> None:
        await self._socket.close(code=code)


# --- devices ------------------------------------------------------------------------------------------------------
async def point(call: Call[None]) -> web.WebSocketResponse:
    """A device's link: hello, identify, welcome, then beats until either side goes."""
    socket = await _open(call)
    try:
        await _follow_point(call, socket)
    except Closing as closing:
        await socket.close(code=closing.code)
    except (ClientConnectionResetError, ConnectionResetError):
        pass  # the line broke; the wheel will notice the silence
    except Exception:  # an HTTP answer would be noise here; whoever comes back later may find it mended
        log.exception("a device's socket failed")
        await socket.close(code=CloseCode.RESTART)
    return socket


async def _follow_point(call: Call[None], socket: web.WebSocketResponse) -> None:
    context = call.context
    frame = await _first(socket, POINT_FRAMES)
    if not isinstance(frame, Identify):
        raise Closing(CloseCode.MALFORMED)
    try:
        line, welcome = await link.enter(Anonymous(), context, frame, PointSocket(context, call.request, socket))
    except DiemcauError as error:
        raise Closing(board.close_code(error)) from error
    try:
        await socket.send_frame(msgspec.json.encode(welcome), WSMsgType.TEXT)
        while (message := await _next(socket, POINT_FRAMES)) is not None:
            if isinstance(message, Beat):
                await socket.send_frame(link.beat(context, line, message), WSMsgType.TEXT)
            elif isinstance(message, Away):
                link.away(context, line)
            elif isinstance(message, Leave):
                link.leave(context, line)
                await socket.close()
            else:
                raise Closing(CloseCode.MALFORMED)
    finally:
        link.gone(context, line)


# --- boards -------------------------------------------------------------------------------------------------------
async def board_socket(call: Call[None]) -> web.WebSocketResponse:
    """A board: hello, identify, then a snapshot and deltas until either side goes. Identify again changes the view."""
    socket = await _open(call)
    try:
        frame: BoardIdentify | None = await _first(socket, BOARD_FRAMES)
        while frame is not None:
            frame = await _show(call, socket, frame)
    except Closing as closing:
        await socket.close(code=closing.code)
    except (ClientConnectionResetError, ConnectionResetError):
        pass
    except Exception:
        log.exception("a board's socket failed")
        await socket.close(code=CloseCode.RESTART)
    return socket


async def _show(call: Call[None], socket: web.WebSocketResponse, frame: BoardIdentify) -> BoardIdentify | None:
    """Show one view until the board asks for another (its identify) or goes (None)."""
    token = _token(call, frame)
    try:
        watcher = await board.watch(await _watching(call, frame), call.context, frame)
    except DiemcauError as error:
        raise Closing(board.close_code(error)) from error
    writing = asyncio.create_task(_write(call, socket, watcher), name="board")
    checking = asyncio.create_task(_recheck(call.context, token, frame, watcher), name="board's rights")
    try:
        return await _next(socket, BOARD_FRAMES)
    finally:
        board.unwatch(call.context, watcher)
        for task in (writing, checking):
            task.cancel()
        await asyncio.gather(writing, checking, return_exceptions=True)


def _token(call: Call[None], frame: BoardIdentify) -> str:
    header = call.request.headers.get("Authorization", "").partition(" ")[2].strip()
    return frame.token or header or call.request.cookies.get(COOKIE, "")


async def _watching(call: Call[None], frame: BoardIdentify) -> Actor:
    """Who watches: the token in the frame, else whoever shook hands (a cookie only from our own page)."""
    if frame.token is not None:
        return await identify(Anonymous(), call.context, frame.token)
    by_cookie = "Authorization" not in call.request.headers
    if by_cookie and isinstance(call.actor, Account) and not same_origin(call.request):
        raise Closing(CloseCode.FORBIDDEN)
    return call.actor


async def _write(call: Call[None], socket: web.WebSocketResponse, watcher: board.Watching) -> None:
    """Send what the board is owed; one that reads nothing for too long is closed."""
    context = call.context
    while (frame := await watcher.next(context.clock.now_ms)) is not None:
        try:
            async with asyncio.timeout(limits.BOARD_STUCK_S):
                await socket.send_frame(frame, WSMsgType.TEXT)
        except TimeoutError:
            log.warning("a board reads too slowly and is closed", session=watcher.audience.session.brief.code)
            _abort(call.request)
            return
        except (ClientConnectionResetError, ConnectionResetError):
            return
    if watcher.closed is not None:
        await socket.close(code=watcher.closed)


def _abort(request: web.Request) -> None:
    """A full socket takes no closing frame either: cut it."""
    if request.transport is not None:
        request.transport.abort()


async def _recheck(context: Context, token: str, frame: BoardIdentify, watcher: board.Watching) -> None:
    while True:
        await asyncio.sleep(limits.BOARD_RECHECK_S)
        await board.recheck(Anonymous(), context, token, frame, watcher)


# --- both ---------------------------------------------------------------------------------------------------------
async def _open(call: Call[None]) -> web.WebSocketResponse:
    """Shake hands and say hello. No compression: it costs more memory than a link has, and more time than it saves."""
    context = call.context
    socket = web.WebSocketResponse(
        timeout=limits.SOCKET_CLOSE_S,
        compress=False,
        max_msg_size=limits.SOCKET_MESSAGE_BYTES_MAX,
        writer_limit=limits.SOCKET_BUFFER_BYTES,
    )
    await socket.prepare(call.request)
    hello = Hello(
        PROTOCOL_VERSION,
        round(context.settings.beat_interval_s * 1000),
        context.clock.now_ms(),
        context.live.epoch,
    )
    await socket.send_frame(msgspec.json.encode(hello), WSMsgType.TEXT)
    if context.live.stopping:
        await socket.close(code=CloseCode.RESTART)
    return socket


async def _first(socket: web.WebSocketResponse, decoder: msgspec.json.Decoder[F]) -> F:
    """The frame that must come soon.

    Raises:
        Closing: nothing came in time, or the other side went.
    """
    try:
        async with asyncio.timeout(limits.IDENTIFY_DEADLINE_S):
            frame = await _next(socket, decoder)
    except TimeoutError:
        raise Closing(CloseCode.IDENTIFY_LATE) from None
    if frame is None:
        raise ConnectionResetError
    return frame


async def _next(socket: web.WebSocketResponse, decoder: msgspec.json.Decoder[F]) -> F | None:
    """The next frame; None once the socket is closed.

    Raises:
        Closing: it is not one of ours.
    """
    message = await socket.receive()
    if message.type is WSMsgType.TEXT:
        try:
            return decoder.decode(message.data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Closing(CloseCode.MALFORMED) from None
    if message.type is WSMsgType.BINARY:
        raise Closing(CloseCode.MALFORMED)
    return None


ROUTES = (
    Route("GET", "/ws/v1/point", point, "A device's link"),
    Route("GET", "/ws/v1/board", board_socket, "A board's snapshot and deltas"),
)
