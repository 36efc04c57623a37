"""Preparation of a session: the table by unit, the list to telephone, contacts, upload links, personal links."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from diemcau import i18n
from diemcau.domain.preparation import Missing
from diemcau.errors import MalformedError, NotFoundError
from diemcau.services import personal_links, preparation, upload_links
from diemcau.web.calls import Call, Route
from diemcau.wire import preparation as wire

ID_DIGITS_MAX = 18
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def page(call: Call[None]) -> wire.PreparationPage:
    """The units one level down, or those that owe something."""
    wanted = preparation.Wanted(call.code("unit"), _missing(call), call.text("after"), call.page_rows())
    return await preparation.page(call.actor, call.context, call.key("session"), wanted)


async def reminders(call: Call[None]) -> web.Response:
    """Whom to telephone, as a file."""
    session, wanted = call.key("session"), preparation.Wanted(call.code("unit"), _missing(call))
    body = await preparation.reminders(call.actor, call.context, session, wanted, call.language)
    return download(body, f"{i18n.text(call.language, 'prepare.file')}-{session}.csv", CSV)


async def tick(call: Call[wire.RehearsalTick]) -> wire.Ticked:
    """Halls have rehearsed."""
    return await preparation.tick(call.actor, call.context, call.key("session"), call.body)


async def contact(call: Call[None]) -> wire.UnitContact:
    """Who answers for a unit."""
    return await preparation.contact(call.actor, call.context, call.key("unit"))


async def name_contact(call: Call[wire.UnitContact]) -> wire.UnitContact:
    """Name who answers for a unit."""
    return await preparation.name_contact(call.actor, call.context, call.key("unit"), call.body)


async def make_links(call: Call[wire.UploadLinksNew]) -> wire.UploadLinksMade:
    """Links for units to hand in their lists."""
    return await upload_links.make(call.actor, call.context, call.key("session"), call.body)


async def links(call: Call[None]) -> wire.UploadLinkList:
    """A session's links."""
    return await upload_links.listed(call.actor, call.context, call.key("session"))


async def revoke_link(call: Call[None]) -> None:
    """Take a link back."""
    text = call.request.match_info["link"]
    if not (text.isascii() and text.isdigit() and len(text) <= ID_DIGITS_MAX):
        raise NotFoundError(what="upload_link", key=text)
    await upload_links.revoke(call.actor, call.context, call.key("session"), int(text))


async def personal(call: Call[None]) -> wire.PersonalLinks:
    """A unit's personal links, with a text to send."""
    return await personal_links.listed(call.actor, call.context, call.key("unit"), call.language)


async def personal_csv(call: Call[None]) -> web.Response:
    """A unit's personal links as CSV."""
    body = await personal_links.as_csv(call.actor, call.context, call.key("unit"), call.language)
    return download(body, f"{i18n.text(call.language, 'prepare.personal.file')}-{call.key('unit')}.csv", CSV)


async def personal_xlsx(call: Call[None]) -> web.Response:
    """A unit's personal links as a workbook."""
    body = await personal_links.as_xlsx(call.actor, call.context, call.key("unit"), call.language)
    return download(body, f"{i18n.text(call.language, 'prepare.personal.file')}-{call.key('unit')}.xlsx", XLSX)


def download(body: bytes, name: str, content_type: str) -> web.Response:
    """A small file, saved under `name`."""
    headers = {
        "Content-Type": content_type,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "no-store",
    }
    return web.Response(body=body, headers=headers)


def _missing(call: Call[None]) -> tuple[Missing, ...]:
    """`missing`: one kind or several with commas between, `any` for all of them."""
    text = call.text("missing").strip()
    if text == "any":
        return tuple(Missing)
    try:
        return tuple(Missing(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise MalformedError(field="missing", reason=" | ".join(("any", *Missing))) from None


LINKS = "/api/v1/sessions/{session}/upload-links"
ONE = "/api/v1/sessions/{session}"
CONTACT = "/api/v1/units/{unit}/contact"
PERSONAL = "/api/v1/units/{unit}/personal-links"
ROUTES = (
    Route(
        "GET",
        f"{ONE}/preparation",
        page,
        "How far each unit is",
        answer=wire.PreparationPage,
        query=("unit", "missing", "after", "limit"),
    ),
    Route("GET", f"{ONE}/preparation.csv", reminders, "Whom to telephone, as CSV", query=("unit", "missing")),
    Route("POST", f"{ONE}/rehearsed", tick, "Halls of a unit have rehearsed", wire.RehearsalTick, wire.Ticked),
    Route("POST", LINKS, make_links, "Links for lists", wire.UploadLinksNew, wire.UploadLinksMade, 201),
    Route("GET", LINKS, links, "A session's links for lists", answer=wire.UploadLinkList),
    Route("DELETE", f"{LINKS}/{{link}}", revoke_link, "Take a link back", status=204),
    Route("GET", CONTACT, contact, "Who answers for a unit's list", answer=wire.UnitContact),
    Route("PUT", CONTACT, name_contact, "Name who answers for it", wire.UnitContact, wire.UnitContact),
    Route("GET", PERSONAL, personal, "A unit's personal links (secret)", answer=wire.PersonalLinks),
    Route("GET", f"{PERSONAL}.csv", personal_csv, "The same as CSV"),
    Route("GET", f"{PERSONAL}.xlsx", personal_xlsx, "The same as a workbook"),
)
