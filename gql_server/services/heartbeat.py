"""The heartbeat: renews the lease while a child works."""

import asyncio
import contextlib
import logging

from gql_server.domain.errors import JobCancelled, LeaseLost
from gql_server.domain.events import EventKind
from gql_server.domain.jobs import JobState, Lease, Progress
from gql_server.engine.tasks import Result
from gql_server.services.plans import Plan, run_plan
from gql_server.services.resources import Resources
from gql_server.store import events, jobs

log = logging.getLogger(__name__)

BEAT_SECONDS = 0.5
"""Also the least time between two progress events of a job."""


async def supervise(resources: Resources, lease: Lease, plan: Plan) -> tuple[Plan, Result]:
    """Run the plan, beating all the while; its child is gone when this returns or raises.

    Raises:
        JobCancelled: somebody asked for it.
        LeaseLost: another worker took over, or the database was out of reach for a whole lease.
        GqlServerError: what the plan was refused with.
    """
    heart = _Heart(resources, lease)
    work = asyncio.create_task(run_plan(resources, plan, heart.note))
    try:
        while not work.done():
            await asyncio.wait({work}, timeout=min(BEAT_SECONDS, resources.limits.lease_time.total_seconds() / 4))
            await heart.beat()
        return await work
    finally:
        work.cancel()
        # What became of it was told above or matters no more; this only waits until its child is gone.
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await work


class _Heart:
    def __init__(self, resources: Resources, lease: Lease) -> None:
        self._resources = resources
        self._lease = lease
        self._progress = Progress(packets=0, bytes_done=0, bytes_total=0)
        self._told = self._progress
        self._last_beat = asyncio.get_running_loop().time()

    def note(self, progress: Progress) -> None:
        self._progress = progress

    async def beat(self) -> None:
        now = asyncio.get_running_loop().time()
        try:
            state = await self._write()
        except Exception as error:
            # asyncpg has no common base for a lost connection. The lease bounds how long we go on without one.
            log.warning("heartbeat not written", extra={"error_type": type(error).__name__})
            if now - self._last_beat > self._resources.limits.lease_time.total_seconds():
                raise LeaseLost from error
            return
        self._last_beat = now
        if state is None:
            raise LeaseLost
        if state is JobState.CANCELLING:
            raise JobCancelled

    async def _write(self) -> JobState | None:
        progress = self._progress
        async with self._resources.database.transaction(self._lease.client_id) as session:
            if progress == self._told:
                return await jobs.beat(session, self._lease, progress)
            await jobs.lock_job(session, self._lease.job_id)
            state = await jobs.beat(session, self._lease, progress)
            if state is JobState.RUNNING:
                await events.append_event(session, self._lease.job_id, EventKind.JOB_PROGRESSED, progress=progress)
        self._told = progress
        self._resources.announcer.announce()
        return state
