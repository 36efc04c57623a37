"""The reasons for which people may ask to be absent: one list for the whole organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau.domain import names
from diemcau.domain.absence import reason_name
from diemcau.domain.authority import Action, Actor, require
from diemcau.errors import MalformedError
from diemcau.store import absences
from diemcau.wire.absences import AbsenceReason, AbsenceReasons

if TYPE_CHECKING:
    from diemcau.i18n import Language
    from diemcau.services.context import Context


async def listed(actor: Actor, context: Context, language: Language = "vi") -> AbsenceReasons:
    """The reasons that are offered, in their order; those that nobody renamed in the reader's language.

    Raises:
        NotSignedInError, ForbiddenError: not a reader of attendance.
    """
    require(actor, Action.ATTENDANCE_READ)
    async with context.read() as connection:
        rows = await absences.reasons(connection)
    return AbsenceReasons(
        [AbsenceReason(row.code, reason_name(row.code, row.name, language)) for row in rows if not row.retired]
    )


async def replace(actor: Actor, context: Context, body: AbsenceReasons, language: Language = "vi") -> AbsenceReasons:
    """Offer these reasons from now on. Those that are no longer in the list stay with older absences.

    Raises:
        ForbiddenError: not an organizer of the whole tree, for whom the list holds.
        MalformedError: a code twice, or a reason without a name.
    """
    require(actor, Action.SESSIONS_WRITE, "")
    wanted = [(item.code.upper(), names.tidy(item.name)) for item in body.items]
    if not all(name for _, name in wanted):
        raise MalformedError(field="name", reason="reason.empty")
    if len({code for code, _ in wanted}) < len(wanted):
        raise MalformedError(field="code", reason="absence.reason_twice")
    stored = {row.code: row.name for row in absences.DEFAULTS}
    kept = [  # an English list that goes back as it came must not make the Vietnamese names English
        (code, stored[code] if code in stored and reason_name(code, stored[code], language) == name else name)
        for code, name in wanted
    ]
    now_ms = context.clock.now_ms()
    await context.writer.write(lambda connection: connection.run_sync(absences.put_reasons, kept, now_ms))
    return await listed(actor, context, language)
