"""Jobs and executions: states and the moves between them.

    PENDING ──claim──▶ RUNNING ──finish──▶ COMPLETED
       │  ◀──retry────┘  │  └────fail────▶ FAILED
       │                cancel
     cancel              ▼
       └────────────▶ CANCELLING ──stop──▶ CANCELLED
      (straight to CANCELLED when nobody works on it)

A job is what was asked; an execution is one isolated attempt at it. `attempt` is the fencing token: every write
of an attempt names it, so a worker that lost its lease can change nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gql_server.domain.errors import GqlServerError
from gql_server.domain.ids import ArtifactId, ClientId, ExecutionId, FlowId, JobId, TraceId, UploadId, UserId

MAX_ATTEMPTS = 3
"""How often a job is tried when its child process dies without a verdict."""


class JobKind(StrEnum):
    """What a job does."""

    INGEST = "INGEST"
    ADDRESS_ANONYMIZATION = "ADDRESS_ANONYMIZATION"
    MAC_TRANSFORMATION = "MAC_TRANSFORMATION"
    DICOM_EXTRACTION = "DICOM_EXTRACTION"
    """Tells of a trace and makes none."""
    DICOM_DEIDENTIFICATION = "DICOM_DEIDENTIFICATION"
    DEIDENTIFICATION = "DEIDENTIFICATION"
    """Addresses and DICOM at once."""


class JobState(StrEnum):
    """Where a job stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the job any more."""
        return self in FINAL_STATES


FINAL_STATES = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED})

MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.PENDING: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.FAILED}),
    JobState.RUNNING: frozenset(
        {JobState.RUNNING, JobState.PENDING, JobState.CANCELLING, JobState.COMPLETED, JobState.FAILED}
    ),
    JobState.CANCELLING: frozenset({JobState.CANCELLED}),
    JobState.COMPLETED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
"""Every allowed move. RUNNING to RUNNING is another worker taking over an expired lease."""


def can_move(before: JobState, after: JobState) -> bool:
    """Say whether a job may go from one state to the other."""
    return after in MOVES[before]


class ExecutionState(StrEnum):
    """Where an execution stands; all but RUNNING are final."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    ABANDONED = "ABANDONED"
    """Its worker died or lost the lease; another execution took over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on one job: good while the heartbeat is younger than the lease time."""

    client_id: ClientId
    job_id: JobId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an attempt has come."""

    packets: int
    """Packets handled so far."""
    bytes_done: int
    """Bytes of the input read so far."""
    bytes_total: int
    """Bytes of the input; 0 when not known."""

    @property
    def fraction(self) -> float:
        """Share of the input that is done, 0 to 1."""
        return min(1.0, self.bytes_done / self.bytes_total) if self.bytes_total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job, as remembered."""

    id: JobId
    client_id: ClientId
    flow_id: FlowId
    created_by: UserId
    kind: JobKind
    state: JobState
    attempt: int
    """Attempts begun; the fencing token of the current one."""
    max_attempts: int
    progress: Progress
    input_trace_id: TraceId | None
    input_upload_id: UploadId | None
    output_trace_id: TraceId | None
    error: GqlServerError | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One attempt at a job, as remembered."""

    id: ExecutionId
    client_id: ClientId
    flow_id: FlowId
    job_id: JobId
    attempt: int
    name: str
    """Its directory: exec_<UTC time>_<8 hex>."""
    state: ExecutionState
    error: GqlServerError | None
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file an execution made."""

    id: ArtifactId
    client_id: ClientId
    execution_id: ExecutionId
    name: str
    media_type: str
    size_bytes: int
    sha256: str
