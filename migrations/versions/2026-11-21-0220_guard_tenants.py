"""Guard the tenants: row-level security, and what each role may do.

Three roles: the owner runs this; `app` works inside one tenant at a time; `system` reads across tenants and writes
nothing. The names of the last two come from the settings' database URLs.
"""

from alembic import context, op

revision = "2026_11_21_0220"
down_revision = "2026_11_21_0210"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "memberships",
    "engagements",
    "engagement_keys",
    "flows",
    "uploads",
    "traces",
    "jobs",
    "executions",
    "artifacts",
    "lineage_edges",
    "events",
    "idempotency_keys",
)
SYSTEM_READS = ("clients", "users", "memberships", "uploads", "traces", "jobs", "executions", "events")

# After SET LOCAL the setting is an empty string on a pooled connection, hence nullif.
TENANT = "nullif(current_setting('gql_server.client_id', true), '')::uuid"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '30s'")
    app, system = _roles()
    for table in ("clients", "users", *TENANT_TABLES):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table in TENANT_TABLES:
        op.execute(
            f"CREATE POLICY tenant ON {table} TO {app} USING (client_id = {TENANT}) WITH CHECK (client_id = {TENANT})"
        )
    op.execute(f"CREATE POLICY tenant ON clients TO {app} USING (id = {TENANT}) WITH CHECK (id = {TENANT})")
    op.execute(
        f"CREATE POLICY fellow ON users FOR SELECT TO {app} USING (EXISTS (SELECT 1 FROM memberships"
        f" WHERE memberships.user_id = users.id AND memberships.client_id = {TENANT}))"
    )
    op.execute(f"CREATE POLICY newcomer ON users FOR INSERT TO {app} WITH CHECK (true)")
    for table in SYSTEM_READS:
        op.execute(f"CREATE POLICY system ON {table} FOR SELECT TO {system} USING (true)")
    _grant(app, system)


def _grant(app: str, system: str) -> None:
    op.execute(f"GRANT USAGE ON SCHEMA public, queue TO {app}, {system}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {', '.join(('clients', 'users', *TENANT_TABLES))} TO {app}")
    # Facts are never changed and nothing that others refer to is deleted.
    op.execute(f"REVOKE UPDATE ON events, lineage_edges, artifacts, idempotency_keys FROM {app}")
    op.execute(f"GRANT DELETE ON idempotency_keys TO {app}")
    op.execute(f"GRANT SELECT, INSERT ON installation TO {app}")
    op.execute(f"GRANT SELECT ON {', '.join(SYSTEM_READS)} TO {system}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA queue TO {app}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA queue TO {app}")
    op.execute(f"GRANT SELECT ON queue.pgqueuer TO {system}")
    op.execute(f"GRANT SELECT ON alembic_version TO {app}, {system}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '30s'")
    app, system = _roles()
    for table in SYSTEM_READS:
        op.execute(f"DROP POLICY system ON {table}")
    op.execute("DROP POLICY newcomer ON users")
    op.execute("DROP POLICY fellow ON users")
    for table in ("clients", *TENANT_TABLES):
        op.execute(f"DROP POLICY tenant ON {table}")
    for table in ("clients", "users", *TENANT_TABLES):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for role in (app, system):
        op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public, queue FROM {role}")
        op.execute(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA queue FROM {role}")
        op.execute(f"REVOKE USAGE ON SCHEMA public, queue FROM {role}")


def _roles() -> tuple[str, str]:
    quote = op.get_bind().dialect.identifier_preparer.quote
    attributes = context.config.attributes
    return quote(attributes["app_role"]), quote(attributes["system_role"])
