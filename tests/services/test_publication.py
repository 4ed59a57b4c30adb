"""Publication: all of a trace, or nothing of it."""

import hashlib
import json

import pytest

from gql_server.domain.access import Actor
from gql_server.domain.errors import JobCancelled, LeaseLost
from gql_server.domain.events import EventKind
from gql_server.domain.jobs import ExecutionState, Job, JobState
from gql_server.domain.lineage import Direction, EdgeKind
from gql_server.domain.traces import Trace, TraceOrigin
from gql_server.domain.uploads import UploadState
from gql_server.engine.tasks import Result
from gql_server.services import attempts, jobs
from gql_server.services.attempts import Attempt
from gql_server.services.plans import Plan, make_plan, run_plan
from gql_server.services.publication import publish
from gql_server.services.resources import Resources
from gql_server.services.uploads import find_upload
from gql_server.store import executions as stored_executions
from gql_server.store import lineage
from tests.services.desk import (
    claim,
    events_of,
    executions_of,
    ingest,
    job_now,
    manifest_of,
    names_in,
    receive,
    silence,
    start,
    traces_of,
    with_child,
)


async def finish(resources: Resources, job: Job) -> tuple[Attempt, Plan, Result]:
    """Do all of an attempt but its publication."""
    attempt = await claim(resources, job)
    plan, result = await run_plan(with_child(resources), await make_plan(resources, attempt), lambda _: None)
    return attempt, plan, result


async def test_an_upload_becomes_a_trace_with_everything_around_it(resources: Resources, actor: Actor) -> None:
    upload, job = await receive(resources, actor, b"some bytes")
    attempt, plan, result = await finish(resources, job)
    await publish(resources, attempt, plan, result)
    (trace,) = await traces_of(resources, actor, job.id)
    now = await job_now(resources, job)
    assert (now.state, now.output_trace_id) == (JobState.COMPLETED, trace.id)
    assert (trace.name, trace.origin) == (upload.name, TraceOrigin.UPLOADED)
    assert resources.blobs.trace_path(trace.id, "capture.pcap").read_bytes() == b"some bytes"
    read = await find_upload(resources, actor, upload.id)
    assert (read.state, read.trace_id) == (UploadState.FINISHED, trace.id)
    assert names_in(resources, "uploads") == names_in(resources, "staging") == []
    last = (await events_of(resources, job))[-1]
    assert (last.kind, last.output_trace_id) == (EventKind.JOB_COMPLETED, trace.id)


async def test_what_is_listed_is_what_lies_there_and_cannot_be_changed(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    attempt, plan, result = await finish(resources, job)
    await publish(resources, attempt, plan, result)
    (execution,) = await executions_of(resources, job)
    assert execution.state is ExecutionState.COMPLETED
    async with resources.database.read(actor.client_id) as connection:
        artifacts = (await stored_executions.find_artifacts(connection, [execution.id]))[execution.id]
    directory = resources.blobs._root / "executions" / execution.name
    assert sorted(path.name for path in directory.iterdir()) == [artifact.name for artifact in artifacts]
    for artifact in artifacts:
        content = (directory / artifact.name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (artifact.size_bytes, artifact.sha256)
    assert {path.stat().st_mode & 0o222 for path in (directory, *directory.iterdir())} == {0}


async def test_a_derived_trace_knows_where_it_comes_from(resources: Resources, actor: Actor) -> None:
    original = await ingest(resources, actor)
    job = await start(resources, actor, original)
    attempt, plan, result = await finish(resources, job)
    await publish(resources, attempt, plan, result)
    (trace,) = await traces_of(resources, actor, job.id)
    async with resources.database.read(actor.client_id) as connection:
        found = await lineage.walk(
            connection, trace_id=trace.id, execution_id=None, direction=Direction.ANCESTORS, depth=1
        )
    kinds = {
        edge.kind: (edge.source_trace_id or edge.source_execution_id, edge.target_trace_id) for edge in found.edges
    }
    assert kinds[EdgeKind.DERIVED_FROM] == (trace.id, original.id)
    assert kinds[EdgeKind.GENERATED] == (attempt.execution.id, trace.id)
    beside = json.loads(resources.blobs.trace_path(trace.id, "manifest.json").read_bytes())
    assert beside["derivedFrom"] == {"traceId": str(original.id), "sha256": original.summary.sha256}


async def _published(resources: Resources, actor: Actor, job: Job) -> tuple[list[Trace], list[str]]:
    return await traces_of(resources, actor, job.id), names_in(resources, "traces")


async def test_a_cancellation_that_comes_before_the_commit_leaves_nothing(resources: Resources, actor: Actor) -> None:
    upload, job = await receive(resources, actor)
    attempt, plan, result = await finish(resources, job)
    await jobs.cancel_job(resources, actor, job_id=job.id)
    with pytest.raises(JobCancelled):
        await publish(resources, attempt, plan, result)
    assert await _published(resources, actor, job) == ([], [])
    assert names_in(resources, "uploads") == [str(upload.id)]


async def test_a_lease_lost_before_the_commit_leaves_nothing(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    attempt, plan, result = await finish(resources, job)
    await silence(resources, job)
    assert await attempts.begin(resources, actor.client_id, job.id) is not None
    with pytest.raises(LeaseLost):
        await publish(resources, attempt, plan, result)
    assert await _published(resources, actor, job) == ([], [])
    assert (await job_now(resources, job)).state is JobState.RUNNING


async def test_of_two_attempts_that_both_finish_one_publishes(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    frozen = await finish(resources, job)
    await silence(resources, job)
    lively = await finish(resources, job)
    await publish(resources, *lively)
    with pytest.raises(LeaseLost):
        await publish(resources, *frozen)
    traces, directories = await _published(resources, actor, job)
    assert [str(trace.id) for trace in traces] == directories
    (_, execution) = await executions_of(resources, job)
    assert manifest_of(resources, execution)["outcome"] == "COMPLETED"


async def test_an_execution_that_cannot_be_sealed_does_not_take_the_trace_back(
    resources: Resources, actor: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    upload, job = await receive(resources, actor)
    attempt, plan, result = await finish(resources, job)
    path = resources.blobs.upload_path(upload.id)
    path.unlink()
    path.mkdir()
    await publish(resources, attempt, plan, result)
    assert "not tidied" in caplog.text
    assert (await job_now(resources, job)).state is JobState.COMPLETED
