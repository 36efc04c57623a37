"""How Alembic runs the revisions: on the connection and inside the transaction that `store.migrate` hands over.

A revision that rebuilds a table on SQLite (`op.batch_alter_table`) must keep its rows' references: run
`PRAGMA defer_foreign_keys = ON` in it first.
"""

from __future__ import annotations

from alembic import context

from diemcau.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
