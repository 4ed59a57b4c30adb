"""Engagement keys, wrapped: rows only, no cryptography."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from gql_server.domain.flows import EngagementKey
from gql_server.domain.ids import ClientId, EngagementId, KeyId, UserId
from gql_server.store.database import AnyRow, Connection, Session
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


_RECORD = (
    EngagementKeys.id,
    EngagementKeys.engagement_id,
    EngagementKeys.created_at,
    EngagementKeys.destroyed_at,
    EngagementKeys.destroyed_by,
)


def _read(row: AnyRow) -> EngagementKey:
    return EngagementKey(
        id=KeyId(row.id),
        engagement_id=EngagementId(row.engagement_id),
        created_at=row.created_at,
        destroyed_at=row.destroyed_at,
        destroyed_by=None if row.destroyed_by is None else UserId(row.destroyed_by),
    )


async def find_records(connection: Connection | Session, ids: Collection[KeyId]) -> dict[KeyId, EngagementKey]:
    """Return what is remembered of these keys, as far as they exist."""
    rows = (await connection.execute(select(*_RECORD).where(EngagementKeys.id.in_(ids)))).all()
    return {KeyId(row.id): _read(row) for row in rows}


async def find_records_of(
    connection: Connection | Session, ids: Collection[EngagementId]
) -> dict[EngagementId, tuple[EngagementKey, ...]]:
    """Return what is remembered of the keys of engagements, the newest first."""
    statement = (
        select(*_RECORD)
        .where(EngagementKeys.engagement_id.in_(ids))
        .order_by(EngagementKeys.created_at.desc(), EngagementKeys.id)
    )
    found: dict[EngagementId, tuple[EngagementKey, ...]] = {}
    for row in (await connection.execute(statement)).all():
        key = _read(row)
        found[key.engagement_id] = (*found.get(key.engagement_id, ()), key)
    return found


async def destroy_key(session: Session, key_id: KeyId, user_id: UserId) -> EngagementKey | None:
    """Overwrite the wrapped key with nothing and note who did it; None when there was none to destroy."""
    statement = (
        update(EngagementKeys)
        .where(EngagementKeys.id == key_id, EngagementKeys.destroyed_at.is_(None))
        .values(wrapped=None, destroyed_at=func.clock_timestamp(), destroyed_by=user_id)
        .returning(*_RECORD)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else _read(row)
