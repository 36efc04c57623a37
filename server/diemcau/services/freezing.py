"""Freezing: the figures of a session are computed, signed and kept in the transaction that closes or revises it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diemcau.domain import minutes_file
from diemcau.domain.authority import Account, Actor, System
from diemcau.domain.minutes_file import Frozen, Minutes, UnitFigures
from diemcau.domain.signed import VERSION
from diemcau.services import revising, unsent_queues
from diemcau.services.signing import Signer
from diemcau.store import log, minutes
from diemcau.store.minutes import Stored

if TYPE_CHECKING:
    from diemcau.services.context import Context
    from diemcau.store.engine import Connection
    from diemcau.store.sessions import SessionRow


async def freeze(actor: Actor, context: Context, connection: Connection, session: SessionRow, reason: str = "") -> None:
    """Freeze and sign the figures as the session's next revision, in this transaction of the writer.

    A revision counts what came after the one before first; at closing nothing did yet.

    Raises:
        LogBrokenError: the log is no longer what the revision before froze; nothing is signed.
        ValueError: the figures do not add up, or earlier minutes are gone; nothing is signed.
    """
    signer = Signer.of(context.keys)
    before = await minutes.unchanged(connection, session)
    revision = await minutes.begin(connection, session.session_id)
    if revision != (before.revision if before else 0) + 1:
        raise ValueError(f"minutes of {session.code} are gone: revision {revision} would follow none")
    await revising.apply(actor, connection, session.session_id, revision)
    own = await minutes.figures(connection, session.session_id)
    made = Minutes(
        version=VERSION,
        session=session.code,
        title=session.title,
        unit=session.unit_code,
        revision=revision,
        at_ms=context.clock.now_ms(),
        by=actor.name if isinstance(actor, Account | System) else "",
        reason=reason,
        public_key=signer.public_key.hex(),
        previous=before.signed.sha256 if before else "",
        figures=sum(own.values(), Frozen()),
        units=[UnitFigures(code, figures) for code, figures in own.items()],
        chains=await log.chains(connection, session.session_id),
        unsent=await unsent_queues.for_minutes(actor, context, connection, session.session_id, minutes.EVERYTHING),
    )
    signed = minutes_file.make(made, signer.sign)
    await minutes.insert(connection, session.session_id, Stored(revision, made.at_ms, made.by, reason, signed))
