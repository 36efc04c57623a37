"""Every table. The same on SQLite and PostgreSQL; `migrations/` must lead to exactly this (tested).

Ids are internal; codes are what people and programs see. Text that is compared byte by byte (codes, paths,
folded names, sort keys) uses the "C" collation on PostgreSQL, which SQLite does by default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")
Ordered = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that orders and compares by its bytes."""


class RandomSalt(FunctionElement[bytes]):
    """16 bytes that the database draws for a new row, so that a bulk insert needs no random numbers of ours."""

    inherit_cache = True


@compiles(RandomSalt, "sqlite")
def _sqlite_salt(_element: RandomSalt, _compiler: SQLCompiler, **_options: object) -> str:
    return "(randomblob(16))"


@compiles(RandomSalt, "postgresql")
def _postgresql_salt(_element: RandomSalt, _compiler: SQLCompiler, **_options: object) -> str:
    return "uuid_send(gen_random_uuid())"


instance = Table(
    "instance",
    metadata,
    Column("key", Ordered, primary_key=True),
    Column("value", Text, nullable=False),
    comment="facts about this database: the set-up token's hash",
)

unit = Table(
    "unit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", Ordered, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("name_folded", Ordered, nullable=False),
    Column("parent_id", Id, ForeignKey("unit.id")),
    Column("level", Text, nullable=False, server_default=""),
    Column("path", Ordered, nullable=False, unique=True, comment="base-36 ids from the root, each ended by a dot"),
    Column("valid_from_ms", BigInteger),
    Column("valid_to_ms", BigInteger),
    Column("predecessor_id", Id, ForeignKey("unit.id")),
    Index(None, "parent_id"),
)

