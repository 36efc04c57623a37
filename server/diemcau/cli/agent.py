"""`diemcau agent`: a hall's device without a screen."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import platform
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
import msgspec

from diemcau.agent.point import Line, PointAgent
from diemcau.cli.remote import Remote
from diemcau.cli.words import say
from diemcau.wire import api
from diemcau.wire.live import CloseCode, ServerPointFrame, SessionEvent

STATE_FILE = Path("diemcau-agent.json")


class State(msgspec.Struct):
    """What an agent remembers over a restart. `code_hash`: of the pairing code that made the token."""

    url: str
    token: str
    point: str
    code_hash: str


@click.command()
@click.option("--url", required=True, envvar="DIEMCAU_URL", help="The server, e.g. http://127.0.0.1:8080")
@click.option("--pair", "code", help="A pairing code; used once, then the token is kept in the state file.")
@click.option("--token", help="A paired device's token, instead of a code.")
@click.option("--name", default=platform.node() or "agent", show_default=True, help="This device's name at the centre.")
@click.option("--session", help="Take part in this session only [default: whichever is near].")
@click.option(
    "--state-file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=STATE_FILE,
    show_default=True,
    help="Where the token is kept (mode 0600).",
)
@click.pass_context
def agent(  # noqa: PLR0913 one parameter an option
    ctx: click.Context,
    *,
    url: str,
    code: str | None,
    token: str | None,
    name: str,
    session: str | None,
    state_file: Path,
) -> None:
    """Hold a hall's link without a screen, beside a codec; Ctrl-C or SIGTERM says goodbye."""
    url = url.rstrip("/")
    chosen = token or token_of(url, code, name, state_file)
    ended = asyncio.run(hold(PointAgent(url, chosen, session)))
    if ended is not None:
        click.echo(say(sentence(ended), code=ended), err=True)
        ctx.exit(1)


def token_of(url: str, code: str | None, name: str, file: Path) -> str:
    """The token from the state file, or a new one for a code that was not used here before.

    Raises:
        click.ClickException: neither a code nor a usable state file, or it cannot be written.
        StartError, RefusedError: the server is not there, or does not take the code.
    """
    state = read(file)
    if state is not None and state.url == url and code in {None, ""}:
        return state.token
    if not code:
        raise click.UsageError(say("agent.nothing_to_show", file=str(file)))
    code_hash = hashlib.sha256(f"{url} {code}".encode()).hexdigest()
    if state is not None and state.code_hash == code_hash:
        return state.token
    with writable(file) as made:  # before the code is used up, find out whether its token can be kept
        paired = msgspec.convert(Remote(url, "").call("POST", "/pair", {"code": code, "device": name}), api.Paired)
        made.write_bytes(msgspec.json.encode(State(url, paired.token, paired.point, code_hash)))
    return paired.token


def read(file: Path) -> State | None:
    """What was kept; None where nothing readable is."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=State)
    except (OSError, msgspec.DecodeError):
        return None


@contextlib.contextmanager
def writable(file: Path) -> Iterator[Path]:
    """A fresh file beside `file`, mode 0600, that takes its place at the end, or leaves no trace."""
    fresh = file.with_name(file.name + ".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
    except OSError as error:
        raise click.ClickException(say("agent.state_unwritable", file=str(file), reason=str(error.strerror))) from None
    try:
        yield fresh
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


async def hold(point: PointAgent) -> int | None:
    """Hold the line until told to stop; the close code when the server ended it for good."""
    talk = Talk(point)
    point.on_frame, point.on_line = talk.frame, talk.line
    loop = asyncio.get_running_loop()
    leaving: set[asyncio.Task[None]] = set()

    def goodbye() -> None:
        leaving.add(asyncio.ensure_future(point.leave()))

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, goodbye)
    ended = await point.run()
    await asyncio.gather(*leaving)
    return ended


class Talk:
    """Says in plain lines how the line stands; only changes, and the first failure of a row."""

    def __init__(self, point: PointAgent) -> None:
        self.point = point
        self.down_since: datetime | None = datetime.now().astimezone()

    def line(self, line: Line) -> None:
        """The line changed."""
        if line is Line.UP and self.point.welcome is not None:
            self.down_since = None
            welcome = self.point.welcome
            session = welcome.session.title if welcome.session else say("agent.no_session")
            tell("agent.connected", point=welcome.point, name=welcome.point_name, session=session)
        elif line is Line.WAITING and self.down_since is None:
            self.down_since = datetime.now().astimezone()
            tell("agent.lost")
        elif line is Line.WAITING and self.point.welcome is None and self.down_since is not None:
            tell("agent.unreachable", seconds=round(self.point.waits_s, 1))
        elif line is Line.ENDED and self.point.close_code is None:
            tell("agent.left")

    def frame(self, frame: ServerPointFrame) -> None:
        """The session moved."""
        if isinstance(frame, SessionEvent):
            tell("agent.session", title=frame.session.title, state=say(f"state.{frame.session.state}"))


def tell(key: str, **params: str | float) -> None:
    """One line with the time."""
    click.echo(f"{datetime.now().astimezone():%H:%M:%S} {say(key, **params)}")


def sentence(code: int) -> str:
    """The text that says why the server ended the line."""
    known = {CloseCode.REVOKED, CloseCode.NOT_SIGNED_IN, CloseCode.REPLACED, CloseCode.NOT_FOUND, CloseCode.FORBIDDEN}
    return f"agent.ended_{CloseCode(code).name.lower()}" if code in known else "agent.ended"
