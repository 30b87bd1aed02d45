"""Runs the revisions on the connection that `engine.store.migrating` hands over, all in its one transaction."""

from alembic import context

from engine.store import models

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=models.metadata,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
