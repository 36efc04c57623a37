"""Sheets that were copied from paper: what was entered under each, its photograph, and whether it was taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from diemcau.domain.models import EventKind
from diemcau.store.corrections import ENTRY, Entry
from diemcau.store.schema import annulment, attendance, attendance_event, paper, paper_photo, point, unit, unlisted
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from collections.abc import Collection

    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A sheet. `photo`: SHA-256 of its photograph."""

    paper_id: int
    nonce: bytes
    point_id: int
    point: str
    point_name: str
    unit_path: str
    reason: str
    made_ms: int
    made_by: str
    device_id: int | None
    undone_ms: int | None
    photo: bytes | None


@dataclass(frozen=True, slots=True)
class Lines:
    """What was entered under a sheet: lines that were stored, and of them those that count now."""

    people: int = 0
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph as it was sent."""

    content_type: str
    content: bytes
    sha256: bytes


_SHEETS = (
    sa.select(paper, point.c.code, point.c.name, unit.c.path, paper_photo.c.sha256)
    .join(point, point.c.id == paper.c.point_id)
    .join(unit, unit.c.id == point.c.unit_id)
    .outerjoin(paper_photo, paper_photo.c.paper_id == paper.c.id)
)


async def get(connection: Connection, session_id: int, nonce: bytes) -> PaperRow | None:
    """The sheet of this nonce in the session."""
    row = (await connection.execute(_SHEETS.where(paper.c.session_id == session_id, paper.c.nonce == nonce))).first()
    return _sheet(row) if row else None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which sheets a reader wants: of points in scope, or of one; those older than `before_id`; at most so many."""

    scope: Scope
    point_id: int | None
    before_id: int | None
    rows: int


async def page(connection: Connection, session_id: int, asked: Asked) -> list[PaperRow]:
    """Sheets of the session, the newest first."""
    query = _SHEETS.where(paper.c.session_id == session_id, in_scope(unit.c.path, asked.scope))
    if asked.point_id is not None:
        query = query.where(paper.c.point_id == asked.point_id)
    if asked.before_id is not None:
        query = query.where(paper.c.id < asked.before_id)
    query = query.order_by(paper.c.id.desc()).limit(asked.rows)
    return [_sheet(row) for row in await connection.execute(query)]


def _sheet(row: sa.Row[Any]) -> PaperRow:
    return PaperRow(
        row.id,
        row.nonce,
        row.point_id,
        row.code,
        row.name,
        row.path,
        row.reason,
        row.made_ms,
        row.made_by,
        row.device_id,
        row.undone_ms,
        row.sha256,
    )


async def lines(connection: Connection, sheets: Collection[bytes]) -> dict[bytes, Lines]:
    """What was entered under each of these sheets, by their nonces."""
    e = attendance_event.c
    counts = sa.case((sa.or_(attendance.c.nonce.is_not(None), unlisted.c.nonce.is_not(None)), 1), else_=0)
    query = (
        sa.select(e.of_nonce, sa.func.count(), sa.func.sum(counts))
        .select_from(attendance_event)
        .outerjoin(
            attendance,
            sa.and_(
                attendance.c.session_id == e.session_id,
                attendance.c.attendee_id == e.attendee_id,
                attendance.c.nonce == e.nonce,
            ),
        )
        .outerjoin(unlisted, sa.and_(unlisted.c.id == e.unlisted_id, unlisted.c.nonce == e.nonce))
        .where(e.of_nonce.in_(sorted(sheets)), e.kind == EventKind.CHECK_IN)
        .group_by(e.of_nonce)
    )
    return {sheet: Lines(people, counted) for sheet, people, counted in await connection.execute(query)}


async def standing(connection: Connection, sheet: bytes) -> list[Entry]:
    """What was entered under a sheet and was not taken back, in the order of the log."""
    e = attendance_event.c
    taken_back = sa.exists().where(annulment.c.nonce == e.nonce)
    query = (
        ENTRY.add_columns(e.id)
        .where(e.of_nonce == sheet, e.kind == EventKind.CHECK_IN, sa.not_(taken_back))
        .order_by(e.id)
    )
    found = []
    for nonce, fingerprint_, kind, *rest, _ in await connection.execute(query):
        found.append(Entry(nonce, fingerprint_, EventKind(kind), *rest))
    return found


async def fingerprint(connection: Connection, nonce: bytes) -> bytes | None:
    """What the log's event of this nonce vouches for; None when there is no such event."""
    query = sa.select(attendance_event.c.fingerprint).where(attendance_event.c.nonce == nonce)
    found: bytes | None = (await connection.execute(query)).scalar()
    return found


@dataclass(frozen=True, slots=True)
class NewPaper:
    """A sheet before it is kept."""

    session_id: int
    point_id: int
    nonce: bytes
    reason: str
    made_ms: int
    made_by: str
    device_id: int | None


async def insert(connection: Connection, row: NewPaper) -> None:
    """Keep a sheet."""
    await connection.execute(
        sa.insert(paper).values(
            session_id=row.session_id,
            point_id=row.point_id,
            nonce=row.nonce,
            reason=row.reason,
            made_ms=row.made_ms,
            made_by=row.made_by,
            device_id=row.device_id,
        )
    )


async def hold(connection: Connection, paper_id: int) -> int | None:
    """When the sheet was taken back, if it was; nobody else changes that until the transaction ends."""
    query = sa.select(paper.c.undone_ms).where(paper.c.id == paper_id).with_for_update()
    undone_ms: int | None = (await connection.execute(query)).scalar()
    return undone_ms


async def undo(connection: Connection, paper_id: int, at_ms: int) -> None:
    """Note that the sheet was taken back."""
    await connection.execute(sa.update(paper).where(paper.c.id == paper_id).values(undone_ms=at_ms))


async def add_photo(connection: Connection, paper_id: int, photo: Photo, at_ms: int) -> None:
    """Keep the photograph of a sheet."""
    await connection.execute(
        sa.insert(paper_photo).values(
            paper_id=paper_id,
            content_type=photo.content_type,
            content=photo.content,
            sha256=photo.sha256,
            added_ms=at_ms,
        )
    )


async def photo_hash(connection: Connection, paper_id: int) -> bytes | None:
    """SHA-256 of the photograph that the sheet has."""
    query = sa.select(paper_photo.c.sha256).where(paper_photo.c.paper_id == paper_id)
    found: bytes | None = (await connection.execute(query)).scalar()
    return found


async def photo(connection: Connection, paper_id: int) -> Photo | None:
    """The photograph of a sheet."""
    p = paper_photo.c
    query = sa.select(p.content_type, p.content, p.sha256).where(p.paper_id == paper_id)
    row = (await connection.execute(query)).first()
    return Photo(row.content_type, row.content, row.sha256) if row else None
