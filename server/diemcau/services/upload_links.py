"""Upload links: a unit's clerk hands in their list without an account, for that unit and nothing else (I5).

A link becomes an actor with a clerk's rights over its unit, for the one import that it asks for, and no longer.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from diemcau import limits
from diemcau.domain import badge
from diemcau.domain.authority import Account, Action, Actor, Grant, Scope, System, require
from diemcau.domain.models import Role, SessionState
from diemcau.errors import Finding, ImportRejectedError, MalformedError, NotFoundError, TooLargeError
from diemcau.services import board, imports, lists, uploads
from diemcau.services.context import token_hash
from diemcau.services.import_runs import asked_for
from diemcau.services.jobs import Job
from diemcau.services.sessions import visible, writable
from diemcau.store import session_points, sessions, units, upload_links
from diemcau.wire import preparation as wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from diemcau.services.context import Context
    from diemcau.store.engine import Connection
    from diemcau.store.units import UnitRow
    from diemcau.store.upload_links import LinkRow
    from diemcau.wire import api

TOKEN_BYTES = 16
DAY_MS = 86_400_000
KEY_SHOWN_CHARS = 6
"""Of a link that nobody knows, in the answer that says so."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What the page says: which session and unit, until when, what came already, whether people are summoned by it."""

    session: str
    title: str
    conference: str
    starts_ms: int
    unit: str
    unit_name: str
    expires_ms: int
    used_ms: int | None
    people: int | None
    summons: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What a file would do. `ref` confirms it; empty when something is wrong: then `findings`, the first of `total`."""

    result: api.ImportResult | None
    findings: list[Finding]
    total: int = 0
    ref: str = ""

    @property
    def skipped(self) -> int:
        """Rows that were read as headings, totals or signatures: nobody may be lost among them unsaid."""
        told = self.result.preview if self.result else None
        return sum(told.skipped.values()) if told else 0


# --- for organizers ----------------------------------------------------------------------------------------
async def make(actor: Actor, context: Context, session: str, body: wire.UploadLinksNew) -> wire.UploadLinksMade:
    """A link for each of these units, or for a unit and every unit below it; shown this once.

    Raises:
        MalformedError: neither or both of `unit` and `units`, or too many units.
        NotFoundError: no such session or unit.
        ForbiddenError: the session is not the actor's to organize, or a unit outside their scope.
        SessionClosedError: the figures are frozen.
    """
    require(actor, Action.SESSIONS_WRITE)
    if (body.unit is None) == (body.units is None):
        raise MalformedError(field="unit | units", reason="reason.one_of")
    now_ms = context.clock.now_ms()
    by = actor.name if isinstance(actor, Account | System) else ""
    expires_ms = now_ms + body.days * DAY_MS
    made = {"made_ms": now_ms, "made_by": by, "expires_ms": expires_ms}

    async def work(connection: Connection) -> list[wire.UploadLinkMade]:
        row = await writable(actor, connection, session)
        wanted = await _wanted(actor, connection, body)
        tokens = {unit.unit_id: badge.encode(secrets.token_bytes(TOKEN_BYTES)).lower() for unit in wanted}
        rows = [{"unit_id": unit_id, "token_hash": token_hash(token)} for unit_id, token in tokens.items()]
        ids = await upload_links.insert(connection, row.session_id, rows, made)
        return [
            wire.UploadLinkMade(
                id=ids[unit.unit_id],
                unit=unit.code,
                unit_name=unit.name,
                url=f"{context.settings.origin}/u/{tokens[unit.unit_id]}",
                expires_ms=expires_ms,
            )
            for unit in wanted
        ]

    return wire.UploadLinksMade(await context.writer.write(work))


async def _wanted(actor: Actor, connection: Connection, body: wire.UploadLinksNew) -> list[UnitRow]:
    if body.unit is not None:
        top = await lists.unit_for(actor, Action.SESSIONS_WRITE, connection, body.unit)
        found = await units.all_of(connection, Scope((top.path,)))
    else:
        codes = dict.fromkeys(code.upper() for code in body.units or ())
        if len(codes) > limits.UPLOAD_LINKS_MAX:
            raise MalformedError(field="units", reason=f"≤ {limits.UPLOAD_LINKS_MAX}")
        found = [await lists.unit_for(actor, Action.SESSIONS_WRITE, connection, code) for code in codes]
    if not 1 <= len(found) <= limits.UPLOAD_LINKS_MAX:
        raise MalformedError(field="units", reason=f"1 … {limits.UPLOAD_LINKS_MAX}")
    return found


async def listed(actor: Actor, context: Context, session: str) -> wire.UploadLinkList:
    """The session's links inside the actor's units, without their tokens.

    Raises:
        NotFoundError: no such session, or not the actor's to see.
    """
    async with context.read() as connection:
        row = await visible(actor, connection, session)
        found = await upload_links.listed(connection, row.session_id, require(actor, Action.PEOPLE_READ))
    now_ms = context.clock.now_ms()
    return wire.UploadLinkList([_view(link, now_ms) for link in found])


def _view(link: LinkRow, now_ms: int) -> wire.UploadLinkView:
    state: Literal["good", "expired", "revoked"] = "good" if link.expires_ms > now_ms else "expired"
    return wire.UploadLinkView(
        id=link.link_id,
        unit=link.unit_code,
        unit_name=link.unit_name,
        state="revoked" if link.revoked_ms is not None else state,
        made_ms=link.made_ms,
        made_by=link.made_by,
        expires_ms=link.expires_ms,
        used_ms=link.used_ms,
        people=link.people,
    )


async def revoke(actor: Actor, context: Context, session: str, link_id: int) -> None:
    """Take a link back; a list that came by it stays.

    Raises:
        NotFoundError: no such session, or no such link that is not taken back already.
        ForbiddenError: the session is not the actor's to organize.
    """
    require(actor, Action.SESSIONS_WRITE)

    async def work(connection: Connection) -> None:
        row = await writable(actor, connection, session, closed=True)
        mine = await upload_links.listed(connection, row.session_id, require(actor, Action.SESSIONS_WRITE))
        known = any(link.link_id == link_id for link in mine)
        if not known or not await upload_links.revoke(connection, link_id, context.clock.now_ms()):
            raise NotFoundError(what="upload_link", key=str(link_id))

    await context.writer.write(work)


# --- for whoever holds a link ------------------------------------------------------------------------------
async def opened(actor: Actor, context: Context, token: str, network: str) -> Opened:
    """What the page of a link says; nothing of anybody's.

    `network`: where the reader comes from; only unknown links count against it.

    Raises:
        NotFoundError: no such link, or it ran out, was taken back, or the session is closed.
        RateLimitedError: too many unknown links from this network.
    """
    del actor
    link = await _good(context, token, network)
    return Opened(
        session=link.session_code,
        title=link.title,
        conference=link.conference,
        starts_ms=link.starts_ms,
        unit=link.unit_code,
        unit_name=link.unit_name,
        expires_ms=link.expires_ms,
        used_ms=link.used_ms,
        people=link.people,
        summons=link.state is SessionState.DRAFT,
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """Who sent something by a link: the link's token, and the network they came from."""

    token: str
    network: str


