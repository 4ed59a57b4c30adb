"""Lineage: walks in one recursive query."""

import pytest

from gql_server.domain.access import Actor
from gql_server.domain.ids import ExecutionId, TraceId, new_id
from gql_server.domain.lineage import Direction, EdgeKind, Lineage, LineageEdge
from gql_server.store import lineage
from gql_server.store.database import Database
from tests.factories import Chain, make_chain


async def _walk(database: Database, actor: Actor, start: TraceId, direction: Direction, depth: int = 20) -> Lineage:
    async with database.read(actor.client_id) as connection:
        return await lineage.walk(connection, trace_id=start, execution_id=None, direction=direction, depth=depth)


@pytest.fixture
async def chain(database: Database, actor: Actor) -> Chain:
    """Four traces, each derived from the one before."""
    return await make_chain(database, actor, 4)


async def test_ancestors_and_descendants_meet_at_the_start(database: Database, actor: Actor, chain: Chain) -> None:
    middle = chain.traces[1]
    up = await _walk(database, actor, middle, Direction.ANCESTORS)
    down = await _walk(database, actor, middle, Direction.DESCENDANTS)
    both = await _walk(database, actor, middle, Direction.BOTH)
    assert set(up.trace_depths) == set(chain.traces[:2])
    assert set(down.trace_depths) == set(chain.traces[1:])
    assert set(both.trace_depths) == set(chain.traces)
    assert set(both.edges) == set(up.edges) | set(down.edges)
    assert both.is_complete


async def test_executions_stand_between_traces(database: Database, actor: Actor, chain: Chain) -> None:
    up = await _walk(database, actor, chain.traces[1], Direction.ANCESTORS, depth=2)
    assert up.execution_depths == {chain.executions[1]: 1, chain.executions[0]: 2}
    assert up.trace_depths == {chain.traces[1]: 0, chain.traces[0]: 1}


async def test_a_walk_stops_at_its_depth_and_says_so(database: Database, actor: Actor, chain: Chain) -> None:
    near = await _walk(database, actor, chain.traces[3], Direction.ANCESTORS, depth=1)
    assert set(near.trace_depths) == {chain.traces[3], chain.traces[2]}
    assert not near.is_complete
    far = await _walk(database, actor, chain.traces[3], Direction.ANCESTORS, depth=5)
    assert set(far.trace_depths) == set(chain.traces)


async def test_a_walk_can_start_at_an_execution(database: Database, actor: Actor, chain: Chain) -> None:
    async with database.read(actor.client_id) as connection:
        found = await lineage.walk(
            connection, trace_id=None, execution_id=chain.executions[2], direction=Direction.BOTH, depth=1
        )
    assert set(found.trace_depths) == {chain.traces[1], chain.traces[2]}


async def test_an_edge_that_makes_no_sense_is_refused(database: Database, actor: Actor) -> None:
    nonsense = LineageEdge(
        kind=EdgeKind.GENERATED,
        source_trace_id=TraceId(new_id()),
        source_execution_id=None,
        target_trace_id=None,
        target_execution_id=ExecutionId(new_id()),
    )
    with pytest.raises(ValueError, match="GENERATED"):
        async with database.transaction(actor.client_id) as session:
            await lineage.add_edge(session, actor.client_id, nonsense)
