"""Loaders: batches, and forgetting."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from strawberry.dataloader import DataLoader

from gql_server.api.loaders import BATCH, Loaders, one
from gql_server.domain.access import Actor
from gql_server.domain.ids import TraceId, new_id
from gql_server.services.resources import Resources
from gql_server.store.database import Connection, Database
from tests.api.conftest import AddTrace
from tests.conftest import NewActor


class CountedReads(Database):
    """A database that notes each read."""

    reads = 0

    @asynccontextmanager
    async def read(self, *args: Any) -> AsyncIterator[Connection]:
        self.reads += 1
        async with super().read(*args) as connection:
            yield connection


async def test_many_loads_are_one_read_and_nobody_elses_rows(
    resources: Resources, actor: Actor, new_actor: NewActor, add_trace: AddTrace
) -> None:
    own, foreign = await add_trace(actor), await add_trace(await new_actor())
    async with CountedReads(resources.database.urls, pool_size=1) as database:
        loaders = Loaders(database, actor.client_id)
        found = await loaders.traces.load_many([own.id, foreign.id, TraceId(new_id()), own.id])
        assert [row and row.id for row in found] == [own.id, None, None, own.id]
        assert database.reads == 1
        await loaders.traces.load(own.id)
        assert database.reads == 1
        loaders.forget()
        await loaders.traces.load(own.id)
        assert database.reads == 2


async def test_batches_are_bounded(resources: Resources, actor: Actor) -> None:
    async with CountedReads(resources.database.urls, pool_size=2) as database:
        loaders = Loaders(database, actor.client_id)
        await loaders.traces.load_many([TraceId(new_id()) for _ in range(BATCH + 1)])
        assert database.reads == 2


async def test_no_loader_is_left_out_of_forgetting(resources: Resources, actor: Actor) -> None:
    loaders = Loaders(resources.database, actor.client_id)
    every = [value for value in vars(loaders).values() if isinstance(value, DataLoader)]
    for loader in every:
        loader.prime("a", "b")
    loaders.forget()
    assert [loader.cache_map.get("a") for loader in every] == [None] * len(every)


async def test_one_row_is_shown_or_none() -> None:
    async def load(keys: list[int]) -> list[str | None]:
        return ["row" if key == 1 else None for key in keys]

    assert await one(DataLoader(load), 1, str.upper) == "ROW"
    assert await one(DataLoader(load), 2, str.upper) is None
    assert await one(DataLoader(load), None, str.upper) is None
