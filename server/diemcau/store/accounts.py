"""Accounts, grants, credentials, and the few facts about this database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from diemcau.domain.authority import Account, Grant
from diemcau.domain.models import Role
from diemcau.store.schema import account, account_grant, credential, instance, unit

if TYPE_CHECKING:
    from diemcau.store.engine import Connection


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as stored."""

    account_id: int
    name: str
    password_hash: str
    disabled: bool


async def exist(connection: Connection) -> bool:
    """Whether there is any account."""
    return (await connection.execute(sa.select(account.c.id).limit(1))).first() is not None


async def by_name(connection: Connection, name: str) -> AccountRow | None:
    """The account of this name."""
    row = (await connection.execute(sa.select(account).where(account.c.name == name))).first()
    return AccountRow(row.id, row.name, row.password_hash, row.disabled_ms is not None) if row else None


async def listed(connection: Connection) -> list[AccountRow]:
    """All accounts, by name."""
    rows = await connection.execute(sa.select(account).order_by(account.c.name))
    return [AccountRow(row.id, row.name, row.password_hash, row.disabled_ms is not None) for row in rows]


async def insert(connection: Connection, name: str, password_hash: str, now_ms: int) -> int:
    """Add an account; its id."""
    added = sa.insert(account).values(name=name, password_hash=password_hash, made_ms=now_ms).returning(account.c.id)
    account_id: int = (await connection.execute(added)).scalar_one()
    return account_id


async def add_grant(connection: Connection, account_id: int, role: Role, unit_id: int | None) -> None:
    """Give a role over a unit and all below it; None: the whole tree."""
    await connection.execute(sa.insert(account_grant).values(account_id=account_id, role=role, unit_id=unit_id))


async def grants(connection: Connection, account_id: int) -> list[tuple[Role, str | None]]:
    """An account's roles, each with its unit's code (None: the whole tree)."""
    query = (
        sa.select(account_grant.c.role, unit.c.code)
        .outerjoin(unit, unit.c.id == account_grant.c.unit_id)
        .where(account_grant.c.account_id == account_id)
        .order_by(account_grant.c.id)
    )
    return [(Role(row.role), row.code) for row in await connection.execute(query)]


async def add_credential(  # noqa: PLR0913 a row has this many columns
    connection: Connection,
    account_id: int,
    kind: str,
    name: str,
    token_hash: bytes,
    now_ms: int,
    expires_ms: int | None,
) -> None:
    """Keep the hash of a cookie's or bearer token."""
    await connection.execute(
        sa.insert(credential).values(
            account_id=account_id,
            kind=kind,
            name=name,
            token_hash=token_hash,
            made_ms=now_ms,
            expires_ms=expires_ms,
        )
    )


async def revoke_credential(connection: Connection, credential_id: int, now_ms: int) -> None:
    """Make a credential useless."""
    await connection.execute(sa.update(credential).where(credential.c.id == credential_id).values(revoked_ms=now_ms))


async def by_credential(connection: Connection, token_hash: bytes, now_ms: int) -> Account | None:
    """The account a valid credential belongs to, with its grants."""
    query = (
        sa.select(credential.c.id.label("credential_id"), account.c.id, account.c.name)
        .join(account, account.c.id == credential.c.account_id)
        .where(
            credential.c.token_hash == token_hash,
            credential.c.revoked_ms.is_(None),
            sa.or_(credential.c.expires_ms.is_(None), credential.c.expires_ms > now_ms),
            account.c.disabled_ms.is_(None),
        )
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    held = (
        sa.select(account_grant.c.role, unit.c.path)
        .outerjoin(unit, unit.c.id == account_grant.c.unit_id)
        .where(account_grant.c.account_id == row.id)
    )
    granted = tuple(Grant(Role(g.role), g.path or "") for g in await connection.execute(held))
    return Account(row.id, row.name, granted, row.credential_id)


async def fact(connection: Connection, key: str) -> str | None:
    """A fact about this database."""
    return (await connection.execute(sa.select(instance.c.value).where(instance.c.key == key))).scalar()


async def put_fact(connection: Connection, key: str, value: str) -> None:
    """Set a fact."""
    await forget_fact(connection, key)
    await connection.execute(sa.insert(instance).values(key=key, value=value))


async def forget_fact(connection: Connection, key: str) -> None:
    """Remove a fact."""
    await connection.execute(sa.delete(instance).where(instance.c.key == key))
