"""Trace rows: one a job, read as written, never unmade."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from gql_server.domain.access import Actor
from gql_server.domain.ids import FlowId, TraceId, new_id
from gql_server.domain.paging import PageRequest
from gql_server.domain.rules import parse_address_rules
from gql_server.domain.traces import Trace
from gql_server.store import traces
from gql_server.store.database import Database
from tests.conftest import NewActor
from tests.factories import SUMMARY, make_trace


async def _get(database: Database, actor: Actor, trace_id: TraceId) -> Trace:
    async with database.read(actor.client_id) as connection:
        return (await traces.find_traces(connection, [trace_id]))[trace_id]


async def test_a_trace_is_read_as_it_was_written(database: Database, actor: Actor) -> None:
    trace = await _get(database, actor, await make_trace(database, actor, "A name"))
    assert (trace.name, trace.summary, trace.address_rules, trace.deleted_at) == ("A name", SUMMARY, (), None)


async def test_a_job_makes_one_trace(database: Database, actor: Actor) -> None:
    trace = await _get(database, actor, await make_trace(database, actor))
    with pytest.raises(IntegrityError, match="job_id"):
        async with database.transaction(actor.client_id) as session:
            await traces.add_trace(session, replace(trace, id=TraceId(new_id())))


async def test_name_and_rules_change_apart(database: Database, actor: Actor) -> None:
    trace_id = await make_trace(database, actor)
    rules = parse_address_rules([("10.0.0.0/8", "198.0.0.0/8"), ("2001:db8::/32", "2001:db9::/32")])
    async with database.transaction(actor.client_id) as session:
        await traces.change_trace(session, trace_id, address_rules=rules)
        await traces.change_trace(session, trace_id, name="Another")
    trace = await _get(database, actor, trace_id)
    assert (trace.name, trace.address_rules) == ("Another", rules)
    async with database.transaction(actor.client_id) as session:
        await traces.change_trace(session, trace_id, address_rules=())
    assert (await _get(database, actor, trace_id)).address_rules == ()


async def test_a_tombstone_is_found_and_not_listed(database: Database, actor: Actor) -> None:
    kept, buried = [await make_trace(database, actor) for _ in range(2)]
    async with database.transaction(actor.client_id) as session:
        await traces.bury_trace(session, buried)
    assert (await _get(database, actor, buried)).deleted_at is not None
    async with database.read(actor.client_id) as connection:
        page = await traces.list_traces(connection, flow_id=None, page=PageRequest())
        assert await traces.count_traces(connection, flow_id=None) == 1
        assert await traces.count_traces(connection, flow_id=FlowId(new_id())) == 0
    assert [trace.id for trace in page.items] == [kept]


async def test_a_tombstone_is_doomed_until_its_files_are_gone(database: Database, actor: Actor) -> None:
    trace_id = await make_trace(database, actor)
    doomed = (actor.client_id, trace_id)

    async def is_doomed() -> bool:
        async with database.read_across_tenants() as connection:
            return doomed in await traces.list_doomed(connection, limit=100_000)

    assert not await is_doomed()
    async with database.transaction(actor.client_id) as session:
        await traces.bury_trace(session, trace_id)
    assert await is_doomed()
    async with database.transaction(actor.client_id) as session:
        await traces.mark_files_removed(session, trace_id)
    assert not await is_doomed()


async def test_rows_of_all_tenants_are_known_to_the_sweeper(
    database: Database, actor: Actor, new_actor: NewActor
) -> None:
    made = {await make_trace(database, each) for each in (actor, await new_actor())}
    async with database.read_across_tenants() as connection:
        assert await traces.find_known(connection, [*made, new_id()]) == made
