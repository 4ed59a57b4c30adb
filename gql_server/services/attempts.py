"""Attempts: claim a job and open its execution."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from gql_server.domain.events import EventKind
from gql_server.domain.ids import ClientId, ExecutionId, JobId, new_id
from gql_server.domain.jobs import Execution, ExecutionState, Job, Lease
from gql_server.services.resources import Resources
from gql_server.store import events, executions, jobs
from gql_server.store.jobs import JobOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt in hand: the job as claimed, what was asked, and where it is written down."""

    job: Job
    order: JobOrder
    execution: Execution
    abandoned: tuple[Execution, ...] = ()
    """Executions that a dead worker left open, closed by this attempt's claim."""

    @property
    def lease(self) -> Lease:
        """The right to write for this job."""
        return Lease(client_id=self.job.client_id, job_id=self.job.id, attempt=self.job.attempt)


def execution_name(at: datetime) -> str:
    """Return a name for an execution's directory: its UTC time, and 8 random hex digits to tell it from others."""
    return f"exec_{at.astimezone(UTC):%Y%m%dT%H%M%SZ}_{secrets.token_hex(4)}"


async def begin(resources: Resources, client_id: ClientId, job_id: JobId) -> Attempt | None:
    """Claim the job and open an execution; None when it is not free."""
    async with resources.database.transaction(client_id) as session:
        await jobs.lock_job(session, job_id)
        job = await jobs.claim_job(session, job_id, resources.limits.lease_time)
        if job is None:
            return None
        abandoned = await executions.abandon_executions(session, job_id)
        now = datetime.now(UTC)
        execution = Execution(
            id=ExecutionId(new_id()),
            client_id=client_id,
            flow_id=job.flow_id,
            job_id=job_id,
            attempt=job.attempt,
            name=execution_name(now),
            state=ExecutionState.RUNNING,
            error=None,
            started_at=now,
            finished_at=None,
        )
        await executions.add_execution(session, execution)
        await events.append_event(session, job_id, EventKind.JOB_STARTED)
        order = await jobs.find_order(session, job_id)
    resources.announcer.announce()
    return Attempt(job=job, order=order, execution=execution, abandoned=abandoned)
