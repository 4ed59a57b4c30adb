"""Create the job queue: PgQueuer 1.6.0 in a schema of its own."""

from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings

revision = "2026_11_21_0210"
down_revision = "2026_11_21_0200"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '30s'")
    _run_script(QueryBuilderEnvironment(DBSettings(db_schema="queue")).build_install_query())


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '30s'")
    op.execute("DROP SCHEMA queue CASCADE")


def _run_script(script: str) -> None:
    # A function body holds semicolons, and asyncpg prepares one statement at a time: hand it the script whole.
    op.get_bind().connection.dbapi_connection.run_async(lambda connection: connection.execute(script))
