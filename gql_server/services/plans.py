"""Plans: what a job's child is asked to do, and on what."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import assert_never

from gql_server.domain.anonymization import anonymization_of, mac_transformation_of
from gql_server.domain.deidentification import deidentification_of
from gql_server.domain.dicom_overrides import parse_overrides
from gql_server.domain.errors import DigestMismatch, KeyDestroyed, NotFound, TraceDeleted
from gql_server.domain.jobs import JobKind, Progress
from gql_server.domain.traces import Trace
from gql_server.domain.uploads import Upload
from gql_server.engine.dicom.tasks import Deidentified, DeidentifyTask, ExtractDicomTask
from gql_server.engine.tasks import (
    Anonymized,
    AnonymizeTask,
    InspectTask,
    Result,
    Task,
    TransformMacsTask,
    Verified,
)
from gql_server.services.attempts import Attempt
from gql_server.services.keys import open_key
from gql_server.services.resources import Resources
from gql_server.services.verification import require_sound, verify_task
from gql_server.store import traces, uploads


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One task, its input, and the staging directory it writes to."""

    task: Task
    staging: Path
    input_trace: Trace | None = None
    input_upload: Upload | None = None
    input_sha256: str | None = None
    """Digest of the input's bytes; of an upload it is known once the plan was run."""

    @property
    def input_bytes(self) -> int:
        """The size of the capture that is transformed."""
        return 0 if self.input_trace is None else self.input_trace.summary.size_bytes


async def make_plan(resources: Resources, attempt: Attempt) -> Plan:
    """Return what the attempt's child is to do, in a fresh staging directory.

    Raises:
        GqlServerError: the input or the key is gone, or there is no room.
    """
    await asyncio.to_thread(resources.blobs.check_room, 0)
    staging = await asyncio.to_thread(resources.blobs.stage, attempt.job.id, attempt.job.attempt)
    match attempt.job.kind:
        case JobKind.INGEST:
            return await _plan_ingest(resources, attempt, staging)
        case JobKind.ADDRESS_ANONYMIZATION:
            source = await _open_source(resources, attempt)
            return _plan_of(source, _anonymize(resources, attempt, source, staging), staging)
        case JobKind.MAC_TRANSFORMATION:
            source = await _open_source(resources, attempt)
            return _plan_of(source, _transform_macs(resources, attempt, source, staging), staging)
        case JobKind.DICOM_EXTRACTION:
            source = await _open_source(resources, attempt, needs_key=False)
            return _plan_of(source, _extract(resources, source, staging), staging)
        case JobKind.DICOM_DEIDENTIFICATION | JobKind.DEIDENTIFICATION:
            source = await _open_source(resources, attempt)
            # A working copy, and the output that is written from it.
            await asyncio.to_thread(resources.blobs.check_room, 2 * source.trace.summary.size_bytes)
            return _plan_of(source, _deidentify(resources, attempt, source, staging), staging)
        case _:
            assert_never(attempt.job.kind)


async def run_plan(resources: Resources, plan: Plan, note: Callable[[Progress], None]) -> tuple[Plan, Result]:
    """Have a child do the task, and another one prove what it did.

    Returns the plan with the digest of its input, and the result with its verification.

    Raises:
        DigestMismatch: the received bytes are not those that were declared.
        VerificationFailed: the second child found something wrong with the output of the first.
        GqlServerError: what the child refused the task with, or ChildCrashed.
    """
    upload = plan.input_upload
    if upload is not None:
        received = await asyncio.to_thread(resources.blobs.digest_upload, upload.id)
        if upload.declared_sha256 not in (None, received):
            raise DigestMismatch
        plan = replace(plan, input_sha256=received)
    task, time_limit = plan.task, resources.limits.job_time
    if not isinstance(task, AnonymizeTask | TransformMacsTask | DeidentifyTask):
        return plan, await resources.children.run(task, on_progress=note, time_limit=time_limit)
    result = await resources.children.run(task, on_progress=_first_half(note), time_limit=time_limit)
    assert isinstance(result, Anonymized | Deidentified)
    overridden = result.overridden if isinstance(result, Deidentified) else ()
    proof = verify_task(task, plan.staging / result.summary.format.file_name, overridden)
    verified = await resources.children.run(
        proof, on_progress=_second_half(note, plan.input_bytes), time_limit=time_limit
    )
    assert isinstance(verified, Verified)
    return plan, replace(result, verification=require_sound(verified.verification))


