"""De-identify DICOM: overrides, the latest lists, and jobs that complete without a trace."""

from alembic import op

revision = "2026_11_21_0840"
down_revision = "2026_11_21_0520"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '30s'")
    op.execute("ALTER TABLE traces ADD COLUMN dicom_overrides JSONB DEFAULT '[]' NOT NULL")
    op.execute("ALTER TABLE traces ADD COLUMN dicom_execution_id UUID")
    op.execute(
        "ALTER TABLE traces ADD CONSTRAINT fk_traces_client_id_dicom_execution_id"
        " FOREIGN KEY (client_id, dicom_execution_id) REFERENCES executions (client_id, id) ON DELETE RESTRICT"
    )
    op.execute("ALTER TABLE jobs DROP CONSTRAINT ck_jobs_output_when_completed")
    op.execute(
        "ALTER TABLE jobs ADD CONSTRAINT ck_jobs_output_when_completed"
        " CHECK ((state = 'COMPLETED' AND kind <> 'DICOM_EXTRACTION') = (output_trace_id IS NOT NULL))"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '30s'")
    op.execute("ALTER TABLE traces DROP COLUMN dicom_execution_id")
    op.execute("ALTER TABLE traces DROP COLUMN dicom_overrides")
    op.execute("ALTER TABLE jobs DROP CONSTRAINT ck_jobs_output_when_completed")
    # An extraction that is completed has no trace: the older rule holds for what comes after it.
    op.execute(
        "ALTER TABLE jobs ADD CONSTRAINT ck_jobs_output_when_completed"
        " CHECK ((state = 'COMPLETED') = (output_trace_id IS NOT NULL)) NOT VALID"
    )
