"""Reconciliation: a job that no queue delivers is not lost."""

from gql_server.domain.access import Actor
from gql_server.domain.jobs import JobState
from gql_server.services import jobs
from gql_server.services.executions import carry_out
from gql_server.services.reconciliation import reconcile
from gql_server.services.resources import Resources
from tests.services.desk import (
    claim,
    forget_messages,
    job_now,
    messages_for,
    receive,
    silence,
    with_child,
)


async def test_a_job_whose_message_is_lost_is_queued_again_after_a_lease(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    await forget_messages(resources, job)
    await reconcile(resources)
    assert await messages_for(resources, job) == 0, "within the lease it may still be on its way"
    await silence(resources, job)
    assert await reconcile(resources) >= 1
    assert await messages_for(resources, job) == 1
    await reconcile(resources)
    assert await messages_for(resources, job) == 1


async def test_a_job_whose_worker_died_and_whose_message_is_gone_is_done_after_all(
    resources: Resources, actor: Actor
) -> None:
    _, job = await receive(resources, actor)
    await claim(resources, job)
    await forget_messages(resources, job)
    await silence(resources, job)
    await reconcile(resources)
    assert await messages_for(resources, job) == 1
    await carry_out(with_child(resources), actor.client_id, job.id)
    now = await job_now(resources, job)
    assert (now.state, now.attempt) == (JobState.COMPLETED, 2)


async def test_a_job_that_waits_in_the_queue_is_left_there(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    await silence(resources, job)
    await reconcile(resources)
    now = await job_now(resources, job)
    assert (now.state, await messages_for(resources, job)) == (JobState.PENDING, 1)


async def test_a_job_without_another_attempt_is_ended(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    for _ in range(3):
        await claim(resources, job)
        await silence(resources, job)
    await forget_messages(resources, job)
    await reconcile(resources)
    assert (await job_now(resources, job)).state is JobState.FAILED
    assert await messages_for(resources, job) == 0


async def test_a_job_whose_worker_died_while_cancelling_is_cancelled(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    await claim(resources, job)
    await jobs.cancel_job(resources, actor, job_id=job.id)
    await forget_messages(resources, job)
    await silence(resources, job)
    await reconcile(resources)
    assert (await job_now(resources, job)).state is JobState.CANCELLED


async def test_a_job_that_is_done_is_left_alone(resources: Resources, actor: Actor) -> None:
    _, job = await receive(resources, actor)
    await carry_out(with_child(resources), actor.client_id, job.id)
    await forget_messages(resources, job)
    await silence(resources, job)
    await reconcile(resources)
    assert await messages_for(resources, job) == 0
