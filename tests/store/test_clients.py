"""Clients, users, memberships: who belongs to whom."""

from gql_server.domain.access import Actor, Role
from gql_server.domain.ids import ClientId, EngagementId, FlowId, UserId, new_id
from gql_server.store import clients, flows
from gql_server.store.database import Database
from tests.conftest import NewActor


async def _find(database: Database, client_id: ClientId, user_id: UserId) -> Actor | None:
    async with database.read(client_id) as connection:
        return await clients.find_actor(connection, client_id, user_id)


async def test_a_member_is_an_actor_with_a_role(database: Database, new_actor: NewActor) -> None:
    for role in Role:
        actor = await new_actor(role)
        assert await _find(database, actor.client_id, actor.user_id) == actor


async def test_a_user_is_nobody_where_no_membership_is(database: Database, actor: Actor, new_actor: NewActor) -> None:
    other = await new_actor()
    assert await _find(database, actor.client_id, other.user_id) is None
    assert await _find(database, actor.client_id, UserId(new_id())) is None


async def test_one_user_may_have_another_role_at_another_client(
    database: Database, actor: Actor, new_actor: NewActor
) -> None:
    other = await new_actor()
    async with database.transaction(other.client_id) as session:
        await clients.add_user(session, other.client_id, actor.user_id, "Example user", Role.VIEWER)
    assert await _find(database, actor.client_id, actor.user_id) == actor
    there = await _find(database, other.client_id, actor.user_id)
    assert there is not None
    assert there.role is Role.VIEWER


async def test_adding_twice_adds_once_and_changes_nothing(database: Database, actor: Actor) -> None:
    async with database.transaction(actor.client_id) as session:
        await clients.add_client(session, actor.client_id, "Another name")
        await clients.add_user(session, actor.client_id, actor.user_id, "Another name", Role.ADMIN)
        flow = await flows.find_default_flow(session)
        assert flow is not None
        await clients.add_default_flow(session, actor, flow.engagement_id, FlowId(new_id()), "Another flow")
    assert await _find(database, actor.client_id, actor.user_id) == actor
    async with database.read(actor.client_id) as connection:
        assert await flows.count_flows(connection) == 1


async def test_each_engagement_may_have_a_default_flow(database: Database, actor: Actor) -> None:
    engagement, flow = EngagementId(new_id()), FlowId(new_id())
    async with database.transaction(actor.client_id) as session:
        await clients.add_engagement(session, actor.client_id, engagement, "Another")
        await clients.add_default_flow(session, actor, engagement, flow, "Its flow")
    async with database.transaction(actor.client_id) as session:
        oldest = await flows.find_default_flow(session)
        assert oldest is not None
        assert oldest.id != flow, "work without a flow stays where it was"
