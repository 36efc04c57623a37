"""What stands at the top of papers: the organization, and a session's document number, date and target."""

from __future__ import annotations

from diemcau.services import paper_heading
from diemcau.web.calls import Call, Route
from diemcau.wire.paper_headings import Organization, OrganizationPatch, SessionHeading, SessionHeadingPatch


async def organization(call: Call[None]) -> Organization:
    """Who issues the papers."""
    return await paper_heading.organization(call.actor, call.context)


async def change_organization(call: Call[OrganizationPatch]) -> Organization:
    """Change it."""
    return await paper_heading.change_organization(call.actor, call.context, call.body)


async def of_session(call: Call[None]) -> SessionHeading:
    """What a session's papers bear of their own."""
    return await paper_heading.of_session(call.actor, call.context, call.key("session"))


async def change_session(call: Call[SessionHeadingPatch]) -> SessionHeading:
    """Change it."""
    return await paper_heading.change_session(call.actor, call.context, call.key("session"), call.body)


ORGANIZATION, HEADING = "/api/v1/organization", "/api/v1/sessions/{session}/heading"
ROUTES = (
    Route("GET", ORGANIZATION, organization, "Who issues the papers", answer=Organization),
    Route("PATCH", ORGANIZATION, change_organization, "Change who issues the papers", OrganizationPatch, Organization),
    Route("GET", HEADING, of_session, "Document number, date and target of a session", answer=SessionHeading),
    Route("PATCH", HEADING, change_session, "Change them", SessionHeadingPatch, SessionHeading),
)
