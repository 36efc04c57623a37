"""Every table. The same on SQLite and PostgreSQL; `migrations/` must lead to exactly this (tested).

Ids are internal; codes are what people and programs see. Text that is compared byte by byte (codes, paths,
folded names, sort keys) uses the "C" collation on PostgreSQL, which SQLite does by default.
"""

from __future__ import annotations

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
)

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
    Index(None, "unit_id", "sort_key"),
    Index(None, "name_folded"),
    Index(None, "point_id"),
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
    Column(
        "held",
        Boolean,
        nullable=False,
        server_default="0",
        comment="moved back to draft by hand: does not open itself",
    ),
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
    Column("invited", Integer, nullable=False, server_default="0"),
    Column("link", String(10), nullable=False, server_default="expected"),
    Column("link_since_ms", BigInteger, nullable=False),
    Column("link_version", Integer, nullable=False, server_default="0", comment="compare-and-set"),
    Index(None, "point_id"),
)

invitation = Table(
    "invitation",
    metadata,
    Column("session_id", Id, ForeignKey("session.id"), primary_key=True),
    Column("attendee_id", Id, ForeignKey("attendee.id"), primary_key=True),
    Column("point_id", Id, ForeignKey("point.id"), comment="the hall they are summoned to; null: not yet known"),
    Column("name_folded", Ordered, nullable=False, comment="a copy, so that the door needs one look-up"),
    Index(None, "session_id", "point_id", "name_folded"),
    Index(None, "attendee_id"),
)

attendance_event = Table(
    "attendance_event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, ForeignKey("session.id"), nullable=False),
    Column("nonce", LargeBinary(16), nullable=False, unique=True, comment="UUIDv7 order; permanently unique"),
    Column("fingerprint", LargeBinary(16), nullable=False, comment="keyed hash of session, point, kind, who, at"),
    Column("kind", String(12), nullable=False),
    Column("attendee_id", Id, ForeignKey("attendee.id")),
    Column("point_id", Id, ForeignKey("point.id"), nullable=False),
    Column("device_id", Id, ForeignKey("device.id")),
    Column("account_id", Id, ForeignKey("account.id")),
    Column("source", String(10), nullable=False),
    Column("server_ms", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("offline", Boolean, nullable=False, server_default="0"),
    Column("counted", Boolean, nullable=False),
    Column("number", Integer, comment="the how-manieth counted at this point when it was counted"),
    Column("flags", Text, nullable=False, server_default="", comment="space-separated"),
    Index(None, "session_id", "attendee_id"),
    Index(None, "session_id", "point_id"),
    comment="append-only (I4): a correction is a new event",
)

attendance = Table(
    "attendance",
    metadata,
    Column("session_id", Id, ForeignKey("session.id"), primary_key=True),
    Column("attendee_id", Id, ForeignKey("attendee.id"), primary_key=True),
    Column("nonce", LargeBinary(16), nullable=False),
    Column("point_id", Id, ForeignKey("point.id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("flags", Text, nullable=False, server_default=""),
    Index(None, "attendee_id"),
    comment="one counted entry per (session, attendee): I2",
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
