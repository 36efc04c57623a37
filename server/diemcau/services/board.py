"""What boards and displays see: live rows loaded from the database and kept true afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.domain.authority import System
    from diemcau.services.context import Context
    from diemcau.store.check_ins import Outcome


async def refresh(actor: System, context: Context, session_id: int) -> None:
    """Read the session's state, points and counts anew and publish what differs."""
    del actor, context, session_id


def publish(context: Context, outcomes: Sequence[Outcome]) -> None:
    """Carry a committed batch to boards and displays."""
    del context, outcomes
