"""The tables.

Every tenant table carries `client_id`, has the primary key (client_id, id) and refers to others by both columns, so
a reference across tenants cannot be stored. Row-level security is set up in the migrations.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id; compared as a number, never as text."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Name the type in DDL."""
        return "xid8"


class Table(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads it as a class attribute
        datetime: DateTime(timezone=True),
        str: Text,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        int: BigInteger,
        bytes: BYTEA,
    }


def to(table: str, column: str, *, use_alter: bool = False) -> ForeignKeyConstraint:
    """Refer to a row of the same tenant."""
    return ForeignKeyConstraint(
        ["client_id", column], [f"{table}.client_id", f"{table}.id"], use_alter=use_alter, ondelete="RESTRICT"
    )


class Clients(Table):
    """Tenants."""

    __tablename__ = "clients"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Users(Table):
    """People and machines; a user belongs to clients by memberships."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Memberships(Table):
    """Who may do what inside which client."""

    __tablename__ = "memberships"

    client_id: Mapped[UUID] = mapped_column(ForeignKey("clients.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str]


class Engagements(Table):
    """Frames of work inside a client."""

    __tablename__ = "engagements"

    client_id: Mapped[UUID] = mapped_column(ForeignKey("clients.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class EngagementKeys(Table):
    """Pseudonym keys, wrapped; the key that wraps them is not in the database."""

    __tablename__ = "engagement_keys"
    __table_args__ = (
        to("engagements", "engagement_id"),
        CheckConstraint("(destroyed_at IS NULL) = (wrapped IS NOT NULL)", name="gone_when_destroyed"),
        Index(
            "uq_engagement_keys_current",
            "client_id",
            "engagement_id",
            unique=True,
            postgresql_where=text("destroyed_at IS NULL"),
        ),
    )

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    engagement_id: Mapped[UUID]
    wrapped: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    destroyed_at: Mapped[datetime | None]
    destroyed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))


class Flows(Table):
    """Pieces of work inside an engagement."""

    __tablename__ = "flows"
    __table_args__ = (
        to("engagements", "engagement_id"),
        Index("uq_flows_default", "client_id", "engagement_id", unique=True, postgresql_where=text("is_default")),
        Index("ix_flows_newest", "client_id", "created_at", "id"),
    )

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    engagement_id: Mapped[UUID]
    name: Mapped[str]
    type: Mapped[str]
    state: Mapped[str]
    is_default: Mapped[bool] = mapped_column(server_default=text("false"))
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Uploads(Table):
    """Resumable transfers."""

    __tablename__ = "uploads"
    __table_args__ = (
        to("flows", "flow_id"),
        to("jobs", "job_id", use_alter=True),
        to("traces", "trace_id", use_alter=True),
        CheckConstraint("offset_bytes BETWEEN 0 AND length_bytes", name="offset_within_length"),
        Index(
            "ix_uploads_open", "client_id", "created_by", postgresql_where=text("state IN ('RECEIVING', 'FINISHING')")
        ),
        Index("ix_uploads_expiry", "expires_at", postgresql_where=text("state = 'RECEIVING'")),
    )

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    flow_id: Mapped[UUID]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    state: Mapped[str]
    length_bytes: Mapped[int]
    offset_bytes: Mapped[int] = mapped_column(server_default=text("0"))
    declared_sha256: Mapped[str | None]
    job_id: Mapped[UUID | None]
    trace_id: Mapped[UUID | None]
    error_code: Mapped[str | None]
    error_facts: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]


class Traces(Table):
    """Immutable captures; name, next rules and deletion may change."""

    __tablename__ = "traces"
    __table_args__ = (
        to("flows", "flow_id"),
        to("jobs", "job_id"),
        to("executions", "dicom_execution_id", use_alter=True),
        UniqueConstraint("client_id", "job_id"),
        Index("ix_traces_newest", "client_id", "created_at", "id"),
        Index(
            "ix_traces_doomed",
            "deleted_at",
            postgresql_where=text("deleted_at IS NOT NULL AND files_removed_at IS NULL"),
        ),
    )

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    flow_id: Mapped[UUID]
    job_id: Mapped[UUID]
    name: Mapped[str]
    origin: Mapped[str]
    format: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    link_types: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    interfaces: Mapped[int]
    packets: Mapped[int]
    captured_bytes: Mapped[int]
    original_bytes: Mapped[int]
    truncated_packets: Mapped[int]
    first_time_ns: Mapped[int | None]
    last_time_ns: Mapped[int | None]
    address_rules: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    mac_rules: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    dicom_overrides: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    dicom_execution_id: Mapped[UUID | None]
    """The latest execution that listed its DICOM associations and devices."""
    verification: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]
    files_removed_at: Mapped[datetime | None]


class Jobs(Table):
    """What was asked; the truth about who works on it."""

    __tablename__ = "jobs"
    __table_args__ = (
        to("flows", "flow_id"),
        to("traces", "input_trace_id", use_alter=True),
        to("traces", "output_trace_id", use_alter=True),
        to("uploads", "input_upload_id", use_alter=True),
        to("engagement_keys", "key_id"),
        CheckConstraint(
            "(state = 'COMPLETED' AND kind <> 'DICOM_EXTRACTION') = (output_trace_id IS NOT NULL)",
            name="output_when_completed",
        ),
        Index("ix_jobs_newest", "client_id", "created_at", "id"),
        Index("ix_jobs_unfinished", "heartbeat_at", postgresql_where=text("finished_at IS NULL")),
        Index("ix_jobs_input_trace", "client_id", "input_trace_id"),
    )

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    flow_id: Mapped[UUID]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    """Versioned parameters and the snapshot of the rules, taken at submit."""
    key_id: Mapped[UUID | None]
    state: Mapped[str]
    attempt: Mapped[int] = mapped_column(server_default=text("0"))
    max_attempts: Mapped[int]
    seq: Mapped[int] = mapped_column(server_default=text("0"))
    heartbeat_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """Last sign of life: of the worker while one works, of the hand that queued it before."""
    progress_packets: Mapped[int] = mapped_column(server_default=text("0"))
    progress_bytes: Mapped[int] = mapped_column(server_default=text("0"))
    progress_total: Mapped[int] = mapped_column(server_default=text("0"))
    input_trace_id: Mapped[UUID | None]
    input_upload_id: Mapped[UUID | None]
    output_trace_id: Mapped[UUID | None]
    output_name: Mapped[str]
    error_code: Mapped[str | None]
    error_facts: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Executions(Table):
    """Attempts at jobs, each in a directory of its own."""

    __tablename__ = "executions"
    __table_args__ = (
        to("flows", "flow_id"),
        to("jobs", "job_id"),
        UniqueConstraint("client_id", "job_id", "attempt"),
        UniqueConstraint("name"),
        Index("ix_executions_newest", "client_id", "started_at", "id"),
    )

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    flow_id: Mapped[UUID]
    job_id: Mapped[UUID]
    attempt: Mapped[int]
    name: Mapped[str]
    state: Mapped[str]
    error_code: Mapped[str | None]
    error_facts: Mapped[dict[str, Any] | None]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]


class Artifacts(Table):
    """Files that executions made."""

    __tablename__ = "artifacts"
    __table_args__ = (to("executions", "execution_id"), UniqueConstraint("client_id", "execution_id", "name"))

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    execution_id: Mapped[UUID]
    name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[str]


class LineageEdges(Table):
    """What used, generated or was derived from what; outlives deletion."""

    __tablename__ = "lineage_edges"
    __table_args__ = (
        to("traces", "source_trace_id"),
        to("executions", "source_execution_id"),
        to("traces", "target_trace_id"),
        to("executions", "target_execution_id"),
        CheckConstraint("num_nonnulls(source_trace_id, source_execution_id) = 1", name="one_source"),
        CheckConstraint("num_nonnulls(target_trace_id, target_execution_id) = 1", name="one_target"),
        CheckConstraint(
            "(kind = 'USED' AND source_execution_id IS NOT NULL)"
            " OR (kind = 'GENERATED' AND source_execution_id IS NOT NULL AND target_trace_id IS NOT NULL)"
            " OR (kind = 'DERIVED_FROM' AND source_trace_id IS NOT NULL AND target_trace_id IS NOT NULL)",
            name="kind_fits_ends",
        ),
        Index("ix_lineage_edges_source_trace", "client_id", "source_trace_id"),
        Index("ix_lineage_edges_source_execution", "client_id", "source_execution_id"),
        Index("ix_lineage_edges_target_trace", "client_id", "target_trace_id"),
        Index("ix_lineage_edges_target_execution", "client_id", "target_execution_id"),
    )

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    source_trace_id: Mapped[UUID | None]
    source_execution_id: Mapped[UUID | None]
    target_trace_id: Mapped[UUID | None]
    target_execution_id: Mapped[UUID | None]


class Events(Table):
    """Committed facts about jobs, append-only; (xid, id) is the cursor, seq the order within a job."""

    __tablename__ = "events"
    __table_args__ = (
        to("flows", "flow_id"),
        to("jobs", "job_id"),
        UniqueConstraint("client_id", "job_id", "seq"),
        Index(
            "uq_events_one_end",
            "client_id",
            "job_id",
            unique=True,
            postgresql_where=text("kind IN ('JOB_COMPLETED', 'JOB_FAILED', 'JOB_CANCELLED')"),
        ),
        Index("ix_events_log", "xid", "id"),
        Index("ix_events_client_log", "client_id", "xid", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    client_id: Mapped[UUID]
    flow_id: Mapped[UUID]
    job_id: Mapped[UUID]
    seq: Mapped[int]
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    progress_packets: Mapped[int | None]
    progress_bytes: Mapped[int | None]
    progress_total: Mapped[int | None]
    output_trace_id: Mapped[UUID | None]
    error_code: Mapped[str | None]
    error_facts: Mapped[dict[str, Any] | None]


class IdempotencyKeys(Table):
    """Keys of mutations already carried out, with what they made."""

    __tablename__ = "idempotency_keys"

    client_id: Mapped[UUID] = mapped_column(ForeignKey("clients.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    operation: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    arguments_sha256: Mapped[str]
    result_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Installation(Table):
    """Facts about this installation as a whole: the token of the data directory."""

    __tablename__ = "installation"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
