"""The first tables.

Revision: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make every table, those first that others refer to."""
    _account()
    _attendance()
    _instance()
    _unit()
    _account_grant()
    _credential()
    _point()
    _session()
    _annulment()
    _anomaly()
    _attendee()
    _attendee_indexes()
    _device()
    _late_entry()
    _log_chain()
    _minutes()
    _pairing()
    _session_point()
    _session_state()
    _spot_check()
    _attendance_event()
    _attendance_event_indexes()
    _badge()
    _invitation()
    _link_transition()
    _paper()
    _spot_check_person()
    _spot_check_point()
    _substitution()
    _unlisted()
    _paper_photo()


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", ORDERED, nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("disabled_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"),
    )


def _attendance() -> None:
    op.create_table(
        "attendance",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("attendee_id", ID, nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False),
        sa.Column("point_id", ID, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False, comment="when it happened"),
        sa.Column("flags", sa.Text(), server_default="", nullable=False),
        sa.Column("left_ms", sa.BigInteger(), nullable=True, comment="checked out and did not come back"),
        sa.PrimaryKeyConstraint("session_id", "attendee_id", name="pk_attendance"),
        comment="one counted entry per (session, attendee): I2; its event, written with it, holds the foreign key",
        sqlite_with_rowid=False,
    )


