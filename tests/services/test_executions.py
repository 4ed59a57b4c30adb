"""Executions: completed with one trace, or ended with none."""

import asyncio
import hashlib
from dataclasses import replace
from functools import partial

import pytest

from gql_server.domain.access import Actor
from gql_server.domain.errors import ChildCrashed, NotACapture, NotFound
from gql_server.domain.events import EventKind
from gql_server.domain.ids import ExecutionId, new_id
from gql_server.domain.jobs import ExecutionState, Job, JobState
from gql_server.domain.uploads import UploadState
from gql_server.engine.tasks import Result, Task
from gql_server.services import jobs
from gql_server.services.executions import carry_out, open_artifact, settle_dead_job
from gql_server.services.resources import Resources
from gql_server.services.uploads import find_upload
from gql_server.store.blobs import LocalBlobs
from tests.conftest import NewActor
from tests.journeys.material import hospital
from tests.services.desk import (
    NOTE,
    claim,
    events_of,
    executions_of,
    job_now,
    manifest_of,
    messages_for,
    names_in,
    receive,
    silence,
    start,
    told,
    traces_of,
    until,
    with_child,
)


async def crash(_: Task, __: NOTE) -> Result:
    raise ChildCrashed


async def refuse(_: Task, __: NOTE) -> Result:
    raise NotACapture(offset=0)


async def wait_for_ever(_: Task, __: NOTE) -> Result:
    await asyncio.Event().wait()
    raise AssertionError


async def is_running(resources: Resources, job: Job) -> bool:
    return (await job_now(resources, job)).state is JobState.RUNNING


async def test_a_real_child_makes_a_trace_of_an_upload_and_another_of_that(resources: Resources, actor: Actor) -> None:
    upload, job = await receive(resources, actor, sha256=hashlib.sha256(hospital()).hexdigest())
    await carry_out(resources, actor.client_id, job.id)
    (trace,) = await traces_of(resources, actor, job.id)
    assert trace.summary.sha256 == hashlib.sha256(hospital()).hexdigest()
    assert (await find_upload(resources, actor, upload.id)).state is UploadState.FINISHED
    second = await start(resources, actor, trace)
    await carry_out(resources, actor.client_id, second.id)
    (output,) = await traces_of(resources, actor, second.id)
    assert output.summary.packets == trace.summary.packets
    assert output.summary.sha256 != trace.summary.sha256
    assert names_in(resources, "staging") == names_in(resources, "uploads") == []


