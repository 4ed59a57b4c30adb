"""Reconciliation: jobs that no queue will deliver any more.

PgQueuer acknowledges without a fence: a frozen worker that thaws can take another's message away. Our row knows
better. Silent for one lease and no live message: queue it again, or end it when no attempt is left.
"""

import logging

from gql_server.domain.ids import ClientId, JobId
from gql_server.services.executions import settle_dead_job
from gql_server.services.resources import Resources
from gql_server.store import jobs, queue

log = logging.getLogger(__name__)


async def reconcile(resources: Resources) -> int:
    """Look once over all tenants; return how many jobs were queued again or ended."""
    async with resources.database.read_across_tenants() as connection:
        lost = await jobs.list_lost(connection, resources.limits.lease_time)
    for client_id, job_id in lost:
        if not await settle_dead_job(resources, client_id, job_id):
            await _queue_again(resources, client_id, job_id)
    return len(lost)


async def _queue_again(resources: Resources, client_id: ClientId, job_id: JobId) -> None:
    async with resources.database.transaction(client_id) as session:
        await jobs.lock_job(session, job_id)
        job = (await jobs.find_jobs(session, [job_id]))[job_id]
        if job.state.is_final:
            return
        await queue.enqueue_job(session, client_id, job_id, job.attempt)
    log.warning("lost job queued again", extra={"job_id": str(job_id), "attempt": job.attempt})
