"""Jobs: start them, cancel them."""

from dataclasses import asdict
from typing import Any

from gql_server.domain.access import Actor
from gql_server.domain.anonymization import AnonymizationParameters, MacTransformationParameters, NicPolicy
from gql_server.domain.errors import JobCancelled, JobNotCancellable
from gql_server.domain.events import EventKind
from gql_server.domain.ids import JobId, TraceId
from gql_server.domain.jobs import Job, JobKind, JobState, Lease
from gql_server.domain.rules import check_mac_targets
from gql_server.domain.traces import Trace
from gql_server.services.access import require_write
from gql_server.services.resources import Resources
from gql_server.services.starting import Snapshot, Start, get_job, start_job
from gql_server.services.uploads import close_upload_of
from gql_server.store import events, jobs
from gql_server.store.database import Session
from gql_server.store.traces import rules_as_json


async def address_rules(_: Session, trace: Trace) -> dict[str, Any]:
    """Take the address rules of a trace along."""
    return {"rules": rules_as_json(trace.address_rules)}


def _mac_rules(nic: NicPolicy) -> Snapshot:
    async def snapshot(_: Session, trace: Trace) -> dict[str, Any]:
        check_mac_targets(trace.mac_rules, nic)
        return {"rules": rules_as_json(trace.mac_rules)}

    return snapshot


async def start_address_anonymization(
    resources: Resources,
    actor: Actor,
    *,
    trace_id: TraceId,
    parameters: AnonymizationParameters,
    name: str | None,
    idempotency_key: str | None,
) -> Job:
    """Start an address anonymization of a trace under its address rules as they are now.

    Raises:
        Forbidden, NotFound, TraceDeleted, InvalidInput, IdempotencyConflict, KeyDestroyed.
    """
    start = Start(
        kind=JobKind.ADDRESS_ANONYMIZATION,
        operation="startAddressAnonymization",
        parameters=asdict(parameters),
        snapshot=address_rules,
        suffix=" (addresses anonymized)",
    )
    return await start_job(resources, actor, start, trace_id=trace_id, name=name, idempotency_key=idempotency_key)


async def start_mac_transformation(
    resources: Resources,
    actor: Actor,
    *,
    trace_id: TraceId,
    parameters: MacTransformationParameters,
    name: str | None,
    idempotency_key: str | None,
) -> Job:
    """Start a MAC transformation of a trace under its MAC rules as they are now.

    Raises:
        Forbidden, NotFound, TraceDeleted, InvalidInput, IdempotencyConflict, KeyDestroyed.
        RuleTargetsCollide: with the last octets kept, two rules make one address.
    """
    start = Start(
        kind=JobKind.MAC_TRANSFORMATION,
        operation="startMacTransformation",
        parameters=asdict(parameters),
        snapshot=_mac_rules(parameters.nic),
        suffix=" (vendors replaced)",
    )
    return await start_job(resources, actor, start, trace_id=trace_id, name=name, idempotency_key=idempotency_key)


async def cancel_job(resources: Resources, actor: Actor, *, job_id: JobId) -> Job:
    """Cancel a job: at once when nobody works on it, else as soon as its worker hears of it.

    Raises:
        Forbidden, NotFound.
        JobNotCancellable: it has ended, or is being cancelled.
    """
    require_write(actor)
    async with resources.database.transaction(actor.client_id) as session:
        await jobs.lock_job(session, job_id)
        job = await get_job(session, job_id)
        if await jobs.request_cancel(session, job_id):
            await events.append_event(session, job_id, EventKind.JOB_CANCEL_REQUESTED)
        else:
            await _cancel_pending(session, job)
        job = await get_job(session, job_id)
    resources.announcer.announce()
    return job


async def _cancel_pending(session: Session, job: Job) -> None:
    lease = Lease(client_id=job.client_id, job_id=job.id, attempt=job.attempt)
    error = JobCancelled()
    if not await jobs.end_job(session, lease, before=JobState.PENDING, after=JobState.CANCELLED, error=error):
        raise JobNotCancellable(state=job.state.value)
    await close_upload_of(session, job, error)
    await events.append_event(session, job.id, EventKind.JOB_CANCELLED, error=error)
