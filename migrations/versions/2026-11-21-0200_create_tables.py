"""Create the tables."""

from alembic import op

revision = "2026_11_21_0200"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE clients (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_clients PRIMARY KEY (id)
);

CREATE TABLE users (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id)
);

CREATE TABLE memberships (
    client_id UUID NOT NULL,
    user_id UUID NOT NULL,
    role TEXT NOT NULL,
    CONSTRAINT pk_memberships PRIMARY KEY (client_id, user_id),
    CONSTRAINT fk_memberships_client_id FOREIGN KEY(client_id) REFERENCES clients (id),
    CONSTRAINT fk_memberships_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE engagements (
    client_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_engagements PRIMARY KEY (client_id, id),
    CONSTRAINT fk_engagements_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
);

CREATE TABLE engagement_keys (
    client_id UUID NOT NULL,
    id UUID NOT NULL,
    engagement_id UUID NOT NULL,
    wrapped BYTEA,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    destroyed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_engagement_keys PRIMARY KEY (client_id, id),
    CONSTRAINT fk_engagement_keys_client_id_engagement_id
        FOREIGN KEY(client_id, engagement_id)
        REFERENCES engagements (client_id, id) ON DELETE RESTRICT
);

CREATE UNIQUE INDEX uq_engagement_keys_current ON engagement_keys (client_id, engagement_id)
    WHERE destroyed_at IS NULL;

CREATE TABLE flows (
    client_id UUID NOT NULL,
    id UUID NOT NULL,
    engagement_id UUID NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    state TEXT NOT NULL,
    is_default BOOLEAN DEFAULT false NOT NULL,
    created_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_flows PRIMARY KEY (client_id, id),
    CONSTRAINT fk_flows_client_id_engagement_id
        FOREIGN KEY(client_id, engagement_id)
        REFERENCES engagements (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT fk_flows_created_by FOREIGN KEY(created_by) REFERENCES users (id)
);

CREATE INDEX ix_flows_newest ON flows (client_id, created_at, id);

CREATE UNIQUE INDEX uq_flows_default ON flows (client_id, engagement_id) WHERE is_default;

CREATE TABLE jobs (
    client_id UUID NOT NULL,
    id UUID NOT NULL,
    flow_id UUID NOT NULL,
    created_by UUID NOT NULL,
    kind TEXT NOT NULL,
    parameters JSONB NOT NULL,
    key_id UUID,
    state TEXT NOT NULL,
    attempt BIGINT DEFAULT 0 NOT NULL,
    max_attempts BIGINT NOT NULL,
    seq BIGINT DEFAULT 0 NOT NULL,
    heartbeat_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    progress_packets BIGINT DEFAULT 0 NOT NULL,
    progress_bytes BIGINT DEFAULT 0 NOT NULL,
    progress_total BIGINT DEFAULT 0 NOT NULL,
    input_trace_id UUID,
    input_upload_id UUID,
    output_trace_id UUID,
    output_name TEXT NOT NULL,
    error_code TEXT,
    error_facts JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_jobs PRIMARY KEY (client_id, id),
    CONSTRAINT fk_jobs_client_id_flow_id
        FOREIGN KEY(client_id, flow_id)
        REFERENCES flows (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT fk_jobs_client_id_key_id
        FOREIGN KEY(client_id, key_id)
        REFERENCES engagement_keys (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT ck_jobs_output_when_completed CHECK ((state = 'COMPLETED') = (output_trace_id IS NOT NULL)),
    CONSTRAINT fk_jobs_created_by FOREIGN KEY(created_by) REFERENCES users (id)
);

CREATE INDEX ix_jobs_input_trace ON jobs (client_id, input_trace_id);

CREATE INDEX ix_jobs_newest ON jobs (client_id, created_at, id);

CREATE INDEX ix_jobs_unfinished ON jobs (heartbeat_at) WHERE finished_at IS NULL;

CREATE TABLE traces (
    client_id UUID NOT NULL,
    id UUID NOT NULL,
    flow_id UUID NOT NULL,
    job_id UUID NOT NULL,
    name TEXT NOT NULL,
    origin TEXT NOT NULL,
    format TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    link_types BIGINT[] NOT NULL,
    interfaces BIGINT NOT NULL,
    packets BIGINT NOT NULL,
    captured_bytes BIGINT NOT NULL,
    original_bytes BIGINT NOT NULL,
    truncated_packets BIGINT NOT NULL,
    first_time_ns BIGINT,
    last_time_ns BIGINT,
    address_rules JSONB DEFAULT '[]' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    files_removed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_traces PRIMARY KEY (client_id, id),
    CONSTRAINT fk_traces_client_id_flow_id
        FOREIGN KEY(client_id, flow_id)
        REFERENCES flows (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT fk_traces_client_id_job_id
        FOREIGN KEY(client_id, job_id)
        REFERENCES jobs (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT uq_traces_client_id_job_id UNIQUE (client_id, job_id)
);

CREATE INDEX ix_traces_doomed ON traces (deleted_at)
    WHERE deleted_at IS NOT NULL AND files_removed_at IS NULL;

CREATE INDEX ix_traces_newest ON traces (client_id, created_at, id);

CREATE TABLE uploads (
    client_id UUID NOT NULL,
    id UUID NOT NULL,
    flow_id UUID NOT NULL,
    created_by UUID NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    length_bytes BIGINT NOT NULL,
    offset_bytes BIGINT DEFAULT 0 NOT NULL,
    declared_sha256 TEXT,
    job_id UUID,
    trace_id UUID,
    error_code TEXT,
    error_facts JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_uploads PRIMARY KEY (client_id, id),
    CONSTRAINT fk_uploads_client_id_flow_id
        FOREIGN KEY(client_id, flow_id)
        REFERENCES flows (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT ck_uploads_offset_within_length CHECK (offset_bytes BETWEEN 0 AND length_bytes),
    CONSTRAINT fk_uploads_created_by FOREIGN KEY(created_by) REFERENCES users (id)
);

CREATE INDEX ix_uploads_expiry ON uploads (expires_at) WHERE state = 'RECEIVING';

CREATE INDEX ix_uploads_open ON uploads (client_id, created_by) WHERE state IN ('RECEIVING', 'FINISHING');

CREATE TABLE executions (
    client_id UUID NOT NULL,
    id UUID NOT NULL,
    flow_id UUID NOT NULL,
    job_id UUID NOT NULL,
    attempt BIGINT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    error_code TEXT,
    error_facts JSONB,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_executions PRIMARY KEY (client_id, id),
    CONSTRAINT fk_executions_client_id_flow_id
        FOREIGN KEY(client_id, flow_id)
        REFERENCES flows (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT fk_executions_client_id_job_id
        FOREIGN KEY(client_id, job_id)
        REFERENCES jobs (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT uq_executions_client_id_job_id_attempt UNIQUE (client_id, job_id, attempt),
    CONSTRAINT uq_executions_name UNIQUE (name)
);

CREATE INDEX ix_executions_newest ON executions (client_id, started_at, id);

CREATE TABLE artifacts (
    client_id UUID NOT NULL,
    id UUID NOT NULL,
    execution_id UUID NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    CONSTRAINT pk_artifacts PRIMARY KEY (client_id, id),
    CONSTRAINT fk_artifacts_client_id_execution_id
        FOREIGN KEY(client_id, execution_id)
        REFERENCES executions (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT uq_artifacts_client_id_execution_id_name UNIQUE (client_id, execution_id, name)
);

CREATE TABLE lineage_edges (
    client_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    source_trace_id UUID,
    source_execution_id UUID,
    target_trace_id UUID,
    target_execution_id UUID,
    CONSTRAINT pk_lineage_edges PRIMARY KEY (client_id, id),
    CONSTRAINT fk_lineage_edges_client_id_source_trace_id
        FOREIGN KEY(client_id, source_trace_id)
        REFERENCES traces (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT fk_lineage_edges_client_id_source_execution_id
        FOREIGN KEY(client_id, source_execution_id)
        REFERENCES executions (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT fk_lineage_edges_client_id_target_trace_id
        FOREIGN KEY(client_id, target_trace_id)
        REFERENCES traces (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT fk_lineage_edges_client_id_target_execution_id
        FOREIGN KEY(client_id, target_execution_id)
        REFERENCES executions (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT ck_lineage_edges_one_source CHECK (num_nonnulls(source_trace_id, source_execution_id) = 1),
    CONSTRAINT ck_lineage_edges_one_target CHECK (num_nonnulls(target_trace_id, target_execution_id) = 1),
    CONSTRAINT ck_lineage_edges_kind_fits_ends
        CHECK ((kind = 'USED' AND source_execution_id IS NOT NULL)
        OR (kind = 'GENERATED' AND source_execution_id IS NOT NULL AND target_trace_id IS NOT NULL)
        OR (kind = 'DERIVED_FROM' AND source_trace_id IS NOT NULL AND target_trace_id IS NOT NULL))
);

CREATE INDEX ix_lineage_edges_source_execution ON lineage_edges (client_id, source_execution_id);

CREATE INDEX ix_lineage_edges_source_trace ON lineage_edges (client_id, source_trace_id);

CREATE INDEX ix_lineage_edges_target_execution ON lineage_edges (client_id, target_execution_id);

CREATE INDEX ix_lineage_edges_target_trace ON lineage_edges (client_id, target_trace_id);

CREATE TABLE events (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    client_id UUID NOT NULL,
    flow_id UUID NOT NULL,
    job_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    progress_packets BIGINT,
    progress_bytes BIGINT,
    progress_total BIGINT,
    output_trace_id UUID,
    error_code TEXT,
    error_facts JSONB,
    CONSTRAINT pk_events PRIMARY KEY (id),
    CONSTRAINT fk_events_client_id_flow_id
        FOREIGN KEY(client_id, flow_id)
        REFERENCES flows (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT fk_events_client_id_job_id
        FOREIGN KEY(client_id, job_id)
        REFERENCES jobs (client_id, id) ON DELETE RESTRICT,
    CONSTRAINT uq_events_client_id_job_id_seq UNIQUE (client_id, job_id, seq)
);

CREATE INDEX ix_events_client_log ON events (client_id, xid, id);

CREATE INDEX ix_events_log ON events (xid, id);

CREATE UNIQUE INDEX uq_events_one_end ON events (client_id, job_id)
    WHERE kind IN ('JOB_COMPLETED', 'JOB_FAILED', 'JOB_CANCELLED');

CREATE TABLE idempotency_keys (
    client_id UUID NOT NULL,
    user_id UUID NOT NULL,
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    arguments_sha256 TEXT NOT NULL,
    result_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (client_id, user_id, operation, key),
    CONSTRAINT fk_idempotency_keys_client_id FOREIGN KEY(client_id) REFERENCES clients (id),
    CONSTRAINT fk_idempotency_keys_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE installation (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT pk_installation PRIMARY KEY (name)
);

ALTER TABLE jobs ADD CONSTRAINT fk_jobs_client_id_input_trace_id
    FOREIGN KEY(client_id, input_trace_id)
    REFERENCES traces (client_id, id) ON DELETE RESTRICT;

ALTER TABLE jobs ADD CONSTRAINT fk_jobs_client_id_input_upload_id
    FOREIGN KEY(client_id, input_upload_id)
    REFERENCES uploads (client_id, id) ON DELETE RESTRICT;

ALTER TABLE jobs ADD CONSTRAINT fk_jobs_client_id_output_trace_id
    FOREIGN KEY(client_id, output_trace_id)
    REFERENCES traces (client_id, id) ON DELETE RESTRICT;

ALTER TABLE uploads ADD CONSTRAINT fk_uploads_client_id_trace_id
    FOREIGN KEY(client_id, trace_id)
    REFERENCES traces (client_id, id) ON DELETE RESTRICT;

ALTER TABLE uploads ADD CONSTRAINT fk_uploads_client_id_job_id
    FOREIGN KEY(client_id, job_id)
    REFERENCES jobs (client_id, id) ON DELETE RESTRICT
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '30s'")
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '30s'")
    for statement in reversed(TABLES.split(";")):
        if "CREATE TABLE" in statement:
            op.execute(f"DROP TABLE {statement.split()[2]} CASCADE")
