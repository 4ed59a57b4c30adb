"""Publication: an attempt becomes a trace, all or nothing.

Files first (staged, fsynced, renamed into place under an id nobody knows yet), then one transaction that makes the
trace, the lineage and the event visible together. Nobody looks at a directory that has no row.
"""

import asyncio
import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from gql_server.domain.errors import JobCancelled, LeaseLost, StorageError
from gql_server.domain.events import EventKind
from gql_server.domain.ids import ArtifactId, ExecutionId, TraceId, new_id
from gql_server.domain.jobs import Artifact, ExecutionState, JobKind, JobState
from gql_server.domain.lineage import EdgeKind, LineageEdge
from gql_server.domain.rules import AddressRule, MacRule, parse_address_rules, parse_mac_rules
from gql_server.domain.traces import Trace, TraceOrigin
from gql_server.domain.uploads import UploadState
from gql_server.engine.tasks import Anonymized, Inspected, Result
from gql_server.services.attempts import Attempt
from gql_server.services.manifests import execution_manifest, reports_of, rules_of, trace_manifest
from gql_server.services.plans import Plan
from gql_server.services.resources import Resources
from gql_server.store import events, executions, jobs, lineage, traces, uploads
from gql_server.store.database import Session

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Output:
    """A trace that is on disk and not yet in the books."""

    trace: Trace
    artifacts: tuple[Artifact, ...]


class _NotOursError(Exception):
    """The attempt no longer owns the job: the transaction rolls back."""


async def publish(resources: Resources, attempt: Attempt, plan: Plan, result: Result) -> None:
    """Make the result of an attempt a trace.

    Raises:
        JobCancelled: a cancellation came first; nothing is left.
        LeaseLost: another attempt owns the job; nothing is left.
    """
    output = await asyncio.to_thread(_write_files, resources, attempt, plan, result)
    try:
        async with resources.database.transaction(attempt.job.client_id) as session:
            await _enter(session, attempt, plan, output)
    except _NotOursError:
        await asyncio.to_thread(resources.blobs.remove_trace, output.trace.id)
        async with resources.database.read(attempt.job.client_id) as connection:
            job = (await jobs.find_jobs(connection, [attempt.job.id]))[attempt.job.id]
        if job.attempt == attempt.job.attempt and job.state is JobState.CANCELLING:
            raise JobCancelled from None
        raise LeaseLost from None
    resources.announcer.announce()
    await asyncio.to_thread(_tidy, resources, attempt, plan)


def _write_files(resources: Resources, attempt: Attempt, plan: Plan, result: Result) -> _Output:
    assert isinstance(result, Inspected | Anonymized)
    trace = _new_trace(attempt, plan, result)
    blobs = resources.blobs
    if blobs.is_sealed(attempt.execution.name):
        # Another attempt took over while this one slept.
        raise LeaseLost
    blobs.write_file_durably(plan.staging / "rules.json", rules_of(attempt))
    manifest = trace_manifest(resources, attempt, plan, trace.id, result)
    blobs.write_file_durably(plan.staging / "manifest.json", manifest)
    files = {
        "manifest.json": execution_manifest(resources, attempt, ExecutionState.COMPLETED, plan=plan, result=result),
        "rules.json": rules_of(attempt),
    }
    files |= reports_of(result)
    for name, body in files.items():
        blobs.write_execution_file(attempt.execution.name, name, body)
    # Last: a disk that fills up before this leaves nothing that would have to be swept.
    blobs.publish(plan.staging, trace.id)
    artifacts = tuple(_new_artifact(attempt, name, body) for name, body in files.items())
    return _Output(trace=trace, artifacts=artifacts)


def _new_trace(attempt: Attempt, plan: Plan, result: Result) -> Trace:
    assert isinstance(result, Inspected | Anonymized)
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
        verification=result.verification if isinstance(result, Anonymized) else None,
        created_at=datetime.now(UTC),
        deleted_at=None,
    )


def _rules_of(attempt: Attempt, plan: Plan) -> tuple[tuple[AddressRule, ...], tuple[MacRule, ...]]:
    """Return the rules that a new trace begins with: those it was made under, and its parent's of the other kind."""
    if plan.input_trace is None:
        return (), ()
    rules = list(attempt.order.rules)
    if attempt.job.kind is JobKind.MAC_TRANSFORMATION:
        return plan.input_trace.address_rules, parse_mac_rules(rules)
    return parse_address_rules(rules), plan.input_trace.mac_rules


def _origin_of(kind: JobKind) -> TraceOrigin:
    match kind:
        case JobKind.INGEST:
            return TraceOrigin.UPLOADED
        case JobKind.ADDRESS_ANONYMIZATION:
            return TraceOrigin.ADDRESS_ANONYMIZED
        case JobKind.MAC_TRANSFORMATION:
            return TraceOrigin.MAC_TRANSFORMED
        case _:
            assert_never(kind)


def _new_artifact(attempt: Attempt, name: str, body: bytes) -> Artifact:
    return Artifact(
        id=ArtifactId(new_id()),
        client_id=attempt.job.client_id,
        execution_id=attempt.execution.id,
        name=name,
        media_type="application/json",
        size_bytes=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
    )


async def _enter(session: Session, attempt: Attempt, plan: Plan, output: _Output) -> None:
    await jobs.lock_job(session, attempt.job.id)
    job = (await jobs.find_jobs(session, [attempt.job.id]))[attempt.job.id]
    # Asked before the trace is added: where another attempt has made one, a second would break a constraint.
    if (job.attempt, job.state) != (attempt.job.attempt, JobState.RUNNING):
        raise _NotOursError
    await traces.add_trace(session, output.trace)
    trace_id = output.trace.id
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


def _edges_of(execution_id: ExecutionId, plan: Plan, trace_id: TraceId) -> list[LineageEdge]:
    generated = LineageEdge(
        kind=EdgeKind.GENERATED,
        source_trace_id=None,
        source_execution_id=execution_id,
        target_trace_id=trace_id,
        target_execution_id=None,
    )
    if plan.input_trace is None:
        return [generated]
    used = LineageEdge(
        kind=EdgeKind.USED,
        source_trace_id=None,
        source_execution_id=execution_id,
        target_trace_id=plan.input_trace.id,
        target_execution_id=None,
    )
    derived = LineageEdge(
        kind=EdgeKind.DERIVED_FROM,
        source_trace_id=trace_id,
        source_execution_id=None,
        target_trace_id=plan.input_trace.id,
        target_execution_id=None,
    )
    return [generated, used, derived]


def _tidy(resources: Resources, attempt: Attempt, plan: Plan) -> None:
    try:
        resources.blobs.seal_execution(attempt.execution.name)
        if plan.input_upload is not None:
            resources.blobs.delete_upload(plan.input_upload.id)
    except StorageError as refusal:
        # The trace is out; the sweeper comes back for the upload.
        log.warning("not tidied", extra={"execution": attempt.execution.name, "error_code": refusal.code.value})
