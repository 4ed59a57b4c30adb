"""Job rows: claims, leases and fences."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from gql_server.domain.access import Actor
from gql_server.domain.errors import ChildCrashed
from gql_server.domain.ids import JobId
from gql_server.domain.jobs import Job, JobState, Lease, Progress
from gql_server.store import jobs
from gql_server.store.database import Database
from tests.factories import make_job

LEASE = timedelta(seconds=30)
NOTHING = Progress(packets=0, bytes_done=0, bytes_total=0)


async def _claim(database: Database, actor: Actor, job_id: JobId) -> Job | None:
    async with database.transaction(actor.client_id) as session:
        await jobs.lock_job(session, job_id)
        return await jobs.claim_job(session, job_id, LEASE)


def _lease(job: Job) -> Lease:
    return Lease(client_id=job.client_id, job_id=job.id, attempt=job.attempt)


async def _silence(database: Database, actor: Actor, job_id: JobId) -> None:
    async with database.transaction(actor.client_id) as session:
        await session.execute(
            text("UPDATE jobs SET heartbeat_at = heartbeat_at - interval '1 hour' WHERE id = :id"), {"id": job_id}
        )


async def test_a_free_job_is_claimed_once(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    first = await _claim(database, actor, job_id)
    assert first is not None
    assert (first.state, first.attempt) == (JobState.RUNNING, 1)
    assert await _claim(database, actor, job_id) is None


async def test_a_silent_worker_loses_its_job_and_can_write_nothing_more(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    frozen = await _claim(database, actor, job_id)
    await _silence(database, actor, job_id)
    taken = await _claim(database, actor, job_id)
    assert frozen is not None
    assert taken is not None
    assert taken.attempt == 2
    async with database.transaction(actor.client_id) as session:
        assert await jobs.beat(session, _lease(frozen), NOTHING) is None
        assert not await jobs.end_job(session, _lease(frozen), before=JobState.RUNNING, after=JobState.FAILED)
        assert await jobs.beat(session, _lease(taken), NOTHING) is JobState.RUNNING


async def test_attempts_run_out(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    for _ in range(3):
        assert await _claim(database, actor, job_id) is not None
        await _silence(database, actor, job_id)
    assert await _claim(database, actor, job_id) is None
    async with database.transaction(actor.client_id) as session:
        dead = await jobs.find_dead_job(session, job_id, LEASE)
    assert dead is not None
    assert dead.attempt == 3


async def test_a_cancelled_job_still_beats_but_cannot_complete(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    job = await _claim(database, actor, job_id)
    assert job is not None
    async with database.transaction(actor.client_id) as session:
        assert await jobs.request_cancel(session, job_id)
        assert not await jobs.request_cancel(session, job_id)
        assert await jobs.beat(session, _lease(job), NOTHING) is JobState.CANCELLING
        assert not await jobs.end_job(session, _lease(job), before=JobState.RUNNING, after=JobState.COMPLETED)
        assert await jobs.end_job(session, _lease(job), before=JobState.CANCELLING, after=JobState.CANCELLED)


async def test_a_live_worker_is_not_dead(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    assert await _claim(database, actor, job_id) is not None
    async with database.transaction(actor.client_id) as session:
        await jobs.request_cancel(session, job_id)
        assert await jobs.find_dead_job(session, job_id, LEASE) is None


async def test_a_job_that_no_queue_knows_is_lost_after_a_lease(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    known = (actor.client_id, job_id)
    async with database.read_across_tenants() as connection:
        assert known not in await jobs.list_lost(connection, LEASE)
    await _silence(database, actor, job_id)
    async with database.read_across_tenants() as connection:
        assert known in await jobs.list_lost(connection, LEASE)


async def test_an_error_survives_its_columns(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    job = await _claim(database, actor, job_id)
    assert job is not None
    async with database.transaction(actor.client_id) as session:
        await jobs.end_job(session, _lease(job), before=JobState.RUNNING, after=JobState.FAILED, error=ChildCrashed())
        held = (await jobs.find_jobs(session, [job_id]))[job_id]
    assert isinstance(held.error, ChildCrashed)
    assert held.finished_at is not None


async def test_a_move_that_is_not_drawn_is_not_made(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    job = await _claim(database, actor, job_id)
    assert job is not None
    async with database.transaction(actor.client_id) as session:
        with pytest.raises(ValueError, match="CANCELLED"):
            await jobs.end_job(session, _lease(job), before=JobState.RUNNING, after=JobState.CANCELLED)
        assert (await jobs.find_jobs(session, [job_id]))[job_id].state is JobState.RUNNING
