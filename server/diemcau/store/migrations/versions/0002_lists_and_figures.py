"""Lists in, figures out: absences, headcounts, quick reports, imports that can be undone, upload links.

Revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables, those first that others refer to."""
    _absence_reason()
    _session_option()
    _unit_contact()
    _upload_link()
    _import_run()
    _import_row()
    _absence()
    _headcount()
    _quick_report()
    _frozen_person()
    _frozen_point()
    _revision_change()
    _device_queue()
    _names()


def _absence_reason() -> None:
    op.create_table(
        "absence_reason",
        sa.Column("code", ORDERED, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), server_default="0", nullable=False, comment="in the list"),
        sa.Column("retired_ms", sa.BigInteger(), nullable=True, comment="no longer offered"),
        sa.PrimaryKeyConstraint("code", name="pk_absence_reason"),
    )


def _session_option() -> None:
    op.create_table(
        "session_option",
        sa.Column("session_id", ID, nullable=False),
        sa.Column(
            "target_rate", sa.Integer(), nullable=True, comment="percent of the summoned that each unit is to reach"
        ),
        sa.Column(
            "absence_deadline_ms", sa.BigInteger(), nullable=True, comment="absences asked for later are marked late"
        ),
        sa.Column(
            "document_number", sa.Text(), server_default="", nullable=False, comment="on its papers, as in 23-CT/TU"
        ),
        sa.Column("document_date", sa.Text(), server_default="", nullable=False, comment="as it is to be printed"),
        sa.Column("place", sa.Text(), server_default="", nullable=False, comment="before the date on its papers"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_session_option_session_id"),
        sa.PrimaryKeyConstraint("session_id", name="pk_session_option"),
        comment="what organizers may leave out",
    )


def _unit_contact() -> None:
    op.create_table(
        "unit_contact",
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_unit_contact_unit_id"),
        sa.PrimaryKeyConstraint("unit_id", name="pk_unit_contact"),
        comment="who answers for a unit's list",
    )


def _upload_link() -> None:
    op.create_table(
        "upload_link",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.Column("used_ms", sa.BigInteger(), nullable=True, comment="when a list last came in by it"),
        sa.Column("people", sa.Integer(), nullable=True, comment="on that list"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_upload_link_session_id"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_upload_link_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_upload_link"),
        sa.UniqueConstraint("token_hash", name="uq_upload_link_token_hash"),
        comment="lets a unit's clerk hand in their list without an account",
    )
    op.create_index("ix_upload_link_session_id_unit_id", "upload_link", ["session_id", "unit_id"])


def _import_run() -> None:
    op.create_table(
        "import_run",
        sa.Column("id", ID, nullable=False),
        sa.Column("what", sa.String(length=10), nullable=False, comment="units | points | attendees"),
        sa.Column("mode", sa.String(length=10), nullable=False, comment="add | replace"),
        sa.Column("file_name", sa.Text(), server_default="", nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column(
            "unit_id", ID, nullable=True, comment="whose list it replaces, or who may undo it; null: the whole tree"
        ),
        sa.Column("state", sa.String(length=10), nullable=False, comment="staging | done | undoing | undone"),
        sa.Column("added", sa.Integer(), server_default="0", nullable=False),
        sa.Column("changed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unchanged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("removed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("undone_ms", sa.BigInteger(), nullable=True),
        sa.Column("undone_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_import_run"),
        comment="a list that was taken over, and how to undo it",
    )
    op.create_index("ix_import_run_state", "import_run", ["state"])


def _import_row() -> None:
    op.create_table(
        "import_row",
        sa.Column("import_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code", ORDERED, nullable=False),
        sa.Column("change", sa.String(length=10), nullable=False, comment="added | changed | removed"),
        sa.Column("before", sa.LargeBinary(), nullable=True, comment="the values that were there, as MessagePack"),
        sa.Column(
            "after",
            sa.LargeBinary(),
            nullable=True,
            comment="the values that come, as MessagePack; what undo compares with",
        ),
        sa.ForeignKeyConstraint(["import_id"], ["import_run.id"], name="fk_import_row_import_id"),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_import_row"),
        comment="staged in small transactions, applied as soon as all are there; kept for undo",
        sqlite_with_rowid=False,
    )


def _absence() -> None:
    op.create_table(
        "absence",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("attendee_id", ID, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False, comment="requested | approved | refused | withdrawn"),
        sa.Column("reason", ORDERED, server_default="", nullable=False, comment="an absence_reason's code"),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("requested_ms", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False, comment="an account's name, badge, or device:<id>"),
        sa.Column("late", sa.Boolean(), server_default="0", nullable=False, comment="asked for after the deadline"),
        sa.Column(
            "substitute", sa.Text(), server_default="", nullable=False, comment="who is to come instead, as typed"
        ),
        sa.Column("substitute_id", ID, nullable=True, comment="the same, where they are on a list"),
        sa.Column("decided_ms", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False, comment="of who decided"),
        sa.Column(
            "held",
            sa.Boolean(),
            server_default="0",
            nullable=False,
            comment="decided after closing: waits for a revision",
        ),
        sa.Column(
            "excused", sa.Boolean(), server_default="0", nullable=False, comment="what the figures say now, held or not"
        ),
        sa.ForeignKeyConstraint(["attendee_id"], ["attendee.id"], name="fk_absence_attendee_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_absence_session_id"),
        sa.ForeignKeyConstraint(["substitute_id"], ["attendee.id"], name="fk_absence_substitute_id"),
        sa.PrimaryKeyConstraint("session_id", "attendee_id", name="pk_absence"),
        comment="one person's absence from one session as it stands; each decision is an event of the log too",
    )
    op.create_index("ix_absence_attendee_id", "absence", ["attendee_id"])
    op.create_index("ix_absence_session_id_state", "absence", ["session_id", "state"])


def _headcount() -> None:
    op.create_table(
        "headcount",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("point_id", ID, nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False, comment="operator | center"),
        sa.Column("told_by", sa.Text(), server_default="", nullable=False, comment="who said it on the telephone"),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False, comment="when it was counted, as best known"),
        sa.Column("server_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name="fk_headcount_point_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_headcount_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_headcount"),
        sa.UniqueConstraint("nonce", name="uq_headcount_nonce"),
        comment="append-only; the latest of a point holds. Never added to named check-ins",
    )
    op.create_index("ix_headcount_session_id_point_id_id", "headcount", ["session_id", "point_id", "id"])


def _quick_report() -> None:
    op.create_table(
        "quick_report",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column(
            "body", sa.LargeBinary(), nullable=False, comment="the snapshot as JSON: printed again it is the same paper"
        ),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_quick_report_session_id"),
        sa.PrimaryKeyConstraint("session_id", "number", name="pk_quick_report"),
        comment="append-only",
    )


def _frozen_person() -> None:
    op.create_table(
        "frozen_person",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("attendee_id", ID, nullable=False),
        sa.Column(
            "unit_id", ID, nullable=False, comment="where the frozen figures count them, wherever they move later"
        ),
        sa.Column("sort_key", ORDERED, nullable=False),
        sa.PrimaryKeyConstraint("session_id", "attendee_id", name="pk_frozen_person"),
        comment="everyone invited or counted in a closed session",
    )
    op.create_index(
        "ix_frozen_person_session_id_unit_id_sort_key", "frozen_person", ["session_id", "unit_id", "sort_key"]
    )


def _frozen_point() -> None:
    op.create_table(
        "frozen_point",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("point_id", ID, nullable=False),
        sa.Column("unit_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("session_id", "point_id", name="pk_frozen_point"),
        comment="the halls of a closed session",
    )


def _revision_change() -> None:
    op.create_table(
        "revision_change",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="in the list of what this revision changed"),
        sa.Column("attendee_id", ID, nullable=True),
        sa.Column("unlisted_id", ID, nullable=True),
        sa.Column("unit_id", ID, nullable=False, comment="in whose figures"),
        sa.Column(
            "before", sa.String(length=12), nullable=False, comment="a status, guest or unlisted; empty: in no figure"
        ),
        sa.Column("after", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_revision_change_session_id"),
        sa.PrimaryKeyConstraint("session_id", "revision", "number", name="pk_revision_change"),
        comment="append-only: what a revision changed of whom; the events that did it name the revision in late_entry",
    )


def _device_queue() -> None:
    op.create_table(
        "device_queue",
        sa.Column("device_id", ID, nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False, comment="entries it had not sent when it last said so"),
        sa.Column(
            "oldest_ms",
            sa.BigInteger(),
            nullable=True,
            comment="when the oldest of them happened, by the device's clock",
        ),
        sa.Column("told_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_device_queue_device_id"),
        sa.PrimaryKeyConstraint("device_id", name="pk_device_queue"),
        comment="what a device told of its own queue",
    )


def _names() -> None:
    """As store/name_search.py makes it; SQLite's table fills itself while the server runs."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE INDEX attendee_name_words ON attendee"
            " USING gin (array_to_tsvector(string_to_array(name_folded, ' ')))"
        )
        return
    op.execute(
        """CREATE VIRTUAL TABLE attendee_name USING fts5(
        name_folded, content='', detail=none, columnsize=0, tokenize='unicode61 remove_diacritics 0')"""
    )
    op.execute("INSERT INTO instance (key, value) VALUES ('names_indexed', '0')")
    op.execute(
        """CREATE TRIGGER attendee_renamed AFTER UPDATE OF name_folded ON attendee
        WHEN old.name_folded <> new.name_folded
            AND old.id <= (SELECT CAST(value AS INTEGER) FROM instance WHERE key = 'names_indexed')
        BEGIN
            INSERT INTO attendee_name (attendee_name, rowid, name_folded) VALUES ('delete', old.id, old.name_folded);
            INSERT INTO attendee_name (rowid, name_folded) VALUES (new.id, new.name_folded);
        END"""
    )
