"""Rows for tests, with everything said that a test does not care about."""

from gql_server.domain.access import Actor
from gql_server.domain.events import EventKind
from gql_server.domain.ids import JobId, new_id
from gql_server.domain.jobs import JobKind
from gql_server.services.submission import new_job
from gql_server.store import events, jobs
from gql_server.store.database import Database
from gql_server.store.flows import find_default_flow
from gql_server.store.jobs import JobOrder


async def make_job(database: Database, actor: Actor) -> JobId:
    """Add a PENDING job that no queue knows of."""
    job_id = JobId(new_id())
    async with database.transaction(actor.client_id) as session:
        await jobs.lock_job(session, job_id)
        flow = await find_default_flow(session)
        assert flow is not None
        job = new_job(actor, job_id=job_id, flow_id=flow.id, kind=JobKind.ADDRESS_ANONYMIZATION)
        order = JobOrder(
            parameters={"version": 1, "mapping": "IPCRYPT_PFX", "rules": []}, key_id=None, output_name="out"
        )
        await jobs.add_job(session, job, order)
        await events.append_event(session, job_id, EventKind.JOB_SUBMITTED)
    return job_id
