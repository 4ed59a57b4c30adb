"""Flows and engagements: found by id, listed newest first."""

from gql_server.domain.access import Actor
from gql_server.domain.flows import FlowState, FlowType
from gql_server.domain.ids import EngagementId, FlowId, new_id
from gql_server.domain.paging import PageRequest
from gql_server.store import clients, flows
from gql_server.store.database import Database
from tests.conftest import NewActor


async def test_a_flow_is_read_as_it_was_written(database: Database, actor: Actor) -> None:
    async with database.transaction(actor.client_id) as session:
        flow = await flows.find_default_flow(session)
    assert flow is not None
    assert (flow.type, flow.state, flow.is_default) == (FlowType.DISCOVERY, FlowState.ACTIVE, True)
    assert (flow.client_id, flow.created_by, flow.name) == (actor.client_id, actor.user_id, "Default flow")
    async with database.read(actor.client_id) as connection:
        assert await flows.find_flows(connection, [flow.id, FlowId(new_id())]) == {flow.id: flow}
        engagements = await flows.find_engagements(connection, [flow.engagement_id])
    assert engagements[flow.engagement_id].name == "Example engagement"


async def test_flows_are_listed_newest_first_and_only_ones_own(
    database: Database, actor: Actor, new_actor: NewActor
) -> None:
    await new_actor()
    for number in range(3):
        engagement = EngagementId(new_id())
        async with database.transaction(actor.client_id) as session:
            await clients.add_engagement(session, actor.client_id, engagement, f"Engagement {number}")
            await clients.add_default_flow(session, actor, engagement, FlowId(new_id()), f"Flow {number}")
    async with database.read(actor.client_id) as connection:
        page = await flows.list_flows(connection, page=PageRequest(size=3))
        assert await flows.count_flows(connection) == 4
    assert [flow.name for flow in page.items] == ["Flow 2", "Flow 1", "Flow 0"]
    assert page.has_next


async def test_nothing_is_found_by_no_ids(database: Database, actor: Actor) -> None:
    async with database.read(actor.client_id) as connection:
        assert await flows.find_flows(connection, []) == {}
        assert await flows.find_engagements(connection, []) == {}
