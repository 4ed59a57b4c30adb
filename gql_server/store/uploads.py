"""Uploads: queries and fenced writes."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update

from gql_server.domain.errors import GqlServerError
from gql_server.domain.ids import ClientId, FlowId, JobId, TraceId, UploadId, UserId
from gql_server.domain.uploads import OPEN_STATES, Upload, UploadState
from gql_server.store.database import AnyRow, Connection, Session
from gql_server.store.errors import error_columns, read_error
from gql_server.store.tables import Uploads

_COLUMNS = (
    Uploads.id,
    Uploads.client_id,
    Uploads.flow_id,
    Uploads.created_by,
    Uploads.name,
    Uploads.state,
    Uploads.length_bytes,
    Uploads.offset_bytes,
    Uploads.declared_sha256,
    Uploads.job_id,
    Uploads.trace_id,
    Uploads.error_code,
    Uploads.error_facts,
    Uploads.created_at,
    Uploads.expires_at,
)


def _read(row: AnyRow) -> Upload:
    return Upload(
        id=UploadId(row.id),
        client_id=ClientId(row.client_id),
        flow_id=FlowId(row.flow_id),
        created_by=UserId(row.created_by),
        name=row.name,
        state=UploadState(row.state),
        length_bytes=row.length_bytes,
        offset_bytes=row.offset_bytes,
        declared_sha256=row.declared_sha256,
        job_id=row.job_id,
        trace_id=row.trace_id,
        error=read_error(row.error_code, row.error_facts),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


async def find_uploads(connection: Connection | Session, ids: Collection[UploadId]) -> dict[UploadId, Upload]:
    """Return the uploads with these ids, as far as they exist."""
    rows = (await connection.execute(select(*_COLUMNS).where(Uploads.id.in_(ids)))).all()
    return {UploadId(row.id): _read(row) for row in rows}


async def lock_upload(session: Session, upload_id: UploadId) -> Upload | None:
    """Return the upload and hold its row until the transaction ends."""
    statement = select(*_COLUMNS).where(Uploads.id == upload_id).with_for_update()
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else _read(row)


async def lock_user_uploads(session: Session, user_id: UserId) -> int:
    """Return how many uploads a user has open, and let nobody else count until the transaction ends."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:user_id, 20))"), {"user_id": str(user_id)}
    )
    states = [state.value for state in OPEN_STATES]
    statement = select(func.count()).where(Uploads.created_by == user_id, Uploads.state.in_(states))
    return await session.scalar(statement) or 0


async def add_upload(session: Session, upload: Upload) -> None:
    """Add an upload."""
    session.add(
        Uploads(
            client_id=upload.client_id,
            id=upload.id,
            flow_id=upload.flow_id,
            created_by=upload.created_by,
            name=upload.name,
            state=upload.state.value,
            length_bytes=upload.length_bytes,
            offset_bytes=upload.offset_bytes,
            declared_sha256=upload.declared_sha256,
            created_at=upload.created_at,
            expires_at=upload.expires_at,
        )
    )
    await session.flush()


async def advance_upload(
    session: Session, upload_id: UploadId, *, before: int, after: int, expires_at: datetime
) -> bool:
    """Move the offset from one place to the next; False when it was not there or the upload is closed."""
    result = await session.execute(
        update(Uploads)
        .where(Uploads.id == upload_id, Uploads.offset_bytes == before, Uploads.state == UploadState.RECEIVING)
        .values(offset_bytes=after, expires_at=expires_at)
        .returning(Uploads.id)
    )
    return result.one_or_none() is not None


async def change_upload(
    session: Session,
    upload_id: UploadId,
    *,
    state: UploadState,
    job_id: JobId | None = None,
    trace_id: TraceId | None = None,
    error: GqlServerError | None = None,
) -> None:
    """Set the state of an upload and what came of it."""
    values: dict[str, Any] = {"state": state.value, **error_columns(error)}
    if job_id is not None:
        values["job_id"] = job_id
    if trace_id is not None:
        values["trace_id"] = trace_id
    await session.execute(update(Uploads).where(Uploads.id == upload_id).values(**values))


async def list_expired(connection: Connection, *, limit: int = 100) -> tuple[tuple[ClientId, UploadId], ...]:
    """Return uploads of all tenants whose time is up and that nobody finished."""
    statement = (
        select(Uploads.client_id, Uploads.id)
        .where(Uploads.state == UploadState.RECEIVING, Uploads.expires_at < func.clock_timestamp())
        .limit(limit)
    )
    rows = (await connection.execute(statement)).all()
    return tuple((ClientId(row.client_id), UploadId(row.id)) for row in rows)


async def find_needed_files(connection: Connection, ids: Collection[UUID]) -> frozenset[UUID]:
    """Return which of these uploads, of all tenants, still need their file."""
    states = [state.value for state in OPEN_STATES]
    rows = await connection.scalars(select(Uploads.id).where(Uploads.id.in_(ids), Uploads.state.in_(states)))
    return frozenset(rows)
