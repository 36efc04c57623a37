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
    _instance()
    _unit()
    _account_grant()
    _credential()
    _point()
    _session()
    _attendee()
    _device()
    _pairing()
    _session_point()
    _session_state()
    _attendance()
    _attendance_event()
    _invitation()
    _link_transition()


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
            "held",
            sa.Boolean(),
            server_default="0",
            nullable=False,
            comment="moved back to draft by hand: does not open itself",
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_session_unit_id"),
        sa.CheckConstraint("state IN ('draft','open','live','break','ended','closed')", name=op.f("ck_session_state")),
        sa.CheckConstraint("ends_ms >= starts_ms", name=op.f("ck_session_ends")),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sa.UniqueConstraint("code", name="uq_session_code"),
    )
    op.create_index("ix_session_state_starts_ms", "session", ["state", "starts_ms"], unique=False)


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
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_attendee_point_id"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_attendee_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attendee"),
        sa.UniqueConstraint("code", name="uq_attendee_code"),
    )
    op.create_index("ix_attendee_name_folded", "attendee", ["name_folded"], unique=False)
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
        sa.Column("invited", sa.Integer(), server_default="0", nullable=False),
        sa.Column("link", sa.String(length=10), server_default="expected", nullable=False),
        sa.Column("link_since_ms", sa.BigInteger(), nullable=False),
        sa.Column("link_version", sa.Integer(), server_default="0", nullable=False, comment="compare-and-set"),
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


def _attendance() -> None:
    op.create_table(
        "attendance",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("attendee_id", ID, nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False),
        sa.Column("point_id", ID, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["attendee_id"], ["attendee.id"], name="fk_attendance_attendee_id"),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_attendance_point_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_attendance_session_id"),
        sa.PrimaryKeyConstraint("session_id", "attendee_id", name="pk_attendance"),
        comment="one counted entry per (session, attendee): I2",
    )
    op.create_index("ix_attendance_attendee_id", "attendance", ["attendee_id"], unique=False)


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
        sa.Column("point_id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=True),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("server_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("offline", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column(
            "number", sa.Integer(), nullable=True, comment="the how-manieth counted at this point when it was counted"
        ),
        sa.Column("flags", sa.Text(), server_default="", nullable=False, comment="space-separated"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_attendance_event_account_id"),
        sa.ForeignKeyConstraint(["attendee_id"], ["attendee.id"], name="fk_attendance_event_attendee_id"),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_attendance_event_device_id"),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_attendance_event_point_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_attendance_event_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attendance_event"),
        sa.UniqueConstraint("nonce", name="uq_attendance_event_nonce"),
        comment="append-only (I4): a correction is a new event",
    )
    op.create_index(
        "ix_attendance_event_session_id_attendee_id", "attendance_event", ["session_id", "attendee_id"], unique=False
    )
    op.create_index(
        "ix_attendance_event_session_id_point_id", "attendance_event", ["session_id", "point_id"], unique=False
    )


def _invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("attendee_id", ID, nullable=False),
        sa.Column("point_id", ID, nullable=True, comment="the hall they are summoned to; null: not yet known"),
        sa.Column("name_folded", ORDERED, nullable=False, comment="a copy, so that the door needs one look-up"),
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
