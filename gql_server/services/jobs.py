"""Jobs: start them, cancel them."""

from dataclasses import asdict, dataclass

from gql_server.domain.access import Actor
from gql_server.domain.anonymization import AnonymizationParameters, MacTransformationParameters
from gql_server.domain.errors import JobCancelled, JobNotCancellable, NotFound
from gql_server.domain.events import EventKind
from gql_server.domain.ids import JobId, TraceId, new_id
from gql_server.domain.jobs import Job, JobKind, JobState, Lease
from gql_server.domain.rules import check_mac_targets
from gql_server.domain.traces import Trace
from gql_server.services.access import MAX_NAME, checked_name, hold_trace, require_write, settle_flow
from gql_server.services.keys import settle_key
from gql_server.services.resources import Resources
from gql_server.services.submission import marked, new_job, submit
from gql_server.services.uploads import close_upload_of
from gql_server.store import events, idempotency, jobs
from gql_server.store.database import Session
from gql_server.store.jobs import JobOrder
from gql_server.store.traces import rules_as_json


@dataclass(frozen=True, slots=True, kw_only=True)
class _Transformation:
    """What tells one transformation from another, before a job of it is made."""

    kind: JobKind
    operation: str
    """The mutation's name, under which idempotency keys are kept."""
    parameters: AnonymizationParameters | MacTransformationParameters
    suffix: str
    """What the new trace's name ends with, if nobody names it."""

    def rules_of(self, trace: Trace) -> list[list[str]]:
        """Return the rules of the trace that it obeys.

        Raises:
            RuleTargetsCollide: two of them make one address.
        """
        if isinstance(self.parameters, MacTransformationParameters):
            check_mac_targets(trace.mac_rules, self.parameters.nic)
            return rules_as_json(trace.mac_rules)
        return rules_as_json(trace.address_rules)


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
    transformation = _Transformation(
        kind=JobKind.ADDRESS_ANONYMIZATION,
        operation="startAddressAnonymization",
        parameters=parameters,
        suffix=" (addresses anonymized)",
    )
    return await _start(resources, actor, transformation, trace_id=trace_id, name=name, idempotency_key=idempotency_key)


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
    transformation = _Transformation(
        kind=JobKind.MAC_TRANSFORMATION,
        operation="startMacTransformation",
        parameters=parameters,
        suffix=" (vendors replaced)",
    )
    return await _start(resources, actor, transformation, trace_id=trace_id, name=name, idempotency_key=idempotency_key)


async def _start(
    resources: Resources,
    actor: Actor,
    transformation: _Transformation,
    *,
    trace_id: TraceId,
    name: str | None,
    idempotency_key: str | None,
) -> Job:
    require_write(actor)
    output_name = None if name is None else checked_name(name)
    said = asdict(transformation.parameters) | {"trace": trace_id, "name": output_name}
    request = marked(transformation.operation, idempotency_key, said)
    job_id = JobId(new_id())
    async with resources.database.transaction(actor.client_id) as session:
        if request is not None and (known := await idempotency.find_result(session, actor, request)) is not None:
            return await _get_job(session, JobId(known))
        await jobs.lock_job(session, job_id)
        trace = await hold_trace(session, trace_id)
        flow = await settle_flow(session, trace.flow_id)
        order = JobOrder(
            parameters=asdict(transformation.parameters) | {"rules": transformation.rules_of(trace)},
            key_id=await settle_key(session, resources.keyring, actor.client_id, flow.engagement_id),
            output_name=output_name or trace.name[: MAX_NAME - len(transformation.suffix)] + transformation.suffix,
        )
        job = new_job(actor, job_id=job_id, flow_id=flow.id, kind=transformation.kind, trace_id=trace.id)
        await submit(session, job, order)
        if request is not None:
            await idempotency.keep_result(session, actor, request, job_id)
    resources.announcer.announce()
    return job


async def cancel_job(resources: Resources, actor: Actor, *, job_id: JobId) -> Job:
    """Cancel a job: at once when nobody works on it, else as soon as its worker hears of it.

    Raises:
        Forbidden, NotFound.
        JobNotCancellable: it has ended, or is being cancelled.
    """
    require_write(actor)
    async with resources.database.transaction(actor.client_id) as session:
        await jobs.lock_job(session, job_id)
        job = await _get_job(session, job_id)
        if await jobs.request_cancel(session, job_id):
            await events.append_event(session, job_id, EventKind.JOB_CANCEL_REQUESTED)
        else:
            await _cancel_pending(session, job)
        job = await _get_job(session, job_id)
    resources.announcer.announce()
    return job


async def _cancel_pending(session: Session, job: Job) -> None:
    lease = Lease(client_id=job.client_id, job_id=job.id, attempt=job.attempt)
    error = JobCancelled()
    if not await jobs.end_job(session, lease, before=JobState.PENDING, after=JobState.CANCELLED, error=error):
        raise JobNotCancellable(state=job.state.value)
    await close_upload_of(session, job, error)
    await events.append_event(session, job.id, EventKind.JOB_CANCELLED, error=error)


async def _get_job(session: Session, job_id: JobId) -> Job:
    job = (await jobs.find_jobs(session, [job_id])).get(job_id)
    if job is None:
        raise NotFound(noun="job")
    return job
