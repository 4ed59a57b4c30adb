"""The worker: carries out, survives, hands back, and stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from gql_server.domain.access import Actor
from gql_server.domain.errors import ChildCrashed
from gql_server.domain.jobs import Job, JobState
from gql_server.engine.tasks import PreviewTask, Result, Task
from gql_server.services.resources import Resources
from gql_server.worker import Worker
from tests.services.desk import (
    NOTE,
    claim,
    copy,
    forget_messages,
    job_now,
    messages_for,
    names_in,
    receive,
    silence,
    until,
    with_child,
)


@asynccontextmanager
async def working(resources: Resources, *, slots: int = 2) -> AsyncIterator[Worker]:
    worker = Worker(resources, slots=slots)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await task


async def is_in(resources: Resources, job: Job, state: JobState) -> bool:
    return (await job_now(resources, job)).state is state


class Slow:
    """A child that works until all may end; counts how many do at once."""

    def __init__(self) -> None:
        self.at_work = self.most = 0
        self.may_end = asyncio.Event()

    async def __call__(self, task: Task, note: NOTE) -> Result:
        if not task.source.exists():
            # Another test left its job in the queue, and its files are gone: it must not keep a slot.
            raise ChildCrashed
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        try:
            await self.may_end.wait()
        finally:
            self.at_work -= 1
        return await copy(task, note)


async def test_a_job_that_is_queued_is_carried_out(resources: Resources, actor: Actor) -> None:
    async with working(with_child(resources)):
        _, job = await receive(resources, actor)
        await until(partial(is_in, resources, job, JobState.COMPLETED))
    assert await messages_for(resources, job) == 0


async def test_it_does_as_many_jobs_at_once_as_it_has_slots(resources: Resources, actor: Actor) -> None:
    slow = Slow()
    jobs = [(await receive(resources, actor))[1] for _ in range(5)]

    async def is_busy() -> bool:
        return slow.at_work == 2

    async with working(with_child(resources, slow)):
        await until(is_busy)
        slow.may_end.set()
        for job in jobs:
            await until(partial(is_in, resources, job, JobState.COMPLETED))
    assert slow.most == 2


async def test_a_worker_that_is_stopped_hands_back_what_it_has_at_hand(resources: Resources, actor: Actor) -> None:
    slow = Slow()
    _, job = await receive(resources, actor)
    async with working(with_child(resources, slow)):
        await until(partial(is_in, resources, job, JobState.RUNNING))
    assert slow.at_work == 0
    now = await job_now(resources, job)
    assert (now.state, now.max_attempts - now.attempt) == (JobState.PENDING, 3)
    async with working(with_child(resources)):
        await until(partial(is_in, resources, job, JobState.COMPLETED))


async def test_a_lost_job_comes_back_by_its_housekeeping(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    await claim(resources, job)
    await forget_messages(resources, job)
    await silence(resources, job)
    async with working(with_child(resources)):
        await until(partial(is_in, resources, job, JobState.COMPLETED))
    assert (await job_now(resources, job)).attempt == 2


async def test_its_housekeeping_sweeps(resources: Resources, actor: Actor) -> None:
    hasty = replace(with_child(resources), limits=replace(resources.limits, lease_time=timedelta(seconds=30)))
    trash = resources.blobs._root / "staging" / "0.trash"
    trash.mkdir()

    async def is_swept() -> bool:
        return names_in(resources, "staging") == []

    async with working(hasty):
        await until(is_swept)


async def test_a_job_that_ends_in_a_fault_does_not_end_the_worker(
    resources: Resources, actor: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    upload, poison = await receive(resources, actor)
    failed = asyncio.Event()

    async def act(task: Task, note: NOTE) -> Result:
        assert not isinstance(task, PreviewTask)
        if task.source == resources.blobs.upload_path(upload.id):
            failed.set()
            raise ZeroDivisionError
        return await copy(task, note)

    async with working(with_child(resources, act)):
        await asyncio.wait_for(failed.wait(), 20)
        _, good = await receive(resources, actor)
        await until(partial(is_in, resources, good, JobState.COMPLETED))
    assert "job left to its lease" in caplog.text
    assert (await job_now(resources, poison)).state is JobState.RUNNING, "the lease decides"
