"""Manifests: what was done with what, in a file of its own.

A manifest holds digests, ids, parameters, counts and times; names that people gave, addresses and keys stay out. The
rules do hold addresses: they stand in a file beside it, which only the trace's readers can open.
"""

import asyncio
import hashlib
import json
import logging
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from gql_server.domain.errors import GqlServerError, StorageError
from gql_server.domain.ids import TraceId
from gql_server.domain.jobs import Execution, ExecutionState, JobKind
from gql_server.engine.dicom.tasks import Deidentified, DicomListed
from gql_server.engine.tasks import Anonymized, Inspected, Result
from gql_server.services.attempts import Attempt
from gql_server.services.plans import Plan
from gql_server.services.resources import Resources

log = logging.getLogger(__name__)

MANIFEST_VERSION = 1

_SNAPSHOTS = ("rules", "overrides")

Made = Inspected | Anonymized | Deidentified
"""What comes with a capture."""


def as_json(body: Any) -> bytes:
    """Return the body as text that people can read and compare."""
    return json.dumps(body, indent=2, sort_keys=True, default=str).encode() + b"\n"


def trace_manifest(resources: Resources, attempt: Attempt, plan: Plan, trace_id: TraceId, result: Made) -> bytes:
    """Return the manifest that lies beside a capture."""
    return as_json(
        {
            "manifestVersion": MANIFEST_VERSION,
            "traceId": trace_id,
            "jobId": attempt.job.id,
            "executionName": attempt.execution.name,
            "codeVersion": resources.code_version,
            "derivedFrom": _input_of(plan),
            "capture": asdict(result.summary),
            "inspection": [asdict(file) for file in result.inspection],
            **_request_of(attempt),
        }
    )


def execution_manifest(
    resources: Resources,
    attempt: Attempt,
    outcome: ExecutionState,
    *,
    plan: Plan | None = None,
    result: Result | None = None,
    error: GqlServerError | None = None,
) -> bytes:
    """Return the manifest of an execution."""
    body: dict[str, Any] = {
        "manifestVersion": MANIFEST_VERSION,
        "executionId": attempt.execution.id,
        "executionName": attempt.execution.name,
        "jobId": attempt.job.id,
        "kind": attempt.job.kind,
        "attempt": attempt.job.attempt,
        "codeVersion": resources.code_version,
        "startedAt": attempt.execution.started_at.isoformat(),
        "finishedAt": datetime.now(UTC).isoformat(),
        "outcome": outcome,
        **_request_of(attempt),
    }
    if plan is not None:
        body["input"] = _input_of(plan)
    if isinstance(result, Made):
        body["output"] = asdict(result.summary)
    if isinstance(result, Anonymized):
        body["report"] = asdict(result.report)
    if isinstance(result, Anonymized | Deidentified):
        body["verification"] = None if result.verification is None else result.verification.status
    if isinstance(result, DicomListed):
        body["lists"] = asdict(result)
    if error is not None:
        body["error"] = {"code": error.code, "facts": error.facts()}
    return as_json(body)


def reports_of(result: Result) -> dict[str, bytes]:
    """Return what a transformation counted and what was proven of it, by file name; none holds an address."""
    if not isinstance(result, Anonymized | Deidentified):
        return {}
    addresses = result.addresses if isinstance(result, Deidentified) else result.report
    reports = {} if addresses is None else {"report.json": as_json(asdict(addresses))}
    if isinstance(result, Deidentified):
        reports["dicom_report.json"] = as_json(asdict(result.report))
    if result.verification is not None:
        reports["verification.json"] = as_json(asdict(result.verification))
    return reports


def snapshots_of(attempt: Attempt) -> dict[str, bytes]:
    """Return the rules and overrides that the attempt worked under, by file name."""
    snapshots = {"rules.json": rules_of(attempt)}
    if "overrides" in attempt.order.parameters:
        names = ("element", "action", "value")
        overrides = [dict(zip(names, override, strict=True)) for override in attempt.order.overrides]
        snapshots["overrides.json"] = as_json(overrides)
    return snapshots


def rules_of(attempt: Attempt) -> bytes:
    """Return the snapshot of the address or MAC rules that the attempt worked under."""
    if attempt.job.kind is JobKind.MAC_TRANSFORMATION:
        return as_json([{"originalMac": original, "targetOui": oui} for original, oui in attempt.order.rules])
    return as_json([{"source": source, "target": target} for source, target in attempt.order.rules])


def _request_of(attempt: Attempt) -> dict[str, Any]:
    parameters = {name: value for name, value in attempt.order.parameters.items() if name not in _SNAPSHOTS}
    digests = {
        f"{name.removesuffix('.json')}Sha256": hashlib.sha256(body).hexdigest()
        for name, body in snapshots_of(attempt).items()
    }
    return {"parameters": parameters, **digests, "keyId": attempt.order.key_id}


def _input_of(plan: Plan) -> dict[str, Any]:
    if plan.input_trace is not None:
        return {"traceId": plan.input_trace.id, "sha256": plan.input_sha256}
    upload = plan.input_upload
    return {
        "uploadId": upload and upload.id,
        "lengthBytes": upload and upload.length_bytes,
        "sha256": plan.input_sha256,
    }


async def seal_manifest(
    resources: Resources, attempt: Attempt, outcome: ExecutionState, error: GqlServerError | None
) -> None:
    """Write the manifest of an execution that made no trace, and let nothing change it any more.

    The row says the same: where the disk takes no file, the execution ends without one.
    """
    body = execution_manifest(resources, attempt, outcome, error=error)

    def write() -> None:
        if resources.blobs.is_sealed(attempt.execution.name):
            return
        resources.blobs.write_execution_file(attempt.execution.name, "manifest.json", body)
        resources.blobs.seal_execution(attempt.execution.name)

    try:
        await asyncio.to_thread(write)
    except StorageError as refusal:
        log.warning(
            "manifest not written", extra={"execution": attempt.execution.name, "error_code": refusal.code.value}
        )


async def seal_abandoned(resources: Resources, attempt: Attempt, abandoned: tuple[Execution, ...]) -> None:
    """Write the manifests that dead workers left unwritten."""
    for execution in abandoned:
        job = replace(attempt.job, attempt=execution.attempt)
        left = replace(attempt, job=job, execution=execution)
        await seal_manifest(resources, left, ExecutionState.ABANDONED, None)
