"""The local tenant: a made-up user and all they need.

They are ordinary rows, so that the first minute needs no configuration and the code has one path.
"""

from uuid import UUID

from gql_server.domain.access import Actor, Role
from gql_server.domain.ids import ClientId, EngagementId, FlowId, UserId
from gql_server.store import clients
from gql_server.store.database import Database

LOCAL_ACTOR = Actor(
    client_id=ClientId(UUID("00000000-0000-4000-8000-000000000001")),
    user_id=UserId(UUID("00000000-0000-4000-8000-000000000002")),
    role=Role.ADMIN,
)
LOCAL_ENGAGEMENT = EngagementId(UUID("00000000-0000-4000-8000-000000000003"))
LOCAL_FLOW = FlowId(UUID("00000000-0000-4000-8000-000000000004"))


async def settle_local_tenant(database: Database) -> Actor:
    """Add the local rows, unless they are there, and return the local user."""
    actor = LOCAL_ACTOR
    async with database.transaction(actor.client_id) as session:
        await clients.add_client(session, actor.client_id, "Local")
        await clients.add_user(session, actor.client_id, actor.user_id, "Local user", actor.role)
        await clients.add_engagement(session, actor.client_id, LOCAL_ENGAGEMENT, "Local engagement")
        await clients.add_default_flow(session, actor, LOCAL_ENGAGEMENT, LOCAL_FLOW, "Default flow")
    return actor
