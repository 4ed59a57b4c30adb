"""The other door: takes jobs and has them carried out."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from gql_server.domain.ids import ClientId, JobId
from gql_server.services.executions import carry_out
from gql_server.services.reconciliation import reconcile
from gql_server.services.resources import Resources
from gql_server.services.sweeping import sweep
from gql_server.store.queue import JobQueue

log = logging.getLogger(__name__)

_RETRY_SECONDS = 0.5
_RECONCILE_SECONDS = 1.0
_SWEEP_SECONDS = 30.0


class Worker:
    """One worker process: `slots` jobs at a time, and its share of the housekeeping."""

    def __init__(self, resources: Resources, *, slots: int) -> None:
        self._resources = resources
        self._queue = JobQueue(resources.database.urls.app, slots=slots, lease_time=resources.limits.lease_time)
        self._at_work: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def run(self) -> None:
        """Work until `stop` is called; survives any outage of the database."""
        housekeeping = [asyncio.create_task(self._reconcile()), asyncio.create_task(self._sweep())]
        try:
            while not self._stopping:
                try:
                    await self._queue.consume(self._handle)
                except Exception as error:  # noqa: BLE001  # asyncpg has no common base; a worker must outlive any outage
                    log.warning("queue not readable", extra={"error_type": type(error).__name__})
                    await asyncio.sleep(_RETRY_SECONDS)
        finally:
            for task in housekeeping:
                task.cancel()
            await asyncio.gather(*housekeeping, return_exceptions=True)

    def stop(self) -> None:
        """Take no more jobs and hand back those in work."""
        self._stopping = True
        self._queue.stop()
        for task in self._at_work:
            task.cancel()

    async def _handle(self, client_id: ClientId, job_id: JobId) -> None:
        if self._stopping:
            return
        task = asyncio.create_task(carry_out(self._resources, client_id, job_id))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        # The message is done with either way: what happens next is decided by our row, not by the queue.
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("job left to its lease", extra={"job_id": str(job_id), "error_type": type(error).__name__})

    async def _reconcile(self) -> None:
        while True:
            await asyncio.sleep(_RECONCILE_SECONDS)
            with _logged("reconciliation"):
                await reconcile(self._resources)

    async def _sweep(self) -> None:
        while True:
            with _logged("sweep"):
                await sweep(self._resources)
            await asyncio.sleep(_SWEEP_SECONDS)


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001  # housekeeping comes round again
        log.warning("%s failed", what, extra={"error_type": type(error).__name__})
