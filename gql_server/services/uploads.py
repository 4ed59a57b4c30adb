"""Uploads: create, append, finish, abort.

Every byte that is acknowledged is on disk: the file is fsynced before the row's offset moves, and the offset moves
before the client hears of it. What a crash leaves beyond the row's offset is cut off by the next chunk.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from gql_server.domain.access import Actor
from gql_server.domain.errors import (
    ChecksumMismatch,
    GqlServerError,
    InvalidInput,
    JobCancelled,
    LengthExceeded,
    NotFound,
    OffsetMismatch,
    TooManyUploads,
    UploadClosed,
    UploadIncomplete,
    UploadTooLarge,
)
from gql_server.domain.flows import Flow
from gql_server.domain.ids import FlowId, JobId, UploadId, new_id
from gql_server.domain.jobs import Job, JobKind
from gql_server.domain.uploads import Upload, UploadState
from gql_server.services.access import checked_name, require_write, settle_flow
from gql_server.services.resources import Resources
from gql_server.services.submission import marked, new_job, submit
from gql_server.store import idempotency, jobs, uploads
from gql_server.store.database import Session
from gql_server.store.jobs import JobOrder
from gql_server.store.upload_files import UploadFile

_BATCH_BYTES = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


async def create_upload(
    resources: Resources,
    actor: Actor,
    *,
    flow_id: FlowId | None,
    name: str,
    length_bytes: int,
    declared_sha256: str | None,
    idempotency_key: str | None,
) -> Upload:
    """Begin an upload of a known length into a flow (None: the default flow).

    Raises:
        Forbidden, NotFound, InvalidInput, UploadTooLarge, TooManyUploads, StorageFull, IdempotencyConflict.
    """
    require_write(actor)
    trimmed, sha256 = checked_name(name), _checked_sha256(declared_sha256)
    _check_length(length_bytes, resources.limits.upload_bytes)
    arguments = {"flow": flow_id, "name": trimmed, "length": length_bytes, "sha256": sha256}
    request = marked("createUpload", idempotency_key, arguments)
    await asyncio.to_thread(resources.blobs.check_room, length_bytes)
    async with resources.database.transaction(actor.client_id) as session:
        if request is not None and (known := await idempotency.find_result(session, actor, request)) is not None:
            return await _get_upload(session, UploadId(known))
        if await uploads.lock_user_uploads(session, actor.user_id) >= resources.limits.uploads_per_user:
            raise TooManyUploads(limit=resources.limits.uploads_per_user)
        flow = await settle_flow(session, flow_id)
        upload = _new_upload(resources, actor, flow, name=trimmed, length_bytes=length_bytes, sha256=sha256)
        await asyncio.to_thread(resources.blobs.create_upload, upload.id)
        await uploads.add_upload(session, upload)
        if request is not None:
            await idempotency.keep_result(session, actor, request, upload.id)
    return upload


def _new_upload(
    resources: Resources, actor: Actor, flow: Flow, *, name: str, length_bytes: int, sha256: str | None
) -> Upload:
    now = datetime.now(UTC)
    return Upload(
        id=UploadId(new_id()),
        client_id=actor.client_id,
        flow_id=flow.id,
        created_by=actor.user_id,
        name=name,
        state=UploadState.RECEIVING,
        length_bytes=length_bytes,
        offset_bytes=0,
        declared_sha256=sha256,
        job_id=None,
        trace_id=None,
        error=None,
        created_at=now,
        expires_at=now + resources.limits.upload_time,
    )


async def find_upload(resources: Resources, actor: Actor, upload_id: UploadId) -> Upload:
    """Return an upload.

    Raises:
        NotFound: absent, or another tenant's.
    """
    async with resources.database.read(actor.client_id) as connection:
        upload = (await uploads.find_uploads(connection, [upload_id])).get(upload_id)
    if upload is None:
        raise NotFound(noun="upload")
    return upload


async def append_chunk(
    resources: Resources,
    actor: Actor,
    *,
    upload_id: UploadId,
    offset: int,
    body: AsyncIterator[bytes],
    checksum: bytes | None,
) -> int:
    """Append the bytes of one request at the offset and return the new one; all of it is on disk then.

    With a checksum (SHA-256, 32 bytes) the bytes count all or none. Without one, what arrived before the body broke
    off counts, and the error that broke it goes on to the caller.

    Raises:
        Forbidden, NotFound, UploadClosed, UploadBusy, OffsetMismatch, LengthExceeded, ChecksumMismatch, StorageFull.
    """
    require_write(actor)
    _require_receiving(await find_upload(resources, actor, upload_id))
    with await asyncio.to_thread(resources.blobs.open_upload, upload_id) as file:
        # Read again: whoever held the file before us has moved the offset.
        upload = await find_upload(resources, actor, upload_id)
        _require_receiving(upload)
        if offset != upload.offset_bytes:
            raise OffsetMismatch(offset=upload.offset_bytes)
        await asyncio.to_thread(resources.blobs.check_room, upload.length_bytes - offset)
        writer = _ChunkWriter(file, upload)
        try:
            await asyncio.to_thread(file.begin, offset)
            async for piece in body:
                await writer.take(piece)
            await writer.check(checksum)
        except GqlServerError:
            await asyncio.to_thread(file.roll_back, offset)
            raise
        except BaseException:
            if checksum is None:
                await asyncio.shield(_keep(resources, actor, writer, offset))
            raise
        return await _keep(resources, actor, writer, offset)


class _ChunkWriter:
    """Collects pieces of a body and writes them in batches, off the event loop."""

    def __init__(self, file: UploadFile, upload: Upload) -> None:
        self.file = file
        self.upload = upload
        self.received = upload.offset_bytes
        self.written = upload.offset_bytes
        self.digest = hashlib.sha256()
        self._batch = bytearray()

    async def take(self, piece: bytes) -> None:
        self.received += len(piece)
        if self.received > self.upload.length_bytes:
            raise LengthExceeded(length_bytes=self.upload.length_bytes)
        self._batch += piece
        if len(self._batch) >= _BATCH_BYTES:
            await self.flush()

    async def check(self, checksum: bytes | None) -> None:
        await self.flush()
        if checksum is not None and self.digest.digest() != checksum:
            raise ChecksumMismatch(offset=self.upload.offset_bytes)

    async def flush(self) -> None:
        batch, self._batch = bytes(self._batch), bytearray()
        if batch:
            await asyncio.to_thread(self._write, batch)
            self.written += len(batch)

    def _write(self, batch: bytes) -> None:
        self.digest.update(batch)
        self.file.write(batch)


async def _keep(resources: Resources, actor: Actor, writer: _ChunkWriter, before: int) -> int:
    await writer.flush()
    await asyncio.to_thread(writer.file.sync)
    upload = writer.upload
    expires_at = datetime.now(UTC) + resources.limits.upload_time
    async with resources.database.transaction(actor.client_id) as session:
        if not await uploads.advance_upload(
            session, upload.id, before=before, after=writer.written, expires_at=expires_at
        ):
            raise UploadClosed(state=(await _get_upload(session, upload.id)).state.value)
    return writer.written


async def finish_upload(
    resources: Resources, actor: Actor, *, upload_id: UploadId, idempotency_key: str | None
) -> tuple[Upload, Job]:
    """Close an upload whose bytes are all here and start the job that makes it a trace.

    Finishing it again returns the same job.

    Raises:
        Forbidden, NotFound, UploadClosed, UploadIncomplete, IdempotencyConflict.
    """
    require_write(actor)
    request = marked("finishUpload", idempotency_key, {"upload": upload_id})
    job_id = JobId(new_id())
    async with resources.database.transaction(actor.client_id) as session:
        if request is not None:
            await idempotency.find_result(session, actor, request)
        await jobs.lock_job(session, job_id)
        upload = await uploads.lock_upload(session, upload_id)
        if upload is None:
            raise NotFound(noun="upload")
        if upload.job_id is not None:
            return upload, (await jobs.find_jobs(session, [upload.job_id]))[upload.job_id]
        _require_receiving(upload)
        if upload.offset_bytes < upload.length_bytes:
            raise UploadIncomplete(offset=upload.offset_bytes, length_bytes=upload.length_bytes)
        job = new_job(actor, job_id=job_id, flow_id=upload.flow_id, kind=JobKind.INGEST, upload_id=upload.id)
        await submit(session, job, JobOrder(parameters={"version": 1}, key_id=None, output_name=upload.name))
        await uploads.change_upload(session, upload_id, state=UploadState.FINISHING, job_id=job_id)
        if request is not None:
            await idempotency.keep_result(session, actor, request, job_id)
        upload = await _get_upload(session, upload_id)
    resources.announcer.announce()
    return upload, job


async def abort_upload(resources: Resources, actor: Actor, *, upload_id: UploadId) -> Upload:
    """Give an upload up and forget its bytes.

    Raises:
        Forbidden, NotFound.
        UploadClosed: it was finished, aborted or has expired.
    """
    require_write(actor)
    upload = await _close(resources, actor, upload_id, UploadState.ABORTED)
    await asyncio.to_thread(resources.blobs.delete_upload, upload_id)
    return upload


async def _close(resources: Resources, actor: Actor, upload_id: UploadId, state: UploadState) -> Upload:
    async with resources.database.transaction(actor.client_id) as session:
        upload = await uploads.lock_upload(session, upload_id)
        if upload is None:
            raise NotFound(noun="upload")
        _require_receiving(upload)
        await uploads.change_upload(session, upload_id, state=state)
        return await _get_upload(session, upload_id)


async def close_upload_of(session: Session, job: Job, error: GqlServerError) -> None:
    """Let a refusal land on the upload that the job was to make a trace of."""
    if job.input_upload_id is not None:
        state = UploadState.ABORTED if isinstance(error, JobCancelled) else UploadState.REFUSED
        await uploads.change_upload(session, job.input_upload_id, state=state, error=error)


def _require_receiving(upload: Upload) -> None:
    if upload.state is not UploadState.RECEIVING:
        raise UploadClosed(state=upload.state.value)
    if upload.expires_at <= datetime.now(UTC):
        raise UploadClosed(state=UploadState.EXPIRED.value)


def _check_length(length_bytes: int, limit_bytes: int) -> None:
    if length_bytes < 0:
        raise InvalidInput(field="lengthBytes", reason="a length is not negative")
    if length_bytes > limit_bytes:
        raise UploadTooLarge(limit_bytes=limit_bytes)


def _checked_sha256(declared: str | None) -> str | None:
    if declared is not None and not _SHA256.fullmatch(declared.lower()):
        raise InvalidInput(field="sha256", reason="64 hexadecimal digits are wanted")
    return None if declared is None else declared.lower()


async def _get_upload(session: Session, upload_id: UploadId) -> Upload:
    return (await uploads.find_uploads(session, [upload_id]))[upload_id]
