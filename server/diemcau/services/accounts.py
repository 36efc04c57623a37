"""Accounts: the first administrator, signing in and out, grants, bearer tokens."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import argon2

from diemcau import limits
from diemcau.domain import names
from diemcau.domain.authority import Account, Action, Actor, Anonymous, Device, System, require
from diemcau.domain.models import Role
from diemcau.errors import (
    ConflictError,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    NotSignedInError,
    WrongPasswordError,
)
from diemcau.services.context import Context, token_hash
from diemcau.services.identities import ACCOUNT_PREFIX
from diemcau.store import accounts, units
from diemcau.wire import api

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.store.engine import Connection

HASHER = argon2.PasswordHasher()
ABSENT_HASH = "$argon2id$v=19$m=65536,t=3,p=4$ZGllbWNhdSBub2JvZHk$" + "A" * 43
"""Verified when the name is unknown, so that the answer takes as long; no password leads to it."""

SETUP_KEY = "setup_token_hash"


async def setup_token(actor: System, context: Context) -> str | None:
    """A fresh one-time token for the first administrator; None when any account exists."""
    del actor
    async with context.read() as connection:
        if await accounts.exist(connection):
            return None
    token = secrets.token_urlsafe(18)
    await context.writer.write(lambda c: accounts.put_fact(c, SETUP_KEY, token_hash(token).hex()))
    return token


async def set_up(actor: Actor, context: Context, body: api.SetUp) -> tuple[api.Me, str]:
    """Make the first administrator; the answer and a signed-in cookie's token.

    Raises:
        ForbiddenError: the token is wrong, was used, or somebody has an account by now.
        MalformedError: the name is empty.
        RateLimitedError: too many wrong tokens.
    """
    del actor
    context.limiter.check("setup", limits.PAIRING_FAILURES_PER_MINUTE_MAX)
    name = _named(body.name)
    hashed = await _hash(context, body.password)

    async def work(connection: Connection) -> None:
        expected = await accounts.fact(connection, SETUP_KEY)
        if expected is None or not secrets.compare_digest(expected, token_hash(body.token).hex()):
            raise ForbiddenError
        if await accounts.exist(connection):  # made by a command while the link lay about
            raise ForbiddenError
        await accounts.forget_fact(connection, SETUP_KEY)
        account_id = await accounts.insert(connection, name, hashed, context.clock.now_ms())
        await accounts.add_grant(connection, account_id, Role.ADMIN, None)

    try:
        await context.writer.write(work)
    except ForbiddenError:
        context.limiter.failed("setup")
        raise
    return await login(Anonymous(), context, api.Login(body.name, body.password))


async def login(actor: Actor, context: Context, body: api.Login) -> tuple[api.Me, str]:
    """Who signed in, and the token for the cookie.

    Raises:
        WrongPasswordError: name and password do not belong together.
        RateLimitedError: too many failures for this name.
        OverloadedError: too many sign in at once.
    """
    del actor
    name = _name(body.name)
    context.limiter.check(f"login:{name}", limits.LOGIN_FAILURES_PER_MINUTE_MAX)
    async with context.read() as connection:
        found = await accounts.by_name(connection, name)
    matches = await _verify(context, found.password_hash if found else ABSENT_HASH, body.password)
    if found is None or not matches or found.disabled:
        context.limiter.failed(f"login:{name}")
        raise WrongPasswordError
    now_ms = context.clock.now_ms()
    token = await _issue(context, found.account_id, "cookie", "", now_ms + limits.SIGN_IN_VALID_S * 1000)
    async with context.read() as connection:
        account = await accounts.by_credential(connection, token_hash(token), now_ms)
        if account is None:
            raise WrongPasswordError
        return await _me(connection, account), token


async def logout(actor: Actor, context: Context) -> None:
    """Revoke the credential that was shown."""
    if isinstance(actor, Account):
        await context.writer.write(lambda c: accounts.revoke_credential(c, actor.credential_id, context.clock.now_ms()))
        context.identities.forget()


async def me(actor: Actor, context: Context) -> api.Me:
    """Who I am.

    Raises:
        NotSignedInError: nobody.
    """
    if isinstance(actor, Device):
        return api.Me("device", actor.point_code, point=actor.point_code, device_kind=actor.kind)
    if not isinstance(actor, Account):
        raise NotSignedInError
    async with context.read() as connection:
        return await _me(connection, actor)


async def add(actor: Actor, context: Context, body: api.AccountNew) -> api.AccountView:
    """Make an account.

    Raises:
        ForbiddenError: not an administrator of every unit it is granted.
        ConflictError: the name is taken.
        MalformedError: the name is empty.
        NotFoundError: a granted unit does not exist.
    """
    require(actor, Action.ACCOUNTS_WRITE)
    name = _named(body.name)
    hashed = await _hash(context, body.password)

    async def work(connection: Connection) -> None:
        grants = await _resolve(connection, actor, body.grants)
        if await accounts.by_name(connection, name):
            raise ConflictError(what="account", key=name)
        account_id = await accounts.insert(connection, name, hashed, context.clock.now_ms())
        for role, unit_id in grants:
            await accounts.add_grant(connection, account_id, role, unit_id)

    await context.writer.write(work)
    return api.AccountView(name, body.grants)


async def listed(actor: Actor, context: Context) -> list[api.AccountView]:
    """All accounts, by name.

    Raises:
        ForbiddenError: not an administrator of the whole tree.
    """
    require(actor, Action.ACCOUNTS_WRITE, "")
    async with context.read() as connection:
        return [
            api.AccountView(row.name, await _views(connection, row.account_id), row.disabled)
            for row in await accounts.listed(connection)
        ]


async def issue_token(actor: Actor, context: Context, name: str) -> str:
    """A bearer token for the account `name`; shown once, kept as a hash.

    Raises:
        ForbiddenError: not an administrator of the whole tree.
        NotFoundError: no such account.
    """
    require(actor, Action.ACCOUNTS_WRITE, "")
    async with context.read() as connection:
        found = await accounts.by_name(connection, _name(name))
    if found is None:
        raise NotFoundError(what="account", key=name)
    return await _issue(context, found.account_id, "token", name, None)


async def _resolve(
    connection: Connection, actor: Actor, grants: Sequence[api.GrantView]
) -> list[tuple[Role, int | None]]:
    resolved: list[tuple[Role, int | None]] = []
    for grant in grants:
        unit = await units.get(connection, grant.unit.upper()) if grant.unit else None
        require(actor, Action.ACCOUNTS_WRITE, unit.path if unit else "")
        resolved.append((grant.role, unit.unit_id if unit else None))
    return resolved


async def _me(connection: Connection, account: Account) -> api.Me:
    return api.Me("account", account.name, await _views(connection, account.account_id))


async def _views(connection: Connection, account_id: int) -> list[api.GrantView]:
    return [api.GrantView(role, unit) for role, unit in await accounts.grants(connection, account_id)]


async def _issue(context: Context, account_id: int, kind: str, name: str, expires_ms: int | None) -> str:
    token = ACCOUNT_PREFIX + secrets.token_urlsafe(32)
    await context.writer.write(
        lambda c: accounts.add_credential(
            c, account_id, kind, name, token_hash(token), context.clock.now_ms(), expires_ms
        )
    )
    return token


async def _hash(context: Context, password: str) -> str:
    async with context.passwords.taken():
        return await asyncio.to_thread(HASHER.hash, password)


async def _verify(context: Context, hashed: str, password: str) -> bool:
    """argon2 takes about 50 ms: in a thread, so that no beat waits for it, and few at once."""
    try:
        async with context.passwords.taken():
            return await asyncio.to_thread(HASHER.verify, hashed, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _name(name: str) -> str:
    return names.tidy(name).casefold()


def _named(name: str) -> str:
    """The name of a new account."""
    tidied = _name(name)
    if not tidied:
        raise MalformedError(field="name", reason="reason.empty")
    return tidied
