"""DICOM: list it, preview, override and de-identify it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any, BinaryIO, TypeVar

from gql_server.domain.access import Actor
from gql_server.domain.deidentification import DeidentificationParameters
from gql_server.domain.dicom import DicomAssociation, DicomDevice, DicomOverride, DicomParameters, DicomProposal
from gql_server.domain.dicom_overrides import OverrideText, parse_overrides
from gql_server.domain.errors import InvalidInput, NotFound
from gql_server.domain.ids import JobId, TraceId
from gql_server.domain.inspection import RowRequest, Rows
from gql_server.domain.jobs import Job, JobKind
from gql_server.domain.paging import MAX_PAGE_SIZE
from gql_server.domain.traces import Trace
from gql_server.engine.dicom import listing
from gql_server.engine.dicom.tasks import DicomPreviewed, PreviewDicomTask
from gql_server.services.access import hold_trace, require_originals, require_write, settle_flow
from gql_server.services.jobs import address_rules
from gql_server.services.keys import open_key, settle_key
from gql_server.services.resources import Resources
from gql_server.services.starting import Start, no_rules, start_job
from gql_server.store import executions, jobs, traces
from gql_server.store.database import Session
from gql_server.store.traces import overrides_as_json

MAX_SKIP = 1_000_000
"""Rows of a preview that may come before a page."""

_PREVIEW_TIME = timedelta(seconds=45)
"""Less than the server gives an answer."""

T = TypeVar("T")


async def start_dicom_extraction(
    resources: Resources, actor: Actor, *, trace_id: TraceId, idempotency_key: str | None
) -> Job:
    """Start a job that lists the associations and devices of a trace; it makes no other trace.

    Raises:
        Forbidden, NotFound, TraceDeleted, InvalidInput, IdempotencyConflict.
    """
    start = Start(
        kind=JobKind.DICOM_EXTRACTION,
        operation="startDicomExtraction",
        parameters={},
        snapshot=no_rules,
        needs_key=False,
    )
    return await start_job(resources, actor, start, trace_id=trace_id, name=None, idempotency_key=idempotency_key)


async def start_deidentification(
    resources: Resources,
    actor: Actor,
    *,
    trace_id: TraceId,
    parameters: DeidentificationParameters,
    name: str | None,
    idempotency_key: str | None,
) -> Job:
    """Start a de-identification of the DICOM of a trace, and of its addresses if asked, under its rules as they are.

    Raises:
        Forbidden, NotFound, TraceDeleted, InvalidInput, IdempotencyConflict, KeyDestroyed.
    """
    if parameters.addresses is None:
        start = Start(
            kind=JobKind.DICOM_DEIDENTIFICATION,
            operation="startDicomDeidentification",
            parameters=asdict(parameters),
            snapshot=_overrides,
            suffix=" (DICOM de-identified)",
        )
    else:
        start = Start(
            kind=JobKind.DEIDENTIFICATION,
            operation="startDeidentification",
            parameters=asdict(parameters),
            snapshot=_rules_and_overrides,
            suffix=" (de-identified)",
        )
    return await start_job(resources, actor, start, trace_id=trace_id, name=name, idempotency_key=idempotency_key)


async def _overrides(session: Session, trace: Trace) -> dict[str, Any]:
    found = await traces.find_overrides(session, [trace.id])
    return {"overrides": overrides_as_json(found[trace.id])}


async def _rules_and_overrides(session: Session, trace: Trace) -> dict[str, Any]:
    return await address_rules(session, trace) | await _overrides(session, trace)


async def set_dicom_overrides(
    resources: Resources, actor: Actor, *, trace_id: TraceId, overrides: Sequence[OverrideText]
) -> Trace:
    """Set what the trace's next DICOM de-identification keeps or replaces; started jobs keep their snapshot.

    Raises:
        Forbidden, NotFound, TraceDeleted, OverrideMalformed.
    """
    require_write(actor)
    parsed = parse_overrides(overrides)
    async with resources.database.transaction(actor.client_id) as session:
        trace = await hold_trace(session, trace_id)
        await traces.set_overrides(session, trace_id, parsed)
    return trace


async def preview_dicom_deidentification(
    resources: Resources, actor: Actor, *, trace_id: TraceId, parameters: DicomParameters, first: int, skip: int
) -> Rows[DicomProposal]:
    """Show what a de-identification started now would make of the trace's elements: rows `skip` to `skip + first`.

    The same key, overrides and code as the job's: what is shown is what the job writes.

    Raises:
        Forbidden, NotFound, TraceDeleted, InvalidInput, CaptureError, DicomError, KeyDestroyed.
        ResourceLimit: the capture is too large to be previewed.
    """
    require_originals(actor)
    for field, number, least, most in (("first", first, 1, MAX_PAGE_SIZE), ("skip", skip, 0, MAX_SKIP)):
        if not least <= number <= most:
            raise InvalidInput(field=field, reason=f"{least} to {most} rows are wanted")
    async with resources.database.transaction(actor.client_id) as session:
        trace = await hold_trace(session, trace_id)
        flow = await settle_flow(session, trace.flow_id)
        overrides = await traces.find_overrides(session, [trace_id])
        key_id = await settle_key(session, resources.keyring, actor.client_id, flow.engagement_id)
        key = await open_key(session, resources.keyring, actor.client_id, key_id)
    task = PreviewDicomTask(
        source=resources.blobs.trace_path(trace_id, trace.summary.format.file_name),
        dicom=parameters,
        overrides=overrides[trace_id],
        key=key,
        first=first,
        skip=skip,
        memory_bytes=resources.limits.job_memory_bytes,
    )
    async with resources.previews:
        result = await resources.children.run(task, on_progress=lambda _: None, time_limit=_PREVIEW_TIME)
    assert isinstance(result, DicomPreviewed)
    return Rows(items=result.proposals, start=skip, total=result.total, is_complete=True)


async def list_associations(
    resources: Resources, actor: Actor, trace: Trace, request: RowRequest
) -> Rows[DicomAssociation] | None:
    """List associations; None for a tombstone, and until an extraction has been completed.

    Raises:
        BlobMissing.
    """
    return await _read(resources, actor, trace, partial(listing.read_associations, request=request))


async def list_devices(
    resources: Resources, actor: Actor, trace: Trace, request: RowRequest
) -> Rows[DicomDevice] | None:
    """List devices; None as above.

    Raises:
        BlobMissing.
    """
    return await _read(resources, actor, trace, partial(listing.read_devices, request=request))


async def check_lists(resources: Resources, actor: Actor, job_id: JobId) -> None:
    """Open the lists that an extraction made, as whoever is told of its end will.

    Raises:
        BlobMissing: they cannot be seen from here.
    """
    async with resources.database.read(actor.client_id) as connection:
        job = (await jobs.find_jobs(connection, [job_id])).get(job_id)
        trace_id = None if job is None else job.input_trace_id
        trace = None if trace_id is None else (await traces.find_traces(connection, [trace_id])).get(trace_id)
    if trace is not None:
        await list_devices(resources, actor, trace, RowRequest(size=1))


async def find_overrides(resources: Resources, actor: Actor, trace_id: TraceId) -> tuple[DicomOverride, ...]:
    """Return the trace's next overrides, in the order in which they were given.

    Raises:
        NotFound.
    """
    async with resources.database.read(actor.client_id) as connection:
        found = (await traces.find_overrides(connection, [trace_id])).get(trace_id)
    if found is None:
        raise NotFound(noun="trace")
    return found


async def _read(
    resources: Resources, actor: Actor, trace: Trace, read: Callable[[listing.OpenFile], Rows[T]]
) -> Rows[T] | None:
    execution_id = trace.dicom_execution_id
    if execution_id is None or trace.deleted_at is not None:
        return None
    async with resources.database.read(actor.client_id) as connection:
        execution = (await executions.find_executions(connection, [execution_id]))[execution_id]

    def open_file(name: str) -> BinaryIO:
        return resources.blobs.open_artifact(execution.name, name)[0]

    return await asyncio.to_thread(read, open_file)