async def check(actor: Actor, context: Context, sent: Sent, name: str, chunks: AsyncIterator[bytes]) -> Checked:
    """Receive a file and say what it would do; it waits for `confirm` when nothing is wrong with it.

    Raises:
        NotFoundError, RateLimitedError: as `opened`; also when too many files came by this link.
        TooLargeError: larger than `UPLOAD_BYTES_MAX`.
        ImportFileError: the file cannot be read at all.
        OverloadedError: too many jobs run and wait already.
    """
    del actor
    link = await _good(context, sent.token, sent.network)
    key = f"upload:{link.link_id}"
    context.limiter.check(key, limits.UPLOADS_PER_MINUTE_MAX)
    context.limiter.failed(key)
    context.jobs.admit()
    path = context.uploads.place()
    try:
        await _receive(path, chunks)
        checked = await _tried(context, link, path, name)
    except BaseException:
        uploads.discard(path)
        raise
    if checked.total or checked.result is None:
        uploads.discard(path)
        return checked
    ref = context.uploads.keep(context.clock, link.link_id, path, name)
    return Checked(checked.result, [], 0, ref)


async def confirm(actor: Actor, context: Context, sent: Sent, ref: str) -> None:
    """Take over the file that was checked; in draft everybody on the unit's list is summoned, each to their home point.

    Raises:
        NotFoundError: as `opened`; `what` is `file` when the checked file is no longer here.
        ImportRejectedError: what was fine no longer is; nothing was taken over.
        OverloadedError: someone wrote to the same rows again and again meanwhile.
    """
    del actor
    link = await _good(context, sent.token, sent.network)
    kept = context.uploads.take(context.clock, link.link_id, ref)
    if kept is None:
        raise NotFoundError(what="file", key=ref[:KEY_SHOWN_CHARS])
    try:
        result = await _run(context, link, kept.path, kept.name, dry_run=False)
    finally:
        uploads.discard(kept.path)

    async def work(connection: Connection) -> bool:
        await upload_links.used(connection, link.link_id, result.rows, context.clock.now_ms())
        session = await sessions.get(connection, link.session_code, kept=True)
        if session.state is not SessionState.DRAFT:
            return False
        await session_points.invite_below(connection, session.session_id, Scope((link.unit_path,)))
        await session_points.recount_invited(connection, session.session_id)
        return True

    if await context.writer.write(work):
        await board.refresh(System(), context, link.session_id)


