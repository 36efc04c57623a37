"""What stands at the top of papers: the organization's texts, a session's document number and date, its target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from diemcau import i18n
from diemcau.domain import names
from diemcau.domain.authority import Action, Actor, require
from diemcau.reports.paper import PaperHead
from diemcau.services.sessions import visible, writable
from diemcau.store import paper_headings
from diemcau.wire.paper_headings import Organization, OrganizationPatch, SessionHeading, SessionHeadingPatch

if TYPE_CHECKING:
    from diemcau.i18n import Language
    from diemcau.services.context import Context
    from diemcau.store.engine import Connection
    from diemcau.store.sessions import SessionRow


async def heading(actor: Actor, connection: Connection, session: SessionRow, language: Language = "vi") -> PaperHead:
    """The heading of a paper of this session, which the caller has found visible for the actor.

    Where no date is set, room to write one by hand stands in its place.
    """
    require(actor, Action.SESSIONS_READ)
    whose = await paper_headings.organization(connection)
    own = await paper_headings.of_session(connection, session.session_id)
    place, date = own.place or whose.place, own.document_date
    if place and not date:
        date = i18n.text(language, "report.date_by_hand")
    return PaperHead(
        superior=whose.superior,
        organization=whose.name,
        motto=whose.motto,
        number=i18n.text(language, "report.number", number=own.document_number) if own.document_number else "",
        place_and_date=", ".join(part for part in (place, date) if part),
        signer=whose.signer,
    )


async def organization(actor: Actor, context: Context) -> Organization:
    """The organization's texts.

    Raises:
        NotSignedInError, ForbiddenError: not a member of staff.
    """
    require(actor, Action.SESSIONS_READ)
    async with context.read() as connection:
        return await paper_headings.organization(connection)


async def change_organization(actor: Actor, context: Context, body: OrganizationPatch) -> Organization:
    """Change the texts that are given.

    Raises:
        ForbiddenError: not an organizer of the whole tree.
    """
    require(actor, Action.SESSIONS_WRITE, "")
    values = _tidied(body)
    await context.writer.write(lambda connection: paper_headings.set_organization(connection, values))
    return await organization(actor, context)


async def of_session(actor: Actor, context: Context, code: str) -> SessionHeading:
    """What the session's papers bear of their own.

    Raises:
        NotFoundError: no such session, or not the actor's to see.
    """
    async with context.read() as connection:
        session = await visible(actor, connection, code)
        return await paper_headings.of_session(connection, session.session_id)


async def change_session(actor: Actor, context: Context, code: str, body: SessionHeadingPatch) -> SessionHeading:
    """Change what is given; after closing too, since papers get their number and date when they leave.

    Raises:
        NotFoundError, ForbiddenError: no such session, not the actor's to see or to organize.
    """
    require(actor, Action.SESSIONS_WRITE)
    values = _tidied(body)

    async def work(connection: Connection) -> None:
        session = await writable(actor, connection, code, closed=True)
        await paper_headings.set_session(connection, session.session_id, values)

    await context.writer.write(work)
    return await of_session(actor, context, code)


def _tidied(body: msgspec.Struct) -> dict[str, Any]:
    """The given values, texts without needless white space; a line break divides two lines."""
    given = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
    return {name: _lines(value) if isinstance(value, str) else value for name, value in given.items()}


def _lines(text: str) -> str:
    return "\n".join(line for line in map(names.tidy, text.splitlines()) if line)
