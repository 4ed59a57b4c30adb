"""Publication: an attempt becomes a trace, all or nothing.

Files first (staged, fsynced, renamed into place under an id nobody knows yet), then one transaction that makes the
trace, the lineage and the event visible together. Nobody looks at a directory that has no row. An extraction makes no
trace: its lists stay with its execution, and the trace it read names that.
"""

import asyncio
import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from gql_server.domain.dicom_overrides import parse_overrides
from gql_server.domain.errors import JobCancelled, LeaseLost, StorageError
from gql_server.domain.events import EventKind
from gql_server.domain.ids import ArtifactId, ExecutionId, TraceId, new_id
from gql_server.domain.jobs import Artifact, ExecutionState, JobKind, JobState
from gql_server.domain.lineage import EdgeKind, LineageEdge
from gql_server.domain.rules import AddressRule, MacRule, parse_address_rules, parse_mac_rules
from gql_server.domain.traces import Trace, TraceOrigin
from gql_server.domain.uploads import UploadState
from gql_server.engine.dicom.tasks import DicomListed
from gql_server.engine.tasks import Inspected, Result
from gql_server.services.attempts import Attempt
from gql_server.services.manifests import Made, execution_manifest, reports_of, snapshots_of, trace_manifest
from gql_server.services.plans import Plan
from gql_server.services.resources import Resources
from gql_server.store import events, executions, jobs, lineage, traces, uploads
from gql_server.store.database import Session
from gql_server.store.durable_files import storing

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Output:
    """What is on disk and not yet in the books."""

    trace: Trace | None
    """None where the job makes none."""
    artifacts: tuple[Artifact, ...]


class _NotOursError(Exception):
    """The attempt no longer owns the job: the transaction rolls back."""


async def publish(resources: Resources, attempt: Attempt, plan: Plan, result: Result) -> None:
    """Make the result of an attempt a trace; that of an extraction stays with its execution.

    Raises:
        JobCancelled: a cancellation came first; nothing is left.
        LeaseLost: another attempt owns the job; nothing is left.
    """
    write = _write_lists if isinstance(result, DicomListed) else _write_trace
    output = await asyncio.to_thread(write, resources, attempt, plan, result)
    try:
        async with resources.database.transaction(attempt.job.client_id) as session:
            await _enter(session, attempt, plan, output)
    except _NotOursError:
        if output.trace is not None:
            await asyncio.to_thread(resources.blobs.remove_trace, output.trace.id)
        async with resources.database.read(attempt.job.client_id) as connection:
            job = (await jobs.find_jobs(connection, [attempt.job.id]))[attempt.job.id]
        if job.attempt == attempt.job.attempt and job.state is JobState.CANCELLING:
            raise JobCancelled from None
        raise LeaseLost from None
    resources.announcer.announce()
    await asyncio.to_thread(_tidy, resources, attempt, plan)


def _write_trace(resources: Resources, attempt: Attempt, plan: Plan, result: Result) -> _Output:
    assert isinstance(result, Made)
    trace = _new_trace(attempt, plan, result)
    blobs = resources.blobs
    _require_open(resources, attempt)
    for name, body in snapshots_of(attempt).items():
        blobs.write_file_durably(plan.staging / name, body)
    manifest = trace_manifest(resources, attempt, plan, trace.id, result)
    blobs.write_file_durably(plan.staging / "manifest.json", manifest)
    artifacts = _write_artifacts(resources, attempt, plan, result, snapshots_of(attempt) | reports_of(result))
    # Last: a disk that fills up before this leaves nothing that would have to be swept.
    blobs.publish(plan.staging, trace.id)
    return _Output(trace=trace, artifacts=artifacts)


def _write_lists(resources: Resources, attempt: Attempt, plan: Plan, result: Result) -> _Output:
    assert isinstance(result, DicomListed)
    _require_open(resources, attempt)
    with storing():
        lists = {file.name: (plan.staging / file.name).read_bytes() for file in result.files}
    return _Output(trace=None, artifacts=_write_artifacts(resources, attempt, plan, result, lists))


def _require_open(resources: Resources, attempt: Attempt) -> None:
    if resources.blobs.is_sealed(attempt.execution.name):
        # Another attempt took over while this one slept.
        raise LeaseLost


def _write_artifacts(
    resources: Resources, attempt: Attempt, plan: Plan, result: Result, files: dict[str, bytes]
) -> tuple[Artifact, ...]:
    manifest = execution_manifest(resources, attempt, ExecutionState.COMPLETED, plan=plan, result=result)
    files = {"manifest.json": manifest, **files}
    for name, body in files.items():
        resources.blobs.write_execution_file(attempt.execution.name, name, body)
    return tuple(_new_artifact(attempt, name, body) for name, body in files.items())


def _new_trace(attempt: Attempt, plan: Plan, result: Made) -> Trace:
    address_rules, mac_rules = _rules_of(attempt, plan)
    return Trace(
        id=TraceId(new_id()),
        client_id=attempt.job.client_id,
        flow_id=attempt.job.flow_id,
        job_id=attempt.job.id,
        name=attempt.order.output_name,
        origin=_origin_of(attempt.job.kind),
        summary=result.summary,
        address_rules=address_rules,
        mac_rules=mac_rules,
        verification=None if isinstance(result, Inspected) else result.verification,
        created_at=datetime.now(UTC),
        deleted_at=None,
    )


