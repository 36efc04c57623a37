"""A unit's codes and personal links, to be sent to its people by chat: as good as their badges, so for few eyes."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import TYPE_CHECKING

import structlog
import xlsxwriter

from diemcau import i18n, limits
from diemcau.domain import badge
from diemcau.domain.authority import Account, Action, Actor, Scope, System, require
from diemcau.errors import MalformedError
from diemcau.reports.as_csv import kept
from diemcau.services import lists
from diemcau.services.badges import PURPOSE
from diemcau.store import badges
from diemcau.store.lists import Asked
from diemcau.wire import preparation as wire

if TYPE_CHECKING:
    from diemcau.i18n import Language
    from diemcau.services.context import Context

log = structlog.get_logger()
COLUMNS = ("code", "full_name", "unit", "url")
WIDTHS = (16, 32, 36, 56)


async def listed(actor: Actor, context: Context, unit: str, language: Language) -> wire.PersonalLinks:
    """The links of everybody of a unit and below who has a badge; each look is logged by who and whose.

    Raises:
        NotFoundError: no such unit.
        ForbiddenError: the actor may not change its people, and so may not see their badges.
        MalformedError: more than `PERSONAL_LINKS_MAX` people; take a smaller unit.
    """
    require(actor, Action.PEOPLE_WRITE)
    async with context.read() as connection:
        found = await lists.unit_for(actor, Action.PEOPLE_WRITE, connection, unit)
        scope = Scope((found.path,))
        everybody = await badges.people_below(connection, scope)
        if len(everybody) > limits.PERSONAL_LINKS_MAX:
            raise MalformedError(field="unit", reason=f"≤ {limits.PERSONAL_LINKS_MAX}")
        rows = await badges.listed(connection, Asked(scope, limits.PERSONAL_LINKS_MAX))
    by = actor.name if isinstance(actor, Account | System) else ""
    log.info("personal links were looked at", by=by, unit=found.code, people=len(rows))
    key = context.keys.derive(PURPOSE)
    items = [
        wire.PersonalLink(
            code=row.code,
            full_name=row.full_name,
            unit=row.unit_code,
            unit_name=row.unit_name,
            url=badge.link(context.settings.origin, badge.token(key, row.attendee_id, row.issue)),
        )
        for row in rows
    ]
    text = "\n\n".join(
        i18n.text(language, "prepare.personal.message", name=one.full_name, code=one.code, url=one.url) for one in items
    )
    return wire.PersonalLinks(items, text, len(everybody) - len(rows))


async def as_csv(actor: Actor, context: Context, unit: str, language: Language) -> bytes:
    """The same for a spreadsheet: UTF-8 with its mark, nothing that runs. Raises as `listed`."""
    links = await listed(actor, context, unit, language)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(_headers(language))
    for one in links.items:
        writer.writerow([kept(cell) for cell in _cells(one)])
    return text.getvalue().encode("utf-8-sig")


async def as_xlsx(actor: Actor, context: Context, unit: str, language: Language) -> bytes:
    """The same as a workbook that says on each page what it is. Raises as `listed`."""
    links = await listed(actor, context, unit, language)
    return await asyncio.to_thread(_workbook, links, language)


def _workbook(links: wire.PersonalLinks, language: Language) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    bold, warning = book.add_format({"bold": True}), book.add_format({"bold": True, "font_color": "#BA2A2A"})
    sheet = book.add_worksheet()
    secret = i18n.text(language, "prepare.personal.secret")
    for place, width in enumerate(WIDTHS):
        sheet.set_column(place, place, width)
    sheet.write_string(0, 0, secret, warning)
    sheet.write_row(1, 0, _headers(language), bold)
    for at, one in enumerate(links.items, 2):
        for place, cell in enumerate(_cells(one)):
            sheet.write_string(at, place, cell)
    sheet.freeze_panes(2, 0)
    sheet.repeat_rows(0, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    book.close()
    return out.getvalue()


def _headers(language: Language) -> list[str]:
    return [i18n.text(language, f"prepare.personal.{name}") for name in COLUMNS]


def _cells(one: wire.PersonalLink) -> tuple[str, str, str, str]:
    return one.code, one.full_name, one.unit_name, one.url