def _instance() -> None:
    op.create_table(
        "instance",
        sa.Column("key", ORDERED, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_instance"),
        comment="facts about this database: the set-up token's hash",
    )


def _unit() -> None:
    op.create_table(
        "unit",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", ORDERED, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_folded", ORDERED, nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("level", sa.Text(), server_default="", nullable=False),
        sa.Column("path", ORDERED, nullable=False, comment="base-36 ids from the root, each ended by a dot"),
        sa.Column("valid_from_ms", sa.BigInteger(), nullable=True),
        sa.Column("valid_to_ms", sa.BigInteger(), nullable=True),
        sa.Column("predecessor_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name="fk_unit_parent_id"),
        sa.ForeignKeyConstraint(["predecessor_id"], ["unit.id"], name="fk_unit_predecessor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_unit"),
        sa.UniqueConstraint("code", name="uq_unit_code"),
        sa.UniqueConstraint("path", name="uq_unit_path"),
    )
    op.create_index("ix_unit_parent_id", "unit", ["parent_id"], unique=False)


def _account_grant() -> None:
    op.create_table(
        "account_grant",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("unit_id", ID, nullable=True, comment="null: the whole tree"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_account_grant_account_id"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_account_grant_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_account_grant"),
    )
    op.create_index("ix_account_grant_account_id", "account_grant", ["account_id"], unique=False)


def _credential() -> None:
    op.create_table(
        "credential",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False, comment="cookie | token"),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_credential_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_credential"),
        sa.UniqueConstraint("token_hash", name="uq_credential_token_hash"),
    )
    op.create_index("ix_credential_account_id", "credential", ["account_id"], unique=False)


def _point() -> None:
    op.create_table(
        "point",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", ORDERED, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_folded", ORDERED, nullable=False),
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("capacity", sa.Integer(), server_default="0", nullable=False),
        sa.Column("mode", sa.String(length=10), server_default="online", nullable=False),
        sa.Column("contact_name", sa.Text(), server_default="", nullable=False),
        sa.Column("contact_phone", sa.Text(), server_default="", nullable=False),
        sa.Column("cluster", sa.Text(), server_default="", nullable=False),
        sa.Column("carrier", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_point_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_point"),
        sa.UniqueConstraint("code", name="uq_point_code"),
    )
    op.create_index("ix_point_unit_id", "point", ["unit_id"], unique=False)


def _session() -> None:
    op.create_table(
        "session",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", ORDERED, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("conference", sa.Text(), server_default="", nullable=False),
        sa.Column("program", sa.Text(), server_default="", nullable=False),
        sa.Column("unit_id", ID, nullable=True, comment="who organizes it; null: the whole tree"),
        sa.Column("rehearsal", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("starts_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), server_default="draft", nullable=False),
        sa.Column("state_ms", sa.BigInteger(), nullable=False),
        sa.Column(
            "made_ms", sa.BigInteger(), server_default="0", nullable=False, comment="nothing of it happened before"
        ),
        sa.Column(
            "held",
            sa.Boolean(),
            server_default="0",
            nullable=False,
            comment="moved back to draft by hand: does not open itself",
        ),
        sa.Column(
            "readable_roster",
            sa.Boolean(),
            server_default="0",
            nullable=False,
            comment="operators' devices may hold the list of their own hall in clear, until closing",
        ),
        sa.Column(
            "revision",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="of the frozen figures; 0: never frozen",
        ),
        sa.CheckConstraint("ends_ms >= starts_ms", name=op.f("ck_session_ends")),
        sa.CheckConstraint("state IN ('draft','open','live','break','ended','closed')", name=op.f("ck_session_state")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_session_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sa.UniqueConstraint("code", name="uq_session_code"),
    )
    op.create_index("ix_session_state_starts_ms", "session", ["state", "starts_ms"], unique=False)


def _annulment() -> None:
    op.create_table(
        "annulment",
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False, comment="the event that no longer counts"),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("by_nonce", sa.LargeBinary(length=16), nullable=False, comment="the event that says so"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_annulment_session_id"),
        sa.PrimaryKeyConstraint("nonce", name="pk_annulment"),
    )


def _anomaly() -> None:
    op.create_table(
        "anomaly",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("point_id", ID, nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column(
            "key",
            sa.LargeBinary(length=16),
            nullable=False,
            comment="what is odd: a phone, a code, a device, without naming it",
        ),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column(
            "nonces", sa.LargeBinary(), nullable=False, comment="of the check-ins concerned, 16 bytes each, bounded"
        ),
        sa.Column("reviewed_ms", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_anomaly_point_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_anomaly_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_anomaly"),
        sa.UniqueConstraint("session_id", "kind", "key", name="uq_anomaly_session_id_kind_key"),
        comment="for review, never a block",
    )


def _attendee() -> None:
    op.create_table(
        "attendee",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", ORDERED, nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("name_folded", ORDERED, nullable=False),
        sa.Column("sort_key", ORDERED, nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("point_id", ID, nullable=True, comment="home point"),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("phone_digits", ORDERED, server_default="", nullable=False, comment="as domain.phones writes it"),
        sa.Column(
            "salt",
            sa.LargeBinary(length=16),
            server_default=_salt(),
            nullable=False,
            comment="of the log's commitments",
        ),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_attendee_point_id"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_attendee_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attendee"),
        sa.UniqueConstraint("code", name="uq_attendee_code"),
        comment="ids are never used twice: the badge of somebody who was removed must not become somebody else's",
        sqlite_autoincrement=True,
    )


def _attendee_indexes() -> None:
    op.create_index("ix_attendee_name_folded", "attendee", ["name_folded"], unique=False)
    op.create_index("ix_attendee_phone_digits", "attendee", ["phone_digits"], unique=False)
    op.create_index("ix_attendee_point_id", "attendee", ["point_id"], unique=False)
    op.create_index("ix_attendee_unit_id_sort_key", "attendee", ["unit_id", "sort_key"], unique=False)


def _device() -> None:
    op.create_table(
        "device",
        sa.Column("id", ID, nullable=False),
        sa.Column("point_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("paired_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_device_point_id"),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
        sa.UniqueConstraint("token_hash", name="uq_device_token_hash"),
    )
    op.create_index("ix_device_point_id", "device", ["point_id"], unique=False)


def _late_entry() -> None:
    op.create_table(
        "late_entry",
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False, comment="an event that was held"),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, comment="which made it count"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_late_entry_session_id"),
        sa.PrimaryKeyConstraint("nonce", name="pk_late_entry"),
        comment="what came after closing and was applied by a revision; held events without a row here still wait",
    )
    op.create_index("ix_late_entry_session_id", "late_entry", ["session_id"], unique=False)


def _log_chain() -> None:
    op.create_table(
        "log_chain",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("writer", sa.LargeBinary(length=16), nullable=False, comment="UUIDv7 of a process' start"),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_log_chain_session_id"),
        sa.PrimaryKeyConstraint("session_id", "writer", name="pk_log_chain"),
        comment="where each chain of the log ends",
    )


def _minutes() -> None:
    op.create_table(
        "minutes",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="the bytes that were signed"),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_minutes_session_id"),
        sa.PrimaryKeyConstraint("session_id", "revision", name="pk_minutes"),
        comment="append-only: what was frozen at closing and at each revision",
    )


def _pairing() -> None:
    op.create_table(
        "pairing",
        sa.Column("id", ID, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("point_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_pairing_point_id"),
        sa.PrimaryKeyConstraint("id", name="pk_pairing"),
        sa.UniqueConstraint("code_hash", name="uq_pairing_code_hash"),
    )
    op.create_index("ix_pairing_point_id", "pairing", ["point_id"], unique=False)


def _session_point() -> None:
    op.create_table(
        "session_point",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("point_id", ID, nullable=False),
        sa.Column("door_id", sa.BigInteger(), nullable=False, comment="allocated, 32 bit"),
        sa.Column("door_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("present", sa.Integer(), server_default="0", nullable=False, comment="counted people who sit here"),
        sa.Column(
            "unlisted",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="counted people on no list, not matched",
        ),
        sa.Column("invited", sa.Integer(), server_default="0", nullable=False),
        sa.Column("link", sa.String(length=10), server_default="expected", nullable=False),
        sa.Column("link_since_ms", sa.BigInteger(), nullable=False),
        sa.Column("link_version", sa.Integer(), server_default="0", nullable=False, comment="compare-and-set"),
        sa.Column(
            "rehearsed_ms",
            sa.BigInteger(),
            nullable=True,
            comment="the organizer said then that its rehearsal went well",
        ),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_session_point_point_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_session_point_session_id"),
        sa.PrimaryKeyConstraint("session_id", "point_id", name="pk_session_point"),
        sa.UniqueConstraint("door_id", name="uq_session_point_door_id"),
    )
    op.create_index("ix_session_point_point_id", "session_point", ["point_id"], unique=False)


def _session_state() -> None:
    op.create_table(
        "session_state",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("from_state", sa.String(length=10), nullable=False),
        sa.Column("to_state", sa.String(length=10), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_session_state_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_session_state"),
        comment="append-only: every move of a session and who made it",
    )
    op.create_index("ix_session_state_session_id", "session_state", ["session_id"], unique=False)


def _spot_check() -> None:
    op.create_table(
        "spot_check",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False, comment="start | middle | end"),
        sa.Column(
            "mode",
            sa.String(length=10),
            nullable=False,
            comment="sample: headcount and five names | code: a new door code",
        ),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_spot_check_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_spot_check"),
    )
    op.create_index("ix_spot_check_session_id", "spot_check", ["session_id"], unique=False)


def _attendance_event() -> None:
    op.create_table(
        "attendance_event",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False, comment="UUIDv7 order; permanently unique"),
        sa.Column(
            "fingerprint",
            sa.LargeBinary(length=16),
            nullable=False,
            comment="keyed hash of session, point, kind, who, at",
        ),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("attendee_id", ID, nullable=True),
        sa.Column("unlisted_id", ID, nullable=True),
        sa.Column("stands_for_id", ID, nullable=True, comment="dự thay: whose place they take"),
        sa.Column("point_id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=True),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("server_ms", sa.BigInteger(), nullable=False, comment="when it came"),
        sa.Column("at_ms", sa.BigInteger(), nullable=False, comment="when it happened, as the device said"),
        sa.Column(
            "offset_ms", sa.BigInteger(), nullable=True, comment="server minus device clock, measured when it was sent"
        ),
        sa.Column("happened_ms", sa.BigInteger(), nullable=False, comment="our best estimate of when it happened"),
        sa.Column("offline", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column(
            "held", sa.Boolean(), server_default="0", nullable=False, comment="came after closing: waits for a revision"
        ),
        sa.Column(
            "number", sa.Integer(), nullable=True, comment="the how-manieth counted at this point when it was counted"
        ),
        sa.Column("flags", sa.Text(), server_default="", nullable=False, comment="space-separated"),
        sa.Column(
            "of_nonce",
            sa.LargeBinary(length=16),
            nullable=True,
            comment="the event it corrects, or the paper batch it belongs to",
        ),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("writer", sa.LargeBinary(length=16), nullable=False, comment="whose chain it is in"),
        sa.Column("position", sa.Integer(), nullable=False, comment="in that chain, from 1"),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="the bytes that were hashed"),
        sa.ForeignKeyConstraint(["attendee_id"], ["attendee.id"], name="fk_attendance_event_attendee_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attendance_event"),
        sa.UniqueConstraint("nonce", name="uq_attendance_event_nonce"),
        sa.UniqueConstraint("session_id", "writer", "position", name="uq_attendance_event_session_id_writer_position"),
        comment="append-only (I4): a correction is a new event",
    )


def _attendance_event_indexes() -> None:
    op.create_index(
        "ix_attendance_event_again",
        "attendance_event",
        ["session_id", "attendee_id"],
        unique=False,
        sqlite_where=sa.text("NOT counted"),
        postgresql_where=sa.text("NOT counted"),
    )
    op.create_index(
        "ix_attendance_event_attendee_id_session_id", "attendance_event", ["attendee_id", "session_id"], unique=False
    )
    op.create_index(
        "ix_attendance_event_flagged",
        "attendance_event",
        ["session_id", "id"],
        unique=False,
        sqlite_where=sa.text("flags <> ''"),
        postgresql_where=sa.text("flags <> ''"),
    )
    op.create_index(
        "ix_attendance_event_held",
        "attendance_event",
        ["session_id"],
        unique=False,
        sqlite_where=sa.text("held"),
        postgresql_where=sa.text("held"),
    )
    op.create_index(
        "ix_attendance_event_of_nonce",
        "attendance_event",
        ["of_nonce"],
        unique=False,
        sqlite_where=sa.text("of_nonce IS NOT NULL"),
        postgresql_where=sa.text("of_nonce IS NOT NULL"),
    )
    op.create_index(
        "ix_attendance_event_point_id_session_id", "attendance_event", ["point_id", "session_id"], unique=False
    )
    op.create_index(
        "ix_attendance_event_stands_for",
        "attendance_event",
        ["stands_for_id"],
        unique=False,
        sqlite_where=sa.text("stands_for_id IS NOT NULL"),
        postgresql_where=sa.text("stands_for_id IS NOT NULL"),
    )
    op.create_index(
        "ix_attendance_event_unlisted",
        "attendance_event",
        ["unlisted_id"],
        unique=False,
        sqlite_where=sa.text("unlisted_id IS NOT NULL"),
        postgresql_where=sa.text("unlisted_id IS NOT NULL"),
    )


def _badge() -> None:
    op.create_table(
        "badge",
        sa.Column("attendee_id", ID, nullable=False),
        sa.Column("issue", sa.Integer(), nullable=False, comment="1, 2, …; the token is an HMAC of both"),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["attendee_id"], ["attendee.id"], name="fk_badge_attendee_id"),
        sa.PrimaryKeyConstraint("attendee_id", "issue", name="pk_badge"),
        sa.UniqueConstraint("token_hash", name="uq_badge_token_hash"),
        comment="at most one issue of a person is not revoked",
    )


def _invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("attendee_id", ID, nullable=False),
        sa.Column("point_id", ID, nullable=True, comment="the hall they are summoned to; null: not yet known"),
        sa.Column("name_folded", ORDERED, nullable=False, comment="a copy, so that the door needs one look-up"),
        sa.Column("number", sa.Integer(), nullable=True, comment="on the hall's printed list; given once, then kept"),
        sa.ForeignKeyConstraint(["attendee_id"], ["attendee.id"], name="fk_invitation_attendee_id"),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_invitation_point_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_invitation_session_id"),
        sa.PrimaryKeyConstraint("session_id", "attendee_id", name="pk_invitation"),
    )
    op.create_index("ix_invitation_attendee_id", "invitation", ["attendee_id"], unique=False)
    op.create_index(
        "ix_invitation_session_id_point_id_name_folded",
        "invitation",
        ["session_id", "point_id", "name_folded"],
        unique=False,
    )


def _link_transition() -> None:
    op.create_table(
        "link_transition",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("point_id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=True),
        sa.Column("from_link", sa.String(length=10), nullable=False),
        sa.Column("to_link", sa.String(length=10), nullable=False),
        sa.Column(
            "at_ms", sa.BigInteger(), nullable=False, comment="the deadline that passed, not the moment of notice"
        ),
        sa.Column("noticed_ms", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_link_transition_device_id"),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_link_transition_point_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_link_transition_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_link_transition"),
        sa.UniqueConstraint("session_id", "point_id", "version", name="uq_link_transition_session_id_point_id_version"),
        comment="append-only",
    )


def _paper() -> None:
    op.create_table(
        "paper",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("point_id", ID, nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("device_id", ID, nullable=True),
        sa.Column("undone_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_paper_device_id"),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_paper_point_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_paper_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_paper"),
        sa.UniqueConstraint("nonce", name="uq_paper_nonce"),
        comment="a sheet that was copied from paper: one batch",
    )
    op.create_index("ix_paper_session_id_point_id", "paper", ["session_id", "point_id"], unique=False)


def _spot_check_person() -> None:
    op.create_table(
        "spot_check_person",
        sa.Column("spot_check_id", ID, nullable=False),
        sa.Column("attendee_id", ID, nullable=False),
        sa.Column("point_id", ID, nullable=False),
        sa.Column(
            "asked", sa.Boolean(), nullable=False, comment="drawn by lot; else they scanned the new code themselves"
        ),
        sa.Column(
            "seen", sa.Boolean(), nullable=True, comment="null: not answered; false: not confirmed, which is not absent"
        ),
        sa.Column("at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["attendee_id"], ["attendee.id"], name="fk_spot_check_person_attendee_id"),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_spot_check_person_point_id"),
        sa.ForeignKeyConstraint(["spot_check_id"], ["spot_check.id"], name="fk_spot_check_person_spot_check_id"),
        sa.PrimaryKeyConstraint("spot_check_id", "attendee_id", name="pk_spot_check_person"),
    )
    op.create_index(
        "ix_spot_check_person_spot_check_id_point_id", "spot_check_person", ["spot_check_id", "point_id"], unique=False
    )


def _spot_check_point() -> None:
    op.create_table(
        "spot_check_point",
        sa.Column("spot_check_id", ID, nullable=False),
        sa.Column("point_id", ID, nullable=False),
        sa.Column("present", sa.Integer(), nullable=False, comment="counted there when the check began"),
        sa.Column("headcount", sa.Integer(), nullable=True),
        sa.Column("answered_ms", sa.BigInteger(), nullable=True),
        sa.Column("answered_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_spot_check_point_point_id"),
        sa.ForeignKeyConstraint(["spot_check_id"], ["spot_check.id"], name="fk_spot_check_point_spot_check_id"),
        sa.PrimaryKeyConstraint("spot_check_id", "point_id", name="pk_spot_check_point"),
    )


def _substitution() -> None:
    op.create_table(
        "substitution",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("attendee_id", ID, nullable=False, comment="whose place is taken"),
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False, comment="the check-in of who takes it"),
        sa.ForeignKeyConstraint(["attendee_id"], ["attendee.id"], name="fk_substitution_attendee_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_substitution_session_id"),
        sa.PrimaryKeyConstraint("session_id", "attendee_id", name="pk_substitution"),
        comment="dự thay: one place is taken once",
    )
    op.create_index("ix_substitution_nonce", "substitution", ["nonce"], unique=False)


def _unlisted() -> None:
    op.create_table(
        "unlisted",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("point_id", ID, nullable=False),
        sa.Column(
            "key", sa.LargeBinary(length=16), nullable=False, comment="hash of folded name, folded unit and badge"
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="as typed; empty for a badge that nobody knows"),
        sa.Column("name_folded", ORDERED, nullable=False),
        sa.Column("unit_text", sa.Text(), server_default="", nullable=False),
        sa.Column("stands_for_text", sa.Text(), server_default="", nullable=False),
        sa.Column("badge_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column(
            "nonce",
            sa.LargeBinary(length=16),
            nullable=True,
            comment="the entry that counts; null: none does (any more)",
        ),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.Text(), server_default="", nullable=False),
        sa.Column("attendee_id", ID, nullable=True, comment="who a clerk says they are"),
        sa.ForeignKeyConstraint(["attendee_id"], ["attendee.id"], name="fk_unlisted_attendee_id"),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_unlisted_point_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_unlisted_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_unlisted"),
        sa.UniqueConstraint("session_id", "point_id", "key", name="uq_unlisted_session_id_point_id_key"),
        comment="a person in a hall who is on no list, until a clerk matches or adds them",
    )
    op.create_index("ix_unlisted_attendee_id", "unlisted", ["attendee_id"], unique=False)
    op.create_index("ix_unlisted_session_id_id", "unlisted", ["session_id", "id"], unique=False)


def _paper_photo() -> None:
    op.create_table(
        "paper_photo",
        sa.Column("paper_id", ID, nullable=False),
        sa.Column("content_type", sa.String(length=20), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name="fk_paper_photo_paper_id"),
        sa.PrimaryKeyConstraint("paper_id", name="pk_paper_photo"),
    )


def _salt() -> sa.TextClause:
    """16 bytes that the database draws for a new row."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    return sa.text("(randomblob(16))" if sqlite else "uuid_send(gen_random_uuid())")
