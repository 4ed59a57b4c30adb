"""Starting: a job on a trace, under its rules as they are now."""

from typing import Any

import pytest

from gql_server.domain.access import Actor, Role
from gql_server.domain.errors import Forbidden, IdempotencyConflict, NotFound, TraceDeleted
from gql_server.domain.ids import JobId, TraceId, new_id
from gql_server.domain.jobs import Job, JobKind, JobState
from gql_server.domain.traces import Trace
from gql_server.services.access import MAX_NAME
from gql_server.services.resources import Resources
from gql_server.services.starting import Start, get_job, no_rules, start_job
from gql_server.services.traces import delete_trace, rename_trace
from gql_server.store import jobs
from gql_server.store.database import Session
from tests.conftest import NewActor
from tests.services.desk import ingest, messages_for


async def _counted(_: Session, trace: Trace) -> dict[str, Any]:
    return {"rules": [], "packets": trace.summary.packets}


START = Start(
    kind=JobKind.ADDRESS_ANONYMIZATION,
    operation="startSomething",
    parameters={"how": "well"},
    snapshot=_counted,
    suffix=" (done)",
)


@pytest.fixture
async def trace(resources: Resources, actor: Actor) -> Trace:
    return await ingest(resources, actor)


async def _start(
    resources: Resources, actor: Actor, trace_id: TraceId, start: Start = START, *, key: str | None = None
) -> Job:
    return await start_job(resources, actor, start, trace_id=trace_id, name=None, idempotency_key=key)


async def test_a_job_takes_its_parameters_and_a_snapshot_along(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    job = await _start(resources, actor, trace.id)
    async with resources.database.transaction(actor.client_id) as session:
        order = await jobs.find_order(session, job.id)
        assert await get_job(session, job.id) == job
    assert order.parameters == {"how": "well", "rules": [], "packets": trace.summary.packets}
    assert order.output_name == "example.pcap (done)"
    assert order.key_id is not None
    assert (job.state, job.kind, job.input_trace_id) == (JobState.PENDING, JobKind.ADDRESS_ANONYMIZATION, trace.id)
    assert await messages_for(resources, job) == 1


async def test_a_job_that_needs_no_key_names_none(resources: Resources, actor: Actor, trace: Trace) -> None:
    start = Start(kind=JobKind.DICOM_EXTRACTION, operation="x", parameters={}, snapshot=no_rules, needs_key=False)
    job = await _start(resources, actor, trace.id, start)
    async with resources.database.transaction(actor.client_id) as session:
        order = await jobs.find_order(session, job.id)
    assert (order.key_id, order.parameters, order.rules, order.overrides) == (None, {}, (), ())


async def test_a_key_used_again_returns_the_job_and_acts_no_more(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    first = await _start(resources, actor, trace.id, key="once")
    assert await _start(resources, actor, trace.id, key="once") == first
    with pytest.raises(IdempotencyConflict):
        await start_job(resources, actor, START, trace_id=trace.id, name="other", idempotency_key="once")


async def test_who_may_not_starts_nothing(
    resources: Resources, actor: Actor, new_actor: NewActor, trace: Trace
) -> None:
    with pytest.raises(Forbidden):
        await _start(resources, await new_actor(Role.VIEWER, client_id=actor.client_id), trace.id)
    with pytest.raises(NotFound):
        await _start(resources, await new_actor(), trace.id)
    with pytest.raises(NotFound):
        await _start(resources, actor, TraceId(new_id()))
    await delete_trace(resources, actor, trace_id=trace.id)
    with pytest.raises(TraceDeleted):
        await _start(resources, actor, trace.id)


async def test_a_long_name_leaves_room_for_what_is_said_of_the_output(
    resources: Resources, actor: Actor, trace: Trace
) -> None:
    await rename_trace(resources, actor, trace_id=trace.id, name="n" * MAX_NAME)
    job = await _start(resources, actor, trace.id)
    async with resources.database.transaction(actor.client_id) as session:
        order = await jobs.find_order(session, job.id)
    assert len(order.output_name) == MAX_NAME
    assert order.output_name.endswith("n (done)")


async def test_no_job_is_got_of_no_id(resources: Resources, actor: Actor) -> None:
    async with resources.database.transaction(actor.client_id) as session:
        with pytest.raises(NotFound):
            await get_job(session, JobId(new_id()))