point = Table(
    "point",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", Ordered, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("name_folded", Ordered, nullable=False),
    Column("unit_id", Id, ForeignKey("unit.id"), nullable=False),
    Column("capacity", Integer, nullable=False, server_default="0"),
    Column("mode", String(10), nullable=False, server_default="online"),
    Column("contact_name", Text, nullable=False, server_default=""),
    Column("contact_phone", Text, nullable=False, server_default=""),
    Column("cluster", Text, nullable=False, server_default=""),
    Column("carrier", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Index(None, "unit_id"),
)

attendee = Table(
    "attendee",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", Ordered, nullable=False, unique=True),
    Column("full_name", Text, nullable=False),
    Column("name_folded", Ordered, nullable=False),
    Column("sort_key", Ordered, nullable=False),
    Column("title", Text, nullable=False, server_default=""),
    Column("unit_id", Id, ForeignKey("unit.id"), nullable=False),
    Column("point_id", Id, ForeignKey("point.id"), comment="home point"),
    Column("phone", Text, nullable=False, server_default=""),
    Column("phone_digits", Ordered, nullable=False, server_default="", comment="as domain.phones writes it"),
    Column("salt", LargeBinary(16), nullable=False, server_default=RandomSalt(), comment="of the log's commitments"),
    Index(None, "unit_id", "sort_key"),
    Index(None, "name_folded"),
    Index(None, "point_id"),
    Index(None, "phone_digits"),
    sqlite_autoincrement=True,
    comment="ids are never used twice: the badge of somebody who was removed must not become somebody else's",
)

badge = Table(
    "badge",
    metadata,
    Column("attendee_id", Id, ForeignKey("attendee.id"), primary_key=True),
    Column("issue", Integer, primary_key=True, comment="1, 2, …; the token is an HMAC of both"),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("made_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    comment="at most one issue of a person is not revoked",
)

session = Table(
    "session",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", Ordered, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("conference", Text, nullable=False, server_default=""),
    Column("program", Text, nullable=False, server_default=""),
    Column("unit_id", Id, ForeignKey("unit.id"), comment="who organizes it; null: the whole tree"),
    Column("rehearsal", Boolean, nullable=False, server_default="0"),
    Column("starts_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    Column("state", String(10), nullable=False, server_default="draft"),
    Column("state_ms", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False, server_default="0", comment="nothing of it happened before"),
    Column(
        "held",
        Boolean,
        nullable=False,
        server_default="0",
        comment="moved back to draft by hand: does not open itself",
    ),
    Column(
        "readable_roster",
        Boolean,
        nullable=False,
        server_default="0",
        comment="operators' devices may hold the list of their own hall in clear, until closing",
    ),
    Column("revision", Integer, nullable=False, server_default="0", comment="of the frozen figures; 0: never frozen"),
    CheckConstraint("state IN ('draft','open','live','break','ended','closed')", name="state"),
    CheckConstraint("ends_ms >= starts_ms", name="ends"),
    Index(None, "state", "starts_ms"),
)

session_state = Table(
    "session_state",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, ForeignKey("session.id"), nullable=False),
    Column("from_state", String(10), nullable=False),
    Column("to_state", String(10), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Index(None, "session_id"),
    comment="append-only: every move of a session and who made it",
)

session_point = Table(
    "session_point",
    metadata,
    Column("session_id", Id, ForeignKey("session.id"), primary_key=True),
    Column("point_id", Id, ForeignKey("point.id"), primary_key=True),
    Column("door_id", BigInteger, nullable=False, unique=True, comment="allocated, 32 bit"),
    Column("door_key", LargeBinary(32), nullable=False),
    Column("present", Integer, nullable=False, server_default="0", comment="counted people who sit here"),
    Column("unlisted", Integer, nullable=False, server_default="0", comment="counted people on no list, not matched"),
    Column("invited", Integer, nullable=False, server_default="0"),
    Column("link", String(10), nullable=False, server_default="expected"),
    Column("link_since_ms", BigInteger, nullable=False),
    Column("link_version", Integer, nullable=False, server_default="0", comment="compare-and-set"),
    Column("rehearsed_ms", BigInteger, comment="the organizer said then that its rehearsal went well"),
    Index(None, "point_id"),
)

invitation = Table(
    "invitation",
    metadata,
    Column("session_id", Id, ForeignKey("session.id"), primary_key=True),
    Column("attendee_id", Id, ForeignKey("attendee.id"), primary_key=True),
    Column("point_id", Id, ForeignKey("point.id"), comment="the hall they are summoned to; null: not yet known"),
    Column("name_folded", Ordered, nullable=False, comment="a copy, so that the door needs one look-up"),
    Column("number", Integer, comment="on the hall's printed list; given once, then kept"),
    Index(None, "session_id", "point_id", "name_folded"),
    Index(None, "attendee_id"),
)

unlisted = Table(
    "unlisted",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, ForeignKey("session.id"), nullable=False),
    Column("point_id", Id, ForeignKey("point.id"), nullable=False),
    Column("key", LargeBinary(16), nullable=False, comment="hash of folded name, folded unit and badge"),
    Column("name", Text, nullable=False, comment="as typed; empty for a badge that nobody knows"),
    Column("name_folded", Ordered, nullable=False),
    Column("unit_text", Text, nullable=False, server_default=""),
    Column("stands_for_text", Text, nullable=False, server_default=""),
    Column("badge_hash", LargeBinary(32)),
    Column("salt", LargeBinary(16), nullable=False),
    Column("nonce", LargeBinary(16), comment="the entry that counts; null: none does (any more)"),
    Column("at_ms", BigInteger, nullable=False),
    Column("flags", Text, nullable=False, server_default=""),
    Column("attendee_id", Id, ForeignKey("attendee.id"), comment="who a clerk says they are"),
    UniqueConstraint("session_id", "point_id", "key"),
    Index(None, "session_id", "id"),
    Index(None, "attendee_id"),
    comment="a person in a hall who is on no list, until a clerk matches or adds them",
)

# Sessions, points, people on no list, devices and accounts that an event names are locked or known when it is written
# and never deleted afterwards: a foreign key to each would cost a look-up an event and guard nothing. People may be
# deleted as long as no event names them; the indexes lead with what such questions ask for.
attendance_event = Table(
    "attendance_event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, nullable=False),
    Column("nonce", LargeBinary(16), nullable=False, unique=True, comment="UUIDv7 order; permanently unique"),
    Column("fingerprint", LargeBinary(16), nullable=False, comment="keyed hash of session, point, kind, who, at"),
    Column("kind", String(12), nullable=False),
    Column("attendee_id", Id, ForeignKey("attendee.id")),
    Column("unlisted_id", Id),
    Column("stands_for_id", Id, comment="dự thay: whose place they take"),
    Column("point_id", Id, nullable=False),
    Column("device_id", Id),
    Column("account_id", Id),
    Column("source", String(10), nullable=False),
    Column("server_ms", BigInteger, nullable=False, comment="when it came"),
    Column("at_ms", BigInteger, nullable=False, comment="when it happened, as the device said"),
    Column("offset_ms", BigInteger, comment="server minus device clock, measured when it was sent"),
    Column("happened_ms", BigInteger, nullable=False, comment="our best estimate of when it happened"),
    Column("offline", Boolean, nullable=False, server_default="0"),
    Column("counted", Boolean, nullable=False),
    Column("held", Boolean, nullable=False, server_default="0", comment="came after closing: waits for a revision"),
    Column("number", Integer, comment="the how-manieth counted at this point when it was counted"),
    Column("flags", Text, nullable=False, server_default="", comment="space-separated"),
    Column("of_nonce", LargeBinary(16), comment="the event it corrects, or the paper batch it belongs to"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("writer", LargeBinary(16), nullable=False, comment="whose chain it is in"),
    Column("position", Integer, nullable=False, comment="in that chain, from 1"),
    Column("hash", LargeBinary(32), nullable=False),
    Column("body", LargeBinary, nullable=False, comment="the bytes that were hashed"),
    UniqueConstraint("session_id", "writer", "position"),
    Index(None, "attendee_id", "session_id"),
    Index(None, "point_id", "session_id"),
    Index("ix_attendance_event_held", "session_id", sqlite_where=text("held"), postgresql_where=text("held")),
    Index(
        "ix_attendance_event_of_nonce",
        "of_nonce",
        sqlite_where=text("of_nonce IS NOT NULL"),
        postgresql_where=text("of_nonce IS NOT NULL"),
    ),
    Index(
        "ix_attendance_event_unlisted",
        "unlisted_id",
        sqlite_where=text("unlisted_id IS NOT NULL"),
        postgresql_where=text("unlisted_id IS NOT NULL"),
    ),
    Index(
        "ix_attendance_event_stands_for",
        "stands_for_id",
        sqlite_where=text("stands_for_id IS NOT NULL"),
        postgresql_where=text("stands_for_id IS NOT NULL"),
    ),
    Index(
        "ix_attendance_event_again",
        "session_id",
        "attendee_id",
        sqlite_where=text("NOT counted"),
        postgresql_where=text("NOT counted"),
    ),
    Index(
        "ix_attendance_event_flagged",
        "session_id",
        "id",
        sqlite_where=text("flags <> ''"),
        postgresql_where=text("flags <> ''"),
    ),
    comment="append-only (I4): a correction is a new event",
)

late_entry = Table(
    "late_entry",
    metadata,
    Column("nonce", LargeBinary(16), primary_key=True, comment="an event that was held"),
    Column("session_id", Id, ForeignKey("session.id"), nullable=False),
    Column("revision", Integer, nullable=False, comment="which made it count"),
    Index(None, "session_id"),
    comment="what came after closing and was applied by a revision; held events without a row here still wait",
)

log_chain = Table(
    "log_chain",
    metadata,
    Column("session_id", Id, ForeignKey("session.id"), primary_key=True),
    Column("writer", LargeBinary(16), primary_key=True, comment="UUIDv7 of a process' start"),
    Column("count", Integer, nullable=False),
    Column("head", LargeBinary(32), nullable=False),
    comment="where each chain of the log ends",
)

attendance = Table(
    "attendance",
    metadata,
    Column("session_id", Id, primary_key=True),
    Column("attendee_id", Id, primary_key=True),
    Column("nonce", LargeBinary(16), nullable=False),
    Column("point_id", Id, nullable=False),
    Column("at_ms", BigInteger, nullable=False, comment="when it happened"),
    Column("flags", Text, nullable=False, server_default=""),
    Column("left_ms", BigInteger, comment="checked out and did not come back"),
    sqlite_with_rowid=False,
    comment="one counted entry per (session, attendee): I2; its event, written with it, holds the foreign key",
)

annulment = Table(
    "annulment",
    metadata,
    Column("nonce", LargeBinary(16), primary_key=True, comment="the event that no longer counts"),
    Column("session_id", Id, ForeignKey("session.id"), nullable=False),
    Column("by_nonce", LargeBinary(16), nullable=False, comment="the event that says so"),
)

substitution = Table(
    "substitution",
    metadata,
    Column("session_id", Id, ForeignKey("session.id"), primary_key=True),
    Column("attendee_id", Id, ForeignKey("attendee.id"), primary_key=True, comment="whose place is taken"),
    Column("nonce", LargeBinary(16), nullable=False, comment="the check-in of who takes it"),
    Index(None, "nonce"),
    comment="dự thay: one place is taken once",
)

paper = Table(
    "paper",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, ForeignKey("session.id"), nullable=False),
    Column("point_id", Id, ForeignKey("point.id"), nullable=False),
    Column("nonce", LargeBinary(16), nullable=False, unique=True),
    Column("reason", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("device_id", Id, ForeignKey("device.id")),
    Column("undone_ms", BigInteger),
    Index(None, "session_id", "point_id"),
    comment="a sheet that was copied from paper: one batch",
)

paper_photo = Table(
    "paper_photo",
    metadata,
    Column("paper_id", Id, ForeignKey("paper.id"), primary_key=True),
    Column("content_type", String(20), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("added_ms", BigInteger, nullable=False),
)

spot_check = Table(
    "spot_check",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, ForeignKey("session.id"), nullable=False),
    Column("phase", String(10), nullable=False, comment="start | middle | end"),
    Column("mode", String(10), nullable=False, comment="sample: headcount and five names | code: a new door code"),
    Column("started_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Index(None, "session_id"),
)

spot_check_point = Table(
    "spot_check_point",
    metadata,
    Column("spot_check_id", Id, ForeignKey("spot_check.id"), primary_key=True),
    Column("point_id", Id, ForeignKey("point.id"), primary_key=True),
    Column("present", Integer, nullable=False, comment="counted there when the check began"),
    Column("headcount", Integer),
    Column("answered_ms", BigInteger),
    Column("answered_by", Text, nullable=False, server_default=""),
)

spot_check_person = Table(
    "spot_check_person",
    metadata,
    Column("spot_check_id", Id, ForeignKey("spot_check.id"), primary_key=True),
    Column("attendee_id", Id, ForeignKey("attendee.id"), primary_key=True),
    Column("point_id", Id, ForeignKey("point.id"), nullable=False),
    Column("asked", Boolean, nullable=False, comment="drawn by lot; else they scanned the new code themselves"),
    Column("seen", Boolean, comment="null: not answered; false: not confirmed, which is not absent"),
    Column("at_ms", BigInteger),
    Index(None, "spot_check_id", "point_id"),
)

minutes = Table(
    "minutes",
    metadata,
    Column("session_id", Id, ForeignKey("session.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("body", LargeBinary, nullable=False, comment="the bytes that were signed"),
    Column("signature", LargeBinary(64), nullable=False),
    comment="append-only: what was frozen at closing and at each revision",
)

anomaly = Table(
    "anomaly",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, ForeignKey("session.id"), nullable=False),
    Column("point_id", Id, ForeignKey("point.id")),
    Column("kind", String(20), nullable=False),
    Column("key", LargeBinary(16), nullable=False, comment="what is odd: a phone, a code, a device, without naming it"),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("nonces", LargeBinary, nullable=False, comment="of the check-ins concerned, 16 bytes each, bounded"),
    Column("reviewed_ms", BigInteger),
    Column("reviewed_by", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    UniqueConstraint("session_id", "kind", "key"),
    comment="for review, never a block",
)

link_transition = Table(
    "link_transition",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, ForeignKey("session.id"), nullable=False),
    Column("point_id", Id, ForeignKey("point.id"), nullable=False),
    Column("device_id", Id, ForeignKey("device.id")),
    Column("from_link", String(10), nullable=False),
    Column("to_link", String(10), nullable=False),
    Column("at_ms", BigInteger, nullable=False, comment="the deadline that passed, not the moment of notice"),
    Column("noticed_ms", BigInteger, nullable=False),
    Column("cause", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("session_id", "point_id", "version"),
    comment="append-only",
)

device = Table(
    "device",
    metadata,
    Column("id", Id, primary_key=True),
    Column("point_id", Id, ForeignKey("point.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("name", Text, nullable=False),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("paired_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Index(None, "point_id"),
)

pairing = Table(
    "pairing",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code_hash", LargeBinary(32), nullable=False, unique=True),
    Column("point_id", Id, ForeignKey("point.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("made_by", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    Index(None, "point_id"),
)

account = Table(
    "account",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Ordered, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("disabled_ms", BigInteger),
)

account_grant = Table(
    "account_grant",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, ForeignKey("account.id"), nullable=False),
    Column("role", String(10), nullable=False),
    Column("unit_id", Id, ForeignKey("unit.id"), comment="null: the whole tree"),
    Index(None, "account_id"),
)

credential = Table(
    "credential",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, ForeignKey("account.id"), nullable=False),
    Column("kind", String(10), nullable=False, comment="cookie | token"),
    Column("name", Text, nullable=False, server_default=""),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Index(None, "account_id"),
)

# --- lists in, figures out ---------------------------------------------------------------------------------
session_option = Table(
    "session_option",
    metadata,
    Column("session_id", Id, ForeignKey("session.id"), primary_key=True),
    Column("target_rate", Integer, comment="percent of the summoned that each unit is to reach"),
    Column("absence_deadline_ms", BigInteger, comment="absences asked for later are marked late"),
    Column("document_number", Text, nullable=False, server_default="", comment="on its papers, as in 23-CT/TU"),
    Column("document_date", Text, nullable=False, server_default="", comment="as it is to be printed"),
    Column("place", Text, nullable=False, server_default="", comment="before the date on its papers"),
    comment="what organizers may leave out",
)

unit_contact = Table(
    "unit_contact",
    metadata,
    Column("unit_id", Id, ForeignKey("unit.id"), primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("phone", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    comment="who answers for a unit's list",
)

upload_link = Table(
    "upload_link",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, ForeignKey("session.id"), nullable=False),
    Column("unit_id", Id, ForeignKey("unit.id"), nullable=False),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("made_ms", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Column("used_ms", BigInteger, comment="when a list last came in by it"),
    Column("people", Integer, comment="on that list"),
    Index(None, "session_id", "unit_id"),
    comment="lets a unit's clerk hand in their list without an account",
)

import_run = Table(
    "import_run",
    metadata,
    Column("id", Id, primary_key=True),
    Column("what", String(10), nullable=False, comment="units | points | attendees"),
    Column("mode", String(10), nullable=False, comment="add | replace"),
    Column("file_name", Text, nullable=False, server_default=""),
    Column("made_ms", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("unit_id", Id, comment="whose list it replaces, or who may undo it; null: the whole tree"),
    Column("state", String(10), nullable=False, comment="staging | done | undoing | undone"),
    Column("added", Integer, nullable=False, server_default="0"),
    Column("changed", Integer, nullable=False, server_default="0"),
    Column("unchanged", Integer, nullable=False, server_default="0"),
    Column("removed", Integer, nullable=False, server_default="0"),
    Column("undone_ms", BigInteger),
    Column("undone_by", Text, nullable=False, server_default=""),
    Index(None, "state"),
    comment="a list that was taken over, and how to undo it",
)

import_row = Table(
    "import_row",
    metadata,
    Column("import_id", Id, ForeignKey("import_run.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("code", Ordered, nullable=False),
    Column("change", String(10), nullable=False, comment="added | changed | removed"),
    Column("before", LargeBinary, comment="the values that were there, as MessagePack"),
    Column("after", LargeBinary, comment="the values that come, as MessagePack; what undo compares with"),
    sqlite_with_rowid=False,
    comment="staged in small transactions, applied as soon as all are there; kept for undo",
)

absence_reason = Table(
    "absence_reason",
    metadata,
    Column("code", Ordered, primary_key=True),
    Column("name", Text, nullable=False),
    Column("place", Integer, nullable=False, server_default="0", comment="in the list"),
    Column("retired_ms", BigInteger, comment="no longer offered"),
)

absence = Table(
    "absence",
    metadata,
    Column("session_id", Id, ForeignKey("session.id"), primary_key=True),
    Column("attendee_id", Id, ForeignKey("attendee.id"), primary_key=True),
    Column("state", String(10), nullable=False, comment="requested | approved | refused | withdrawn"),
    Column("reason", Ordered, nullable=False, server_default="", comment="an absence_reason's code"),
    Column("text", Text, nullable=False, server_default=""),
    Column("requested_ms", BigInteger, nullable=False),
    Column("requested_by", Text, nullable=False, comment="an account's name, badge, or device:<id>"),
    Column("late", Boolean, nullable=False, server_default="0", comment="asked for after the deadline"),
    Column("substitute", Text, nullable=False, server_default="", comment="who is to come instead, as typed"),
    Column("substitute_id", Id, ForeignKey("attendee.id"), comment="the same, where they are on a list"),
    Column("decided_ms", BigInteger),
    Column("decided_by", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default="", comment="of who decided"),
    Column("held", Boolean, nullable=False, server_default="0", comment="decided after closing: waits for a revision"),
    Column("excused", Boolean, nullable=False, server_default="0", comment="what the figures say now, held or not"),
    Index(None, "session_id", "state"),
    Index(None, "attendee_id"),
    comment="one person's absence from one session as it stands; each decision is an event of the log too",
)

headcount = Table(
    "headcount",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, ForeignKey("session.id"), nullable=False),
    Column("point_id", Id, ForeignKey("point.id"), nullable=False),
    Column("nonce", LargeBinary(16), nullable=False, unique=True),
    Column("number", Integer, nullable=False),
    Column("source", String(10), nullable=False, comment="operator | center"),
    Column("told_by", Text, nullable=False, server_default="", comment="who said it on the telephone"),
    Column("made_by", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False, comment="when it was counted, as best known"),
    Column("server_ms", BigInteger, nullable=False),
    Index(None, "session_id", "point_id", "id"),
    comment="append-only; the latest of a point holds. Never added to named check-ins",
)

quick_report = Table(
    "quick_report",
    metadata,
    Column("session_id", Id, ForeignKey("session.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="the snapshot as JSON: printed again it is the same paper"),
    comment="append-only",
)

# --- what closing freezes, and what each revision changed ----------------------------------------------------
frozen_person = Table(
    "frozen_person",
    metadata,
    Column("session_id", Id, primary_key=True),
    Column("attendee_id", Id, primary_key=True),
    Column("unit_id", Id, nullable=False, comment="where the frozen figures count them, wherever they move later"),
    Column("sort_key", Ordered, nullable=False),
    Index(None, "session_id", "unit_id", "sort_key"),
    comment="everyone invited or counted in a closed session",
)

frozen_point = Table(
    "frozen_point",
    metadata,
    Column("session_id", Id, primary_key=True),
    Column("point_id", Id, primary_key=True),
    Column("unit_id", Id, nullable=False),
    comment="the halls of a closed session",
)

revision_change = Table(
    "revision_change",
    metadata,
    Column("session_id", Id, ForeignKey("session.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("number", Integer, primary_key=True, comment="in the list of what this revision changed"),
    Column("attendee_id", Id),
    Column("unlisted_id", Id),
    Column("unit_id", Id, nullable=False, comment="in whose figures"),
    Column("before", String(12), nullable=False, comment="a status, guest or unlisted; empty: in no figure"),
    Column("after", String(12), nullable=False),
    comment="append-only: what a revision changed of whom; the events that did it name the revision in late_entry",
)

device_queue = Table(
    "device_queue",
    metadata,
    Column("device_id", Id, ForeignKey("device.id"), primary_key=True),
    Column("waiting", Integer, nullable=False, comment="entries it had not sent when it last said so"),
    Column("oldest_ms", BigInteger, comment="when the oldest of them happened, by the device's clock"),
    Column("told_ms", BigInteger, nullable=False),
    comment="what a device told of its own queue",
)
