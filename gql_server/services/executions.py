"""Executions: carry out one attempt at a job.

    claim ─▶ plan ─▶ child works, heart beats ─▶ publish ─▶ one transaction: job, trace, lineage, event

The attempt number fences every write. Whatever happens on the way, exactly one of these holds at the end: the job
completed with one trace (an extraction with its lists and none), it failed or was cancelled with none, or another
attempt owns it.
"""

import asyncio
import logging

from gql_server.domain.access import Actor
from gql_server.domain.errors import (
    AttemptsExhausted,
    ChildCrashed,
    GqlServerError,
    JobCancelled,
    LeaseLost,
    NotFound,
)
from gql_server.domain.events import EventKind
from gql_server.domain.ids import ClientId, ExecutionId, JobId
from gql_server.domain.jobs import ExecutionState, Job, JobState, Lease
from gql_server.services import attempts, publication
from gql_server.services.attempts import Attempt
from gql_server.services.heartbeat import supervise
from gql_server.services.manifests import seal_abandoned, seal_manifest
from gql_server.services.plans import make_plan
from gql_server.services.resources import Resources
from gql_server.services.traces import OpenFile
from gql_server.services.uploads import close_upload_of
from gql_server.store import events, executions, jobs, queue

log = logging.getLogger(__name__)


async def carry_out(resources: Resources, client_id: ClientId, job_id: JobId) -> None:
    """Carry out one attempt at the job, if it is free; else settle it when nobody can any more."""
    attempt = await attempts.begin(resources, client_id, job_id)
    if attempt is None:
        await settle_dead_job(resources, client_id, job_id)
        return
    facts = {"job_id": str(job_id), "execution": attempt.execution.name, "kind": attempt.job.kind.value}
    log.info("execution started", extra=facts)
    try:
        await seal_abandoned(resources, attempt, attempt.abandoned)
        outcome = await _carry_on(resources, attempt)
    except asyncio.CancelledError:
        await asyncio.shield(_hand_back(resources, attempt))
        raise
    log.info("execution ended", extra=facts | {"outcome": outcome.value})


async def _carry_on(resources: Resources, attempt: Attempt) -> ExecutionState:
    try:
        await _make_output(resources, attempt)
    except LeaseLost:
        await seal_manifest(resources, attempt, ExecutionState.ABANDONED, None)
        return ExecutionState.ABANDONED
    except ChildCrashed as error:
        return await _retry(resources, attempt, error)
    except JobCancelled as error:
        return await _end(resources, attempt, JobState.CANCELLED, error)
    except GqlServerError as error:
        return await _end(resources, attempt, JobState.FAILED, error)
    return ExecutionState.COMPLETED


async def _make_output(resources: Resources, attempt: Attempt) -> None:
    try:
        await asyncio.to_thread(resources.blobs.create_execution, attempt.execution.name)
        plan = await make_plan(resources, attempt)
        plan, result = await supervise(resources, attempt.lease, plan)
        await publication.publish(resources, attempt, plan, result)
    finally:
        # Before anything else is written: on a full disk this is the room for the manifest.
        await asyncio.to_thread(resources.blobs.discard_stage, attempt.job.id, attempt.job.attempt)


async def _end(resources: Resources, attempt: Attempt, after: JobState, error: GqlServerError) -> ExecutionState:
    """Close the job without a trace; a cancellation that came first wins over a failure."""
    async with resources.database.transaction(attempt.lease.client_id) as session:
        await jobs.lock_job(session, attempt.job.id)
        if after is JobState.FAILED and not await jobs.end_job(
            session, attempt.lease, before=JobState.RUNNING, after=after, error=error
        ):
            after, error = JobState.CANCELLED, JobCancelled()
        if after is JobState.CANCELLED and not await jobs.end_job(
            session, attempt.lease, before=JobState.CANCELLING, after=after, error=error
        ):
            after = JobState.RUNNING
        state = {JobState.FAILED: ExecutionState.FAILED, JobState.CANCELLED: ExecutionState.CANCELLED}.get(
            after, ExecutionState.ABANDONED
        )
        if state is not ExecutionState.ABANDONED:
            await executions.end_execution(session, attempt.execution.id, state, error)
            await close_upload_of(session, attempt.job, error)
            await events.append_event(session, attempt.job.id, _EVENT_OF[after], error=error)
    resources.announcer.announce()
    await seal_manifest(resources, attempt, state, error)
    return state


