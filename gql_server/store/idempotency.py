"""Idempotency keys: a mutation sent twice acts once."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text

from gql_server.domain.access import Actor
from gql_server.domain.errors import IdempotencyConflict
from gql_server.store.database import Session
from gql_server.store.tables import IdempotencyKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedRequest:
    """A mutation as its sender marked it."""

    operation: str
    key: str
    arguments_sha256: str
    """Digest of what was asked, so that a key cannot stand for two things."""


async def find_result(session: Session, actor: Actor, request: MarkedRequest) -> UUID | None:
    """Return what the mutation made the first time, and hold the key until the transaction ends.

    Raises:
        IdempotencyConflict: the key was used with other arguments.
    """
    name = f"{actor.client_id}/{actor.user_id}/{request.operation}/{request.key}"
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 10))"), {"name": name})
    statement = select(IdempotencyKeys.arguments_sha256, IdempotencyKeys.result_id).where(
        IdempotencyKeys.user_id == actor.user_id,
        IdempotencyKeys.operation == request.operation,
        IdempotencyKeys.key == request.key,
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    if row.arguments_sha256 != request.arguments_sha256:
        raise IdempotencyConflict
    found: UUID = row.result_id
    return found


async def keep_result(session: Session, actor: Actor, request: MarkedRequest, result_id: UUID) -> None:
    """Remember what the mutation made."""
    session.add(
        IdempotencyKeys(
            client_id=actor.client_id,
            user_id=actor.user_id,
            operation=request.operation,
            key=request.key,
            arguments_sha256=request.arguments_sha256,
            result_id=result_id,
        )
    )
    await session.flush()
