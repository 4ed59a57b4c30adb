"""Alembic: run the migrations on the connection it is given."""

from alembic import context

from gql_server.store.tables import Table

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Table.metadata,
    transaction_per_migration=True,
    include_schemas=False,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
