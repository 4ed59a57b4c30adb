"""The heartbeat: holds the lease, or lets go of the job."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from gql_server.domain.access import Actor
from gql_server.domain.errors import JobCancelled, LeaseLost, NotACapture
from gql_server.domain.events import EventKind
from gql_server.domain.jobs import Progress
from gql_server.engine.tasks import Inspected, Result, Task
from gql_server.services import attempts, jobs
from gql_server.services.attempts import Attempt
from gql_server.services.heartbeat import supervise
from gql_server.services.plans import Plan, make_plan
from gql_server.services.resources import Resources
from gql_server.store.database import Database
from tests.factories import SUMMARY
from tests.services.desk import NOTE, claim, events_of, job_now, receive, silence, until, with_child

DONE = Inspected(summary=SUMMARY)


class Child:
    """Works until it is told to end."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.was_killed = False
        self.note: NOTE = lambda _: None

    async def __call__(self, _: Task, note: NOTE) -> Result:
        self.note = note
        self.begun.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.was_killed = True
            raise
        return DONE


@pytest.fixture
def child() -> Child:
    return Child()


@pytest.fixture
async def attempt(resources: Resources, actor: Actor) -> Attempt:
    return await claim(resources, (await receive(resources, actor))[1])


async def begin(
    resources: Resources, attempt: Attempt, child: Child, *, lease_seconds: float = 1.0
) -> "asyncio.Task[tuple[Plan, Result]]":
    limits = replace(resources.limits, lease_time=timedelta(seconds=lease_seconds))
    watched = replace(with_child(resources, child), limits=limits)
    plan = await make_plan(resources, attempt)
    task = asyncio.create_task(supervise(watched, attempt.lease, plan))
    await child.begun.wait()
    return task


@asynccontextmanager
async def outage(database: Database) -> AsyncIterator[None]:
    """Let the database refuse every heartbeat."""
    engine = create_async_engine(database.urls.owner)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("REVOKE UPDATE ON jobs FROM gql_app"))
        yield
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("GRANT UPDATE ON jobs TO gql_app"))
        await engine.dispose()


async def test_the_lease_is_renewed_and_progress_told_once(
    resources: Resources, attempt: Attempt, child: Child
) -> None:
    work = await begin(resources, attempt, child)
    await silence(resources, attempt.job)
    child.note(Progress(packets=7, bytes_done=10, bytes_total=20))

    async def is_noted() -> bool:
        return (await job_now(resources, attempt.job)).progress.packets == 7

    await until(is_noted)
    assert await attempts.begin(resources, attempt.job.client_id, attempt.job.id) is None
    child.may_end.set()
    assert (await work)[1] == DONE
    told = [event for event in await events_of(resources, attempt.job) if event.kind is EventKind.JOB_PROGRESSED]
    assert [event.progress for event in told] == [Progress(packets=7, bytes_done=10, bytes_total=20)]


async def test_a_cancellation_ends_the_child(
    resources: Resources, actor: Actor, attempt: Attempt, child: Child
) -> None:
    work = await begin(resources, attempt, child)
    await jobs.cancel_job(resources, actor, job_id=attempt.job.id)
    with pytest.raises(JobCancelled):
        await work
    assert child.was_killed


async def test_a_job_that_another_has_taken_over_is_let_go(
    resources: Resources, attempt: Attempt, child: Child
) -> None:
    work = await begin(resources, attempt, child, lease_seconds=60)
    taken = None
    while taken is None:
        await silence(resources, attempt.job)
        taken = await attempts.begin(resources, attempt.job.client_id, attempt.job.id)
    with pytest.raises(LeaseLost):
        await work
    assert child.was_killed
    assert (await job_now(resources, attempt.job)).attempt == taken.job.attempt == 2


async def test_an_outage_shorter_than_a_lease_is_survived(
    resources: Resources, attempt: Attempt, child: Child, caplog: pytest.LogCaptureFixture
) -> None:
    async def is_missed() -> bool:
        return "heartbeat not written" in caplog.text

    work = await begin(resources, attempt, child, lease_seconds=60)
    async with outage(resources.database):
        await until(is_missed)
    child.may_end.set()
    assert (await work)[1] == DONE


async def test_an_outage_of_a_whole_lease_lets_the_job_go(resources: Resources, attempt: Attempt, child: Child) -> None:
    async with outage(resources.database):
        work = await begin(resources, attempt, child, lease_seconds=0.2)
        with pytest.raises(LeaseLost):
            await work
    assert child.was_killed


async def test_a_refusal_of_the_child_is_passed_on(resources: Resources, attempt: Attempt) -> None:
    async def refuse(_: Task, __: NOTE) -> Result:
        raise NotACapture(offset=3)

    plan = await make_plan(resources, attempt)
    with pytest.raises(NotACapture):
        await supervise(with_child(resources, refuse), attempt.lease, plan)
