"""Engagement keys, wrapped: rows only, no cryptography."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from gql_server.domain.ids import ClientId, EngagementId, KeyId
from gql_server.store.database import Session
from gql_server.store.tables import EngagementKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedKey:
    """A key as it rests; `wrapped` is None once it was destroyed."""

    id: KeyId
    engagement_id: EngagementId
    wrapped: bytes | None


async def find_current_key(session: Session, engagement_id: EngagementId) -> WrappedKey | None:
    """Return the key that new jobs of the engagement use."""
    statement = select(EngagementKeys.id, EngagementKeys.engagement_id, EngagementKeys.wrapped).where(
        EngagementKeys.engagement_id == engagement_id, EngagementKeys.destroyed_at.is_(None)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else WrappedKey(id=row.id, engagement_id=row.engagement_id, wrapped=row.wrapped)


async def find_key(session: Session, key_id: KeyId) -> WrappedKey | None:
    """Return a key by its id."""
    statement = select(EngagementKeys.id, EngagementKeys.engagement_id, EngagementKeys.wrapped).where(
        EngagementKeys.id == key_id
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else WrappedKey(id=row.id, engagement_id=row.engagement_id, wrapped=row.wrapped)


async def add_key(
    session: Session, client_id: ClientId, engagement_id: EngagementId, key_id: KeyId, wrapped: bytes
) -> None:
    """Add the key of an engagement, unless somebody else just did."""
    values = {"client_id": client_id, "id": key_id, "engagement_id": engagement_id, "wrapped": wrapped}
    await session.execute(insert(EngagementKeys).values(values).on_conflict_do_nothing())
