"""What is known of each unit before a session: its list, contact, devices and rehearsals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from diemcau.domain.models import LinkState, PointMode
from diemcau.domain.preparation import Own
from diemcau.store.schema import (
    attendee,
    device,
    invitation,
    link_transition,
    point,
    session,
    session_point,
    unit,
    unit_contact,
    upload_link,
)
from diemcau.store.units import in_scope

if TYPE_CHECKING:
    from diemcau.domain.authority import Scope
    from diemcau.store.engine import Connection
    from diemcau.store.sessions import SessionRow


@dataclass(frozen=True, slots=True)
class ContactRow:
    """Who answers for a unit's list; empty texts where nobody was named."""

    name: str = ""
    phone: str = ""
    note: str = ""


async def taking_part(connection: Connection, row: SessionRow, scope: Scope, now_ms: int) -> dict[str, Own]:
    """By path, each unit in scope that has a hall in the session, people summoned to it, or a link for its list."""
    found: dict[str, dict[str, Any]] = {}
    for query in (_points(row, scope), _summoned(row.session_id, scope), _links(row.session_id, scope, now_ms)):
        for values in (await connection.execute(query)).mappings():
            found.setdefault(values["path"], {}).update({k: v for k, v in values.items() if k != "path"})
    for query in (_people(row.session_id, scope), _contacts(scope)):
        for values in (await connection.execute(query)).mappings():
            if values["path"] in found:
                found[values["path"]].update({k: v for k, v in values.items() if k != "path"})
    return {path: _own(values) for path, values in found.items()}


def _own(values: dict[str, Any]) -> Own:
    """The unit's own contact; where it has none, that of its first hall."""
    hall_name, hall_phone = values.pop("hall_name", ""), values.pop("hall_phone", "")
    if not values.get("contact_name") and not values.get("contact_phone"):
        values |= {"contact_name": hall_name, "contact_phone": hall_phone}
    return Own(**{**values, "linked": bool(values.get("linked"))})


def _points(row: SessionRow, scope: Scope) -> sa.Select[Any]:
    p, sp = point.c, session_point.c
    needs = p.mode != PointMode.TV
    paired = sa.exists().where(device.c.point_id == p.id, device.c.revoked_ms.is_(None))
    online = sa.exists().where(
        link_transition.c.point_id == p.id,
        link_transition.c.session_id.in_(
            sa.select(session.c.id).where(session.c.rehearsal, session.c.conference == row.conference)
        ),
        link_transition.c.to_link == LinkState.ONLINE,
    )
    first = sa.func.row_number().over(partition_by=p.unit_id, order_by=(p.contact_phone == "", p.code))
    halls = (
        sa.select(
            p.unit_id,
            needs.label("needs"),
            sa.and_(needs, paired).label("is_paired"),
            sa.and_(needs, sa.or_(sp.rehearsed_ms.is_not(None), online)).label("is_rehearsed"),
            sa.case((first == 1, p.contact_name), else_="").label("name"),
            sa.case((first == 1, p.contact_phone), else_="").label("phone"),
        )
        .select_from(session_point)
        .join(point, p.id == sp.point_id)
        .where(sp.session_id == row.session_id)
        .subquery("halls")
    )
    h = halls.c
    return (
        sa.select(
            unit.c.path,
            _count(h.needs).label("points"),
            _count(h.is_paired).label("paired"),
            _count(h.is_rehearsed).label("rehearsed"),
            sa.func.max(h.name).label("hall_name"),
            sa.func.max(h.phone).label("hall_phone"),
        )
        .join(halls, h.unit_id == unit.c.id)
        .where(in_scope(unit.c.path, scope))
        .group_by(unit.c.path)
    )


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.sum(sa.case((condition, 1), else_=0)), sa.Integer)


def _summoned(session_id: int, scope: Scope) -> sa.Select[Any]:
    return (
        sa.select(unit.c.path, sa.func.count().label("summoned"))
        .select_from(invitation)
        .join(attendee, attendee.c.id == invitation.c.attendee_id)
        .join(unit, unit.c.id == attendee.c.unit_id)
        .where(invitation.c.session_id == session_id, in_scope(unit.c.path, scope))
        .group_by(unit.c.path)
    )


def _links(session_id: int, scope: Scope, now_ms: int) -> sa.Select[Any]:
    """A link that was used tells even after it ran out; one that was taken back unused asks for nothing."""
    link = upload_link.c
    good = sa.and_(link.revoked_ms.is_(None), link.expires_ms > now_ms)
    return (
        sa.select(
            unit.c.path,
            sa.func.max(sa.case((good, 1), else_=0)).label("linked"),
            sa.func.max(link.used_ms).label("list_ms"),
        )
        .join(unit, unit.c.id == link.unit_id)
        .where(
            link.session_id == session_id,
            sa.or_(link.revoked_ms.is_(None), link.used_ms.is_not(None)),
            in_scope(unit.c.path, scope),
        )
        .group_by(unit.c.path)
    )


def _people(session_id: int, scope: Scope) -> sa.Select[Any]:
    """Counted unit by unit within an index: two million people are never read."""
    concerned = sa.union(
        sa.select(point.c.unit_id)
        .join(session_point, session_point.c.point_id == point.c.id)
        .where(session_point.c.session_id == session_id),
        sa.select(upload_link.c.unit_id).where(upload_link.c.session_id == session_id),
        sa.select(attendee.c.unit_id)
        .join(invitation, invitation.c.attendee_id == attendee.c.id)
        .where(invitation.c.session_id == session_id),
    )
    return (
        sa.select(unit.c.path, sa.func.count().label("people"))
        .select_from(unit)
        .join(attendee, attendee.c.unit_id == unit.c.id)
        .where(unit.c.id.in_(concerned), in_scope(unit.c.path, scope))
        .group_by(unit.c.path)
    )


def _contacts(scope: Scope) -> sa.Select[Any]:
    return (
        sa.select(unit.c.path, unit_contact.c.name.label("contact_name"), unit_contact.c.phone.label("contact_phone"))
        .join(unit_contact, unit_contact.c.unit_id == unit.c.id)
        .where(in_scope(unit.c.path, scope))
    )


# --- what is said by hand ----------------------------------------------------------------------------------
async def contact(connection: Connection, unit_id: int) -> ContactRow:
    """Who answers for the unit."""
    query = sa.select(unit_contact.c.name, unit_contact.c.phone, unit_contact.c.note)
    found = (await connection.execute(query.where(unit_contact.c.unit_id == unit_id))).first()
    return ContactRow(*found) if found else ContactRow()


async def name_contact(connection: Connection, unit_id: int, named: ContactRow) -> None:
    """Put this contact in place of the former one."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {"name": named.name, "phone": named.phone, "note": named.note}
    added = dialect.insert(unit_contact).values(unit_id=unit_id, **values)
    await connection.execute(added.on_conflict_do_update(index_elements=["unit_id"], set_=values))


async def tick_rehearsed(connection: Connection, session_id: int, scope: Scope, at_ms: int | None) -> int:
    """Say of the halls in scope that their rehearsal went well, or (None) take that back; how many halls."""
    halls = sa.select(point.c.id).join(unit, unit.c.id == point.c.unit_id).where(in_scope(unit.c.path, scope))
    ticked = await connection.execute(
        sa.update(session_point)
        .where(session_point.c.session_id == session_id, session_point.c.point_id.in_(halls))
        .values(rehearsed_ms=at_ms)
    )
    return cast("sa.CursorResult[Any]", ticked).rowcount
