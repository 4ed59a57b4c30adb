"""The local tenant: settled once, ordinary like any other."""

import asyncio

from gql_server.domain.access import Role
from gql_server.services.local import LOCAL_ENGAGEMENT, LOCAL_FLOW, settle_local_tenant
from gql_server.store import clients, flows
from gql_server.store.database import Database


async def test_it_is_there_after_any_number_of_starts_at_once(database: Database) -> None:
    actors = await asyncio.gather(*(settle_local_tenant(database) for _ in range(3)))
    assert len(set(actors)) == 1
    async with database.transaction(actors[0].client_id) as session:
        flow = await flows.find_default_flow(session)
        assert flow is not None
        assert (flow.id, flow.engagement_id, flow.is_default) == (LOCAL_FLOW, LOCAL_ENGAGEMENT, True)
    async with database.read(actors[0].client_id) as connection:
        assert await flows.count_flows(connection) == 1


async def test_its_user_is_a_member_like_any_other(database: Database) -> None:
    actor = await settle_local_tenant(database)
    async with database.read(actor.client_id) as connection:
        assert await clients.find_actor(connection, actor.client_id, actor.user_id) == actor
    assert actor.role is Role.ADMIN
