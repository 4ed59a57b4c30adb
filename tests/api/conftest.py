"""What tests of the api are given: real rows, real doors."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from gql_server.api.routes import ApiOptions, build_routes
from gql_server.domain.access import Actor
from gql_server.domain.errors import GqlServerError
from gql_server.domain.events import EventKind
from gql_server.domain.ids import ArtifactId, ExecutionId, JobId, TraceId, new_id
from gql_server.domain.jobs import Artifact, Execution, ExecutionState, Job, JobKind, JobState, Lease
from gql_server.domain.traces import CaptureFormat, CaptureSummary, Trace, TraceOrigin
from gql_server.services.resources import Resources
from gql_server.services.submission import new_job, submit
from gql_server.store import events, executions, flows, jobs, traces
from gql_server.store.jobs import JobOrder
from tests.graphql_client import HOST

NewApp = Callable[[Actor | None], Starlette]
AddJob = Callable[..., Awaitable[Job]]
AddTrace = Callable[..., Awaitable[Trace]]
AddExecution = Callable[[Job], Awaitable[Execution]]

OPTIONS = ApiOptions(
    public_url=None,
    allowed_hosts=(HOST,),
    allowed_origins=("http://app.example",),
    upload_bytes=64 << 30,
    graphiql=True,
)

SUMMARY = CaptureSummary(
    format=CaptureFormat.PCAP,
    sha256="ab" * 32,
    size_bytes=5_000_000_000,
    link_types=(1, 65000),
    interfaces=2,
    packets=12,
    captured_bytes=1200,
    original_bytes=1500,
    truncated_packets=3,
    first_time_ns=1_700_000_000_000_000_001,
    last_time_ns=1_700_000_001_999_999_999,
)


@pytest.fixture
def new_app(resources: Resources) -> NewApp:
    """Build the application as one actor sees it; None is a stranger."""

    def make(actor: Actor | None) -> Starlette:
        async def authenticate(_: HTTPConnection) -> Actor | None:
            return actor

        return Starlette(routes=build_routes(resources, authenticate, OPTIONS))

    return make


@pytest.fixture
def app(new_app: NewApp, actor: Actor) -> Starlette:
    return new_app(actor)


@pytest.fixture
def add_job(resources: Resources) -> AddJob:
    """Submit a job, and end it where a state is asked for."""

    async def add(
        actor: Actor,
        *,
        kind: JobKind = JobKind.INGEST,
        state: JobState = JobState.PENDING,
        trace_id: TraceId | None = None,
        error: GqlServerError | None = None,
    ) -> Job:
        async with resources.database.transaction(actor.client_id) as session:
            flow = await flows.find_default_flow(session)
            assert flow is not None
            job = new_job(actor, job_id=JobId(new_id()), flow_id=flow.id, kind=kind, trace_id=trace_id)
            await jobs.lock_job(session, job.id)
            await submit(session, job, JobOrder(parameters={}, key_id=None, output_name="Example output"))
        if state is not JobState.PENDING:
            await end_job(resources, job, state, error)
        return job

    return add


async def end_job(
    resources: Resources, job: Job, state: JobState, error: GqlServerError | None = None, trace: Trace | None = None
) -> None:
    """End a job as its worker would: the row, the output trace and the event in one transaction."""
    kinds = {
        JobState.COMPLETED: EventKind.JOB_COMPLETED,
        JobState.FAILED: EventKind.JOB_FAILED,
        JobState.CANCELLED: EventKind.JOB_CANCELLED,
    }
    output = None if trace is None else trace.id
    async with resources.database.transaction(job.client_id) as session:
        await jobs.lock_job(session, job.id)
        claimed = await jobs.claim_job(session, job.id, resources.limits.lease_time)
        assert claimed is not None
        if trace is not None:
            await traces.add_trace(session, trace)
        lease = Lease(client_id=job.client_id, job_id=job.id, attempt=claimed.attempt)
        before = JobState.RUNNING
        if state is JobState.CANCELLED:
            await jobs.request_cancel(session, job.id)
            before = JobState.CANCELLING
        assert await jobs.end_job(session, lease, before=before, after=state, output_trace_id=output, error=error)
        await events.append_event(session, job.id, kinds[state], output_trace_id=output, error=error)
    resources.announcer.announce()


def trace_of(job: Job, name: str = "Example trace") -> Trace:
    """Return the trace that a job is about to make."""
    return Trace(
        id=TraceId(new_id()),
        client_id=job.client_id,
        flow_id=job.flow_id,
        job_id=job.id,
        name=name,
        origin=TraceOrigin.UPLOADED,
        summary=SUMMARY,
        address_rules=(),
        mac_rules=(),
        verification=None,
        created_at=datetime.now(UTC),
        deleted_at=None,
    )


@pytest.fixture
def add_trace(resources: Resources, add_job: AddJob) -> AddTrace:
    """Add a trace with the job that made it; its file only where content is given."""

    async def add(actor: Actor, name: str = "Example trace", *, content: bytes | None = None) -> Trace:
        job = await add_job(actor)
        trace = trace_of(job, name)
        if content is not None:
            digest = hashlib.sha256(content).hexdigest()
            trace = replace(trace, summary=replace(SUMMARY, size_bytes=len(content), sha256=digest))
            staging = resources.blobs.stage(job.id, 1)
            (staging / trace.summary.format.file_name).write_bytes(content)
            resources.blobs.publish(staging, trace.id)
        await end_job(resources, job, JobState.COMPLETED, trace=trace)
        return trace

    return add


@pytest.fixture
def add_execution(resources: Resources) -> AddExecution:
    """Add an execution with one artifact."""

    async def add(job: Job) -> Execution:
        name = f"exec_20261121T010203Z_{new_id().hex[:8]}"
        execution = Execution(
            id=ExecutionId(new_id()),
            client_id=job.client_id,
            flow_id=job.flow_id,
            job_id=job.id,
            attempt=1,
            name=name,
            state=ExecutionState.RUNNING,
            error=None,
            started_at=datetime.now(UTC),
            finished_at=None,
        )
        artifact = Artifact(
            id=ArtifactId(new_id()),
            client_id=job.client_id,
            execution_id=execution.id,
            name="report.json",
            media_type="application/json",
            size_bytes=2,
            sha256="cd" * 32,
        )
        async with resources.database.transaction(job.client_id) as session:
            await executions.add_execution(session, execution)
            await executions.add_artifact(session, artifact)
        resources.blobs.create_execution(name)
        resources.blobs.write_execution_file(name, artifact.name, b"{}")
        return execution

    return add
