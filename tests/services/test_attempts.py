"""Attempts: one at a time, each with a name of its own."""

import asyncio
import re
from datetime import UTC, datetime, timedelta, timezone

from gql_server.domain.access import Actor
from gql_server.domain.events import EventKind
from gql_server.domain.jobs import ExecutionState, JobState
from gql_server.services import attempts
from gql_server.services.resources import Resources
from tests.services.desk import events_of, executions_of, job_now, receive, silence


def test_a_name_holds_the_time_in_utc_and_differs_each_time() -> None:
    at = datetime(2026, 11, 21, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    names = {attempts.execution_name(at) for _ in range(100)}
    assert len(names) == 100
    assert all(re.fullmatch(r"exec_20261120T233000Z_[0-9a-f]{8}", name) for name in names)


async def test_of_many_who_claim_a_job_one_has_it(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    claimed = await asyncio.gather(*(attempts.begin(resources, actor.client_id, job.id) for _ in range(5)))
    (attempt,) = [each for each in claimed if each is not None]
    assert (attempt.job.attempt, attempt.job.state) == (1, JobState.RUNNING)
    assert attempt.execution.started_at.tzinfo is UTC
    assert [event.kind for event in await events_of(resources, job)] == [EventKind.JOB_SUBMITTED, EventKind.JOB_STARTED]


async def test_a_claim_after_a_silence_closes_what_was_left_open(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    first = await attempts.begin(resources, actor.client_id, job.id)
    await silence(resources, job)
    second = await attempts.begin(resources, actor.client_id, job.id)
    assert first is not None
    assert second is not None
    assert second.abandoned[0].id == first.execution.id
    assert second.lease.attempt == 2
    states = [execution.state for execution in await executions_of(resources, job)]
    assert states == [ExecutionState.ABANDONED, ExecutionState.RUNNING]
    assert (await job_now(resources, job)).attempt == 2
