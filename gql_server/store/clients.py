"""Clients, users and memberships: who owns the work."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from gql_server.domain.access import Actor, Role
from gql_server.domain.ids import ClientId, EngagementId, FlowId, UserId
from gql_server.store.database import Connection, Session
from gql_server.store.tables import Clients, Engagements, Flows, Memberships, Users


async def find_actor(connection: Connection, client_id: ClientId, user_id: UserId) -> Actor | None:
    """Return the user as an actor inside the client, or None when no membership joins them."""
    role = await connection.scalar(
        select(Memberships.role).where(Memberships.client_id == client_id, Memberships.user_id == user_id)
    )
    return None if role is None else Actor(client_id=client_id, user_id=user_id, role=Role(role))


async def add_client(session: Session, client_id: ClientId, name: str) -> None:
    """Add a client, unless it is there."""
    await session.execute(insert(Clients).values(id=client_id, name=name).on_conflict_do_nothing())


async def add_user(session: Session, client_id: ClientId, user_id: UserId, name: str, role: Role) -> None:
    """Add a user with a membership in the client, unless they are there."""
    await session.execute(insert(Users).values(id=user_id, name=name).on_conflict_do_nothing())
    values = {"client_id": client_id, "user_id": user_id, "role": role.value}
    await session.execute(insert(Memberships).values(values).on_conflict_do_nothing())


async def add_engagement(session: Session, client_id: ClientId, engagement_id: EngagementId, name: str) -> None:
    """Add an engagement, unless it is there."""
    values = {"client_id": client_id, "id": engagement_id, "name": name}
    await session.execute(insert(Engagements).values(values).on_conflict_do_nothing())


async def add_default_flow(
    session: Session, actor: Actor, engagement_id: EngagementId, flow_id: FlowId, name: str
) -> None:
    """Add the default flow of an engagement, unless it has one."""
    values = {
        "client_id": actor.client_id,
        "id": flow_id,
        "engagement_id": engagement_id,
        "name": name,
        "type": "DISCOVERY",
        "state": "ACTIVE",
        "is_default": True,
        "created_by": actor.user_id,
    }
    await session.execute(insert(Flows).values(values).on_conflict_do_nothing())
