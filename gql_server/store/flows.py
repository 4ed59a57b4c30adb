"""Flows and engagements: queries."""

from collections.abc import Collection

from sqlalchemy import func, select

from gql_server.domain.flows import Engagement, Flow, FlowState, FlowType
from gql_server.domain.ids import ClientId, EngagementId, FlowId, UserId
from gql_server.domain.paging import Page, PageRequest
from gql_server.store.database import AnyRow, Connection, Session
from gql_server.store.paging import fetch_page
from gql_server.store.tables import Engagements, Flows

_COLUMNS = (
    Flows.id,
    Flows.client_id,
    Flows.engagement_id,
    Flows.name,
    Flows.type,
    Flows.state,
    Flows.is_default,
    Flows.created_by,
    Flows.created_at,
    Flows.updated_at,
)


def _read(row: AnyRow) -> Flow:
    return Flow(
        id=FlowId(row.id),
        client_id=ClientId(row.client_id),
        engagement_id=EngagementId(row.engagement_id),
        name=row.name,
        type=FlowType(row.type),
        state=FlowState(row.state),
        is_default=row.is_default,
        created_by=UserId(row.created_by),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


async def find_flows(connection: Connection | Session, ids: Collection[FlowId]) -> dict[FlowId, Flow]:
    """Return the flows with these ids, as far as they exist."""
    rows = (await connection.execute(select(*_COLUMNS).where(Flows.id.in_(ids)))).all()
    return {FlowId(row.id): _read(row) for row in rows}


async def find_default_flow(session: Session) -> Flow | None:
    """Return the default flow of the client's oldest engagement."""
    statement = select(*_COLUMNS).where(Flows.is_default).order_by(Flows.created_at, Flows.id).limit(1)
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else _read(row)


async def list_flows(connection: Connection, *, page: PageRequest) -> Page[Flow]:
    """Return one page of all flows, newest first."""
    return await fetch_page(connection, select(*_COLUMNS), (Flows.created_at, Flows.id), page, _read)


async def count_flows(connection: Connection) -> int:
    """Return how many flows there are."""
    return await connection.scalar(select(func.count()).select_from(Flows)) or 0


async def find_engagements(connection: Connection, ids: Collection[EngagementId]) -> dict[EngagementId, Engagement]:
    """Return the engagements with these ids, as far as they exist."""
    columns = (Engagements.id, Engagements.client_id, Engagements.name, Engagements.created_at)
    rows = (await connection.execute(select(*columns).where(Engagements.id.in_(ids)))).all()
    return {
        EngagementId(row.id): Engagement(
            id=EngagementId(row.id), client_id=ClientId(row.client_id), name=row.name, created_at=row.created_at
        )
        for row in rows
    }
