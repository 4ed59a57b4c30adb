"""Verify traces: what the second reader said, MAC rules, and who destroyed a key."""

from alembic import op

revision = "2026_11_21_0520"
down_revision = "2026_11_21_0220"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '30s'")
    op.execute("ALTER TABLE traces ADD COLUMN mac_rules JSONB DEFAULT '[]' NOT NULL")
    op.execute("ALTER TABLE traces ADD COLUMN verification JSONB")
    op.execute("ALTER TABLE engagement_keys ADD COLUMN destroyed_by UUID")
    op.execute(
        "ALTER TABLE engagement_keys ADD CONSTRAINT fk_engagement_keys_destroyed_by"
        " FOREIGN KEY (destroyed_by) REFERENCES users (id)"
    )
    op.execute(
        "ALTER TABLE engagement_keys ADD CONSTRAINT ck_engagement_keys_gone_when_destroyed"
        " CHECK ((destroyed_at IS NULL) = (wrapped IS NOT NULL))"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '30s'")
    op.execute("ALTER TABLE engagement_keys DROP CONSTRAINT ck_engagement_keys_gone_when_destroyed")
    op.execute("ALTER TABLE engagement_keys DROP COLUMN destroyed_by")
    op.execute("ALTER TABLE traces DROP COLUMN verification")
    op.execute("ALTER TABLE traces DROP COLUMN mac_rules")
