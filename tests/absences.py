"""What the tests of absences do again and again."""

from __future__ import annotations

from typing import Any

from support import Client, Running

ONE = "/api/v1/sessions/S1"
ABSENCES = f"{ONE}/absences"


async def enter(client: Client, attendee: str, **more: Any) -> Any:
    """An absence that staff enter."""
    return await client.ok("POST", ABSENCES, {"attendee": attendee, "reason": "DUTY", **more})


async def approve(client: Client, attendee: str) -> Any:
    """An absence that staff enter and approve at once."""
    return await enter(client, attendee, state="approved")


async def close(running: Running) -> None:
    """The organizer closes the session."""
    for state in ("live", "ended", "closed"):
        await running.admin.ok("POST", f"{ONE}/state", {"to": state})


async def status_of(running: Running, code: str) -> tuple[str, str]:
    """A person's status in the attendance list, and the reason it tells."""
    rows = (await running.admin.ok("GET", f"{ONE}/attendance?q={code}"))["items"]
    (row,) = (row for row in rows if row["code"] == code)
    return row["status"], row["reason"]


FIGURES = ("summoned", "present", "substituted", "excused", "unmarked", "unexcused")


async def figures_of(running: Running, unit: str = "HN") -> tuple[int, ...]:
    """The figures of a unit that add up to the first of them."""
    rows = (await running.admin.ok("GET", f"{ONE}/summary"))["rows"]
    row = next(row for row in rows if row["unit"] == unit)
    figures = tuple(row[key] for key in FIGURES)
    assert figures[0] == sum(figures[1:])
    return figures


async def excuses(running: Running) -> list[Any]:
    """The decisions in the log, the newest first."""
    events = (await running.admin.ok("GET", f"{ONE}/events"))["items"]
    return [event for event in events if event["kind"] == "excuse"]