_EVENT_OF = {JobState.FAILED: EventKind.JOB_FAILED, JobState.CANCELLED: EventKind.JOB_CANCELLED}


async def _retry(resources: Resources, attempt: Attempt, error: ChildCrashed) -> ExecutionState:
    job = attempt.job
    if job.attempt >= job.max_attempts:
        return await _end(resources, attempt, JobState.FAILED, AttemptsExhausted(attempts=job.attempt))
    async with resources.database.transaction(job.client_id) as session:
        await jobs.lock_job(session, job.id)
        retried = await jobs.end_job(session, attempt.lease, before=JobState.RUNNING, after=JobState.PENDING)
        if retried:
            await executions.end_execution(session, attempt.execution.id, ExecutionState.FAILED, error)
            await events.append_event(session, job.id, EventKind.JOB_RETRIED, error=error)
            await queue.enqueue_job(session, job.client_id, job.id, job.attempt)
    if not retried:
        return await _end(resources, attempt, JobState.CANCELLED, JobCancelled())
    resources.announcer.announce()
    await seal_manifest(resources, attempt, ExecutionState.FAILED, error)
    return ExecutionState.FAILED


async def _hand_back(resources: Resources, attempt: Attempt) -> None:
    """Give the job to others at once when this worker is told to stop; that is no failed attempt."""
    job = attempt.job
    async with resources.database.transaction(job.client_id) as session:
        await jobs.lock_job(session, job.id)
        if not await jobs.end_job(session, attempt.lease, before=JobState.RUNNING, after=JobState.PENDING):
            # Done by now, or another's: the manifest says what it says.
            return
        await jobs.allow_another_attempt(session, job.id)
        await executions.end_execution(session, attempt.execution.id, ExecutionState.ABANDONED, None)
        await queue.enqueue_job(session, job.client_id, job.id, job.attempt)
    await seal_manifest(resources, attempt, ExecutionState.ABANDONED, None)


async def settle_dead_job(resources: Resources, client_id: ClientId, job_id: JobId) -> bool:
    """End a job whose worker died and that may not be tried again; say whether it was one."""
    async with resources.database.transaction(client_id) as session:
        await jobs.lock_job(session, job_id)
        job = await jobs.find_dead_job(session, job_id, resources.limits.lease_time)
        if job is None:
            return False
        lease = Lease(client_id=client_id, job_id=job_id, attempt=job.attempt)
        after, error = _verdict_on(job)
        await jobs.end_job(session, lease, before=job.state, after=after, error=error)
        abandoned = await executions.abandon_executions(session, job_id)
        order = await jobs.find_order(session, job_id)
        await close_upload_of(session, job, error)
        await events.append_event(session, job_id, _EVENT_OF[after], error=error)
    resources.announcer.announce()
    for execution in abandoned:
        await seal_abandoned(resources, Attempt(job=job, order=order, execution=execution), (execution,))
    log.warning("dead job settled", extra={"job_id": str(job_id), "state": after.value})
    return True


def _verdict_on(job: Job) -> tuple[JobState, GqlServerError]:
    if job.state is JobState.CANCELLING:
        return JobState.CANCELLED, JobCancelled()
    return JobState.FAILED, AttemptsExhausted(attempts=job.attempt)


async def open_artifact(resources: Resources, actor: Actor, *, execution_id: ExecutionId, name: str) -> OpenFile:
    """Open a file that an execution made.

    Raises:
        NotFound, BlobMissing.
    """
    async with resources.database.read(actor.client_id) as connection:
        execution = (await executions.find_executions(connection, [execution_id])).get(execution_id)
        known = (await executions.find_artifacts(connection, [execution_id])).get(execution_id, ())
    artifact = next((artifact for artifact in known if artifact.name == name), None)
    if execution is None or artifact is None:
        raise NotFound(noun="artifact")
    file, size = await asyncio.to_thread(resources.blobs.open_artifact, execution.name, artifact.name)
    return OpenFile(file=file, size_bytes=size, file_name=artifact.name, sha256=artifact.sha256)