# --- parts -------------------------------------------------------------------------------------------------
async def _good(context: Context, token: str, network: str) -> LinkRow:
    async with context.read() as connection:
        link = await upload_links.by_hash(connection, token_hash(token.lower()))
    if link is None:
        context.limiter.failed(f"upload-link:{network}")
        context.limiter.check(f"upload-link:{network}", limits.UPLOAD_FAILURES_PER_MINUTE_MAX)
    over = link is None or link.revoked_ms is not None or link.expires_ms <= context.clock.now_ms()
    if link is None or over or link.state is SessionState.CLOSED:
        raise NotFoundError(what="upload_link", key=token[:KEY_SHOWN_CHARS])
    return link


async def _receive(path: Path, chunks: AsyncIterator[bytes]) -> None:
    size = 0
    with await asyncio.to_thread(path.open, "wb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > limits.UPLOAD_BYTES_MAX:
                raise TooLargeError
            await asyncio.to_thread(file.write, chunk)


async def _tried(context: Context, link: LinkRow, path: Path, name: str) -> Checked:
    try:
        result = await _run(context, link, path, name, dry_run=True)
    except ImportRejectedError as error:
        return Checked(None, error.findings, error.total)
    told = result.preview
    if told is None:
        return Checked(result, [])
    return Checked(
        result, [Finding(f.row, f.column, f.reason, f.value, f.sheet) for f in told.findings], told.findings_total
    )


async def _run(context: Context, link: LinkRow, path: Path, name: str, *, dry_run: bool) -> api.ImportResult:
    """The import itself, by an actor who may write to this unit's people only; rows without a unit are the unit's."""
    clerk = Account(-link.link_id, f"upload:{link.link_id}", (Grant(Role.CLERK, link.unit_path),))
    wanted = imports.Wanted(
        "attendees",
        dry_run=dry_run,
        units={"": link.unit_code},
        how=asked_for("add", None, name, move_invitations=False),
    )
    async with context.jobs.running:
        return await imports.run(clerk, context, wanted, path, Job("", "import attendees", clerk))
