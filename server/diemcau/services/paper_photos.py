"""The photograph of a paper sheet: attached once, never replaced, vouched for by the log."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from diemcau import limits
from diemcau.errors import MalformedError, NotFoundError, PhotoKeptError, TooLargeError
from diemcau.services import nonces
from diemcau.services.papers import desk_of_sheet, event_of, readable, view_of
from diemcau.store import event_log, papers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from diemcau.domain.authority import Actor
    from diemcau.services.context import Context
    from diemcau.store.engine import Connection
    from diemcau.wire import papers as wire


async def get(actor: Actor, context: Context, code: str, nonce: str) -> papers.Photo:
    """The photograph of a sheet, as it was sent.

    Raises:
        ForbiddenError: a sheet of another hall, or outside the account's units.
        NotFoundError: no such sheet, or none with a photograph.
    """
    row = await readable(actor, context, code, nonce)
    async with context.read() as connection:
        found = await papers.photo(connection, row.paper_id)
    if found is None:
        raise NotFoundError(what="photo", key=nonce)
    return found


async def add(actor: Actor, context: Context, code: str, nonce: str, chunks: AsyncIterator[bytes]) -> wire.PaperView:
    """Attach the photograph of a sheet, once; its SHA-256 goes into the log. The same one again is no change.

    Raises:
        MalformedError: neither JPEG, PNG nor WebP.
        TooLargeError: over `limits.PHOTO_BYTES_MAX`.
        PhotoKeptError: the sheet has another photograph, which stays.
        NotSignedInError, ForbiddenError, NotFoundError: see `papers.enter`.
    """
    desk, row = await desk_of_sheet(actor, context, code, nonce)
    content = await _content(chunks)
    photo = papers.Photo(_image_type(content), content, hashlib.sha256(content).digest())
    now_ms = context.clock.now_ms()

    async def work(connection: Connection) -> None:
        await papers.hold(connection, row.paper_id)
        kept = await papers.photo_hash(connection, row.paper_id)
        if kept is not None and kept != photo.sha256:
            raise PhotoKeptError
        if kept is None:
            await papers.add_photo(connection, row.paper_id, photo, now_ms)
            own = nonces.make(now_ms)
            fingerprint = nonces.fingerprint(context.keys, "photo", row.nonce, photo.sha256)
            event = event_of(desk, own, fingerprint, now_ms, f"photo sha256={photo.sha256.hex()}")
            event = msgspec.structs.replace(event, of_nonce=row.nonce)
            await connection.run_sync(event_log.append, context.writer.writer_id, [event])

    await context.writer.write(work)
    return await view_of(actor, context, code, nonce)


async def _content(chunks: AsyncIterator[bytes]) -> bytes:
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > limits.PHOTO_BYTES_MAX:
            raise TooLargeError
    return bytes(content)


def _image_type(content: bytes) -> str:
    """What the first bytes say; what a sender calls it counts for nothing."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    raise MalformedError(field="body", reason="reason.not_a_photo")
