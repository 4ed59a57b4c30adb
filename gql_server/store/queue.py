"""The job queue: PgQueuer carries job ids, nothing else.

Our own job row is the truth. A message may be lost or come twice: the claim is fenced by the attempt, and the
reconciler (`services/reconciliation.py`) queues again what got lost.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel
from pgqueuer.models import Job as Message
from pgqueuer.ports.driver import Driver

from gql_server.domain.ids import ClientId, JobId
from gql_server.store.database import Session, plain_dsn

log = logging.getLogger(__name__)

Handler = Callable[[ClientId, JobId], Awaitable[None]]

_ENTRYPOINT = "job"


def _settings() -> DBSettings:
    # Said in full: PgQueuer would otherwise take names from the environment.
    return DBSettings(prefix="", db_schema="queue", channel=Channel("ch_pgqueuer"))


def _queries(driver: Driver) -> Queries:
    settings = _settings()
    return Queries(
        driver,
        qbe=QueryBuilderEnvironment(settings),
        qbq=QueryQueueBuilder(settings),
        qbs=QuerySchedulerBuilder(settings),
    )


class _SessionDriver:
    """PgQueuer's door into a transaction of ours, for enqueueing only.

    It goes through SQLAlchemy: over the raw connection a message sent before the first statement would be committed
    on its own.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def fetch(self, query: str, *args: object) -> list[dict[str, Any]]:
        connection = await self._session.connection()
        result = await connection.exec_driver_sql(query, tuple(args))
        return [dict(row) for row in result.mappings()] if result.returns_rows else []


async def enqueue_job(session: Session, client_id: ClientId, job_id: JobId, attempt: int) -> None:
    """Queue the job in the transaction of the caller; a message for the same attempt is not sent twice."""
    driver: Any = _SessionDriver(session)
    await _queries(driver).enqueue(
        [_ENTRYPOINT],
        [f"{client_id}:{job_id}".encode()],
        [0],
        dedupe_key=[f"{job_id}:{attempt}"],
        on_conflict="skip",
    )


def _read_payload(payload: bytes | None) -> tuple[ClientId, JobId]:
    client_id, job_id = (payload or b"").decode().split(":")
    return ClientId(UUID(client_id)), JobId(UUID(job_id))


class JobQueue:
    """Deliveries of job ids to one worker process."""

    def __init__(self, app_url: str, *, slots: int, lease_time: timedelta) -> None:
        self._dsn = plain_dsn(app_url)
        self._slots = slots
        self._lease_time = lease_time
        self._queuer: PgQueuer | None = None

    async def consume(self, handler: Handler) -> None:
        """Deliver ids to the handler, `slots` at a time, until `stop` is called.

        Raises:
            Exception: the connection broke; asyncpg has no common base for what it raises then. The caller tries
                again.
        """
        connection = await asyncpg.connect(self._dsn, server_settings={"application_name": "gql-server-queue"})
        free = asyncio.Semaphore(self._slots)
        try:
            driver = AsyncpgDriver(connection)
            queuer = PgQueuer(driver, channel=_settings().channel, queries=_queries(driver))

            @queuer.entrypoint(_ENTRYPOINT)
            async def deliver(message: Message) -> None:
                client_id, job_id = _read_payload(message.payload)
                async with free:
                    await handler(client_id, job_id)

            self._queuer = queuer
            await queuer.run(
                dequeue_timeout=timedelta(seconds=1),
                batch_size=1,
                # PgQueuer wants at least two places a batch; the semaphore keeps one slot when one was asked for.
                max_concurrent_tasks=max(2, self._slots),
                heartbeat_timeout=self._lease_time,
                shutdown_on_listener_failure=True,
            )
        finally:
            self._queuer = None
            connection.terminate()

    def stop(self) -> None:
        """Take no further deliveries; `consume` returns once the handlers are done."""
        if self._queuer is not None:
            self._queuer.shutdown.set()
