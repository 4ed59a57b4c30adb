"""Loaders: each noun by id, in batches."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from gql_server.domain.flows import Engagement, EngagementKey, Flow
from gql_server.domain.ids import ClientId, EngagementId, ExecutionId, FlowId, JobId, KeyId, TraceId, UploadId
from gql_server.domain.jobs import Artifact, Execution, Job
from gql_server.domain.traces import Trace
from gql_server.domain.uploads import Upload
from gql_server.store import executions, flows, jobs, keys, traces, uploads
from gql_server.store.database import Connection, Database

K = TypeVar("K")
V = TypeVar("V")
N = TypeVar("N")

BATCH = 100


class Loaders:
    """One loader a noun, made for one operation and emptied for each event.

    Each batch opens its own short read: a shared one would be held as long as the slowest resolver.
    """

    def __init__(self, database: Database, client_id: ClientId) -> None:
        self._database = database
        self._client_id = client_id
        self.flows: DataLoader[FlowId, Flow | None] = self._by_id(flows.find_flows)
        self.engagements: DataLoader[EngagementId, Engagement | None] = self._by_id(flows.find_engagements)
        self.traces: DataLoader[TraceId, Trace | None] = self._by_id(traces.find_traces)
        self.jobs: DataLoader[JobId, Job | None] = self._by_id(jobs.find_jobs)
        self.executions: DataLoader[ExecutionId, Execution | None] = self._by_id(executions.find_executions)
        self.uploads: DataLoader[UploadId, Upload | None] = self._by_id(uploads.find_uploads)
        self.keys: DataLoader[KeyId, EngagementKey | None] = self._by_id(keys.find_records)
        self.engagement_keys: DataLoader[EngagementId, tuple[EngagementKey, ...] | None] = self._by_id(
            keys.find_records_of
        )
        self.artifacts: DataLoader[ExecutionId, tuple[Artifact, ...] | None] = self._by_id(executions.find_artifacts)

    def _by_id(self, find: Callable[[Connection, Sequence[K]], Awaitable[dict[K, V]]]) -> DataLoader[K, V | None]:
        async def load(ids: list[K]) -> Sequence[V | None]:
            async with self._database.read(self._client_id) as connection:
                found = await find(connection, ids)
            return [found.get(id_) for id_ in ids]

        return DataLoader(load, max_batch_size=BATCH)

    def forget(self) -> None:
        """Drop what was loaded: the next load reads the rows as they are then."""
        everything: tuple[DataLoader[Any, Any], ...] = (
            self.flows,
            self.engagements,
            self.traces,
            self.jobs,
            self.executions,
            self.uploads,
            self.keys,
            self.engagement_keys,
            self.artifacts,
        )
        for loader in everything:
            loader.clear_all()


async def one(loader: DataLoader[K, V | None], id_: K | None, show: Callable[[V], N]) -> N | None:
    """Load one row and show it; None for no id, and for an absent or foreign one alike."""
    row = None if id_ is None else await loader.load(id_)
    return None if row is None else show(row)
