"""Submission: a job, its first event and its message, at once."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from gql_server.domain.access import Actor
from gql_server.domain.errors import InvalidInput
from gql_server.domain.events import EventKind
from gql_server.domain.ids import FlowId, JobId, TraceId, UploadId
from gql_server.domain.jobs import MAX_ATTEMPTS, Job, JobKind, JobState, Progress
from gql_server.store import events, jobs, queue
from gql_server.store.database import Session
from gql_server.store.idempotency import MarkedRequest
from gql_server.store.jobs import JobOrder

MAX_KEY = 255


def marked(operation: str, key: str | None, arguments: dict[str, Any]) -> MarkedRequest | None:
    """Return the request as its sender marked it, or None without a key.

    Raises:
        InvalidInput: the key is empty or too long.
    """
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY:
        raise InvalidInput(field="idempotencyKey", reason=f"1 to {MAX_KEY} characters are wanted")
    said = json.dumps(arguments, sort_keys=True, default=str).encode()
    return MarkedRequest(operation=operation, key=key, arguments_sha256=hashlib.sha256(said).hexdigest())


def new_job(
    actor: Actor,
    *,
    job_id: JobId,
    flow_id: FlowId,
    kind: JobKind,
    trace_id: TraceId | None = None,
    upload_id: UploadId | None = None,
) -> Job:
    """Return a job as it is before anybody touched it."""
    return Job(
        id=job_id,
        client_id=actor.client_id,
        flow_id=flow_id,
        created_by=actor.user_id,
        kind=kind,
        state=JobState.PENDING,
        attempt=0,
        max_attempts=MAX_ATTEMPTS,
        progress=Progress(packets=0, bytes_done=0, bytes_total=0),
        input_trace_id=trace_id,
        input_upload_id=upload_id,
        output_trace_id=None,
        error=None,
        created_at=datetime.now(UTC),
        started_at=None,
        finished_at=None,
    )


async def submit(session: Session, job: Job, order: JobOrder) -> None:
    """Add the job, say so, and queue it, in the caller's transaction, which already holds the job's lock."""
    await jobs.add_job(session, job, order)
    await events.append_event(session, job.id, EventKind.JOB_SUBMITTED)
    await queue.enqueue_job(session, job.client_id, job.id, job.attempt)