async def test_a_job_that_is_done_is_not_done_again(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    for _ in range(3):
        await carry_out(with_child(resources), actor.client_id, job.id)
    assert len(await traces_of(resources, actor, job.id)) == len(await executions_of(resources, job)) == 1


async def test_a_job_whose_child_crashes_each_time_is_given_up(resources: Resources, actor: Actor) -> None:
    upload, job = await receive(resources, actor)
    for attempt in (1, 2):
        await carry_out(with_child(resources, crash), actor.client_id, job.id)
        now = await job_now(resources, job)
        assert (now.state, now.attempt) == (JobState.PENDING, attempt)
        assert await messages_for(resources, job) == attempt + 1
    await carry_out(with_child(resources, crash), actor.client_id, job.id)
    now = await job_now(resources, job)
    assert (now.state, told(now.error)) == (JobState.FAILED, ("ATTEMPTS_EXHAUSTED", {"attempts": 3}))
    assert [execution.state for execution in await executions_of(resources, job)] == [ExecutionState.FAILED] * 3
    kinds = [event.kind for event in await events_of(resources, job)]
    assert kinds[1:] == [EventKind.JOB_STARTED, EventKind.JOB_RETRIED] * 2 + [
        EventKind.JOB_STARTED,
        EventKind.JOB_FAILED,
    ]
    assert (await find_upload(resources, actor, upload.id)).state is UploadState.REFUSED


async def test_a_refusal_ends_the_job_with_its_code_and_leaves_nothing(resources: Resources, actor: Actor) -> None:
    upload, job = await receive(resources, actor, b"no capture")
    await carry_out(with_child(resources, refuse), actor.client_id, job.id)
    now = await job_now(resources, job)
    assert (now.state, told(now.error), now.output_trace_id) == (
        JobState.FAILED,
        ("NOT_A_CAPTURE", {"offset": 0}),
        None,
    )
    assert told((await find_upload(resources, actor, upload.id)).error) == ("NOT_A_CAPTURE", {"offset": 0})
    (execution,) = await executions_of(resources, job)
    assert manifest_of(resources, execution)["error"] == {"code": "NOT_A_CAPTURE", "facts": {"offset": 0}}
    assert names_in(resources, "staging") == names_in(resources, "traces") == []


async def test_a_job_cancelled_while_its_child_works_is_cancelled(resources: Resources, actor: Actor) -> None:
    upload, job = await receive(resources, actor)
    work = asyncio.create_task(carry_out(with_child(resources, wait_for_ever), actor.client_id, job.id))
    await until(partial(is_running, resources, job))
    await jobs.cancel_job(resources, actor, job_id=job.id)
    await work
    now = await job_now(resources, job)
    assert (now.state, told(now.error)) == (JobState.CANCELLED, ("JOB_CANCELLED", {}))
    assert (await find_upload(resources, actor, upload.id)).state is UploadState.ABORTED
    assert [execution.state for execution in await executions_of(resources, job)] == [ExecutionState.CANCELLED]


async def test_a_worker_that_stops_hands_its_job_back_and_that_is_no_failed_attempt(
    resources: Resources, actor: Actor
) -> None:
    _, job = await receive(resources, actor)
    begun = asyncio.Event()

    async def begin(task: Task, note: NOTE) -> Result:
        begun.set()
        return await wait_for_ever(task, note)

    work = asyncio.create_task(carry_out(with_child(resources, begin), actor.client_id, job.id))
    await begun.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    now = await job_now(resources, job)
    assert (now.state, now.max_attempts) == (JobState.PENDING, 4)
    assert await messages_for(resources, job) == 2
    (execution,) = await executions_of(resources, job)
    assert manifest_of(resources, execution)["outcome"] == "ABANDONED"
    await carry_out(with_child(resources), actor.client_id, job.id)
    assert (await job_now(resources, job)).state is JobState.COMPLETED


async def test_a_job_without_room_fails_with_a_code(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    full = replace(resources, blobs=LocalBlobs(resources.blobs._root, reserve_bytes=1 << 60))
    await carry_out(full, actor.client_id, job.id)
    now = await job_now(resources, job)
    assert (now.state, told(now.error)) == (JobState.FAILED, ("STORAGE_FULL", {}))
    assert [execution.state for execution in await executions_of(resources, job)] == [ExecutionState.FAILED]


async def test_an_execution_that_cannot_be_written_down_still_ends(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    directory = resources.blobs._root / "executions"
    directory.rmdir()
    directory.write_bytes(b"in the way")
    await carry_out(with_child(resources), actor.client_id, job.id)
    now = await job_now(resources, job)
    assert (now.state, told(now.error)) == (JobState.FAILED, ("INTERNAL", {}))


async def test_a_job_whose_last_worker_died_is_settled(resources: Resources, actor: Actor) -> None:
    upload, job = await receive(resources, actor)
    for _ in range(3):
        await claim(resources, job)
        assert not await settle_dead_job(resources, actor.client_id, job.id)
        await silence(resources, job)
    await carry_out(with_child(resources), actor.client_id, job.id)
    now = await job_now(resources, job)
    assert (now.state, told(now.error)) == (JobState.FAILED, ("ATTEMPTS_EXHAUSTED", {"attempts": 3}))
    assert (await find_upload(resources, actor, upload.id)).state is UploadState.REFUSED
    assert not await settle_dead_job(resources, actor.client_id, job.id)


async def test_a_job_whose_worker_died_while_cancelling_is_cancelled(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    await claim(resources, job)
    await jobs.cancel_job(resources, actor, job_id=job.id)
    await silence(resources, job)
    assert await settle_dead_job(resources, actor.client_id, job.id)
    assert (await job_now(resources, job)).state is JobState.CANCELLED


async def test_an_artifact_opens_by_its_name_to_its_own_tenant(
    resources: Resources, actor: Actor, new_actor: NewActor
) -> None:
    _, job = await receive(resources, actor)
    await carry_out(with_child(resources), actor.client_id, job.id)
    (execution,) = await executions_of(resources, job)
    opened = await open_artifact(resources, actor, execution_id=execution.id, name="manifest.json")
    with opened.file as file:
        assert hashlib.sha256(file.read()).hexdigest() == opened.sha256
    stranger = await new_actor()
    for who, execution_id, name in (
        (stranger, execution.id, "manifest.json"),
        (actor, ExecutionId(new_id()), "manifest.json"),
        (actor, execution.id, "capture.pcap"),
        (actor, execution.id, "../manifest.json"),
    ):
        with pytest.raises(NotFound):
            await open_artifact(resources, who, execution_id=execution_id, name=name)
