"""Starting: a job on a trace, under its rules as they are now."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from gql_server.domain.access import Actor
from gql_server.domain.errors import NotFound
from gql_server.domain.ids import JobId, TraceId, new_id
from gql_server.domain.jobs import Job, JobKind
from gql_server.domain.traces import Trace
from gql_server.services.access import MAX_NAME, checked_name, hold_trace, require_write, settle_flow
from gql_server.services.keys import settle_key
from gql_server.services.resources import Resources
from gql_server.services.submission import marked, new_job, submit
from gql_server.store import idempotency, jobs
from gql_server.store.database import Session
from gql_server.store.jobs import JobOrder

Snapshot = Callable[[Session, Trace], Awaitable[dict[str, Any]]]
"""Reads the rules that a job will work under; they are kept with its parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What tells one kind of job from another, before one is made."""

    kind: JobKind
    operation: str
    """The mutation's name, under which idempotency keys are kept."""
    parameters: dict[str, Any]
    snapshot: Snapshot
    suffix: str = ""
    """What the new trace's name ends with, if nobody names it."""
    needs_key: bool = True


async def no_rules(_: Session, __: Trace) -> dict[str, Any]:
    """Take no rules along."""
    return {}


async def start_job(
    resources: Resources,
    actor: Actor,
    start: Start,
    *,
    trace_id: TraceId,
    name: str | None,
    idempotency_key: str | None,
) -> Job:
    """Make the job, queue it and return it; with a key that was used for the same already, return that job.

    Raises:
        Forbidden, NotFound, TraceDeleted, InvalidInput, IdempotencyConflict, KeyDestroyed.
        RulesError: the snapshot was refused.
    """
    require_write(actor)
    output_name = None if name is None else checked_name(name)
    said = start.parameters | {"trace": trace_id, "name": output_name}
    request = marked(start.operation, idempotency_key, said)
    job_id = JobId(new_id())
    async with resources.database.transaction(actor.client_id) as session:
        if request is not None and (known := await idempotency.find_result(session, actor, request)) is not None:
            return await get_job(session, JobId(known))
        await jobs.lock_job(session, job_id)
        trace = await hold_trace(session, trace_id)
        flow = await settle_flow(session, trace.flow_id)
        key_id = None
        if start.needs_key:
            key_id = await settle_key(session, resources.keyring, actor.client_id, flow.engagement_id)
        order = JobOrder(
            parameters=start.parameters | await start.snapshot(session, trace),
            key_id=key_id,
            output_name=output_name or trace.name[: MAX_NAME - len(start.suffix)] + start.suffix,
        )
        job = new_job(actor, job_id=job_id, flow_id=flow.id, kind=start.kind, trace_id=trace.id)
        await submit(session, job, order)
        if request is not None:
            await idempotency.keep_result(session, actor, request, job_id)
    resources.announcer.announce()
    return job


async def get_job(session: Session, job_id: JobId) -> Job:
    """Return a job.

    Raises:
        NotFound: there is none.
    """
    job = (await jobs.find_jobs(session, [job_id])).get(job_id)
    if job is None:
        raise NotFound(noun="job")
    return job
