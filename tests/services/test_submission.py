"""Submission: the job, its event and its message, or none."""

import pytest

from gql_server.domain.access import Actor
from gql_server.domain.errors import InvalidInput
from gql_server.domain.events import EventKind
from gql_server.domain.ids import JobId, new_id
from gql_server.domain.jobs import Job, JobKind, JobState
from gql_server.services.resources import Resources
from gql_server.services.submission import MAX_KEY, marked, new_job, submit
from gql_server.store import flows, jobs
from gql_server.store.jobs import JobOrder
from tests.services.desk import events_of, job_now, messages_for

ORDER = JobOrder(parameters={"version": 1}, key_id=None, output_name="x")


class _RolledBackError(Exception):
    pass


async def _submit(resources: Resources, actor: Actor, *, fail: bool = False) -> Job:
    async with resources.database.transaction(actor.client_id) as session:
        flow = await flows.find_default_flow(session)
        assert flow is not None
        job = new_job(actor, job_id=JobId(new_id()), flow_id=flow.id, kind=JobKind.INGEST)
        await jobs.lock_job(session, job.id)
        await submit(session, job, ORDER)
        if fail:
            raise _RolledBackError(job)
    return job


async def test_a_submitted_job_waits_is_told_of_and_is_queued(resources: Resources, actor: Actor) -> None:
    job = await _submit(resources, actor)
    now = await job_now(resources, job)
    assert (now.state, now.attempt, now.created_by) == (JobState.PENDING, 0, actor.user_id)
    assert [(event.kind, event.seq) for event in await events_of(resources, job)] == [(EventKind.JOB_SUBMITTED, 1)]
    assert await messages_for(resources, job) == 1


async def test_of_a_submission_that_fails_nothing_is_left(resources: Resources, actor: Actor) -> None:
    with pytest.raises(_RolledBackError) as caught:
        await _submit(resources, actor, fail=True)
    job = caught.value.args[0]
    assert await events_of(resources, job) == ()
    assert await messages_for(resources, job) == 0


def test_a_marked_request_is_known_by_what_was_asked() -> None:
    first, same = marked("act", "key", {"a": 1, "b": None}), marked("act", "key", {"b": None, "a": 1})
    assert first == same
    assert first != marked("act", "key", {"a": 2, "b": None})
    assert marked("act", None, {}) is None


@pytest.mark.parametrize("key", ["", "x" * (MAX_KEY + 1)])
def test_a_key_that_is_empty_or_too_long_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput, match="idempotencyKey"):
        marked("act", key, {})
