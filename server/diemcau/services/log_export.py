"""The attendance log as a signed file: streamed from one state of the database, checked against its own chains."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from diemcau import i18n, limits
from diemcau.domain.log_file import Builder, Heading, Person, Row
from diemcau.domain.signed import VERSION
from diemcau.errors import ExportFailedError, LogBrokenError
from diemcau.services.exports import Export, temporary
from diemcau.services.records import scope_for
from diemcau.services.sessions import visible
from diemcau.services.signing import Signer
from diemcau.store import log as stored_log
from diemcau.store import minutes, units

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from diemcau.domain.authority import Actor, Scope
    from diemcau.i18n import Language
    from diemcau.services.context import Context, Keys
    from diemcau.store.engine import Connection
    from diemcau.store.log import LogRow
    from diemcau.store.sessions import SessionRow

log = structlog.get_logger()
CONTENT_TYPE = "application/jsonl; charset=utf-8"


@asynccontextmanager
async def made(
    actor: Actor, context: Context, code: str, unit: str | None = None, language: Language = "vi"
) -> AsyncIterator[Export]:
    """The log as a file, signed; entries outside the actor's units (or outside `unit`) appear only as hashes.

    Inside is an entry whose hall or whose person belongs to these units. Who is meant is opened for people of
    these units, and for people on no list in a hall of theirs: a commitment's salt opens the telephone too.

    Raises:
        NotFoundError: no such session or unit.
        ForbiddenError: the unit is outside the actor's scope.
        LogBrokenError: the database's log was changed; nothing is signed.
        OverloadedError: too many exports wait.
        ExportFailedError: the file could not be written, mostly for want of disk space.
    """
    with temporary(".jsonl") as path:
        async with context.exports.taken(), asyncio.timeout(limits.EXPORT_S_MAX), context.read() as connection:
            session = await visible(actor, connection, code)
            scope = await scope_for(actor, connection, unit)
            signer = Signer.of(context.keys)
            with _told():
                heading = await _heading(context, connection, session, scope, signer)
                scribe = _Scribe(Builder(heading, signer.sign), context.keys, session, scope)
                await _write(path, scribe, connection)
        yield named(context, path, ("log", ".jsonl", CONTENT_TYPE), [session.code, *([unit] if unit else [])], language)


async def _heading(
    context: Context, connection: Connection, session: SessionRow, scope: Scope, signer: Signer
) -> Heading:
    tops = [unit.code for unit in await units.all_of(connection, scope) if unit.path in scope.paths]
    await minutes.unchanged(connection, session)
    return Heading(
        version=VERSION,
        session=session.code,
        title=session.title,
        made_ms=context.clock.now_ms(),
        revision=await minutes.revision_of(connection, session.session_id),
        public_key=signer.public_key.hex(),
        scope=None if scope.everything else tops,
        chains=await stored_log.chains(connection, session.session_id),
    )


async def _write(path: Path, scribe: _Scribe, connection: Connection) -> None:
    """Fetch slices on the event loop and make lines of them beside it, so that memory and pauses stay bounded."""
    try:
        with await asyncio.to_thread(path.open, "wb") as file:
            async with aclosing(stored_log.entries(connection, scribe.session.session_id)) as slices:
                await asyncio.to_thread(file.write, scribe.builder.first())
                async for rows in slices:
                    await asyncio.to_thread(scribe.write, file, rows)
                await asyncio.to_thread(file.write, scribe.builder.last())
    except OSError as error:
        log.error("a log was not written", error=repr(error))  # noqa: TRY400 the disk is full; no trace needed
        raise ExportFailedError from None


@contextmanager
def _told() -> Iterator[None]:
    """Whoever runs the server learns that its log was changed, not only who asked for it."""
    try:
        yield
    except LogBrokenError as error:
        log.critical("the stored log is not what was recorded", **error.params)
        raise


@dataclass(frozen=True, slots=True)
class _Scribe:
    """Writes entries as one reader may see them."""

    builder: Builder
    keys: Keys
    session: SessionRow
    scope: Scope

    def write(self, file: IO[bytes], rows: Sequence[LogRow]) -> None:
        """Lines of a slice.

        Raises:
            LogBrokenError: one of them is not what was recorded.
        """
        file.writelines(self.builder.entry(self._row(row)) for row in rows)

    def _row(self, row: LogRow) -> Row:
        if row.hall_path is None:
            raise LogBrokenError(session=self.session.code, writer=row.writer.hex(), position=row.position)
        hall = self.scope.covers(row.hall_path)
        person = row.person_path is not None and self.scope.covers(row.person_path)
        if not hall and not person:
            return Row(row.writer, row.position, row.hash, row.body, inside=False)
        place = row.place_path is not None and self.scope.covers(row.place_path)
        return Row(
            row.writer,
            row.position,
            row.hash,
            row.body,
            inside=True,
            person=self._listed(row.salt, row.code, row.full_name, row.phone) if person else _unlisted(row),
            stands_for=self._listed(row.place_salt, row.place_code, row.place_name, row.place_phone) if place else None,
        )

    def _listed(self, salt: bytes | None, code: str | None, full_name: str | None, phone: str | None) -> Person:
        mixed = self.keys.sign("log-salt", (salt or b"") + self.session.session_id.to_bytes(8, "big"))
        return Person(mixed, code or "", full_name or "", phone or "")


def _unlisted(row: LogRow) -> Person | None:
    if row.unlisted_salt is None or row.person_path is not None:
        return None
    return Person(row.unlisted_salt, "", row.unlisted_name or "", "")


# --- files -------------------------------------------------------------------------------------------------
def named(context: Context, path: Path, kind: tuple[str, str, str], parts: list[str], language: Language) -> Export:
    """A file with the name under which people save it. kind: what it is, its ending, its content type."""
    what, ending, content_type = kind
    zone = ZoneInfo(context.settings.timezone)
    at = datetime.fromtimestamp(context.clock.now_ms() // 1000, UTC).astimezone(zone)
    words = [*parts, f"{at:%Y-%m-%d %H%M}"]
    name = " - ".join([i18n.text(language, f"report.file.{what}"), *words])
    plain = "-".join([what, *words]).replace(" ", "-")
    return Export(path, name + ending, plain + ending, content_type)
