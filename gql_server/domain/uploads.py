"""Uploads: resumable transfers that end as a trace."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gql_server.domain.errors import GqlServerError
from gql_server.domain.ids import ClientId, FlowId, JobId, TraceId, UploadId, UserId


class UploadState(StrEnum):
    """Where an upload stands."""

    RECEIVING = "RECEIVING"
    FINISHING = "FINISHING"
    """All bytes are here and an INGEST job looks at them."""
    FINISHED = "FINISHED"
    """It became a trace."""
    REFUSED = "REFUSED"
    """It is no capture we take; `error` says why and at which byte."""
    ABORTED = "ABORTED"
    EXPIRED = "EXPIRED"


OPEN_STATES = frozenset({UploadState.RECEIVING, UploadState.FINISHING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload, as remembered."""

    id: UploadId
    client_id: ClientId
    flow_id: FlowId
    created_by: UserId
    name: str
    state: UploadState
    length_bytes: int
    offset_bytes: int
    """Bytes that are on disk, fsynced."""
    declared_sha256: str | None
    """Digest of the received bytes as the client declared it, 64 hex digits."""
    job_id: JobId | None
    """The INGEST job, once finished."""
    trace_id: TraceId | None
    error: GqlServerError | None
    created_at: datetime
    expires_at: datetime
