"""Sweeping: what crashes, deletions and patience's end leave behind."""

import asyncio
import logging
from datetime import timedelta

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
        await _expire(resources, client_id, upload_id)
    for client_id, trace_id in doomed:
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
