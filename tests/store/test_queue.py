"""The queue: delivered with the transaction, or not at all."""

import asyncio
import contextlib
from datetime import timedelta

from sqlalchemy import text

from gql_server.domain.access import Actor
from gql_server.domain.ids import ClientId, JobId
from gql_server.store import queue
from gql_server.store.database import Database
from gql_server.store.queue import Handler, JobQueue
from tests.factories import make_job

COUNT = "SELECT count(*) FROM queue.pgqueuer WHERE convert_from(payload, 'UTF8') LIKE :job"


async def _messages(database: Database, actor: Actor, job_id: JobId) -> int:
    async with database.read(actor.client_id) as connection:
        return await connection.scalar(text(COUNT), {"job": f"%{job_id}"}) or 0


class _RolledBackError(Exception):
    pass


async def test_a_message_of_a_rolled_back_transaction_was_never_sent(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    with contextlib.suppress(_RolledBackError):
        async with database.transaction(actor.client_id) as session:
            await queue.enqueue_job(session, actor.client_id, job_id, 0)
            raise _RolledBackError
    assert await _messages(database, actor, job_id) == 0


async def test_a_message_for_one_attempt_is_sent_once(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    for _ in range(2):
        async with database.transaction(actor.client_id) as session:
            await queue.enqueue_job(session, actor.client_id, job_id, 0)
    assert await _messages(database, actor, job_id) == 1


async def _consume(database: Database, slots: int, handler: Handler) -> tuple[JobQueue, "asyncio.Task[None]"]:
    deliveries = JobQueue(database.urls.app, slots=slots, lease_time=timedelta(seconds=5))
    return deliveries, asyncio.create_task(deliveries.consume(handler))


async def test_a_message_reaches_the_handler_and_is_gone(database: Database, actor: Actor) -> None:
    job_id = await make_job(database, actor)
    seen: asyncio.Queue[tuple[ClientId, JobId]] = asyncio.Queue()

    async def handle(client_id: ClientId, delivered: JobId) -> None:
        await seen.put((client_id, delivered))

    deliveries, task = await _consume(database, 2, handle)
    async with database.transaction(actor.client_id) as session:
        await queue.enqueue_job(session, actor.client_id, job_id, 0)
    async with asyncio.timeout(20):
        while (await seen.get()) != (actor.client_id, job_id):
            pass
        deliveries.stop()
        await task
    assert await _messages(database, actor, job_id) == 0


async def test_one_slot_means_one_job_at_a_time(database: Database, actor: Actor) -> None:
    job_ids = {await make_job(database, actor) for _ in range(4)}
    at_work, most, done, all_done = 0, 0, set[JobId](), asyncio.Event()

    async def handle(_: ClientId, job_id: JobId) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.05)
        at_work -= 1
        done.add(job_id)
        if job_ids <= done:
            all_done.set()

    async with database.transaction(actor.client_id) as session:
        for job_id in job_ids:
            await queue.enqueue_job(session, actor.client_id, job_id, 0)
    deliveries, task = await _consume(database, 1, handle)
    async with asyncio.timeout(30):
        await all_done.wait()
        deliveries.stop()
        await task
    assert most == 1
