"""Sweeping: what crashes and deletions leave behind."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from datetime import timedelta

from gql_server.domain.errors import StorageError
from gql_server.domain.ids import ClientId, UploadId
from gql_server.domain.uploads import UploadState
from gql_server.services.resources import Resources
from gql_server.services.traces import remove_files
from gql_server.store import jobs, traces, uploads

log = logging.getLogger(__name__)

_GRACE = timedelta(hours=1)


async def sweep(resources: Resources) -> None:
    """Expire uploads, remove files of tombstones, and files and directories that no row knows."""
    async with resources.database.read_across_tenants() as connection:
        expired = await uploads.list_expired(connection)
        doomed = await traces.list_doomed(connection)
    for client_id, upload_id in expired:
        with _one_at_a_time():
            await _expire(resources, client_id, upload_id)
    for client_id, trace_id in doomed:
        with _one_at_a_time():
            await remove_files(resources, client_id, trace_id)
    await _remove_strays(resources)


async def _expire(resources: Resources, client_id: ClientId, upload_id: UploadId) -> None:
    async with resources.database.transaction(client_id) as session:
        upload = await uploads.lock_upload(session, upload_id)
        if upload is None or upload.state is not UploadState.RECEIVING:
            return
        await uploads.change_upload(session, upload_id, state=UploadState.EXPIRED)
    await asyncio.to_thread(resources.blobs.delete_upload, upload_id)
    log.info("upload expired", extra={"upload_id": str(upload_id)})


async def _remove_strays(resources: Resources) -> None:
    """Remove files and directories that are old enough to have a row, or to need none, and do not."""
    age = _GRACE + resources.limits.lease_time
    blobs = resources.blobs
    old_uploads = await asyncio.to_thread(blobs.list_old_uploads, age)
    old_traces = await asyncio.to_thread(blobs.list_old_traces, age)
    # A stage of an attempt that is not the current one is of no use to anybody, at any age.
    old_stages = await asyncio.to_thread(blobs.list_old_stages, resources.limits.lease_time)
    async with resources.database.read_across_tenants() as connection:
        needed = await uploads.find_needed_files(connection, old_uploads)
        known = await traces.find_known(connection, old_traces)
        held = await jobs.find_attempts(connection, [job_id for job_id, _ in old_stages])
    for upload_id in set(old_uploads) - needed:
        with _one_at_a_time():
            await asyncio.to_thread(blobs.delete_upload, upload_id)
    for trace_id in set(old_traces) - known:
        with _one_at_a_time():
            await asyncio.to_thread(blobs.remove_trace, trace_id)
    for job_id, attempt in old_stages:
        if held.get(job_id) != attempt:
            with _one_at_a_time():
                await asyncio.to_thread(blobs.discard_stage, job_id, attempt)
    await asyncio.to_thread(blobs.empty_trash)


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let one file that cannot be removed keep no other from being removed."""
    try:
        yield
    except StorageError as error:
        log.warning("not swept", extra={"error_code": error.code.value})
