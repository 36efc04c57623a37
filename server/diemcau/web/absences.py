"""Absences over HTTP: asked for and decided by staff; the reasons; a session's options with their deadline."""

from __future__ import annotations

from diemcau.domain.models import AbsenceState
from diemcau.errors import MalformedError
from diemcau.services import absence_reasons, absences, lists, session_options
from diemcau.web.calls import LISTED, Call, Route
from diemcau.wire import absences as wire
from diemcau.wire.session_options import SessionOptions, SessionOptionsPatch


async def listed(call: Call[None]) -> wire.AbsencePage:
    """A page of absences."""
    wanted = lists.Wanted(call.page_rows(), call.code("unit"), call.text("q"), call.text("after"))
    only = absences.Filter(_state(call), late=call.flag("late"))
    return await absences.listed(call.actor, call.context, call.key("session"), wanted, only, call.language)


async def add(call: Call[wire.AbsenceNew]) -> wire.AbsenceView:
    """Enter an absence."""
    return await absences.add(call.actor, call.context, call.key("session"), call.body, call.language)


async def change(call: Call[wire.AbsencePatch]) -> wire.AbsenceView:
    """Decide an absence."""
    session, attendee = call.key("session"), call.key("attendee")
    return await absences.change(call.actor, call.context, session, attendee, call.body, call.language)


async def reasons(call: Call[None]) -> wire.AbsenceReasons:
    """The reasons on offer."""
    return await absence_reasons.listed(call.actor, call.context, call.language)


async def put_reasons(call: Call[wire.AbsenceReasons]) -> wire.AbsenceReasons:
    """Offer other reasons."""
    return await absence_reasons.replace(call.actor, call.context, call.body, call.language)


async def options(call: Call[None]) -> SessionOptions:
    """What is set for a session."""
    return await session_options.get(call.actor, call.context, call.key("session"))


async def set_options(call: Call[SessionOptionsPatch]) -> SessionOptions:
    """Set what is given."""
    return await session_options.change(call.actor, call.context, call.key("session"), call.body)


def _state(call: Call[None]) -> AbsenceState | None:
    text = call.text("state")
    if not text:
        return None
    try:
        return AbsenceState(text)
    except ValueError:
        raise MalformedError(field="state", reason=" | ".join(AbsenceState)) from None


ONE = "/api/v1/sessions/{session}"
REASONS = "/api/v1/absence-reasons"
ROUTES = (
    Route(
        "GET",
        f"{ONE}/absences",
        listed,
        "The absences of a session",
        answer=wire.AbsencePage,
        query=(*LISTED, "state", "late"),
    ),
    Route("POST", f"{ONE}/absences", add, "Enter an absence", wire.AbsenceNew, wire.AbsenceView, 201),
    Route(
        "PATCH",
        f"{ONE}/absences/{{attendee}}",
        change,
        "Decide or correct an absence",
        wire.AbsencePatch,
        wire.AbsenceView,
    ),
    Route("GET", REASONS, reasons, "The reasons for absences that are offered", answer=wire.AbsenceReasons),
    Route("PUT", REASONS, put_reasons, "Offer these reasons", wire.AbsenceReasons, wire.AbsenceReasons),
    Route("GET", f"{ONE}/options", options, "What is set for a session", answer=SessionOptions),
    Route(
        "PATCH",
        f"{ONE}/options",
        set_options,
        "Set a session's target rate, deadline for absences, document",
        SessionOptionsPatch,
        SessionOptions,
    ),
)
