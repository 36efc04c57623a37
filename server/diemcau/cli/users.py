"""`diemcau user` and `diemcau token`: accounts and bearer tokens, through a server or on the database itself."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import click
import msgspec

from diemcau import limits
from diemcau.cli import local, remote
from diemcau.cli.words import say
from diemcau.domain.authority import System
from diemcau.domain.models import Role
from diemcau.errors import MalformedError
from diemcau.services import accounts
from diemcau.wire import api

if TYPE_CHECKING:
    from diemcau.services.context import Context

T = TypeVar("T")


@click.group()
def user() -> None:
    """Accounts: who may sign in, and what they may do where."""


@click.group()
def token() -> None:
    """Bearer tokens: how programs and commands sign in."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--unit", help="The unit the role is over, with all below it [default: everything].")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@remote.options
@local.options
def add(  # noqa: PLR0913 one parameter an option
    name: str,
    role: str,
    unit: str | None,
    password_stdin: bool,  # noqa: FBT001 click passes it by name
    url: str | None,
    token: str | None,
    database: str,
    data_dir: Path | None,
) -> None:
    """Make an account with a role over a unit."""
    server = remote.chosen(url, token)
    body = api.AccountNew(name, _password(asked=not password_stdin), [api.GrantView(Role(role), unit)])
    if server:
        made = msgspec.convert(server.call("POST", "/accounts", msgspec.to_builtins(body)), api.AccountView)
    else:
        made = _directly(lambda context: accounts.add(System(), context, body), database, data_dir)
    click.echo(say("account.added", name=made.name))


@user.command("list")
@remote.options
@local.options
def listed(url: str | None, token: str | None, database: str, data_dir: Path | None) -> None:
    """List the accounts: name, roles and units."""
    server = remote.chosen(url, token)
    if server:
        items = msgspec.convert(server.call("GET", "/accounts"), api.AccountList).items
    else:
        items = _directly(lambda context: accounts.listed(System(), context), database, data_dir)
    for item in items:
        grants = ", ".join(f"{grant.role} {grant.unit or say('account.everything')}" for grant in item.grants)
        click.echo("\t".join([item.name, grants, *([say("account.disabled")] if item.disabled else [])]))


@token.command("add")
@click.argument("name")
@remote.options
@local.options
def issue(name: str, url: str | None, token: str | None, database: str, data_dir: Path | None) -> None:
    """Print a new bearer token of the account NAME; it is shown this once."""
    server = remote.chosen(url, token)
    if server:
        made: str = server.call("POST", f"/accounts/{quote(name, safe='')}/tokens")["token"]
    else:
        made = _directly(lambda context: accounts.issue_token(System(), context, name), database, data_dir)
    click.echo(made)


def _password(*, asked: bool) -> str:
    """From the terminal, twice and unseen, or the first line of standard input.

    Raises:
        MalformedError: too short or too long.
    """
    if asked:
        password: str = click.prompt(say("account.password"), hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not limits.PASSWORD_CHARS_MIN <= len(password) <= limits.PASSWORD_CHARS_MAX:
        raise MalformedError(field="password", reason="reason.password_length")
    return password


def _directly(work: Callable[[Context], Awaitable[T]], database: str, data_dir: Path | None) -> T:
    async def run() -> T:
        async with local.opened(database, data_dir) as context:
            return await work(context)

    return asyncio.run(run())