def _first_half(note: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Count the bytes that will be read again for the proof."""
    return lambda progress: note(replace(progress, bytes_total=2 * progress.bytes_total))


def _second_half(note: Callable[[Progress], None], size: int) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        note(replace(progress, bytes_done=size + int(size * progress.fraction), bytes_total=2 * size))

    return tell


async def _plan_ingest(resources: Resources, attempt: Attempt, staging: Path) -> Plan:
    upload_id = attempt.job.input_upload_id
    if upload_id is None:
        raise NotFound(noun="upload")
    async with resources.database.read(attempt.job.client_id) as connection:
        upload = (await uploads.find_uploads(connection, [upload_id]))[upload_id]
    task = InspectTask(
        source=resources.blobs.upload_path(upload_id),
        output_directory=staging,
        unpacked_limit_bytes=resources.limits.unpacked_bytes,
        unpacked_ratio=resources.limits.unpacked_ratio,
        memory_bytes=resources.limits.job_memory_bytes,
    )
    return Plan(task=task, staging=staging, input_upload=upload)


@dataclass(frozen=True, slots=True)
class _Source:
    """What a transformation starts from."""

    trace: Trace
    path: Path
    key: bytes = field(repr=False)
    """Empty for a job that needs none."""


async def _open_source(resources: Resources, attempt: Attempt, *, needs_key: bool = True) -> _Source:
    trace_id, key_id = attempt.job.input_trace_id, attempt.order.key_id
    if trace_id is None:
        raise NotFound(noun="trace")
    if needs_key and key_id is None:
        raise KeyDestroyed
    async with resources.database.transaction(attempt.job.client_id) as session:
        trace = (await traces.find_traces(session, [trace_id]))[trace_id]
        key = b""
        if key_id is not None:
            key = await open_key(session, resources.keyring, attempt.job.client_id, key_id)
    if trace.deleted_at is not None:
        raise TraceDeleted
    return _Source(trace, resources.blobs.trace_path(trace_id, trace.summary.format.file_name), key)


def _plan_of(source: _Source, task: Task, staging: Path) -> Plan:
    return Plan(task=task, staging=staging, input_trace=source.trace, input_sha256=source.trace.summary.sha256)


def _anonymize(resources: Resources, attempt: Attempt, source: _Source, staging: Path) -> Task:
    asked = anonymization_of(attempt.order.parameters)
    return AnonymizeTask(
        source=source.path,
        output_directory=staging,
        mapping=asked.mapping,
        mac_mapping=asked.mac_mapping,
        payload=asked.payload,
        names=asked.names,
        rules=attempt.order.rules,
        key=source.key,
        memory_bytes=resources.limits.job_memory_bytes,
    )


def _transform_macs(resources: Resources, attempt: Attempt, source: _Source, staging: Path) -> Task:
    asked = mac_transformation_of(attempt.order.parameters)
    return TransformMacsTask(
        source=source.path,
        output_directory=staging,
        nic=asked.nic,
        payload=asked.payload,
        rules=attempt.order.rules,
        key=source.key,
        memory_bytes=resources.limits.job_memory_bytes,
    )


def _extract(resources: Resources, source: _Source, staging: Path) -> ExtractDicomTask:
    return ExtractDicomTask(
        source=source.path, output_directory=staging, memory_bytes=resources.limits.job_memory_bytes
    )


def _deidentify(resources: Resources, attempt: Attempt, source: _Source, staging: Path) -> DeidentifyTask:
    asked = deidentification_of(attempt.order.parameters)
    return DeidentifyTask(
        source=source.path,
        output_directory=staging,
        dicom=asked.dicom,
        overrides=parse_overrides(attempt.order.overrides),
        addresses=asked.addresses,
        rules=attempt.order.rules,
        key=source.key,
        memory_bytes=resources.limits.job_memory_bytes,
    )