def _rules_of(attempt: Attempt, plan: Plan) -> tuple[tuple[AddressRule, ...], tuple[MacRule, ...]]:
    """Return the rules that a new trace begins with: those it was made under, and its parent's of the other kind."""
    if plan.input_trace is None:
        return (), ()
    rules = list(attempt.order.rules)
    match attempt.job.kind:
        case JobKind.MAC_TRANSFORMATION:
            return plan.input_trace.address_rules, parse_mac_rules(rules)
        case JobKind.DICOM_DEIDENTIFICATION:
            return plan.input_trace.address_rules, plan.input_trace.mac_rules
        case _:
            return parse_address_rules(rules), plan.input_trace.mac_rules


def _origin_of(kind: JobKind) -> TraceOrigin:
    match kind:
        case JobKind.INGEST:
            return TraceOrigin.UPLOADED
        case JobKind.ADDRESS_ANONYMIZATION:
            return TraceOrigin.ADDRESS_ANONYMIZED
        case JobKind.MAC_TRANSFORMATION:
            return TraceOrigin.MAC_TRANSFORMED
        case JobKind.DICOM_DEIDENTIFICATION:
            return TraceOrigin.DICOM_DEIDENTIFIED
        case JobKind.DEIDENTIFICATION:
            return TraceOrigin.DEIDENTIFIED
        case JobKind.DICOM_EXTRACTION:
            raise ValueError(kind)
        case _:
            assert_never(kind)


def _new_artifact(attempt: Attempt, name: str, body: bytes) -> Artifact:
    return Artifact(
        id=ArtifactId(new_id()),
        client_id=attempt.job.client_id,
        execution_id=attempt.execution.id,
        name=name,
        media_type="application/json" if name.endswith(".json") else "application/octet-stream",
        size_bytes=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
    )


async def _enter(session: Session, attempt: Attempt, plan: Plan, output: _Output) -> None:
    await jobs.lock_job(session, attempt.job.id)
    job = (await jobs.find_jobs(session, [attempt.job.id]))[attempt.job.id]
    # Asked before the trace is added: where another attempt has made one, a second would break a constraint.
    if (job.attempt, job.state) != (attempt.job.attempt, JobState.RUNNING):
        raise _NotOursError
    trace_id = await _enter_trace(session, attempt, plan, output.trace)
    if not await jobs.end_job(
        session, attempt.lease, before=JobState.RUNNING, after=JobState.COMPLETED, output_trace_id=trace_id
    ):
        raise _NotOursError
    for edge in _edges_of(attempt.execution.id, plan, trace_id):
        await lineage.add_edge(session, attempt.job.client_id, edge)
    for artifact in output.artifacts:
        await executions.add_artifact(session, artifact)
    await executions.end_execution(session, attempt.execution.id, ExecutionState.COMPLETED, None)
    if plan.input_upload is not None:
        await uploads.change_upload(session, plan.input_upload.id, state=UploadState.FINISHED, trace_id=trace_id)
    await events.append_event(session, attempt.job.id, EventKind.JOB_COMPLETED, output_trace_id=trace_id)


async def _enter_trace(session: Session, attempt: Attempt, plan: Plan, trace: Trace | None) -> TraceId | None:
    """Add the trace that was made, or note at the one that was read where its lists are."""
    parent = plan.input_trace
    if trace is None:
        assert parent is not None
        await traces.name_listing(session, parent.id, attempt.execution.id)
        return None
    await traces.add_trace(session, trace)
    if "overrides" in attempt.order.parameters:
        await traces.set_overrides(session, trace.id, parse_overrides(attempt.order.overrides))
    elif parent is not None:
        inherited = await traces.find_overrides(session, [parent.id])
        await traces.set_overrides(session, trace.id, inherited[parent.id])
    return trace.id


def _edges_of(execution_id: ExecutionId, plan: Plan, trace_id: TraceId | None) -> list[LineageEdge]:
    parent_id = None if plan.input_trace is None else plan.input_trace.id
    edges = []
    if trace_id is not None:
        edges.append(_edge(EdgeKind.GENERATED, trace_id, execution_id=execution_id))
    if parent_id is not None:
        edges.append(_edge(EdgeKind.USED, parent_id, execution_id=execution_id))
    if trace_id is not None and parent_id is not None:
        edges.append(_edge(EdgeKind.DERIVED_FROM, parent_id, trace_id=trace_id))
    return edges


def _edge(
    kind: EdgeKind, target: TraceId, *, execution_id: ExecutionId | None = None, trace_id: TraceId | None = None
) -> LineageEdge:
    return LineageEdge(
        kind=kind,
        source_trace_id=trace_id,
        source_execution_id=execution_id,
        target_trace_id=target,
        target_execution_id=None,
    )


def _tidy(resources: Resources, attempt: Attempt, plan: Plan) -> None:
    try:
        resources.blobs.seal_execution(attempt.execution.name)
        if plan.input_upload is not None:
            resources.blobs.delete_upload(plan.input_upload.id)
    except StorageError as refusal:
        # The trace is out; the sweeper comes back for the upload.
        log.warning("not tidied", extra={"execution": attempt.execution.name, "error_code": refusal.code.value})
